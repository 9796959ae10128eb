using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Pruning is exact: a network with the doomed channels unread and one without them give the same bits.</summary>
public sealed class ExactnessTests
{
    /// <summary>On hundreds of networks made for it, with random scores; nearly all of them must lose channels.</summary>
    [Fact]
    public void Masked_and_removed_agree_to_the_bit()
    {
        int cut = 0;
        var shrunk = new Dictionary<string, int>();
        for (int seed = 0; seed < 400; seed++) cut += Agree(PrunableGraphs.Network(seed), seed, shrunk) ? 1 : 0;
        Assert.True(cut > 365, $"only {cut} of 400 networks lost channels");
        string[] kinds = ["dense", "grouped", "depthwise", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "PRelu", "Add", "Mul", "Sub",
            "Concat", "Slice", "Pad", "Gather",
            "Transpose", "Reshape", "Flatten", "Unsqueeze", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize", "ReduceMean",
            "Where", "Less", "Max", "Expand", "GlobalMaxPool", "ReduceSumSquare", "ReduceMax", "Softplus", "Gelu", "Cast", "Tile", "Div", "QuantizeLinear"];
        Assert.All(kinds, kind => Assert.True(shrunk.GetValueOrDefault(kind) >= 5, $"{kind} lost channels only {shrunk.GetValueOrDefault(kind)} times"));
    }

    /// <summary>On networks of every operation, those that pin their channels too.</summary>
    [Fact]
    public void Masked_and_removed_agree_on_any_network()
    {
        int cut = 0;
        for (int seed = 0; seed < 300; seed++) cut += Agree(RandomGraphs.Network(seed), seed, []) ? 1 : 0;
        Assert.True(cut > 60, $"only {cut} of 300 networks lost channels");
    }

    /// <summary>Half of MobileNet's channels, at all of its layers.</summary>
    [Fact]
    public void MobileNet_loses_half_of_its_channels()
    {
        Graph graph = MobileNetV1.Small(width: 0.25, repeats: 1).Graph;
        ImmutableHashSet<int> doomed = Pruner.Choose(ChannelGroups.Of(graph), new() { Ratio = 0.5 });
        Graph removed = Pruner.Remove(graph, doomed);
        Tensor picture = RandomTensors.Normal(graph.Inputs[0].Shape, 1);
        Closeness.CheckBits(Reference.Run(Pruner.Mask(graph, doomed), picture)[0], Reference.Run(removed, picture)[0], "MobileNet");
        foreach (Node node in graph.Nodes.Where(node => node.Op is Conv)) Assert.Equal(node.Shape[1] / 2, removed[node.Name].Shape[1]);
    }

    /// <summary>Unread channels that were constants leave what they contributed behind: only rounding differs from the whole network.</summary>
    [Fact]
    public void Constant_channels_move_into_biases()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            Node x = new("x", new Input(ElementType.Float32, [1, 3, 5, 5]));
            Node first = New("first", new Conv() with { Padding = Padding.All(1) }, x, Node.Weight("w1", Sparse([8, 3, 3, 3], seed, [1, 4, 6])));
            Node normal = New("normal", new BatchNormalization(), first, Vector("scale", 8, seed), Vector("bias", 8, seed + 1), Vector("mean", 8, seed + 2),
                Node.Weight("variance", RandomTensors.Uniform([8], seed, 0.5, 2)));
            Node active = New("active", random.Next(2) == 0 ? new Relu() : new Sigmoid(), normal);
            Node pooled = New("pooled", new MaxPool(Size.Square(3), Size.One, Padding.All(1)), active);
            Node second = New("second", new Conv(), random.Next(2) == 0 ? pooled : active, Node.Weight("w2", RandomTensors.Kernel([4, 8, 3, 3], seed)));
            Node flat = New("flat", new Flatten(), second);
            Node matrix = Node.Weight("w3", RandomTensors.Kernel([flat.Shape[1], 5], seed));
            Node last = New("last", new Gemm(Alpha: 2, Beta: 0.5f), flat, matrix, Vector("b3", 5, seed));
            Graph graph = new(last);
            ImmutableArray<int> channels = ChannelGroups.Of(graph).Channels(graph["first"]);
            ImmutableHashSet<int> doomed = [channels[1], channels[4], channels[6]];
            Tensor picture = RandomTensors.Normal(x.Shape, seed);
            Tensor whole = Reference.Run(graph, picture)[0], removed = Reference.Run(Pruner.Remove(graph, doomed), picture)[0];
            Closeness.CheckBits(Reference.Run(Pruner.Mask(graph, doomed), picture)[0], removed, $"seed {seed}");
            Closeness.Check(whole, removed, 1e-5, $"seed {seed}, against the whole network");
        }

        static Node New(string name, Op op, params ImmutableArray<Node> inputs) => new(name, op, inputs);

        static Node Vector(string name, int count, int seed) => Node.Weight(name, RandomTensors.Normal([count], seed));

        static Tensor Sparse(Shape shape, int seed, ImmutableArray<int> zero) => Tensor.Build<float>(shape, values =>
        {
            RandomTensors.Normal(shape, seed).Floats.CopyTo(values);
            foreach (int output in zero) values.Slice(output * 27, 27).Clear();
        });
    }

    /// <summary>What can't be cut is refused with a reason.</summary>
    [Fact]
    public void Impossible_cuts_are_refused()
    {
        Graph graph = MobileNetV1.Small(width: 0.25, repeats: 0).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        Assert.Contains("pinned", Refusal([groups.Channels(graph["classifier"])[0]]), StringComparison.Ordinal);
        Assert.Contains("'stem'", Refusal([.. groups.Channels(graph["stem"])]), StringComparison.Ordinal);
        Assert.Contains("no channel group", Refusal([groups.Count]), StringComparison.Ordinal);

        string Refusal(ImmutableHashSet<int> doomed) => Assert.Throws<PenjingException>(() => Pruner.Remove(graph, doomed)).Message;
    }

    private static bool Agree(Graph graph, int seed, Dictionary<string, int> shrunk)
    {
        var random = new Random(seed);
        Importance importance = groups => [.. Enumerable.Range(0, groups.Count).Select(_ => random.NextDouble())];
        double ratio = random.NextDouble() * 0.9;
        PruningOptions options = new() { Ratio = ratio, Ranking = (Ranking)random.Next(3), Multiple = random.Next(1, 3), Importance = importance };
        ImmutableHashSet<int> doomed = Pruner.Choose(ChannelGroups.Of(graph), options);
        Tensor[] pictures = RandomGraphs.Fed(graph, seed);
        Graph removed = Pruner.Remove(graph, doomed);
        Tensor[] masked = Reference.Run(Pruner.Mask(graph, doomed), pictures), small = Reference.Run(removed, pictures);
        Tensor[] whole = Reference.Run(graph, pictures), untouched = Reference.Run(Pruner.Remove(graph, ImmutableHashSet<int>.Empty), pictures);
        for (int i = 0; i < whole.Length; i++) Closeness.CheckBits(whole[i], untouched[i], $"seed {seed}, nothing cut, output {i}");
        for (int i = 0; i < masked.Length; i++) Closeness.CheckBits(masked[i], small[i], $"seed {seed}, {doomed.Count} groups cut, output {i}");
        Assert.True(doomed.IsEmpty || removed.Parameters < graph.Parameters || Values(removed) < Values(graph), $"seed {seed}: nothing got smaller");
        foreach (Node node in removed.Nodes)
        {
            if (node.Op is Constant or Input || node.Shape == graph[node.Name].Shape) continue;
            string kind = node.Op is not Conv { Groups: var groups } ? graph[node.Name].Op.Name
                : groups == 1 ? "dense" : node.Inputs[1].Shape[1] > 1 ? "grouped" : "depthwise";
            shrunk[kind] = shrunk.GetValueOrDefault(kind) + 1;
        }
        return !doomed.IsEmpty;

        static long Values(Graph graph) => graph.Nodes.Sum(node => (long)node.Shape.Elements);
    }
}
