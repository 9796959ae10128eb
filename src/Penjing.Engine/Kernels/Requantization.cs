namespace Penjing.Engine;

/// <summary>What becomes of a convolution's exact sums: times a scale of their channel, within bounds, rounded, plus the zero point.</summary>
internal readonly struct Requantization
{
    private readonly QuantizedConv op;

    /// <summary>That of a quantized convolution.</summary>
    public Requantization(QuantizedConv op)
    {
        this.op = op;
        Zero = op.To.Quantization.ZeroPoints[0];
        (Min, Max) = op.To.To is ElementType.Int8 ? (sbyte.MinValue - Zero, sbyte.MaxValue - Zero) : (byte.MinValue - Zero, byte.MaxValue - Zero);
    }

    /// <summary>The output's zero point.</summary>
    public int Zero { get; }

    /// <summary>The least that the type can hold, less the zero point.</summary>
    public float Min { get; }

    /// <summary>The most.</summary>
    public float Max { get; }

    /// <summary>The scale of each channel, and as many more as two vectors may read.</summary>
    public NativeBuffer Scales(int channels, int lanes)
    {
        var scales = new float[channels + 2 * lanes];
        for (int channel = 0; channel < channels; channel++)
            scales[channel] = op.X.Scales[0] * op.W.Scales[op.W.Axis is null ? 0 : channel] / op.To.Quantization.Scales[0];
        return NativeBuffer.Of<float>(scales);
    }
}
