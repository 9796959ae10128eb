namespace Penjing.Engine;

/// <summary>What becomes of exact sums: times a scale of their channel they are reals; or, within bounds, rounded, and the zero point added, integers.</summary>
internal readonly struct Requantization
{
    private readonly Quantization x, w;
    private readonly float to = 1;

    /// <summary>That of a product.</summary>
    public Requantization(IntegerProduct product)
    {
        (x, w, Then) = (product.X, product.W, null);
        if (product.To is not QuantizeLinear { Quantization: var quantization, To: var type }) return;
        (to, Zero) = (quantization.Scales[0], quantization.ZeroPoints[0]);
        Then = type is ElementType.Int8 ? new(sbyte.MinValue - Zero, sbyte.MaxValue - Zero) : new(byte.MinValue - Zero, byte.MaxValue - Zero);
    }

    /// <summary>The ends of the type less the zero point; null for reals.</summary>
    public Clip? Then { get; }

    /// <summary>The output's zero point.</summary>
    public int Zero { get; }

    /// <summary>The scale of each channel, and as many more as two vectors may read.</summary>
    public float[] Scales(int channels, int lanes)
    {
        var scales = new float[channels + 2 * lanes];
        for (int channel = 0; channel < channels; channel++) scales[channel] = x.Scales[0] * w.Scales[w.Axis is null ? 0 : channel] / to;
        return scales;
    }
}
