using System.Collections.Immutable;
using Penjing.Engine;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Every network of the zoo can be pruned everywhere, and exactly.</summary>
public sealed class ZooPruningTests
{
    /// <summary>The names of the zoo.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.Select(entry => entry.Name)];

    /// <summary>
    /// Half of the channels, with normalizations as after training and random scores: masked and removed are equal to the bit in the reference, and up to
    /// rounding on the engine. Nothing but the network's answer is pinned.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Half_of_every_network_goes_exactly(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        // The largest at a fraction of their width: the same graphs, of less work.
        double? width = name.StartsWith("vgg", StringComparison.Ordinal) ? 0.25 : name.StartsWith("resnet", StringComparison.Ordinal) ? 0.5 : null;
        Graph graph = Statistics.Drawn(entry.Build(new() { Size = Size.Square(32), Classes = 5, Width = width }).Graph);
        ChannelGroups groups = ChannelGroups.Of(graph);
        HashSet<int> answer = [.. groups.Channels(graph.Outputs[0])];
        Assert.All(Enumerable.Range(0, groups.Count), group => Assert.Equal(answer.Contains(group), groups.IsPinned(group)));
        var random = new Random(7);
        Importance importance = groups => [.. Enumerable.Range(0, groups.Count).Select(_ => random.NextDouble())];
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, new() { Importance = importance });
        Graph masked = Pruner.Mask(graph, doomed), removed = Pruner.Remove(graph, doomed);
        Assert.True(removed.Parameters < 0.6 * graph.Parameters, $"{name}: of {graph.Parameters} parameters {removed.Parameters} stay");
        Assert.True(Cost.Macs(removed) < 0.7 * Cost.Macs(graph), $"{name}: of {Cost.Macs(graph)} multiply-accumulates {Cost.Macs(removed)} stay");
        Tensor picture = RandomTensors.Normal(graph.Inputs[0].Shape, 3);
        Closeness.CheckBits(Reference.Run(masked, picture)[0], Reference.Run(removed, picture)[0], name);
        using Session whole = new(masked, new(1)), small = new(removed, new(1));
        CancellationToken stop = TestContext.Current.CancellationToken;
        Closeness.Check(whole.Run([picture], stop)[0], small.Run([picture], stop)[0], 1e-5, $"{name} on the engine");
    }
}
