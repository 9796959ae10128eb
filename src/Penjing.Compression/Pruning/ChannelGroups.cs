using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// The channels of a graph that live and die together: a group is a class of channel identities over all values, and a family is the groups that the
/// same layers yield. After the dependency graph of Torch-Pruning (Fang et al. 2023), by channel in place of by layer.
/// </summary>
/// <remarks>
/// Convolutions and matrix products by constant weights yield fresh identities; element-wise operations join, Concat appends, depthwise convolution carries,
/// Slice, Pad and Gather select, Reshape and Flatten repeat. What the graph takes and yields, and what an operation not understood reads, is pinned.
/// </remarks>
public sealed class ChannelGroups
{
    private readonly Dictionary<Node, Lane> lanes;
    private readonly ImmutableArray<bool> pinned;
    private readonly ImmutableArray<int> families;
    private readonly ImmutableArray<Balance> balances;

    private ChannelGroups(Graph graph)
    {
        Graph = graph = graph.Rewrite(Passes.ShufflesToGather);
        ChannelWalk walk = new(graph);
        var numbers = new Dictionary<int, int>();
        int[] groups = [.. Enumerable.Range(0, walk.Identities.Count).Select(id => Number(walk.Identities.Find(id)))];
        lanes = walk.Lanes.ToDictionary(entry => entry.Key, entry => Resolve(entry.Value));
        Count = numbers.Count;
        bool[] stays = new bool[Count];
        foreach (int id in walk.Pinned) stays[groups[id]] = true;
        IEnumerable<(ImmutableArray<int> Ids, int Groups)> ties = walk.Grouped.Select(tie => (Resolve(tie.Lane).Ids, tie.Groups));
        balances = Balance.Of([.. ties.DistinctBy(tie => (string.Join(',', tie.Ids), tie.Groups))], stays);
        pinned = [.. stays];
        UnionFind kin = new();
        for (int group = 0; group < Count; group++) kin.Add();
        foreach (Lane lane in walk.Produced) Unite(Resolve(lane).Ids);
        foreach (Balance balance in balances) Unite([.. balance.Members]);
        families = [.. Enumerable.Range(0, Count).Select(kin.Find)];

        int Number(int root) => numbers.TryGetValue(root, out int number) ? number : numbers[root] = numbers.Count;

        Lane Resolve(Lane lane) => lane with { Ids = [.. lane.Ids.Select(id => groups[id])] };

        void Unite(ImmutableArray<int> members)
        {
            foreach (int member in members) kin.Union(members[0], member);
        }
    }

    /// <summary>The groups of a graph; their numbers follow from the graph alone.</summary>
    public static ChannelGroups Of(Graph graph) => new(graph);

    /// <summary>The graph whose values have groups: the one given or, where channel shuffles were written as reshapes, one that has Gathers for them.</summary>
    public Graph Graph { get; }

    /// <summary>How many groups there are; they are numbered from 0.</summary>
    public int Count { get; }

    /// <summary>Whether a group must stay: an output or an operation not understood takes it, or a grouped convolution can't be balanced without it.</summary>
    public bool IsPinned(int group) => pinned[group];

    /// <summary>The family of a group, named by the family's first group.</summary>
    public int Family(int group) => families[group];

    /// <summary>The group of each channel of a value, in order; empty where its channels have no identities, as those of weights and inputs.</summary>
    public ImmutableArray<int> Channels(Node value) => Lane(value)?.Ids ?? [];

    /// <summary>The channels of a value, by group, or null where they have no identities.</summary>
    internal Lane? Lane(Node value) => lanes.GetValueOrDefault(value);

    /// <summary>
    /// The smallest sets of groups that may be doomed by themselves: single groups, and, where grouped convolutions ask for balance, sets that keep it, the
    /// least important together.
    /// </summary>
    internal ImmutableArray<ImmutableArray<int>> Bundles(IReadOnlyList<double> importance)
    {
        HashSet<int> tied = [.. balances.SelectMany(balance => balance.Members)];
        IEnumerable<int> single = Enumerable.Range(0, Count).Where(group => !pinned[group] && !tied.Contains(group));
        return [.. single.Select(group => ImmutableArray.Create(group)), .. balances.SelectMany(balance => balance.Bundles(importance))];
    }
}
