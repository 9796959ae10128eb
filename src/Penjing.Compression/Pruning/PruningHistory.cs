using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>What was cut of a network, written down so that it can be cut again: a network's history and the network before it give its architecture.</summary>
public static class PruningHistory
{
    private const int BitsPerDigit = 4;

    /// <summary>The cut of these groups, each under the first value that has its channels.</summary>
    public static ImmutableArray<ChannelCut> Cuts(ChannelGroups groups, IReadOnlySet<int> doomed)
    {
        HashSet<int> untold = [.. doomed];
        var cuts = ImmutableArray.CreateBuilder<ChannelCut>();
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Channels(node) is var channels && !channels.Any(untold.Contains)) continue;
            untold.ExceptWith(channels);
            cuts.Add(new(node.Name, Digits([.. channels.Select(doomed.Contains)])));
        }
        return cuts.ToImmutable();
    }

    /// <summary>The groups of a network that all steps of a history cut, one after the other.</summary>
    /// <param name="groups">The groups of the network before the first step.</param>
    /// <param name="history">The steps; those that cut no channels don't matter.</param>
    /// <exception cref="PenjingException">The network has no such values or channels: the history is that of another one.</exception>
    public static ImmutableHashSet<int> Doomed(ChannelGroups groups, IEnumerable<Stage> history)
    {
        Dictionary<string, Node> values = groups.Graph.Nodes.ToDictionary(node => node.Name);
        ImmutableHashSet<int> doomed = [];
        foreach (Stage stage in history)
        {
            ImmutableHashSet<int>.Builder after = doomed.ToBuilder();
            foreach (ChannelCut cut in stage.Cuts.IsDefault ? [] : stage.Cuts)
            {
                if (!values.TryGetValue(cut.Value, out Node? value) || groups.Lane(value) is not { } lane)
                    throw new PenjingException($"the history cuts channels of '{cut.Value}', of which this network has none: it is that of another network");
                ImmutableArray<int> left = lane.Kept(doomed);
                if (cut.Channels.Length != (left.Length + BitsPerDigit - 1) / BitsPerDigit || !cut.Channels.All(char.IsAsciiHexDigit))
                    throw new PenjingException($"the history's cut of '{cut.Value}', {cut.Channels}, isn't one of {left.Length} channels: it is that of another network");
                for (int i = 0; i < left.Length; i++)
                    if ((Convert.ToInt32(cut.Channels[i / BitsPerDigit].ToString(), 16) >> (BitsPerDigit - 1 - i % BitsPerDigit) & 1) == 1) after.Add(lane.Ids[left[i]]);
            }
            doomed = after.ToImmutable();
        }
        return doomed;
    }

    private static string Digits(bool[] bits) => string.Concat(bits.Chunk(BitsPerDigit)
        .Select(chunk => chunk.Select((bit, i) => bit ? 1 << (BitsPerDigit - 1 - i) : 0).Sum().ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
}
