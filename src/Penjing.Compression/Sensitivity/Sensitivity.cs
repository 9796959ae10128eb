using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>What is taken from one part of a network while the rest stays whole.</summary>
public enum SensitivityBy
{
    /// <summary>The least important channels of a family: a fraction of them.</summary>
    Channels,
    /// <summary>The smallest weights of a kernel: a fraction of them become zero.</summary>
    Weights,
    /// <summary>The distinct values of a kernel: its weights share as many as a number of bits counts.</summary>
    Bits,
}

/// <summary>A part of a network that is probed by itself.</summary>
/// <param name="Name">The first layer that yields the family's channels, or the kernel's name.</param>
/// <param name="Elements">How many channels or weights it has.</param>
public sealed record SensitivityPart(string Name, int Elements);

/// <summary>How much a network's answers need each of its parts (Li et al. 2017; Han et al. 2015): the networks that lack something of one part, to be measured.</summary>
public sealed class Sensitivity
{
    private readonly Graph graph;
    private readonly ChannelGroups? groups;
    private readonly Importance importance = Importances.L1;

    /// <summary>The parts of a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="by">What is taken from a part.</param>
    /// <param name="importance">Which channels of a family go first; by default those of the smallest L1 norms.</param>
    public Sensitivity(Graph graph, SensitivityBy by, Importance? importance = null)
    {
        (this.graph, By) = (graph, by);
        if (by == SensitivityBy.Channels)
        {
            groups = ChannelGroups.Of(graph);
            IReadOnlyList<double> scores = (importance ?? Importances.L1)(groups);
            this.importance = _ => scores;
        }
        Parts = by == SensitivityBy.Channels ? Families(groups!)
            : [.. graph.Nodes.Where(node => Mixer.Of(node) is not null).Select(node => node.Inputs[1]).Distinct()
                .Select(weight => new SensitivityPart(weight.Name, weight.Shape.Elements))];
    }

    /// <summary>What is taken from a part.</summary>
    public SensitivityBy By { get; }

    /// <summary>The parts, in the graph's order; families that must stay are none.</summary>
    public ImmutableArray<SensitivityPart> Parts { get; }

    /// <summary>The levels that are usual: fractions, or bits from many to few.</summary>
    public static ImmutableArray<double> Levels(SensitivityBy by) => by switch
    {
        SensitivityBy.Channels => [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        SensitivityBy.Weights => [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98],
        _ => [8, 7, 6, 5, 4, 3, 2, 1],
    };

    /// <summary>The network that lacks something of one part.</summary>
    /// <param name="part">One of <see cref="Parts"/>.</param>
    /// <param name="level">The fraction of channels or weights that go, from 0 to below 1; or the bits, from 1 to 8, of which the weights share 2 to the power.</param>
    /// <exception cref="PenjingException">The level is out of its range.</exception>
    public Graph At(SensitivityPart part, double level)
    {
        if (By == SensitivityBy.Bits ? level is not (>= 1 and <= 8) || level != Math.Floor(level) : level is not (>= 0 and < 1))
            throw new PenjingException(By == SensitivityBy.Bits ? $"weights can't share {level} bits: give 1 to 8" : $"a ratio of {level} can't go: give one from 0 to below 1");
        return By switch
        {
            SensitivityBy.Channels => Pruner.Remove(graph, Pruner.Choose(groups!, new()
            {
                Ratio = 0, Ratios = ImmutableDictionary<string, double>.Empty.Add(part.Name, level), Importance = importance,
            })),
            SensitivityBy.Weights => Sparsifier.Sparsify(graph, new() { Ratio = 0, Ratios = ImmutableDictionary<string, double>.Empty.Add(part.Name, level) }),
            _ => Sharing.Share(graph, new()
            {
                Dense = null, Depthwise = null, Layer = (node, _) => node.Inputs[1].Name == part.Name ? new(1 << (int)level, KeepZeros: true) : null,
            }),
        };
    }

    private static ImmutableArray<SensitivityPart> Families(ChannelGroups groups)
    {
        ILookup<int, int> members = Enumerable.Range(0, groups.Count).ToLookup(groups.Family);
        HashSet<int> told = [.. members.Where(family => family.All(groups.IsPinned)).Select(family => family.Key)];
        var parts = ImmutableArray.CreateBuilder<SensitivityPart>();
        foreach (Node node in groups.Graph.Nodes)
        {
            // A value of several families, as behind a concatenation, names none of them; each has a layer of its own.
            if (groups.Channels(node).Select(groups.Family).Distinct().ToArray() is not [int family] || !told.Add(family)) continue;
            parts.Add(new(node.Name, members[family].Count()));
        }
        return parts.ToImmutable();
    }
}
