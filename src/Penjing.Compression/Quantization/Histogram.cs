using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>How often values occurred, in bins of one width, which doubles whenever a value lies further out: one pass over any number of values, the same in any order.</summary>
/// <param name="of">What the values are, for messages.</param>
public sealed class Histogram(string of = "values")
{
    /// <summary>Bins on each side of zero.</summary>
    public const int Side = 2048;

    private readonly long[] bins = new long[2 * Side];
    private float low = float.PositiveInfinity, high = float.NegativeInfinity;
    private int exponent = -40;

    /// <summary>What the values are.</summary>
    public string Name => of;

    /// <summary>The width of a bin, a power of two; bin i, counted from the lowest, begins at (i − <see cref="Side"/>) · width.</summary>
    public double Width => Math.ScaleB(1, exponent);

    /// <summary>How many values, zeros aside, each bin has had.</summary>
    public ReadOnlySpan<long> Bins => bins;

    /// <summary>How many values there were.</summary>
    public long Count { get; private set; }

    /// <summary>How many of them were zero, which no bin has: whatever the range, an integer stands for it.</summary>
    public long Zeros { get; private set; }

    /// <summary>From the least to the largest value, zero among them.</summary>
    public ValueRange Seen => Count == 0 ? default : new(Math.Min(low, 0), Math.Max(high, 0));

    /// <summary>The histogram of each of some values, by name.</summary>
    /// <param name="values">The values.</param>
    /// <param name="answers">What they were, again and again, in this order.</param>
    /// <exception cref="PenjingException">A value is not finite; the message names it.</exception>
    public static ImmutableDictionary<string, Histogram> Of(ImmutableArray<Node> values, IEnumerable<Tensor[]> answers)
    {
        Histogram[] seen = [.. values.Select(value => new Histogram(value.Name))];
        foreach (Tensor[] answer in answers)
            for (int i = 0; i < seen.Length; i++) seen[i].Add(answer[i].Floats);
        return seen.ToImmutableDictionary(histogram => histogram.Name);
    }

    /// <summary>Counts values.</summary>
    /// <exception cref="PenjingException">One is not finite.</exception>
    public void Add(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        if (values.Length > 0 && !(float.IsFinite(low) && float.IsFinite(high))) throw new PenjingException($"'{of}' is not finite everywhere: the network's weights or its input are damaged");
        while (Math.Max(high, -low) >= Side * Width) Widen();
        double scale = 1 / Width;
        foreach (float value in values)
        {
            if (value == 0) Zeros++;
            else bins[Side + (int)Math.Floor(value * scale)]++;
        }
        Count += values.Length;
    }

    private void Widen()
    {
        exponent++;
        for (int i = 0; i < Side / 2; i++)
        {
            bins[Side + i] = bins[Side + 2 * i] + bins[Side + 2 * i + 1];
            bins[Side - 1 - i] = bins[Side - 1 - 2 * i] + bins[Side - 2 - 2 * i];
        }
        bins.AsSpan(Side + Side / 2).Clear();
        bins.AsSpan(0, Side / 2).Clear();
    }
}
