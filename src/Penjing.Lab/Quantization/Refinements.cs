namespace Penjing.Lab;

/// <summary>What brings the answers of a network's integers nearer to those of its reals, without training.</summary>
[Flags]
public enum Refinements
{
    /// <summary>Nothing: ranges are measured, and all is rounded to what is nearest.</summary>
    None = 0,
    /// <summary>Channels are scaled so that one range fits all of a value's; see <see cref="Compression.Equalization"/>.</summary>
    Equalize = 1,
    /// <summary>Weights are rounded up or down as suits their layer's answer; see <see cref="Training.AdaptiveRounding"/>.</summary>
    Round = 2,
    /// <summary>Biases bring back the means that rounding moved (bias correction, Nagel et al. 2019, the empirical way).</summary>
    Bias = 4,
    /// <summary>Weights' scales and biases bring back the deviations as well as the means: what estimating BatchNormalization anew does, whose place they have taken.</summary>
    Normalize = 8,
}
