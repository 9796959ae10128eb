namespace Penjing.Models;

/// <summary>Seeded initial weights: a given seed yields the same bits on every machine and under every runtime.</summary>
/// <remarks>SplitMix64 (Steele, Lea and Flood 2014); a normal deviate is a sum of twelve uniform ones, which needs no library function.</remarks>
internal sealed class Initializer(int seed)
{
    /// <summary>The seed of weights that are all zero.</summary>
    public const int None = int.MinValue;

    private ulong state = (ulong)seed;

    /// <summary>Normal deviates of mean 0 and standard deviation √(gain / fanIn): He et al. 2015 at gain 2, for a layer that a ReLU follows.</summary>
    public Tensor Normal(Shape shape, int fanIn, double gain = 2)
    {
        if (seed == None) return Tensor.Zeros(ElementType.Float32, shape);
        double deviation = Math.Sqrt(gain / fanIn);
        return Tensor.Build<float>(shape, values =>
        {
            foreach (ref float value in values)
            {
                double sum = -6;
                for (int i = 0; i < 12; i++) sum += Uniform();
                value = (float)(sum * deviation);
            }
        });
    }

    private double Uniform()
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
