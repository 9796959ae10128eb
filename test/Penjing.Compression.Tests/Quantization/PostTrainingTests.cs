using System.Collections.Immutable;
using Penjing.Engine;
using Penjing.Interop;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Integers compute what the simulation in reals computes, up to its rounding, and near what the network did.</summary>
public sealed class PostTrainingTests
{
    private static readonly ImmutableHashSet<string> none = [];

    [Fact]
    public void Random_networks_become_integers()
    {
        int products = 0;
        for (int seed = 0; seed < 150; seed++)
        {
            Graph graph = PostTraining.Prepare(RandomGraphs.Network(seed));
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            ImmutableDictionary<string, ValueRange> ranges = Measured(graph, fed, none);
            Graph simulated = PostTraining.Simulate(graph, ranges, none), quantized = PostTraining.Quantize(graph, ranges, none);
            Assert.DoesNotContain(quantized.Nodes, node => node is { Op: Conv or Gemm { Alpha: 1, Beta: 1, TransposeA: false }, Info.Type: ElementType.Float32, Inputs: [_, { Value: not null }, ..] });
            products += quantized.Nodes.Count(node => node is { Op: Conv or Gemm, Info.Type: ElementType.Int32 });
            Tensor[] real = Reference.Run(graph, fed), simulation = Reference.Run(simulated, fed), integers = Reference.Run(quantized, fed);
            for (int i = 0; i < real.Length; i++)
            {
                AssertNear(simulation[i], integers[i], 25, $"seed {seed}, output {i}, simulation and integers");
                AssertNear(real[i], integers[i], 8, $"seed {seed}, output {i}, reals and integers");
            }
        }
        Assert.InRange(products, 300, int.MaxValue);
    }

    /// <summary>Between the first and the last layer of a network of convolutions, ReLUs, pools and joins nothing is real but what averages and sums.</summary>
    [Fact]
    public void Squeezenet_is_integers_from_end_to_end()
    {
        Graph graph = PostTraining.Prepare(SqueezeNet.Version11(size: 32, classes: 5).Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 1);
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none);
        Assert.Equal(1, quantized.Nodes.Count(node => node.Op is QuantizeLinear && node.Inputs[0].Op is Input));
        Assert.All(quantized.Nodes.Where(node => node.Op is Concat or MaxPool), node => Assert.Equal(ElementType.UInt8, node.Info.Type));
        Assert.DoesNotContain(quantized.Nodes, node => node.Op is Relu && node.Info.Type is not ElementType.Float32);
        AssertNear(Reference.Run(graph, fed)[0], Reference.Run(quantized, fed)[0], 12, "squeezenet");
    }

    /// <summary>The engine computes the integers that the reference computes, on one thread and on several.</summary>
    [Theory]
    [InlineData("squeezenet-1.1-64", 1e-6)]
    [InlineData("mobilenet-v1-0.25-64", 0)]
    [InlineData("mobilenet-v2-0.35-64", 0)]
    [InlineData("shufflenet-v1-g3-0.25-64", 0)]
    [InlineData("shufflenet-v2-0.5-64", 0)]
    [InlineData("cifar-resnet-20", 0)]
    [InlineData("parsenet-0.5-64", 1e-6)]
    public void The_engine_has_the_reference_s_integers(string network, double tolerance)
    {
        Graph graph = PostTraining.Prepare(Zoo.Find(network).Build().Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 4);
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none);
        Tensor expected = Reference.Run(quantized.Rewrite(Passes.ForInference), fed)[0];
        AssertNear(Reference.Run(graph, fed)[0], expected, 5, network);
        for (int threads = 1; threads < 4; threads += 2)
        {
            using Session session = new(quantized, new(threads));
            string what = $"{network} on {threads} threads: {string.Join(", ", session.Steps.Select(step => $"{step.Name} by {step.Row}"))}";
            Tensor actual = session.Run(fed, TestContext.Current.CancellationToken)[0];
            // SqueezeNet ends with means of reals, a parser with reals that are enlarged.
            if (tolerance > 0) Closeness.Check(expected, actual, tolerance, what);
            else Closeness.CheckBits(expected, actual, what);
        }
    }

    /// <summary>Of weights of seven bits none is larger than 63 in size, one of each channel is, and every vector width computes the reference's integers in words of four.</summary>
    [Fact]
    public void Narrow_weights_are_multiplied_four_at_once()
    {
        Graph graph = PostTraining.Prepare(MobileNetV1.Small(0.25, 16, classes: 5, repeats: 0).Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 9);
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none, 7);
        foreach (Node layer in quantized.Nodes.Where(node => node is { Op: Conv, Info.Type: ElementType.Int32 }))
        {
            sbyte[] weights = layer.Inputs[1].Value!.AsSpan<sbyte>().ToArray();
            Assert.All(weights.Chunk(weights.Length / layer.Shape[1]), channel => Assert.Equal(63, channel.Max(weight => Math.Abs((int)weight))));
        }
        Tensor expected = Reference.Run(quantized.Rewrite(Passes.ForInference), fed)[0];
        foreach (Isa isa in Enum.GetValues<Isa>())
        {
            using Session session = new(quantized, new(1) { Isa = isa, Kernel = "i8-dot-conv" });
            Assert.Contains(session.Steps, step => step.Row == "i8-dot-conv");
            Closeness.CheckBits(expected, session.Run(fed, TestContext.Current.CancellationToken)[0], isa.ToString());
        }
        Assert.Throws<PenjingException>(() => PostTraining.Quantize(graph, Measured(graph, fed, none), none, 9));
    }

    /// <summary>A residual sum takes no step of its own: that of the product which is computed last adds.</summary>
    [Fact]
    public void Residual_sums_are_part_of_a_product()
    {
        Graph graph = PostTraining.Prepare(Zoo.Find("cifar-resnet-20").Build().Graph);
        using Session session = new(PostTraining.Quantize(graph, Measured(graph, RandomGraphs.Fed(graph, 7), none), none), new(1));
        Assert.DoesNotContain(session.Steps, step => step.Op is "QuantizedAdd" or "Add");
    }

    /// <summary>Activations between layers, in one operation or several, are looks into tables of integers.</summary>
    [Fact]
    public void Activations_are_tables()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 8, 6, 6]));
        Func<Node, string, Node>[] activations =
        [
            (y, name) => new(name, new HardSwish(), y),
            (y, name) => new(name, new LeakyRelu(0.1f), y),
            (y, name) => new(name, new Mul(), y, new Node($"{name}/gate", new Sigmoid(), y)),
            (y, name) => new(name, new Div(), new Node($"{name}/times", new Mul(), y,
                new Node($"{name}/clip", new Clip(0, 6), new Node($"{name}/plus", new Add(), y, Node.Weight($"{name}/three", Tensor.Of<float>([], 3))))), Node.Weight($"{name}/six", Tensor.Of<float>([], 6))),
            (y, name) => new(name, new Sigmoid(), new Node($"{name}/tanh", new Tanh(), y)),
            (y, name) => new(name, new Tanh(), new Node($"{name}/relu", new Relu(), y)),
        ];
        Node last = Layer(x, 0);
        for (int i = 0; i < activations.Length; i++) last = Layer(activations[i](last, $"activation{i}"), i + 1);
        Graph graph = PostTraining.Prepare(new(last));
        Tensor[] fed = RandomGraphs.Fed(graph, 8);
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none);
        Tensor expected = Reference.Run(quantized.Rewrite(Passes.ForInference), fed)[0];
        AssertNear(Reference.Run(graph, fed)[0], expected, 15, "activations");
        using Session session = new(quantized, new(1));
        Assert.Equal(activations.Length, session.Steps.Count(step => step.Row == "i8-table"));
        Assert.DoesNotContain(session.Steps, step => step.IsFallback || step.Row.StartsWith("f32", StringComparison.Ordinal));
        Closeness.CheckBits(expected, session.Run(fed, TestContext.Current.CancellationToken)[0], "activations");

        static Node Layer(Node y, int number) => new($"layer{number}", new Conv(), y, Node.Weight($"weight{number}", RandomTensors.Normal([8, 8, 1, 1], number)));
    }

    /// <summary>What no integers yield, a layer that stays real or an input, is not rounded for the sake of the activation behind it.</summary>
    [Fact]
    public void Activations_of_reals_stay_real()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 8, 6, 6])), real = new("real", new Conv(), x, Node.Weight("w0", RandomTensors.Normal([8, 8, 1, 1], 0)));
        Node next = new("next", new Conv(), new Node("bent", new HardSwish(), real), Node.Weight("w1", RandomTensors.Normal([8, 8, 1, 1], 1)));
        Graph graph = PostTraining.Prepare(new(next));
        Assert.Equal(["x", "real", "bent"], PostTraining.Values(graph, none).Select(value => value.Name));
        Assert.Equal(["bent"], PostTraining.Values(graph, ImmutableHashSet.Create("real")).Select(value => value.Name));
        Node curve = new("curve", new Unary(UnaryFunction.Log), x), choice = new("choice", new Mul(), real, new Node("positive", new Cast(ElementType.Float32), new Node("greater", new Greater(), real, Node.Weight("zero", Tensor.Of<float>([], 0)))));
        foreach (Node read in (Node[])[curve, choice])
            Assert.DoesNotContain(read.Inputs[0].Name, PostTraining.Values(PostTraining.Prepare(new(next.With([read, next.Inputs[1]]))), none).Select(value => value.Name));
    }

    /// <summary>Many sums in a row, each read by an activation of two operations, are looked through at once.</summary>
    [Fact]
    public void Long_chains_of_activations_take_no_time()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 4, 2, 2])), y = x;
        for (int i = 0; i < 60; i++)
        {
            Node sum = new($"sum{i}", new Add(), new Node($"conv{i}", new Conv(), y, Node.Weight($"w{i}", RandomTensors.Normal([4, 4, 1, 1], i))), y);
            y = new($"swish{i}", new Mul(), sum, new Node($"gate{i}", new Sigmoid(), sum));
        }
        // The input, and all but the last block's.
        Assert.Equal(1 + 3 * 59, PostTraining.Values(PostTraining.Prepare(new(y)), none).Length);
    }

    /// <summary>Squeeze and excitation multiplies integers, and its gate is no function of what it gates; a value less its channels' means stays real.</summary>
    [Fact]
    public void Gates_multiply_integers()
    {
        Node x = new("x", new Input(ElementType.Float32, [2, 8, 6, 6])), bent = new("bent", new HardSwish(), Layer(x, 0)), mean = new("mean", new GlobalAveragePool(), bent);
        Node gated = new("gated", new Mul(), bent, new Node("gate", new HardSigmoid(), Layer(new("relu", new Relu(), Layer(mean, 1)), 2)));
        Graph graph = PostTraining.Prepare(new(Layer(gated, 3)));
        Assert.Equal(["x", "layer0", "bent", "mean", "relu", "gated"], PostTraining.Values(graph, none).Select(value => value.Name));
        Tensor[] fed = RandomGraphs.Fed(graph, 8);
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none);
        Tensor expected = Reference.Run(quantized.Rewrite(Passes.ForInference), fed)[0];
        AssertNear(Reference.Run(graph, fed)[0], expected, 20, "gates");
        using Session session = new(quantized, new(1));
        Assert.Single(session.Steps, step => step.Row == "i8-gate");
        Closeness.CheckBits(expected, session.Run(fed, TestContext.Current.CancellationToken)[0], "gates");

        Node y = Layer(x, 0), less = new("less", new Sub(), y, new Node("mean", new GlobalAveragePool(), y));
        Assert.Equal(["x", "less"], PostTraining.Values(PostTraining.Prepare(new(Layer(less, 1))), none).Select(value => value.Name));

        static Node Layer(Node y, int number) => new($"layer{number}", new Conv(), y, Node.Weight($"weight{number}", RandomTensors.Normal([8, 8, 1, 1], number)));
    }

    /// <summary>A network of ONNX's QuantizeLinear and DequantizeLinear runs on the kernels of integers, with the answer of our own integers to the bit.</summary>
    [Theory]
    [InlineData("mobilenet-v2-0.35-64")]
    [InlineData("shufflenet-v1-g3-0.25-64")]
    [InlineData("cifar-resnet-20")]
    public void Onnx_s_quantized_networks_run_on_integers(string network)
    {
        Model model = Zoo.Find(network).Build();
        Graph graph = PostTraining.Prepare(model.Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 5);
        ImmutableDictionary<string, ValueRange> ranges = Measured(graph, fed, none);
        Tensor expected = Reference.Run(PostTraining.Quantize(graph, ranges, none).Rewrite(Passes.ForInference), fed)[0];
        Model read = OnnxReader.Read(OnnxWriter.ToBytes(model with { Graph = PostTraining.Simulate(graph, ranges, none) }));
        using Session session = new(read, new(1));
        Assert.DoesNotContain(session.Steps, step => step.IsFallback || step.Row.StartsWith("f32", StringComparison.Ordinal));
        Closeness.CheckBits(expected, session.Run(fed, TestContext.Current.CancellationToken)[0], network);
    }

    /// <summary>A network of integers goes out as ONNX's QuantizeLinear and DequantizeLinear around reals, and comes back as the same integers.</summary>
    [Fact]
    public void Integers_come_back_from_onnx()
    {
        for (int seed = 0; seed < 60; seed++) Check(RandomGraphs.Network(seed), seed);
        foreach (string network in (string[])["squeezenet-1.1-64", "mobilenet-v2-0.35-64", "shufflenet-v1-g3-0.25-64", "cifar-resnet-20"]) Check(Zoo.Find(network).Build().Graph, 7);

        static void Check(Graph whole, int seed)
        {
            Graph graph = PostTraining.Prepare(whole);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, none), none), read = OnnxReader.Read(OnnxWriter.ToBytes(new(quantized))).Graph;
            Assert.DoesNotContain(read.Nodes, node => node.Op is not Constant && node.Info.Type is ElementType.Int32 || node.Op is Conv or Gemm or MaxPool or Concat && node.Info.Type is not ElementType.Float32);
            Graph back = read.Rewrite(Passes.ForInference), before = quantized.Rewrite(Passes.ForInference);
            Assert.Equal(before.Nodes.Count(node => node.Info.Type is ElementType.Int32), back.Nodes.Count(node => node.Info.Type is ElementType.Int32));
            foreach ((Tensor one, Tensor other) in Reference.Run(before, fed).Zip(Reference.Run(back, fed))) Closeness.CheckBits(one, other, $"seed {seed}, {whole.Nodes.Length} nodes");
        }
    }

    /// <summary>Sums that both integers and reals read, means that stay real and depthwise layers before a real one leave nothing to the reference.</summary>
    [Fact]
    public void Nothing_falls_back_where_reals_remain()
    {
        Graph graph = PostTraining.Prepare(MobileNetV1.Small(0.25, 16, classes: 5, repeats: 0).Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 6);
        ImmutableDictionary<string, ValueRange> ranges = Measured(graph, fed, none);
        Node[] layers = [.. graph.Nodes.Where(node => node.Op is Conv)];
        foreach (Node real in layers)
        {
            Graph mixed = PostTraining.Quantize(graph, ranges, ImmutableHashSet.Create(real.Name)), watched = new([mixed.Outputs[0], .. mixed.Nodes.Where(node => node.Op is Relu && node.Info.Type is ElementType.Float32).Take(2)], mixed.Inputs);
            foreach (Graph tried in (Graph[])[mixed, watched])
            {
                using Session session = new(tried, new(1));
                Assert.DoesNotContain(session.Steps, step => step.IsFallback);
                Closeness.Check(Reference.Run(tried.Rewrite(Passes.ForInference), fed)[0], session.Run(fed, TestContext.Current.CancellationToken)[0], 1e-5, real.Name);
            }
        }

        // Every integer value of the network is an output too: as reals.
        Graph simulated = PostTraining.Simulate(graph, ranges, none), open = new([simulated.Outputs[0], .. simulated.Nodes.Where(node => node.Op is Relu)], simulated.Inputs);
        using Session all = new(open, new(1));
        Assert.DoesNotContain(all.Steps, step => step.IsFallback);
    }

    /// <summary>A channel whose weights are next to nothing keeps its bias.</summary>
    [Fact]
    public void Biases_of_dead_channels_stay()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 5, 5]));
        float[] weights = RandomTensors.Normal([4, 3, 3, 3], 8).Floats.ToArray();
        weights.AsSpan(27, 27).Clear();
        for (int i = 54; i < 81; i++) weights[i] *= 1e-9f;
        Graph graph = new(new Node("y", new Conv(Size.One, Padding.All(1), Size.One), x, Node.Weight("w", Tensor.Of<float>([4, 3, 3, 3], weights)), Node.Weight("b", Tensor.Of<float>([4], 1, 0.2f, 0.5f, -3))));
        Graph quantized = PostTraining.Quantize(graph, new Dictionary<string, ValueRange> { ["x"] = new(0, 6) }, none);
        Tensor answer = Reference.Run(quantized, [Tensor.Zeros(ElementType.Float32, [1, 3, 5, 5])])[0];
        Assert.Equal(1, answer.Floats[0], 1e-3);
        Assert.Equal(0.2, answer.Floats[25], 1e-6);
        Assert.Equal(0.5, answer.Floats[50], 1e-6);
        using Session session = new(quantized, new(1));
        Assert.DoesNotContain(session.Steps, step => step.IsFallback);
    }

    /// <summary>A layer that is named stays as it was, weights and all.</summary>
    [Fact]
    public void A_named_layer_stays_real()
    {
        Graph graph = PostTraining.Prepare(MobileNetV1.Small(0.25, 16, classes: 5, repeats: 0).Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 2);
        Node layer = graph.Nodes.Where(node => node.Op is Conv).ElementAt(3);
        ImmutableHashSet<string> floats = [layer.Name];
        Graph quantized = PostTraining.Quantize(graph, Measured(graph, fed, floats), floats);
        Assert.Same(layer.Inputs[1], quantized[layer.Name].Inputs[1]);
        Assert.Equal(graph.Nodes.Count(node => node.Op is Conv or Gemm) - 1, quantized.Nodes.Count(node => node is { Op: Conv { Then: null } or Gemm, Info.Type: ElementType.Int32 }));
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        Graph graph = PostTraining.Prepare(MobileNetV1.Small(0.25, 16, classes: 5, repeats: 0).Graph);
        string value = PostTraining.Values(graph, none)[2].Name;
        ImmutableDictionary<string, ValueRange> ranges = Measured(graph, RandomGraphs.Fed(graph, 3), none).Remove(value);
        Assert.Contains($"'{value}'", Assert.Throws<PenjingException>(() => PostTraining.Quantize(graph, ranges, none)).Message);
    }

    /// <summary>The range of each value for one input.</summary>
    private static ImmutableDictionary<string, ValueRange> Measured(Graph graph, Tensor[] fed, ImmutableHashSet<string> floats)
    {
        ImmutableArray<Node> values = PostTraining.Values(graph, floats);
        if (values.IsEmpty) return ImmutableDictionary<string, ValueRange>.Empty;
        return Histogram.Of(values, [Reference.Run(new Graph(values, graph.Inputs), fed)]).ToImmutableDictionary(seen => seen.Key, seen => Ranges.Of(seen.Value, RangeMethod.MinMax));
    }

    private static void AssertNear(Tensor expected, Tensor actual, double decibels, string what)
    {
        double signal = 0, noise = 0;
        ReadOnlySpan<float> one = expected.Floats, other = actual.Floats;
        for (int i = 0; i < one.Length; i++)
        {
            signal += (double)one[i] * one[i];
            noise += Math.Pow((double)one[i] - other[i], 2);
        }
        double ratio = noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
        Assert.True(ratio >= decibels, $"{what}: {ratio:F1} dB, {expected} from {one.ToArray().Min()} to {one.ToArray().Max()}, {actual} from {other.ToArray().Min()} to {other.ToArray().Max()}");
    }
}
