using System.Collections.Immutable;
using Penjing.Models;

namespace Penjing.Compression.Tests;

/// <summary>Weights that share values share integers, with normalization between them and without.</summary>
public sealed class SharedScalesTests
{
    private static readonly ImmutableHashSet<string> none = [];

    /// <summary>Layers have at most as many integers as they had values, twice where normalization turns signs, and each weight is within half a step of what it was.</summary>
    [Theory]
    [InlineData("cifar-resnet-20", 8)]
    [InlineData("mobilenet-v1-0.25-64", 8)]
    [InlineData("shufflenet-v1-g3-0.25-64", 8)]
    [InlineData("squeezenet-1.1-64", 7)]
    [InlineData("lenet-5", 8)]
    public void Integers_are_as_few_as_values(string network, int bits)
    {
        Graph shared = Sharing.Finish(Sharing.Share(BatchNorms.Equalize(WithSigns(Zoo.Find(network).Build().Graph)), new() { Dense = new(16), Depthwise = new(16) })), prepared = PostTraining.Prepare(shared);
        ImmutableDictionary<string, ImmutableArray<float>> scales = SharedScales.Of(shared, prepared, bits);
        ImmutableDictionary<string, ValueRange> ranges = PostTraining.Values(prepared, none).ToImmutableDictionary(value => value.Name, _ => new ValueRange(-100, 100));
        Graph simulated = PostTraining.Simulate(prepared, ranges, none, bits, scales), spread = PostTraining.Simulate(prepared, ranges, none, bits);
        int fewer = 0;
        foreach (Node layer in PostTraining.Layers(prepared))
        {
            if (!scales.TryGetValue(layer.Name, out ImmutableArray<float> own))
            {
                // Too few weights to each value, nothing else.
                Assert.InRange(layer.Inputs[1].Shape.Elements, 1, 16 * 8);
                continue;
            }
            int distinct = Integers(simulated, layer).Distinct().Count();
            Assert.Equal(own, simulated[layer.Name].Inputs[1].Inputs[0].Info.Quantization!.Scales.Select((scale, i) => own[i] > 0 ? scale : own[i]));
            int without = Integers(spread, layer).Distinct().Count();
            Assert.InRange(distinct, 2, Math.Min(without, 2 * 16));
            if (distinct < without) fewer++;
            float[] real = layer.Inputs[1].Value!.Floats.ToArray(), integers = Integers(simulated, layer);
            Mixer mixer = Mixer.Of(layer)!.Value;
            for (int i = 0; i < real.Length; i++)
                Assert.True(Math.Abs(integers[i] * own[mixer.Output(i)] - real[i]) <= 0.5001 * own[mixer.Output(i)], $"{layer}, weight {i}: {real[i]} by steps of {own[mixer.Output(i)]}");
        }
        Assert.True(fewer >= 0.5 * scales.Count, $"{fewer} of {scales.Count} layers have fewer integers than without");
    }

    /// <summary>Weights that share nothing have no such scales, nor have those whose values a rewrite has parted.</summary>
    [Fact]
    public void Only_what_is_shared_counts()
    {
        Graph graph = Zoo.Find("cifar-resnet-20").Build().Graph, shared = Sharing.Share(graph, new());
        Assert.Empty(SharedScales.Of(graph, PostTraining.Prepare(graph)));
        Graph prepared = PostTraining.Prepare(shared);
        Node layer = PostTraining.Layers(prepared)[3];
        float[] weights = layer.Inputs[1].Value!.Floats.ToArray();
        weights[5] *= 1.01f;
        Graph parted = LayerWeights.WithKernel(prepared, layer.Name, Tensor.Of<float>(layer.Inputs[1].Shape, weights));
        Assert.Equal([layer.Name], SharedScales.Of(shared, prepared).Keys.Except(SharedScales.Of(shared, parted).Keys));
    }

    /// <summary>A bias or scale may stand before what it is added to or multiplies, as other tools write it; a layer without weights has no scales.</summary>
    [Fact]
    public void The_layer_is_found_behind_constants()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 8, 5, 5]));
        Node conv = new("conv", new Conv(), x, Node.Weight("w", Tensor.Of<float>([16, 8, 3, 3], [.. Enumerable.Range(0, 16 * 8 * 9).Select(i => i % 7 - 3f)])));
        Node scale = Node.Weight("scale", Tensor.Of<float>([1, 16, 1, 1], [.. Enumerable.Range(1, 16).Select(i => i / 8f)])), bias = Node.Weight("bias", Tensor.Of<float>([1, 16, 1, 1], new float[16]));
        Graph shared = new(new Node("sum", new Add(), bias, new Node("product", new Mul(), scale, conv)));
        Assert.Equal(Enumerable.Range(1, 16).Select(i => i / 8.0 * 3 / 127), Assert.Single(SharedScales.Of(shared, PostTraining.Prepare(shared))).Value.Select(own => (double)own), (one, other) => Math.Abs(one / other - 1) < 1e-6);
        Graph empty = new(new Node("none", new Conv(), x, Node.Weight("w", Tensor.Zeros(ElementType.Float32, [0, 8, 3, 3]))));
        Assert.Empty(SharedScales.Of(empty, PostTraining.Prepare(empty)));
    }

    private static float[] Integers(Graph simulated, Node layer) =>
        [.. simulated[layer.Name].Inputs[1].Inputs[0].Value!.AsSpan<sbyte>().ToArray().Select(value => (float)value)];

    /// <summary>The network with normalizations of both signs and many sizes, as trained ones have.</summary>
    private static Graph WithSigns(Graph graph)
    {
        Random random = new(1);
        HashSet<Node> scales = [.. graph.Nodes.Where(node => node.Op is BatchNormalization).Select(node => node.Inputs[1])];
        return graph.Map((node, inputs) => scales.Contains(node)
            ? Node.Weight(node.Name, Tensor.Of<float>(node.Shape, [.. Enumerable.Range(0, node.Shape.Elements).Select(_ => (random.Next(4) == 0 ? -1 : 1) * MathF.Exp(2 * random.NextSingle() - 1))])) : node.With(inputs));
    }
}
