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
        Choice choice = new(groups, options);
        if (options.Macs is not { } macs) return choice.Doomed(options.Ratio);
        double low = 0, high = MostRatio;
        ImmutableHashSet<int> best = choice.Doomed(high);
        if (Macs(best) > macs) throw new PenjingException($"pruning can't reach {macs:N0} multiply-accumulates: at most it leaves {Macs(best):N0}");
        for (int step = 0; step < 12; step++)
        {
            double ratio = (low + high) / 2;
            ImmutableHashSet<int> chosen = choice.Doomed(ratio);
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

    /// <summary>Cuts from a network what its history says was cut, so that it has the architecture at the end of that history.</summary>
    /// <param name="graph">The network as it was before the first step of the history.</param>
    /// <param name="history">A pruned network's history.</param>
    /// <exception cref="PenjingException">The history is that of another network.</exception>
    public static Graph Replay(Graph graph, IEnumerable<Stage> history) => Remove(graph, PruningHistory.Doomed(ChannelGroups.Of(graph), history));

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
}
