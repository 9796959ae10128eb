using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>The choice of the least important groups of a network under some options, for any ratio.</summary>
internal sealed class Choice
{
    private readonly ChannelGroups groups;
    private readonly PruningOptions options;
    private readonly Dictionary<(Node Layer, int Inputs, int Outputs), double> times = [];
    private readonly ImmutableArray<Family> families;

    /// <summary>A choice that has scored all groups.</summary>
    /// <exception cref="PenjingException">An option is out of its range, or names a value that isn't there.</exception>
    public Choice(ChannelGroups groups, PruningOptions options)
    {
        (this.groups, this.options) = (groups, options);
        Check(options);
        IReadOnlyList<double> scores = options.Importance(groups);
        if (scores.Count != groups.Count) throw new PenjingException($"the importance function gave {scores.Count} scores for {groups.Count} channel groups");
        ILookup<int, int> members = Enumerable.Range(0, groups.Count).ToLookup(groups.Family);
        Dictionary<string, Node> values = groups.Graph.Nodes.ToDictionary(node => node.Name);
        HashSet<int> stay = [.. Enumerable.Range(0, groups.Count).Where(group => double.IsPositiveInfinity(scores[group])), .. options.Keep.SelectMany(name => Channels(name))];
        Dictionary<int, double> ratios = ByFamily(options.Ratios), caps = ByFamily(options.Caps);
        Dictionary<int, int> originals = OriginalSizes(groups, options.Original);
        IReadOnlyDictionary<int, int>? classes = options.Ranking == Ranking.Isomorphic ? Isomorphism.Classes(groups) : null;
        families = [.. groups.Bundles(scores)
            .Where(bundle => !bundle.Any(stay.Contains))
            .Select(bundle => new Bundle(bundle, bundle.Average(group => scores[group])))
            .GroupBy(bundle => groups.Family(bundle.Groups[0]))
            .OrderBy(family => family.Key)
            .Select(family => new Family(
                family.Key,
                members[family.Key].Count(),
                originals.GetValueOrDefault(family.Key, members[family.Key].Count()),
                members[family.Key].Select(group => scores[group]).Where(double.IsFinite).DefaultIfEmpty().Average(),
                ratios.TryGetValue(family.Key, out double ratio) ? ratio : null,
                caps.GetValueOrDefault(family.Key, 1),
                classes?[family.Key] ?? 0,
                [.. family.OrderBy(bundle => bundle.Score).ThenBy(bundle => bundle.Groups[0])]))];

        ImmutableArray<int> Channels(string name) => values.TryGetValue(name, out Node? value) && groups.Channels(value) is { IsEmpty: false } channels ? channels
            : throw new PenjingException($"the network has no value '{name}' with channels of its own");

        Dictionary<int, double> ByFamily(IReadOnlyDictionary<string, double> fractions) =>
            fractions.SelectMany(entry => Channels(entry.Key).Select(groups.Family).Distinct().Select(family => (family, entry.Value)))
                .GroupBy(entry => entry.family).ToDictionary(family => family.Key, family => family.Min(entry => entry.Value));
    }

    /// <summary>The groups to doom at a ratio; no value loses all of its channels.</summary>
    public ImmutableHashSet<int> Doomed(double ratio)
    {
        ImmutableHashSet<int>.Builder doomed = ImmutableHashSet.CreateBuilder<int>();
        foreach ((Family family, int kept) in Rounded(Wanted(ratio)))
        {
            int quota = family.Size - kept;
            foreach (Bundle bundle in family.Bundles)
            {
                if (bundle.Groups.Length > quota) continue;
                quota -= bundle.Groups.Length;
                doomed.UnionWith(bundle.Groups);
            }
        }
        Spare(doomed);
        return doomed.ToImmutable();
    }

    private static void Check(PruningOptions options)
    {
        foreach (double ratio in options.Ratios.Values.Prepend(options.Ratio))
            if (!(ratio is >= 0 and < 1)) throw new PenjingException($"a ratio of {ratio} can't be pruned: give one from 0 to below 1");
        foreach (double cap in options.Caps.Values.Prepend(options.MostOfOne))
            if (!(cap is >= 0 and <= 1)) throw new PenjingException($"a family can't give the fraction {cap} of its channels: give one from 0 to 1");
        if (options.Ratios.Count > 0 && options.Ranking != Ranking.PerFamily)
            throw new PenjingException("where families compete, none has a ratio of its own: bound it by a cap, or let each family give its ratio");
        if (options.Multiple < 1) throw new PenjingException($"channels can't be kept in multiples of {options.Multiple}: give 1 or more");
    }

    /// <summary>How many channels each family would keep if numbers needn't be whole or round.</summary>
    private IEnumerable<(Family Family, double Kept)> Wanted(double ratio) => options.Ranking == Ranking.PerFamily
        ? families.Select(family => (family, (1 - (family.Ratio ?? ratio)) * family.Original))
        : families.GroupBy(family => family.Class).SelectMany(rivals => Competing([.. rivals], ratio));

    /// <summary>The same where families compete.</summary>
    private IEnumerable<(Family Family, double Kept)> Competing(ImmutableArray<Family> rivals, double ratio)
    {
        Dictionary<Family, int> quotas = rivals.ToDictionary(family => family, _ => 0);
        int rest = rivals.Sum(family => family.Size) - (int)Math.Round((1 - ratio) * rivals.Sum(family => family.Original), MidpointRounding.AwayFromZero);
        IEnumerable<(Family Family, Bundle Bundle)> ranked = rivals.SelectMany(family => family.Bundles.Select(bundle => (family, bundle)))
            .OrderBy(entry => options.Absolute ? entry.bundle.Score : entry.family.Mean > 0 ? entry.bundle.Score / entry.family.Mean : 0);
        foreach ((Family family, Bundle bundle) in ranked)
        {
            int quota = quotas[family] + bundle.Groups.Length;
            if (bundle.Groups.Length > rest || family.Size - quota < Least(family, options.MostOfOne)) continue;
            rest -= bundle.Groups.Length;
            quotas[family] = quota;
        }
        return rivals.Select(family => (family, (double)family.Size - quotas[family]));
    }

    private IEnumerable<(Family Family, int Kept)> Rounded(IEnumerable<(Family Family, double Kept)> wanted)
    {
        if (options.Milliseconds is not { } milliseconds) return wanted.Select(entry => (entry.Family, Rounded(entry.Kept, entry.Family)));
        ImmutableArray<(Family Family, double Kept)> all = [.. wanted];
        TimedRounding rounding = new(groups, milliseconds, times, all.Select(entry => KeyValuePair.Create(entry.Family.Number, (entry.Family.Size, entry.Kept))));
        return all.Select(entry => (entry.Family, rounding.Round(entry.Family.Number, Least(entry.Family))));
    }

    private int Rounded(double kept, Family family)
    {
        if (kept >= family.Size) return family.Size;
        int multiple = options.Multiple, least = Least(family);
        while (multiple > 1 && family.Original < 2 * multiple) multiple /= 2;
        int rounded = Math.Max(multiple, (int)Math.Round(kept / multiple, MidpointRounding.AwayFromZero) * multiple);
        return Math.Min(family.Size, Math.Max(rounded, (least + multiple - 1) / multiple * multiple));
    }

    /// <summary>How many channels a family keeps at least; it gives at most the fraction of its cap, and of another bound.</summary>
    private static int Least(Family family, double most = 1) => Math.Min(family.Size, Math.Max(1, (int)Math.Ceiling((1 - Math.Min(most, family.Cap)) * family.Original - 1e-9)));

    /// <summary>Gives each value that would lose all its channels its most important bundle back.</summary>
    private void Spare(ImmutableHashSet<int>.Builder doomed)
    {
        Dictionary<int, Bundle> bundles = families.SelectMany(family => family.Bundles)
            .SelectMany(bundle => bundle.Groups.Select(group => (group, bundle))).ToDictionary(entry => entry.group, entry => entry.bundle);
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Channels(node) is { IsEmpty: false } channels && channels.All(doomed.Contains))
                doomed.ExceptWith(channels.Select(group => bundles[group]).MaxBy(bundle => bundle.Score)!.Groups);
        }
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

    /// <summary>
    /// The groups that the same layers yield: how many there are and were, their mean score, the fraction that they give where that is said, the most that
    /// they give, the class that they compete in, and what may be cut, least important first.
    /// </summary>
    private sealed record Family(int Number, int Size, int Original, double Mean, double? Ratio, double Cap, int Class, ImmutableArray<Bundle> Bundles);
}
