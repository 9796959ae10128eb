using System.Collections.Immutable;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>How a stage of a recipe trains; what all stages share, such as batch, seed and threads, is given where the recipe is run.</summary>
public sealed record Retraining
{
    /// <summary>Passes over the training pictures in the whole stage; a fraction is fine.</summary>
    public double Epochs { get; init; } = 2;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 0.01;

    /// <summary>Epochs in which the learning rate rises from 0.</summary>
    public double WarmUp { get; init; }

    /// <summary>The share of each weight that is added to its gradient.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The weight of the teacher's answers, by itself the uncompressed network's, in the loss (knowledge distillation, Hinton et al. 2015), 0 to 1; 0 to learn from the labels alone.</summary>
    public double Soft { get; init; }

    /// <summary>What logits are divided by where <see cref="Soft"/> is above 0.</summary>
    public double Temperature { get; init; } = 4;

    /// <summary>Values inside that are drawn to the teacher's (Romero et al. 2015), by the names of their nodes; null for none.</summary>
    public ImmutableArray<FeaturePair>? Features { get; init; }

    /// <summary>The longest gradient, by its norm; 0 for no bound, null for what suits the network: <see cref="TrainingOptions.For"/>.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The decay of a moving average of the weights over the steps, which is then the result; 0 for none.</summary>
    public double Average { get; init; }

    /// <summary>Training pictures over which BatchNormalization's statistics are estimated before training; 0 for none.</summary>
    public int EstimateOver { get; init; }

    /// <summary>Whether a teacher is learnt from.</summary>
    internal bool IsTaught => Soft > 0 || Features is { IsDefaultOrEmpty: false };

    /// <summary>The same with the epochs, those of the warm-up too, multiplied.</summary>
    internal Retraining Times(double factor) => this with { Epochs = Epochs * factor, WarmUp = WarmUp * factor };

    /// <summary>The options that this comes to.</summary>
    /// <param name="common">What all stages share, perhaps a teacher.</param>
    /// <param name="original">The uncompressed network.</param>
    internal TrainingOptions Options(TrainingOptions common, Model original) => common with
    {
        Epochs = Epochs,
        Steps = null,
        LearningRate = LearningRate,
        WarmUp = WarmUp,
        WeightDecay = WeightDecay,
        ClipNorm = ClipNorm ?? TrainingOptions.For(original.Graph).ClipNorm,
        Average = Average,
        EstimateOver = EstimateOver,
        Distillation = IsTaught ? (common.Distillation ?? new(original)) with { Soft = Soft, Temperature = Temperature, Features = Features ?? [] } : null,
    };
}
