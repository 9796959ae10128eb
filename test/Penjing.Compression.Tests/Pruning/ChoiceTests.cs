using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>What is chosen: the least important, as many as asked, in balance.</summary>
public sealed class ChoiceTests
{
    /// <summary>In every family the doomed groups score below the kept ones, and each layer gives its share.</summary>
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void The_least_important_go(double ratio)
    {
        Graph graph = MobileNetV1.Small(0.5, repeats: 0).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        IReadOnlyList<double> scores = Importances.L1(groups);
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, new() { Ratio = ratio });
        foreach (Node node in graph.Nodes.Where(node => node.Op is Conv { Groups: 1 }))
        {
            ILookup<bool, double> parts = groups.Channels(node).ToLookup(doomed.Contains, group => scores[group]);
            Assert.Equal((int)Math.Round((1 - ratio) * node.Shape[1], MidpointRounding.AwayFromZero), parts[false].Count());
            Assert.True(parts[true].Max() <= parts[false].Min(), node.Name);
        }
    }

    /// <summary>L1 of a group sums the pointwise kernel that yields a channel and the depthwise one that passes it on.</summary>
    [Fact]
    public void L1_counts_all_that_yields_the_channel()
    {
        Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        double Sum(string weight, int channel)
        {
            Tensor value = graph[weight].Value!;
            int size = value.Shape.Elements / value.Shape[0];
            return value.Floats.Slice(channel * size, size).ToArray().Sum(w => Math.Abs((double)w));
        }

        IReadOnlyList<double> scores = Importances.L1(groups);
        ImmutableArray<int> channels = groups.Channels(graph["block2.pointwise"]);
        for (int channel = 0; channel < channels.Length; channel++)
            Assert.Equal(Sum("block2.pointwise.weight", channel) + Sum("block3.depthwise.weight", channel), scores[channels[channel]], 1e-6);
        Assert.Equal(groups.Channels(graph["block3.depthwise.relu"]), channels);
        Assert.NotEqual(groups.Channels(graph["block3.pointwise"])[0], channels[0]);
    }

    /// <summary>Contributions to a layer without padding and activation are the measured shares of the variance of its outputs.</summary>
    [Fact]
    public void Contributions_are_shares_of_variance()
    {
        Node x = new("x", new Input(ElementType.Float32, [4000, 6, 1, 1]));
        Node Vector(string name, double mean, double deviation) => Node.Weight(name, RandomTensors.Normal([6], name.Length, deviation, mean));
        Tensor identity = Tensor.Build<float>([6, 6, 1, 1], values => { for (int i = 0; i < 6; i++) values[i * 7] = 1; });
        Node yields = new("yields", new Conv(), x, Node.Weight("w1", identity));
        Node normal = new("normal", new BatchNormalization(0), yields, Vector("scale", 1, 0.5), Vector("bias", 0, 1),
            Node.Weight("mean", Tensor.Zeros(ElementType.Float32, [6])), Node.Weight("variance", Tensor.Build<float>([6], values => values.Fill(1))));
        Node active = new("active", new Relu(), normal), reads = new("reads", new Conv(), active, Node.Weight("w2", RandomTensors.Kernel([1, 6, 1, 1], 9)));
        ChannelGroups groups = ChannelGroups.Of(new(reads));
        IReadOnlyList<double> scores = Importances.Contribution(groups);
        float[] values = Reference.Run(new(active), RandomTensors.Normal(x.Shape, 3))[0].Floats.ToArray();
        double[] parts = [.. Enumerable.Range(0, 6).Select(channel =>
        {
            double[] samples = [.. Enumerable.Range(0, 4000).Select(i => (double)values[i * 6 + channel])];
            double mean = samples.Average(), weight = reads.Inputs[1].Value!.Floats[channel];
            return weight * weight * samples.Average(sample => (sample - mean) * (sample - mean));
        })];
        for (int channel = 0; channel < 6; channel++) Assert.Equal(parts[channel] / parts.Sum(), scores[groups.Channels(yields)[channel]], 0.03);
    }

    /// <summary>Rounds with retraining between them end at the same channels as one cut, whatever the rounding of each.</summary>
    [Fact]
    public void Rounds_meet_the_ratio()
    {
        Graph original = MobileNetV1.Small(0.5, repeats: 0).Graph;
        foreach (IReadOnlyList<double> schedule in new[] { PruningSchedule.Linear(0.5, 3), PruningSchedule.Geometric(0.5, 4) })
        {
            Graph graph = original;
            foreach (double ratio in schedule)
            {
                Graph pruned = Pruner.Prune(graph, new() { Ratio = ratio, Original = original });
                Assert.True(pruned.Parameters < graph.Parameters);
                graph = pruned;
            }
            foreach (Node node in original.Nodes.Where(node => node.Op is Conv)) Assert.Equal(node.Shape[1] / 2, graph[node.Name].Shape[1]);
        }
        Assert.Equal([0.25, 0.5, 0.75], PruningSchedule.Linear(0.75, 3), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal([0.5, 0.75], PruningSchedule.Geometric(0.75, 2), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Throws<PenjingException>(() => PruningSchedule.Linear(1, 3));
        Assert.Throws<PenjingException>(() => PruningSchedule.Geometric(0.5, 0));
    }

    /// <summary>Kept channels are a multiple of what is asked for where a layer has twice as many, of less where it has fewer.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(64)]
    public void Kept_channels_come_in_multiples(int multiple)
    {
        Graph whole = MobileNetV1.Small(0.5, repeats: 1).Graph, pruned = Pruner.Prune(whole, new() { Ratio = 0.6, Multiple = multiple });
        Dictionary<string, int> channels = whole.Nodes.Where(node => node.Op is Conv).ToDictionary(node => node.Name, node => node.Shape[1]);
        Assert.All(pruned.Nodes.Where(node => node.Op is Conv), node =>
        {
            Assert.InRange(node.Shape[1], 1, channels[node.Name] - 1);
            Assert.Equal(0, node.Shape[1] % Math.Min(multiple, channels[node.Name] / 2));
        });
    }

    /// <summary>A target of multiply-accumulates is met and not missed by far, uniformly and globally.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Targets_of_computation_are_met(bool global)
    {
        Graph graph = MobileNetV1.Small(0.5, repeats: 1).Graph;
        long whole = Cost.Macs(graph), target = whole / 3;
        Graph pruned = Pruner.Prune(graph, new() { Macs = target, Ranking = global ? Ranking.Global : Ranking.PerFamily, Importance = Importances.Contribution });
        Assert.InRange(Cost.Macs(pruned), (long)(target * 0.93), target);
        Assert.Same(graph, Pruner.Prune(graph, new() { Macs = whole }));
        PenjingException error = Assert.Throws<PenjingException>(() => Pruner.Prune(graph, new() { Macs = 1000 }));
        Assert.Contains("at most it leaves", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Global pruning cuts as many channels as asked in all, and no family below its least.</summary>
    [Fact]
    public void Global_pruning_counts_all_families()
    {
        Graph graph = MobileNetV1.Small(0.5, repeats: 1).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        int count = Enumerable.Range(0, groups.Count).Count(group => !groups.IsPinned(group));
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, new() { Ratio = 0.5, Ranking = Ranking.Global, MostOfOne = 0.7, Importance = Importances.BatchNormScale });
        Assert.Equal(count / 2, doomed.Count);
        Graph pruned = Pruner.Remove(graph, doomed);
        Assert.All(graph.Nodes.Where(node => node.Op is Conv), node => Assert.True(pruned[node.Name].Shape[1] >= 0.299 * node.Shape[1]));
    }

    /// <summary>Slimming: one threshold for all layers, the mean scale of a residual stream's layers for its channels, and nothing of a layer without scales.</summary>
    [Theory]
    [InlineData(0.2, 1)]
    [InlineData(0.5, 2)]
    [InlineData(0.7, 3)]
    public void The_smallest_scales_of_all_layers_go(double ratio, int seed)
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 6, 6]));
        Node stem = Normal("stem", x, 8, 1), inner = Normal("inner", stem, 10, 0.1), back = Normal("back", inner, 8, 2);
        Node bare = Conv("bare", new("sum", new Add(), stem, back), 6);
        Graph graph = new(Conv("out", new("relu", new Relu(), bare), 4));
        ChannelGroups groups = ChannelGroups.Of(graph);
        Assert.Equal(groups.Channels(stem), groups.Channels(back));
        List<(double Score, int Group)> ranked = [.. Enumerable.Range(0, 8).Select(i => ((Scale("stem", i) + Scale("back", i)) / 2, groups.Channels(stem)[i])),
            .. Enumerable.Range(0, 10).Select(i => (Scale("inner", i), groups.Channels(inner)[i]))];
        PruningOptions options = new() { Ratio = ratio, Ranking = Ranking.Global, Absolute = true, MostOfOne = 1, Importance = Importances.BatchNormScale };
        ImmutableHashSet<int> doomed = Pruner.Choose(groups, options);
        int most = ranked.Count - (int)Math.Round((1 - ratio) * ranked.Count, MidpointRounding.AwayFromZero);
        int last = groups.Channels(inner).MaxBy(group => ranked.Single(entry => entry.Group == group).Score);
        Assert.Equal(ranked.Order().Select(entry => entry.Group).Where(group => group != last).Take(most).Order(), doomed.Order());
        Assert.All(groups.Channels(bare), group => Assert.Equal(double.PositiveInfinity, Importances.BatchNormScale(groups)[group]));
        Assert.True(Pruner.Choose(groups, options with { Absolute = false }).Count == most && !doomed.SetEquals(Pruner.Choose(groups, options with { Absolute = false })));

        double Scale(string name, int channel) => Math.Abs((double)graph[name + ".scale"].Value!.Floats[channel]);

        Node Conv(string name, Node from, int channels) =>
            new(name, new Conv(Size.One, Padding.All(1), Size.One, 1), from, Node.Weight(name + ".weight", RandomTensors.Kernel([channels, from.Shape[1], 3, 3], seed)));

        Node Normal(string name, Node from, int channels, double deviation)
        {
            Node Vector(string part, Tensor value) => Node.Weight($"{name}.{part}", value);
            Tensor ones = Tensor.Build<float>([channels], values => values.Fill(1)), zeros = Tensor.Zeros(ElementType.Float32, [channels]);
            return new(name + ".bn", new BatchNormalization(), Conv(name, from, channels), Vector("scale", RandomTensors.Normal([channels], seed + channels, deviation)),
                Vector("bias", zeros), Vector("mean", zeros), Vector("variance", ones));
        }
    }

    /// <summary>Values named to be kept keep all their channels.</summary>
    [Fact]
    public void Named_values_keep_their_channels()
    {
        Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph, pruned = Pruner.Prune(graph, new() { Keep = new HashSet<string> { "block3.pointwise" } });
        Assert.Equal(graph["block4.depthwise"].Shape, pruned["block4.depthwise"].Shape);
        Assert.NotEqual(graph["block4.pointwise"].Shape, pruned["block4.pointwise"].Shape);
    }

    /// <summary>Grouped convolutions behind shuffles keep as many channels of every group, and can give half of them.</summary>
    [Theory]
    [InlineData(2, 16)]
    [InlineData(3, 36)]
    [InlineData(4, 32)]
    [InlineData(3, 24)]
    public void Shuffled_groups_stay_equal(int groups, int channels)
    {
        Node x = new("x", new Input(ElementType.Float32, [1, channels, 3, 3]));
        Node Conv(string name, Node input, int groups) => new(name, new Conv() with { Groups = groups }, input,
            Node.Weight(name + ".weight", RandomTensors.Kernel([channels, channels / groups, 1, 1], channels + groups)));
        Node first = Conv("first", Conv("zeroth", x, 1), groups);
        Node second = Conv("second", new("shuffle", Gather.Shuffle(channels, groups), first), groups);
        Graph graph = new(Conv("last", new("sum", new Add(), second, first), 1)), pruned = Pruner.Prune(graph, new() { Ratio = 0.5 });
        foreach (string name in new[] { "zeroth", "first", "second" })
            Assert.InRange(pruned[name].Shape[1], (channels + 1) / 2, channels / 2 + groups * groups);
    }

    /// <summary>What got worse is said in words, and what did not is not.</summary>
    [Fact]
    public void What_got_worse_is_said()
    {
        StageResult before = new("train", new(0.92), 3_300_000, 829_000, 15_000_000, 0.5, 100_000);
        StageResult after = new("prune", new(0.9169), 900_000, 210_000, 4_000_000, 0.51, 130_000);
        Assert.Equal(["top-1 fell by 0.31 points", "the arena grew by 30,000 bytes"], after.WorseThan(before));
        Assert.Empty(before.WorseThan(before));
        Assert.Equal(["the file grew by 2,400,000 bytes", "619,000 more parameters", "11,000,000 more multiply-accumulates", "a run takes 100 % longer"],
            (before with { MedianMs = 1.02 }).WorseThan(after with { ArenaBytes = 100_000 }));
    }

    /// <summary>Options that can't be followed are refused: shares of single layers where layers compete, scales where there are none.</summary>
    [Fact]
    public void What_can_not_be_followed_is_refused()
    {
        Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;
        PruningOptions own = new() { Ratios = new Dictionary<string, double> { ["stem"] = 0.25 } };
        _ = Pruner.Prune(graph, own);
        foreach (Ranking ranking in (Ranking[])[Ranking.Global, Ranking.Isomorphic])
            Assert.Contains("ratio of its own", Assert.Throws<PenjingException>(() => Pruner.Prune(graph, own with { Ranking = ranking })).Message);
        Assert.Contains("BatchNormalization", Assert.Throws<PenjingException>(() => Pruner.Prune(LeNet5.Build().Graph, new() { Importance = Importances.BatchNormScale })).Message);
    }
}
