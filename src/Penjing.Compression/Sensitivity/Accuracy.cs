namespace Penjing.Compression;

/// <summary>How many of a sample of pictures got the right first answer, and what that tells of all pictures: Wilson's interval (1927) at 95 % confidence.</summary>
/// <param name="Right">The right answers.</param>
/// <param name="Count">The pictures of the sample.</param>
public readonly record struct Accuracy(int Right, int Count)
{
    private const double Deviations = 1.959963984540054;

    /// <summary>The fraction of right answers in the sample; 0 where it is empty.</summary>
    public double Fraction => Count > 0 ? (double)Right / Count : 0;

    /// <summary>The lower end of the interval.</summary>
    public double Low => Math.Max(0, Centre - HalfWidth);

    /// <summary>The upper end of the interval.</summary>
    public double High => Math.Min(1, Centre + HalfWidth);

    /// <summary>Half of the interval's width; its centre lies a little nearer to a half than <see cref="Fraction"/>.</summary>
    public double HalfWidth => Count == 0 ? 0.5
        : Deviations / (1 + Square / Count) * Math.Sqrt(Fraction * (1 - Fraction) / Count + Square / (4.0 * Count * Count));

    private static double Square => Deviations * Deviations;

    private double Centre => Count == 0 ? 0.5 : (Fraction + Square / (2.0 * Count)) / (1 + Square / Count);
}
