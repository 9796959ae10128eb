namespace Penjing.Engine;

/// <summary>How fast a processor core is taken to be where kernels' times are estimated; choices hang on the proportions alone.</summary>
internal static class Pace
{
    /// <summary>Cycles in a nanosecond; in each, two multiply-adds of vectors.</summary>
    private const double Cycles = 3.4;

    /// <summary>Bytes in a nanosecond from and to the caches near a core.</summary>
    public const double CacheBytes = 100;

    /// <summary>Bytes in a nanosecond from memory.</summary>
    private const double MemoryBytes = 40;

    /// <summary>Bytes that stay in a core's second cache from run to run of a network that has no more.</summary>
    private const double SecondCache = 1 << 20;

    // What is asked for ahead comes while a core computes, but not all of it.
    private const double Waited = 0.4;

    /// <summary>About how many nanoseconds it takes to compute for so many cycles, to move so many bytes of values, and to read so many bytes of weights, many of which come from memory.</summary>
    public static double Nanoseconds(double cycles, double values, double weights = 0)
    {
        double near = cycles / Cycles + (weights > SecondCache ? values : values + weights) / CacheBytes, far = weights > SecondCache ? weights / MemoryBytes : 0;
        return Math.Max(near, far) + Waited * Math.Min(near, far);
    }
}
