using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>The quantizers against exhaustive search, against each other, and against what they promise.</summary>
public sealed class QuantizerTests
{
    /// <summary>Dynamic programming finds the least squared error of all cuts into runs.</summary>
    [Fact]
    public void Optimal_clusters_are_optimal()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            SortedValues values = new([.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => (float)random.Next(-9, 10) / 4)]);
            int clusters = random.Next(1, 5);
            double best = Best(values, 0, clusters), found = Error(values, Quantizer.Of(values, new(clusters, Seeding: Seeding.Optimal)));
            Assert.True(Math.Abs(best - found) < 1e-9,
                $"seed {seed}: {clusters} clusters of [{string.Join(", ", values.Values)}] have error {best} at best, not {found}");
        }

        static double Best(SortedValues values, int from, int clusters) => from == values.Count ? 0
            : clusters == 0 ? double.PositiveInfinity
            : Enumerable.Range(from + 1, values.Count - from).Min(to => values.Error(from, to) + Best(values, to, clusters - 1));
    }

    /// <summary>Lloyd's iteration from any start ends where every level is the mean of the values nearest to it, and not below the optimum.</summary>
    [Theory]
    [InlineData(Seeding.Linear)]
    [InlineData(Seeding.Density)]
    [InlineData(Seeding.PlusPlus)]
    public void Lloyd_settles(Seeding seeding)
    {
        for (int clusters = 1; clusters <= 40; clusters += 3)
        {
            SortedValues values = Normal(1500, clusters);
            Quantizer quantizer = Quantizer.Of(values, new(clusters, Seeding: seeding));
            Quantizer optimal = Quantizer.Of(values, new(clusters, Seeding: Seeding.Optimal));
            Assert.True(quantizer.Levels.Length <= clusters && quantizer.Levels.Order().SequenceEqual(quantizer.Levels), $"{clusters} clusters");
            foreach (IGrouping<int, float> cell in values.Values.GroupBy(value => quantizer.Level(value)))
            {
                Assert.Equal(quantizer.Levels[cell.Key], cell.Average(value => (double)value), 1e-6);
                Assert.All(cell, value => Assert.Equal(quantizer.Levels.Min(level => Math.Abs(level - value)), Math.Abs(quantizer.Levels[cell.Key] - value)));
            }
            Assert.True(Error(values, optimal) <= Error(values, quantizer) * (1 + 1e-12), $"{clusters} clusters");
        }
    }

    /// <summary>At no more error than k-means makes, entropy-constrained levels take fewer bits; and every value takes the level that costs it least.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Entropy_constrained_levels_take_fewer_bits(int clusters)
    {
        SortedValues values = Normal(20_000, clusters);
        Quantizer plain = Quantizer.Of(values, new(clusters));
        double error = Error(values, plain), bits = Bits(values, plain), least = double.PositiveInfinity;
        for (double rate = 0.001; rate < 0.2; rate *= 1.1)
        {
            double price = rate * values.MeanSquare;
            Quantizer quantizer = Quantizer.EntropyConstrained(values, 3 * clusters, price);
            if (Error(values, quantizer) <= error) least = Math.Min(least, Bits(values, quantizer));
            double[] lengths = [.. values.Values.CountBy(value => quantizer.Level(value)).OrderBy(entry => entry.Key)
                .Select(entry => -Math.Log2((double)entry.Value / values.Count))];
            Assert.Equal(quantizer.Levels.Length, lengths.Length);
            double Cost(float value, int level) => Math.Pow(value - quantizer.Levels[level], 2) + price * lengths[level];
            double spent = values.Values.Sum(value => Cost(value, quantizer.Level(value)));
            double cheapest = values.Values.Sum(value => Enumerable.Range(0, lengths.Length).Min(i => Cost(value, i)));
            Assert.True(spent <= cheapest * 1.001, $"rate {rate}: {spent} was spent, {cheapest} would do");
        }
        Assert.True(least < bits - 0.02, $"k-means takes {bits:0.000} bits, the entropy-constrained levels {least:0.000} at no more error");
    }

    /// <summary>Rounding to Float16 moves no border, and levels that meet become one.</summary>
    [Fact]
    public void Rounded_levels_are_halves()
    {
        SortedValues values = new([1f, 1.00001f, 1.00002f, 2f, 2.5f, 60000f]);
        Quantizer rounded = Quantizer.Of(values, new(6, Seeding: Seeding.Optimal)).Rounded();
        Assert.All(rounded.Levels, level => Assert.Equal(level, (double)(Half)level));
        Assert.Equal(rounded.Levels.Distinct(), rounded.Levels);
        Assert.Equal(rounded.Levels.Length - 1, rounded.Borders.Length);
        Assert.Equal([1.0, 1.0, 1.0], values.Values[..3].Select(value => rounded.Levels[rounded.Level(value)]));
        Assert.Equal(2.5, rounded.Levels[rounded.Level(2.5)]);
    }

    private static SortedValues Normal(int count, int seed) => new(RandomTensors.Normal([count], seed, 0.3).Floats.ToArray());

    private static double Error(SortedValues values, Quantizer quantizer) =>
        values.Values.Sum(value => Math.Pow(value - quantizer.Levels[quantizer.Level(value)], 2));

    private static double Bits(SortedValues values, Quantizer quantizer) =>
        values.Values.CountBy(value => quantizer.Level(value)).Sum(entry => -entry.Value * Math.Log2((double)entry.Value / values.Count)) / values.Count;
}
