using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>The range of a value by what was seen of it.</summary>
public static class Ranges
{
    private const double Tail = 1e-5;

    /// <summary>Shares of the seen range that are tried, the widest first.</summary>
    private static readonly ImmutableArray<double> shares = [.. Enumerable.Range(0, 100).Select(i => 1 - i / 100.0)];

    /// <summary>What methods are called.</summary>
    public static ImmutableArray<string> Names { get; } = ["mse", "kl", "percentile", "min-max"];

    /// <summary>The method of a name.</summary>
    /// <exception cref="PenjingException">There is none.</exception>
    public static RangeMethod Named(string name) => name switch
    {
        "mse" => RangeMethod.MeanSquaredError,
        "kl" => RangeMethod.Entropy,
        "percentile" => RangeMethod.Percentile,
        "min-max" => RangeMethod.MinMax,
        _ => throw new PenjingException($"there is no method '{name}' to find ranges by: there are {string.Join(", ", Names)}"),
    };

    /// <summary>What a method is called.</summary>
    public static string Name(RangeMethod method) => Names.First(name => Named(name) == method);

    /// <summary>The range by a method.</summary>
    public static ValueRange Of(Histogram seen, RangeMethod method) => method switch
    {
        _ when seen.Count == seen.Zeros => default,
        RangeMethod.Percentile => Percentile(seen),
        RangeMethod.MeanSquaredError => Best(seen, SquaredError),
        RangeMethod.Entropy => Best(seen, Divergence),
        _ => seen.Seen,
    };

    private static ValueRange Percentile(Histogram seen)
    {
        long left = (long)(Tail * seen.Count), below = 0, above = 0;
        int first = 0, last = seen.Bins.Length - 1;
        while (first < last && below + seen.Bins[first] <= left) below += seen.Bins[first++];
        while (last > first && above + seen.Bins[last] <= left) above += seen.Bins[last--];
        ValueRange all = seen.Seen;
        return new(Math.Max(all.Low, (float)Math.Min((first - Histogram.Side) * seen.Width, 0)), Math.Min(all.High, (float)Math.Max((last + 1 - Histogram.Side) * seen.Width, 0)));
    }

    /// <summary>The range of least cost among parts of the seen one: the one end is moved, then the other, and again; of equal ranges the widest.</summary>
    private static ValueRange Best(Histogram seen, Func<Histogram, ValueRange, double> cost)
    {
        ValueRange all = seen.Seen, best = all;
        for (int round = 0; round < 2; round++)
        {
            best = shares.Select(share => best with { High = (float)(share * all.High) }).MinBy(range => cost(seen, range));
            best = shares.Select(share => best with { Low = (float)(share * all.Low) }).MinBy(range => cost(seen, range));
        }
        return best;
    }

    /// <summary>The sum of squared differences between values and what their integers stand for, each value taken to lie in the middle of its bin.</summary>
    private static double SquaredError(Histogram seen, ValueRange range)
    {
        Quantization quantization = range.ToUInt8();
        (double scale, int zero, double sum) = (quantization.Scales[0], quantization.ZeroPoints[0], 0);
        for (int bin = 0; bin < seen.Bins.Length; bin++)
        {
            if (seen.Bins[bin] == 0) continue;
            double value = (bin + 0.5 - Histogram.Side) * seen.Width, real = (Math.Clamp(Math.Round(value / scale) + zero, byte.MinValue, byte.MaxValue) - zero) * scale;
            sum += seen.Bins[bin] * (value - real) * (value - real);
        }
        return sum;
    }

    /// <summary>
    /// The divergence of the integers' distribution, each integer's share spread evenly over the occupied bins that it stands for, from that of the values, those outside
    /// counted at the ends.
    /// </summary>
    private static double Divergence(Histogram seen, ValueRange range)
    {
        Quantization quantization = range.ToUInt8();
        (double scale, int zero) = (quantization.Scales[0], quantization.ZeroPoints[0]);
        int first = BinOf(range.Low), last = BinOf(range.High);
        var clamped = new double[last - first + 1];
        for (int bin = 0; bin < seen.Bins.Length; bin++) clamped[Math.Clamp(bin, first, last) - first] += seen.Bins[bin];
        var (sums, occupied) = (new double[256], new int[256]);
        for (int i = 0; i < clamped.Length; i++)
        {
            if (clamped[i] == 0) continue;
            // What was outside doesn't belong to the distribution that the integers tell.
            sums[Step(i)] += seen.Bins[first + i];
            occupied[Step(i)]++;
        }
        double inside = sums.Sum(), divergence = 0;
        if (inside == 0) return double.PositiveInfinity;
        for (int i = 0; i < clamped.Length; i++)
        {
            if (clamped[i] == 0) continue;
            double p = clamped[i] / (seen.Count - seen.Zeros), q = Math.Max(sums[Step(i)] / occupied[Step(i)] / inside, 1e-12);
            divergence += p * Math.Log(p / q);
        }
        return divergence;

        int BinOf(float value) => Math.Clamp(Histogram.Side + (int)Math.Floor(value / seen.Width), 0, seen.Bins.Length - 1);

        int Step(int i) => (int)Math.Clamp(Math.Round((first + i + 0.5 - Histogram.Side) * seen.Width / scale) + zero, byte.MinValue, byte.MaxValue);
    }
}
