namespace Penjing.Training;

/// <summary>Random numbers that are a pure function of what they are for, so that a resumed training draws the same ones. SplitMix64 (Steele, Lea and Flood 2014).</summary>
internal struct Chance
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong state;

    /// <summary>The numbers of one purpose.</summary>
    public Chance(ulong seed, ulong stream, ulong index)
    {
        state = Mix(seed + Step);
        state = Mix(state + stream + Step);
        state = Mix(state + index + Step);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next() => Mix(state += Step);

    /// <summary>The next whole number below <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>The next number from a range, evenly.</summary>
    public double Between(double least, double most) => least + (most - least) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>The numbers from 0 up to, not including, the array's length, in random order.</summary>
    public void Shuffle(int[] order)
    {
        for (int i = 0; i < order.Length; i++) order[i] = i;
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
