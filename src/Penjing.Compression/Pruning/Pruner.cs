using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Channel pruning: choosing groups of channels, and masking or removing them.</summary>
public static class Pruner
{
    private const double MostRatio = 0.99;

    /// <summary>The groups to doom: the least important ones, so many as the options ask for; no value loses all of its channels.</summary>
    /// <exception cref="PenjingException">An option is out of its range, or the target can't be reached.</exception>
    public static ImmutableHashSet<int> Choose(ChannelGroups groups, PruningOptions options)
    {
        if (!(options.Ratio is >= 0 and < 1)) throw new PenjingException($"a ratio of {options.Ratio} can't be pruned: give one from 0 to below 1");
        if (!(options.MostOfOne is >= 0 and <= 1))
            throw new PenjingException($"a family can't give the fraction {options.MostOfOne} of its channels: give one from 0 to 1");
        if (options.Multiple < 1) throw new PenjingException($"channels can't be kept in multiples of {options.Multiple}: give 1 or more");
        ImmutableArray<Family> families = Families(groups, options);
        if (options.Macs is not { } macs) return Choose(groups, families, options, options.Ratio);
        double low = 0, high = MostRatio;
        ImmutableHashSet<int> best = Choose(groups, families, options, high);
        if (Macs(best) > macs) throw new PenjingException($"pruning can't reach {macs:N0} multiply-accumulates: at most it leaves {Macs(best):N0}");
        for (int step = 0; step < 12; step++)
        {
            double ratio = (low + high) / 2;
            ImmutableHashSet<int> chosen = Choose(groups, families, options, ratio);
            if (Macs(chosen) > macs) low = ratio;
            else (high, best) = (ratio, chosen);
        }
        return Macs([]) <= macs ? [] : best;

        long Macs(ImmutableHashSet<int> doomed) => Cost.Macs(Remove(groups.Graph, doomed).WithBatch(1));
    }

    /// <summary>
    /// The graph with the doomed groups' channels unread: the weights that read them are zero. Where such a channel was a constant other than zero and
    /// the reader has no padding, its contribution goes into the reader's bias. Its outputs equal those of <see cref="Remove"/> to the bit.
    /// </summary>
    /// <exception cref="PenjingException">A doomed group must stay, or nothing would remain of a value.</exception>
    public static Graph Mask(Graph graph, IReadOnlySet<int> doomed) => Masker.Mask(Compensated(graph, doomed), doomed);

    /// <summary>The graph without the doomed groups' channels: tensors that held them shrink. Outputs equal those of <see cref="Mask"/> to the bit.</summary>
    /// <exception cref="PenjingException">A doomed group must stay, or nothing would remain of a value.</exception>
    public static Graph Remove(Graph graph, IReadOnlySet<int> doomed) => new Cutter(Compensated(graph, doomed), doomed).Cut();

    /// <summary>Chooses and removes.</summary>
    /// <exception cref="PenjingException">An option is out of its range, or the target can't be reached.</exception>
    public static Graph Prune(Graph graph, PruningOptions options) => Remove(graph, Choose(ChannelGroups.Of(graph), options));

    /// <summary>The groups of the graph with its constant doomed channels folded into biases; biases are no channels of their own, so numbers stay.</summary>
    private static ChannelGroups Compensated(Graph graph, IReadOnlySet<int> doomed)
    {
        ChannelGroups groups = ChannelGroups.Of(graph);
        foreach (int group in doomed)
        {
            if (group < 0 || group >= groups.Count) throw new PenjingException($"the graph has no channel group {group}, only {groups.Count} from 0 on");
            if (groups.IsPinned(group)) throw new PenjingException($"the channel group {group} can't be cut: it is pinned");
        }
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Channels(node) is { IsEmpty: false } channels && channels.All(doomed.Contains))
                throw new PenjingException($"cutting these channels would leave nothing of '{node.Name}': spare at least one of them");
        }
        Graph compensated = ConstantChannels.Compensate(groups, doomed);
        return ReferenceEquals(compensated, groups.Graph) ? groups : ChannelGroups.Of(compensated);
    }

    private static ImmutableHashSet<int> Choose(ChannelGroups groups, ImmutableArray<Family> families, PruningOptions options, double ratio)
    {
        ImmutableHashSet<int>.Builder doomed = ImmutableHashSet.CreateBuilder<int>();
        Dictionary<Family, int> quotas = options.Global ? GlobalQuotas(families, options, ratio)
            : families.ToDictionary(family => family, family => family.Size - Rounded((1 - ratio) * family.Original, family, options));
        foreach (Family family in families)
        {
            int quota = quotas[family];
            foreach (Bundle bundle in family.Bundles)
            {
                if (bundle.Groups.Length > quota) continue;
                quota -= bundle.Groups.Length;
                doomed.UnionWith(bundle.Groups);
            }
        }
        Spare(groups, families, doomed);
        return doomed.ToImmutable();
    }

    private static int Rounded(double kept, Family family, PruningOptions options)
    {
        int multiple = options.Multiple;
        while (multiple > 1 && family.Original < 2 * multiple) multiple /= 2;
        return Math.Min(family.Size, Math.Max(multiple, (int)Math.Round(kept / multiple, MidpointRounding.AwayFromZero) * multiple));
    }

    /// <summary>How many groups each family gives when all compete.</summary>
    private static Dictionary<Family, int> GlobalQuotas(ImmutableArray<Family> families, PruningOptions options, double ratio)
    {
        Dictionary<Family, int> quotas = families.ToDictionary(family => family, _ => 0);
        int rest = families.Sum(family => family.Size) - (int)Math.Round((1 - ratio) * families.Sum(family => family.Original), MidpointRounding.AwayFromZero);
        IEnumerable<(Family Family, Bundle Bundle)> ranked = families.SelectMany(family => family.Bundles.Select(bundle => (family, bundle)))
            .OrderBy(entry => options.Absolute ? entry.bundle.Score : entry.family.Mean > 0 ? entry.bundle.Score / entry.family.Mean : 0);
        foreach ((Family family, Bundle bundle) in ranked)
        {
            int quota = quotas[family] + bundle.Groups.Length;
            if (bundle.Groups.Length > rest || family.Size - quota < Math.Max(1, (1 - options.MostOfOne) * family.Original)) continue;
            rest -= bundle.Groups.Length;
            quotas[family] = quota;
        }
        foreach (Family family in families) quotas[family] = family.Size - Rounded(family.Size - quotas[family], family, options);
        return quotas;
    }

    /// <summary>Gives each value that would lose all its channels its most important bundle back.</summary>
    private static void Spare(ChannelGroups groups, ImmutableArray<Family> families, ImmutableHashSet<int>.Builder doomed)
    {
        Dictionary<int, Bundle> bundles = families.SelectMany(family => family.Bundles)
            .SelectMany(bundle => bundle.Groups.Select(group => (group, bundle))).ToDictionary(entry => entry.group, entry => entry.bundle);
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Channels(node) is { IsEmpty: false } channels && channels.All(doomed.Contains))
                doomed.ExceptWith(channels.Select(group => bundles[group]).MaxBy(bundle => bundle.Score)!.Groups);
        }
    }

    private static ImmutableArray<Family> Families(ChannelGroups groups, PruningOptions options)
    {
        IReadOnlyList<double> scores = options.Importance(groups);
        if (scores.Count != groups.Count) throw new PenjingException($"the importance function gave {scores.Count} scores for {groups.Count} channel groups");
        ILookup<int, int> members = Enumerable.Range(0, groups.Count).ToLookup(groups.Family);
        HashSet<int> stay = [.. Enumerable.Range(0, groups.Count).Where(group => double.IsPositiveInfinity(scores[group])),
            .. groups.Graph.Nodes.Where(node => options.Keep.Contains(node.Name)).SelectMany(node => groups.Channels(node))];
        Dictionary<int, int> originals = OriginalSizes(groups, options.Original);
        return [.. groups.Bundles(scores)
            .Where(bundle => !bundle.Any(stay.Contains))
            .Select(bundle => new Bundle(bundle, bundle.Average(group => scores[group])))
            .GroupBy(bundle => groups.Family(bundle.Groups[0]))
            .OrderBy(family => family.Key)
            .Select(family => new Family(
                members[family.Key].Count(),
                originals.GetValueOrDefault(family.Key, members[family.Key].Count()),
                members[family.Key].Select(group => scores[group]).Where(double.IsFinite).DefaultIfEmpty().Average(),
                [.. family.OrderBy(bundle => bundle.Score).ThenBy(bundle => bundle.Groups[0])]))];
    }

    /// <summary>How many groups each family had in the original network, found by a value of the same name.</summary>
    private static Dictionary<int, int> OriginalSizes(ChannelGroups groups, Graph? original)
    {
        if (original is null) return [];
        ChannelGroups before = ChannelGroups.Of(original);
        Dictionary<string, int> families = before.Graph.Nodes.Where(node => !before.Channels(node).IsEmpty)
            .ToDictionary(node => node.Name, node => before.Family(before.Channels(node)[0]));
        Dictionary<int, int> sizes = Enumerable.Range(0, before.Count).GroupBy(before.Family).ToDictionary(family => family.Key, family => family.Count());
        Dictionary<int, int> originals = [];
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Channels(node) is { IsEmpty: false } channels && Mixer.Of(node) is { Carries: false } && families.TryGetValue(node.Name, out int family))
                originals.TryAdd(groups.Family(channels[0]), sizes[family]);
        }
        return originals;
    }

    /// <summary>Groups that are doomed together, and their mean score.</summary>
    private sealed record Bundle(ImmutableArray<int> Groups, double Score);

    /// <summary>The groups that the same layers yield: how many there are and were, their mean score, and what may be cut, least important first.</summary>
    private sealed record Family(int Size, int Original, double Mean, ImmutableArray<Bundle> Bundles);
}
