namespace Penjing.Compression;

/// <summary>The reals that a value's integers shall stand for; what lies outside is clamped. Zero is always among them, so that padding and ReLU are exact.</summary>
/// <param name="Low">The least, at most 0.</param>
/// <param name="High">The largest, at least 0.</param>
public readonly record struct ValueRange(float Low, float High)
{
    /// <summary>The least range that holds both.</summary>
    public ValueRange Or(ValueRange other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    /// <summary>The quantization of unsigned 8-bit integers whose 256 steps cover the range, its zero point the integer nearest to where zero is.</summary>
    public Quantization ToUInt8()
    {
        float scale = (Math.Max(High, 0) - Math.Min(Low, 0)) / byte.MaxValue;
        if (!(scale > 0) || !float.IsFinite(scale)) scale = 1;
        return new(scale, (int)Math.Clamp(Math.Round(-Math.Min(Low, 0) / (double)scale), byte.MinValue, byte.MaxValue));
    }
}

/// <summary>How a range follows from the values that were seen.</summary>
public enum RangeMethod
{
    /// <summary>From the least to the largest value.</summary>
    MinMax,
    /// <summary>All but a hundred-thousandth of the values at each end.</summary>
    Percentile,
    /// <summary>The range whose rounding and clamping together have the least mean squared error.</summary>
    MeanSquaredError,
    /// <summary>The range whose integers' distribution tells most of that of the values, by the Kullback–Leibler divergence (Migacz 2017).</summary>
    Entropy,
}
