using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Scaling channels changes no answer, and makes one range fit more of them.</summary>
public sealed class EqualizationTests
{
    private static readonly ImmutableHashSet<string> none = [];

    [Fact]
    public void Random_networks_answer_the_same()
    {
        int changed = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            Graph graph = PostTraining.Prepare(seed % 2 == 0 ? RandomGraphs.Network(seed) : FoldableGraphs.Network(seed));
            changed += Check(graph, seed);
        }
        Assert.InRange(changed, 100, 200);
    }

    [Theory]
    [InlineData("lenet-5")]
    [InlineData("squeezenet-1.1-64")]
    [InlineData("mobilenet-v1-0.25-64")]
    [InlineData("mobilenet-v2-0.35-64")]
    [InlineData("shufflenet-v1-g3-0.25-64")]
    [InlineData("shufflenet-v2-0.5-64")]
    [InlineData("cifar-resnet-20")]
    public void The_zoo_answers_the_same(string network) => Assert.Equal(1, Check(PostTraining.Prepare(Zoo.Find(network).Build().Graph), 3));

    /// <summary>Channels of very different ranges, as a network may have them that answers just the same, no longer cost their precision; all kinds of readers between.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unequal_channels_keep_their_precision(bool depthwise)
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 8, 8]));
        Node first = Layer("first", x, 16, 3, 1, channel => channel % 4 == 0 ? 30 : 0.3, _ => 1), relu = new("relu", new Relu(), first);
        Node between = depthwise ? new Node("relu2", new Relu(), Layer("between", relu, 16, 3, 16, channel => channel % 4 == 0 ? 1 / 30.0 : 1 / 0.3, _ => 1)) : new Node("pool", new MaxPool(Size.Square(2), Size.Square(2)), relu);
        Graph graph = new(Layer("last", between, 5, 1, 1, _ => 1, channel => depthwise ? 1 : channel % 4 == 0 ? 1 / 30.0 : 1 / 0.3));
        Tensor[] fed = RandomGraphs.Fed(graph, 1);
        Graph equal = Equalized(graph, fed);
        Assert.InRange(Noise(equal, fed), 0, 0.2 * Noise(graph, fed));

        Node Layer(string name, Node input, int outputs, int kernel, int groups, Func<int, double> yields, Func<int, double> reads)
        {
            Tensor weights = RandomTensors.Normal([outputs, input.Shape[1] / groups, kernel, kernel], name.Length);
            int fan = weights.Shape.Product(1, 4), taps = kernel * kernel;
            float[] scaled = [.. weights.Floats.ToArray().Select((value, i) => (float)(value * yields(i / fan) * reads(i % fan / taps)))];
            return new(name, new Conv(Size.One, Padding.All(kernel / 2), Size.One, groups), input, Node.Weight($"{name}.w", Tensor.Of(weights.Shape, scaled)));
        }
    }

    /// <summary>Whether anything was scaled; what is answered must be the same either way.</summary>
    private static int Check(Graph graph, int seed)
    {
        Tensor[] fed = RandomGraphs.Fed(graph, seed);
        Graph equal = Equalized(graph, fed);
        Assert.Equal(graph.Nodes.Where(node => node.Op is not Constant).Select(node => node.Name), equal.Nodes.Where(node => node.Op is not Constant).Select(node => node.Name));
        foreach ((Tensor one, Tensor other) in Reference.Run(graph, fed).Zip(Reference.Run(equal, fed))) Closeness.Check(one, other, 1e-5, $"seed {seed}, {graph.Nodes.Length} nodes");
        return graph.Weights.Zip(equal.Weights).Any(pair => !pair.First.Value!.BitsEqual(pair.Second.Value!)) ? 1 : 0;
    }

    private static Graph Equalized(Graph graph, Tensor[] fed)
    {
        ImmutableArray<Node> values = PostTraining.Values(graph, none);
        return Equalization.Equalize(graph, values, values.IsEmpty ? [] : [Reference.Run(new Graph(values, graph.Inputs), fed)]);
    }

    /// <summary>The squared error of the integers' answer.</summary>
    private static double Noise(Graph graph, Tensor[] fed)
    {
        ImmutableArray<Node> values = PostTraining.Values(graph, none);
        ImmutableDictionary<string, ValueRange> ranges = Histogram.Of(values, [Reference.Run(new Graph(values, graph.Inputs), fed)]).ToImmutableDictionary(seen => seen.Key, seen => Ranges.Of(seen.Value, RangeMethod.MinMax));
        return Reference.Run(graph, fed)[0].Floats.ToArray().Zip(Reference.Run(PostTraining.Quantize(graph, ranges, none), fed)[0].Floats.ToArray(), (one, other) => Math.Pow(one - other, 2)).Sum();
    }
}
