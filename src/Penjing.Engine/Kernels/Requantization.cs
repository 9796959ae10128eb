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
        if (product.To is not QuantizeLinear quantize) return;
        (to, Zero, Then) = (quantize.Quantization.Scales[0], quantize.Quantization.ZeroPoints[0], Ends(quantize));
    }

    /// <summary>The ends of the integers less the zero point; null for reals.</summary>
    public Clip? Then { get; }

    /// <summary>The least and the largest byte that reals become, less the zero point.</summary>
    public static Clip Ends(QuantizeLinear to)
    {
        int zero = to.Quantization.ZeroPoints[0];
        return to.To is ElementType.Int8 ? new(sbyte.MinValue - zero, sbyte.MaxValue - zero) : new(byte.MinValue - zero, byte.MaxValue - zero);
    }

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
