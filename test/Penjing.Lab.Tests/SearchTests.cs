using System.Collections.Immutable;
using Penjing.Compression;
using Xunit;

namespace Penjing.Lab.Tests;

/// <summary>The search: thresholds against curves made up, budgets, and a whole search.</summary>
public class SearchTests
{
    private static readonly Strength strength = new(new(SensitivityBy.Channels, new(900, 1000),
    [
        new(new("a", 8), [(0.25, new(900, 1000)), (0.5, new(890, 1000)), (0.75, new(895, 1000))]),
        new(new("b", 8), [(0.25, new(880, 1000)), (0.5, new(600, 1000))]),
        new(new("c", 8), [(0.25, new(910, 1000)), (0.5, new(905, 1000))]),
    ]));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A part is cut to the strongest level that it and all milder ones bear.</summary>
    [Fact]
    public void PartsAreCutAsFarAsTheyBear()
    {
        Assert.Equal([-1, 0, 0.005, 0.01, 0.02, 0.3], strength.Thresholds.Select(value => Math.Round(value, 9)));
        Assert.Empty(strength.At(-1));
        Same(strength.At(0), ("a", 0.25), ("c", 0.5));
        Same(strength.At(strength.Thresholds[2]), ("a", 0.25), ("c", 0.5));
        Same(strength.At(strength.Thresholds[3]), ("a", 0.75), ("c", 0.5));
        Same(strength.At(1), ("a", 0.75), ("b", 0.5), ("c", 0.5));

        static void Same(ImmutableSortedDictionary<string, double> levels, params (string, double)[] expected) =>
            Assert.Equal(expected, levels.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));
    }

    /// <summary>The mildest threshold within a bound is that which a walk over all finds.</summary>
    [Fact]
    public void TheMildestWithinABoundIsFound()
    {
        for (double bound = 0; bound <= 3; bound += 0.05)
        {
            double most = bound, expected = strength.Thresholds.FirstOrDefault(threshold => Cost(threshold) <= most, strength.Thresholds[^1]);
            Assert.Equal(expected, strength.Least(Cost, bound));
        }

        static double Cost(double threshold) => 3 - strength.At(threshold).Values.Sum();
    }

    /// <summary>How much of each bound is used, the most first.</summary>
    [Fact]
    public void BudgetsTellWhatBinds()
    {
        StageResult original = new("a", new(0.9), 1000, 1, 1, 4, 1), result = new("b", new(0.895), 300, 1, 1, 3, 1);
        IReadOnlyList<(string Bound, double Used)> used = new Budget { MaxDrop = 0.01, MaxBytes = 200, MaxLatency = 1 }.Used(original, result);
        Assert.Equal([1.5, 0.75, 0.5], used.Select(one => Math.Round(one.Used, 9)));
        Assert.Contains("200 bytes", used[0].Bound, StringComparison.Ordinal);
        Assert.Equal(0, new Budget { MaxDrop = 0 }.Used(original, original with { Score = new(0.91) })[0].Used);
        Assert.True(double.IsInfinity(new Budget { MaxDrop = 0 }.Used(original, result)[0].Used));
    }

    /// <summary>The front is what a look at all pairs leaves, equal ones kept.</summary>
    [Fact]
    public void TheFrontIsWhatNoneBeats()
    {
        StageResult[] all = [Of("a", 0.9, 100, 4), Of("b", 0.8, 50, 4), Of("c", 0.8, 60, 4), Of("d", 0.7, 60, 3), Of("e", 0.9, 100, 4), Of("f", 0.9, 100, 5)];
        Assert.Equal(["a", "b", "d", "e"], Pareto.Front(all).Select(one => one.Name));

        static StageResult Of(string name, double top1, long bytes, double ms) => new(name, new(top1), bytes, 1, 1, ms, 1);
    }

    /// <summary>The next aim is lower where a bound is broken, longer where accuracy is lost, and none where all is kept or nothing is left to try.</summary>
    [Fact]
    public void AimsFollowWhatWasMeasured()
    {
        StageResult original = new("a", new(0.9), 1000, 1, 1, 4, 1), kept = new("b", new(0.895), 90, 1, 1, 1.9, 1);
        Budget budget = new() { MaxDrop = 0.01, MaxBytes = 100, MaxLatency = 0.5 };
        Aim first = Aim.Of(budget, 1000);
        Assert.Equal(new(95, 0.475, 1), first);
        Assert.Null(first.Next(budget, original, kept, true, false));
        Assert.InRange(first.Next(budget, original, kept with { Bytes = 120 }, false, false)!.Bytes!.Value, 70, 80);
        Assert.InRange(first.Next(budget, original, kept with { MedianMs = 2.5 }, false, false)!.Latency!.Value, 0.37, 0.39);
        StageResult lost = kept with { Score = new(0.8) };
        Assert.Equal([2, 4], Efforts(first));
        Assert.Equal(first with { Effort = 1, Integers = false }, (first with { Effort = 4 }).Next(budget, original, lost, false, true));

        Budget accuracy = new() { MaxDrop = 0.01 };
        Aim mild = Aim.Of(accuracy, 1000), next = mild.Next(accuracy, original, kept, true, false)!;
        Assert.True(next.Bytes < mild.Bytes && next.Latency < mild.Latency);
        Assert.Null(next.Next(accuracy, original, lost, true, false));
        Aim milder = mild.Next(accuracy, original, lost, false, false)!;
        Assert.True(milder.Bytes > mild.Bytes && milder.Latency > mild.Latency && milder.Latency < 1);

        IEnumerable<double> Efforts(Aim aim)
        {
            for (Aim? at = aim.Next(budget, original, lost, false, false); at is not null; at = at.Next(budget, original, lost, false, false)) yield return at.Effort;
        }
    }

    [Fact]
    public void BadBudgetsAreRefused()
    {
        using Samples samples = new();
        foreach (Budget budget in (Budget[])[new(), new() { MaxDrop = -1 }, new() { MaxBytes = 0 }, new() { MaxLatency = 0 }, new() { MaxLatency = double.NaN }])
            Assert.Throws<PenjingException>(() => new BudgetSearch(Samples.Network, Samples.Data, Samples.Common, samples.At("none")).Run(budget, Stop));
    }

    /// <summary>
    /// A search for bytes ends within them, and its recipe is what it says; one for what nothing can reach says so and names what came nearest; begun again, both
    /// end with what they found.
    /// </summary>
    [Fact]
    public void SearchesEnd()
    {
        using Samples samples = new();
        BudgetSearch search = new(Samples.Network, Samples.Data, Samples.Common, samples.At("search")) { Epochs = 1, Sample = 96, Integers = false };
        Budget bytes = new() { MaxBytes = 12_000 };
        SearchResult found = search.Run(bytes, Stop);
        Assert.True(found.Met, found.Verdict);
        Assert.InRange(found.Best.Result.Bytes, 1, 12_000);
        Assert.Contains("bytes binds", found.Verdict, StringComparison.Ordinal);
        Assert.Contains(found.Best.Result, found.Measured);
        Assert.Equal(found.Best.Result, search.Run(bytes, Stop).Best.Result);
        Assert.Throws<PenjingException>(() => search.Run(new() { MaxBytes = 11_000 }, Stop));

        SearchResult missed = (search with { Folder = samples.At("missed") }).Run(new() { MaxBytes = 100 }, Stop);
        Assert.False(missed.Met);
        Assert.Contains("not met", missed.Verdict, StringComparison.Ordinal);
    }

    /// <summary>Integers come first where they are faster, without training; what they can't give, shared values must. A network that keeps the budget as it is, is refused.</summary>
    [Fact]
    public void IntegersComeFirst()
    {
        using Samples samples = new();
        long plain = PenjingFile.Write(samples.At("plain.penjing"), Samples.Network).Bytes;
        Assert.IsType<QuantizeStage>(Assert.Single(Stages("alone", plain / 2, 0.4)));
        ImmutableArray<RecipeStage> shared = Stages("shared", plain / 5, 0.4);
        Assert.Contains(shared, stage => stage is ShareStage);
        Assert.True(Assert.IsType<QuantizeStage>(shared[^1]).Shared);
        Assert.DoesNotContain(Stages("slower", plain / 2, 1.5), stage => stage is QuantizeStage);
        Assert.Contains("as it is", Assert.Throws<PenjingException>(() => Stages("kept", 2 * plain, 0.4)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(samples.At("kept")));

        ImmutableArray<RecipeStage> Stages(string folder, long bytes, double time)
        {
            SearchResult found = new BudgetSearch(Samples.Network, Samples.Data, Samples.Common, samples.At(folder))
            {
                Epochs = 1, Sample = 96, Clock = graph => graph.Nodes.Any(node => node.Op is QuantizeLinear) ? time : 1,
            }.Run(new() { MaxBytes = bytes }, Stop);
            Assert.True(found.Met, found.Verdict);
            return found.Attempts[0].Recipe.Stages;
        }
    }
}
