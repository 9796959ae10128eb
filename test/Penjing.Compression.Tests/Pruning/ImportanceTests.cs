using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Scores that compare kernels, and rankings that compare families.</summary>
public sealed class ImportanceTests
{
    private static readonly Graph small = MobileNetV1.Small(0.25, repeats: 0).Graph;

    /// <summary>The distances to all other kernels, of the pointwise layer that yields a channel and of the depthwise one that passes it on.</summary>
    [Fact]
    public void Geometric_medians_are_sums_of_distances()
    {
        ChannelGroups groups = ChannelGroups.Of(small);
        double Sum(string weight, int channel)
        {
            Tensor value = small[weight].Value!;
            float[][] kernels = [.. value.Floats.ToArray().Chunk(value.Shape.Elements / value.Shape[0])];
            return kernels.Sum(other => Math.Sqrt(other.Zip(kernels[channel], (a, b) => ((double)a - b) * ((double)a - b)).Sum()));
        }

        IReadOnlyList<double> scores = Importances.GeometricMedian(groups);
        ImmutableArray<int> channels = groups.Channels(small["block2.pointwise"]);
        for (int channel = 0; channel < channels.Length; channel++)
        {
            double expected = Sum("block2.pointwise.weight", channel) + Sum("block3.depthwise.weight", channel);
            Assert.Equal(expected, scores[channels[channel]], 1e-5 * expected);
        }
    }

    /// <summary>Of a kernel, twins of it and one far away, the far one stays longest, though its norm is the least.</summary>
    [Fact]
    public void What_others_can_stand_in_for_goes_first()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 1, 4, 4]));
        Node layer = new("layer", new Conv(), x, Node.Weight("w", Tensor.Of<float>([4, 1, 1, 1], 5, 5.1f, 4.9f, 0.1f)));
        ChannelGroups groups = ChannelGroups.Of(new(new Node("last", new Conv(), layer, Node.Weight("v", RandomTensors.Kernel([2, 4, 1, 1], 1)))));
        ImmutableArray<int> channels = groups.Channels(layer);
        IReadOnlyList<double> medians = Importances.GeometricMedian(groups), norms = Importances.L1(groups);
        Assert.Equal(3, Enumerable.Range(0, 4).MaxBy(channel => medians[channels[channel]]));
        Assert.Equal(3, Enumerable.Range(0, 4).MinBy(channel => norms[channels[channel]]));
    }

    /// <summary>Chance is its seed's.</summary>
    [Fact]
    public void Random_scores_follow_from_the_seed()
    {
        ChannelGroups groups = ChannelGroups.Of(small);
        Assert.Equal(Importances.Random(3)(groups), Importances.Random(3)(groups));
        Assert.NotEqual(Importances.Random(3)(groups), Importances.Random(4)(groups));
        Assert.Equal(groups.Count, Importances.Random(3)(groups).Distinct().Count());
    }

    /// <summary>Layers that follow one another by the same operations compete, whatever their sizes; the last one, which another operation reads, has no rival.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    public void Isomorphic_families_compete_among_themselves(double ratio)
    {
        Graph graph = MobileNetV1.Small(0.5, repeats: 1).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        PruningOptions options = new() { Ratio = ratio, Ranking = Ranking.Isomorphic, MostOfOne = 1 };
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, options with { Importance = Tilted });
        IReadOnlyList<double> scores = Tilted(groups);
        Node[] layers = [.. graph.Nodes.Where(node => node.Op is Conv { Groups: 1 })];
        int last = layers[^1].Shape[1], others = layers[..^1].Sum(layer => layer.Shape[1]);
        Assert.Equal(last - (int)Math.Round((1 - ratio) * last, MidpointRounding.AwayFromZero), Gone(layers[^1]));
        Assert.Equal(others - (int)Math.Round((1 - ratio) * others, MidpointRounding.AwayFromZero), layers[..^1].Sum(Gone));
        Assert.True(layers[..^1].Select(layer => (double)Gone(layer) / layer.Shape[1]).Distinct().Count() > 2, "the families gave equal shares");
        ILookup<bool, double> parts = layers[..^1].SelectMany(layer => groups.Channels(layer).Select(group => (group, score: scores[group] / groups.Channels(layer).Average(other => scores[other]))))
            .ToLookup(entry => doomed.Contains(entry.group), entry => entry.score);
        Assert.True(parts[true].Max() <= parts[false].Min());
        Assert.NotEqual(doomed, Pruner.Choose(groups, options with { Importance = Tilted, Ranking = Ranking.Global }));

        int Gone(Node layer) => groups.Channels(layer).Count(doomed.Contains);

        // Powers of uniform numbers, steeper from layer to layer.
        IReadOnlyList<double> Tilted(ChannelGroups groups)
        {
            var random = new Random(5);
            return [.. Enumerable.Range(0, groups.Count).Select(group => Math.Pow(random.NextDouble(), 1 + groups.Family(group) % 7))];
        }
    }

    /// <summary>Residual blocks of one form are one class at every width, though another block of the same count of layers is none of it.</summary>
    [Fact]
    public void Isomorphism_is_of_the_topology()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 8, 8]));
        Node Conv(string name, Node input, int outputs) =>
            new(name, new Conv() with { Padding = Padding.All(1) }, input, Node.Weight(name + ".weight", RandomTensors.Kernel([outputs, input.Shape[1], 3, 3], name.Length)));
        Node Relu(Node node) => new(node.Name + ".relu", new Relu(), node);
        Node narrow = Conv("narrow.2", Relu(Conv("narrow.1", Relu(Conv("first", x, 6)), 5)), 4), wide = Conv("wide.2", Relu(Conv("wide.1", Relu(narrow), 20)), 12);
        Node swapped = Relu(Conv("swapped", new("pool", new MaxPool(Size.Square(2), Size.One), wide), 9));
        ChannelGroups groups = ChannelGroups.Of(new(Conv("last", swapped, 2)));
        IReadOnlyDictionary<int, int> classes = Isomorphism.Classes(groups);
        int Class(string name) => classes[groups.Family(groups.Channels(groups.Graph[name])[0])];
        Assert.Equal(Class("narrow.1"), Class("wide.1"));
        Assert.Equal(Class("narrow.1"), Class("first"));
        Assert.Equal(Class("narrow.1"), Class("swapped"));
        Assert.NotEqual(Class("narrow.1"), Class("wide.2"));
        Assert.NotEqual(Class("narrow.1"), Class("last"));
    }

    /// <summary>Shares said for layers hold there and nowhere else; caps hold everywhere, however channels compete and are rounded.</summary>
    [Theory]
    [InlineData(Ranking.PerFamily)]
    [InlineData(Ranking.Global)]
    [InlineData(Ranking.Isomorphic)]
    public void Layers_give_what_is_said_for_them(Ranking ranking)
    {
        Graph graph = MobileNetV1.Small(0.5, repeats: 1).Graph;
        ImmutableDictionary<string, double> said = ImmutableDictionary<string, double>.Empty.Add("block3.pointwise", 0.25);
        Graph pruned = Pruner.Prune(graph, new() { Ratio = 0, Ratios = said });
        Assert.All(graph.Nodes.Where(node => node.Op is Conv { Groups: 1 }),
            node => Assert.Equal((node.Name == "block3.pointwise" ? 0.75 : 1) * node.Shape[1], pruned[node.Name].Shape[1]));
        Graph odd = LeNet300100.Build().Graph;
        Assert.Equal(odd.Parameters, Pruner.Prune(odd, new() { Ratio = 0, Ranking = ranking, Multiple = 16 }).Parameters);
        Assert.Equal(odd.Parameters, Pruner.Prune(odd, new() { Ratio = 0, Ranking = ranking, Milliseconds = layer => layer.Inputs[1].Shape.Elements }).Parameters);
        Assert.Equal(30, Pruner.Prune(odd, new() { Ratio = 0.9, Ranking = ranking, Caps = ImmutableDictionary<string, double>.Empty.Add("ip2", 0.7) })["ip2"].Shape[1]);
        foreach (int multiple in new[] { 1, 8, 16 })
        {
            Graph capped = Pruner.Prune(graph, new() { Ratio = 0.7, Ranking = ranking, Caps = said, Multiple = multiple });
            Assert.InRange(capped["block3.pointwise"].Shape[1], 0.75 * graph["block3.pointwise"].Shape[1], graph["block3.pointwise"].Shape[1]);
            Assert.True(Cost.Macs(capped) < 0.5 * Cost.Macs(graph));
        }
        Assert.Throws<PenjingException>(() => Pruner.Prune(graph, new() { Caps = said.Add("no.such", 0.5) }));
        Assert.Throws<PenjingException>(() => Pruner.Prune(graph, new() { Ratios = said.Add("block4.pointwise", 1) }));
        Assert.Throws<PenjingException>(() => Pruner.Prune(graph, new() { Keep = new HashSet<string> { "no.such" } }));
    }
}
