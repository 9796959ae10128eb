namespace Penjing.Compression;

/// <summary>A scalar quantizer: levels rise, and a value belongs to the first level whose upper border exceeds it.</summary>
/// <param name="Levels">The shared values.</param>
/// <param name="Borders">The borders between neighbours, one fewer than there are levels.</param>
internal sealed record Quantizer(double[] Levels, double[] Borders)
{
    private const int MostRounds = 200;

    /// <summary>The number of the level a value belongs to.</summary>
    public int Level(double value)
    {
        int low = 0, high = Borders.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (value < Borders[middle]) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// <summary>The quantizer of a clustering for these values.</summary>
    public static Quantizer Of(SortedValues values, Clustering clustering)
    {
        int clusters = Math.Min(clustering.Clusters, values.Count);
        if (clustering.Rate > 0) return EntropyConstrained(values, clusters, clustering.Rate * values.MeanSquare);
        if (clustering.Seeding == Seeding.Optimal) return Nearest(OptimalClusters.Means(values, clusters));
        return Lloyd(values, Seeds(values, clusters, clustering.Seeding));
    }

    /// <summary>Lloyd's iteration (1982): each level becomes the mean of what belongs to it, until nothing moves.</summary>
    public static Quantizer Lloyd(SortedValues values, double[] levels)
    {
        for (int round = 0; round < MostRounds; round++)
        {
            Quantizer nearest = Nearest(levels);
            double[] means = nearest.Means(values);
            if (means.AsSpan().SequenceEqual(levels)) break;
            levels = means;
        }
        return Nearest(levels);
    }

    /// <summary>
    /// The same iteration with the cost of a value's code word, −log₂ of its level's share, added to the squared error: the cheapest level is the lowest of
    /// lines in the value, so that levels still own intervals, and those that no value prefers vanish.
    /// </summary>
    public static Quantizer EntropyConstrained(SortedValues values, int clusters, double price)
    {
        Quantizer quantizer = Nearest(Seeds(values, clusters, Seeding.Linear));
        double before = double.PositiveInfinity;
        for (int round = 0; round < MostRounds; round++)
        {
            int[] ends = quantizer.Ends(values);
            List<(double Level, double Bits)> owned = [];
            double cost = 0;
            for (int i = 0, from = 0; i < ends.Length; from = ends[i++])
            {
                if (ends[i] == from) continue;
                double bits = -Math.Log2((double)(ends[i] - from) / values.Count);
                owned.Add((values.Mean(from, ends[i]), bits));
                cost += values.Error(from, ends[i]) + price * bits * (ends[i] - from);
            }
            quantizer = Envelope(owned, price);
            if (cost >= before * (1 - 1e-9)) break;
            before = cost;
        }
        return Settled(quantizer, values);
    }

    /// <summary>The quantizer with every level rounded to Float16, borders unmoved; levels that become equal are one.</summary>
    public Quantizer Rounded()
    {
        List<double> levels = [], borders = [];
        for (int i = 0; i < Levels.Length; i++)
        {
            double level = (double)(Half)Levels[i];
            if (levels.Count > 0 && levels[^1] == level)
            {
                if (i < Borders.Length) borders[^1] = Borders[i];
                else borders.RemoveAt(borders.Count - 1);
                continue;
            }
            levels.Add(level);
            if (i < Borders.Length) borders.Add(Borders[i]);
        }
        return new([.. levels], [.. borders]);
    }

    private static double[] Seeds(SortedValues values, int clusters, Seeding seeding)
    {
        double least = values.Values[0], most = values.Values[^1];
        switch (seeding)
        {
            case Seeding.Density:
                return [.. Enumerable.Range(0, clusters).Select(i => (double)values.Values[(int)((i + 0.5) * values.Count / clusters)]).Distinct()];
            case Seeding.PlusPlus:
                return PlusPlus(values, clusters);
            default:
                if (clusters == 1 || least == most) return [(least + most) / 2];
                return [.. Enumerable.Range(0, clusters).Select(i => least + (most - least) * i / (clusters - 1))];
        }
    }

    private static double[] PlusPlus(SortedValues values, int clusters)
    {
        var random = new Random(clusters);
        SortedSet<double> seeds = [values.Values[random.Next(values.Count)]];
        double[] distances = [.. values.Values.Select(value => Squared(value - seeds.First()))];
        while (seeds.Count < clusters && distances.Sum() is > 0 and var total)
        {
            double rest = random.NextDouble() * total;
            int drawn = 0;
            for (; drawn < distances.Length - 1 && (rest -= distances[drawn]) >= 0; drawn++) { }
            if (!seeds.Add(values.Values[drawn])) continue;
            for (int i = 0; i < distances.Length; i++) distances[i] = Math.Min(distances[i], Squared(values.Values[i] - values.Values[drawn]));
        }
        return [.. seeds];

        static double Squared(double x) => x * x;
    }

    /// <summary>The quantizer that takes each value to the nearest level.</summary>
    private static Quantizer Nearest(double[] levels) => new(levels, [.. levels.Skip(1).Select((level, i) => (levels[i] + level) / 2)]);

    /// <summary>The lower envelope of (x − level)² + price · bits over all levels, which must rise.</summary>
    private static Quantizer Envelope(List<(double Level, double Bits)> owned, double price)
    {
        List<(double Level, double Bits)> hull = [];
        List<double> borders = [];
        foreach ((double Level, double Bits) next in owned)
        {
            while (hull.Count > 0)
            {
                double border = Meet(hull[^1], next);
                if (borders.Count == 0 && hull.Count == 1 || border > borders[^1])
                {
                    borders.Add(border);
                    break;
                }
                hull.RemoveAt(hull.Count - 1);
                borders.RemoveAt(borders.Count - 1);
            }
            hull.Add(next);
        }
        return new([.. hull.Select(entry => entry.Level)], [.. borders]);

        double Meet((double Level, double Bits) a, (double Level, double Bits) b) =>
            (b.Level * b.Level + price * b.Bits - a.Level * a.Level - price * a.Bits) / (2 * (b.Level - a.Level));
    }

    /// <summary>The quantizer with each level the mean of what its borders enclose, and without empty levels.</summary>
    private static Quantizer Settled(Quantizer quantizer, SortedValues values)
    {
        int[] ends = quantizer.Ends(values);
        List<double> levels = [], borders = [];
        for (int i = 0, from = 0; i < ends.Length; from = ends[i++])
        {
            if (ends[i] == from) continue;
            if (levels.Count > 0) borders.Add(quantizer.Borders[i - 1]);
            levels.Add(values.Mean(from, ends[i]));
        }
        return new([.. levels], [.. borders]);
    }

    /// <summary>For each level the position behind its last value.</summary>
    private int[] Ends(SortedValues values) => [.. Borders.Select(values.Position), values.Count];

    private double[] Means(SortedValues values)
    {
        int[] ends = Ends(values);
        return [.. Levels.Select((level, i) => (i == 0 ? 0 : ends[i - 1]) is var from && ends[i] > from ? values.Mean(from, ends[i]) : level)];
    }
}
