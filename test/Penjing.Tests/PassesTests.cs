using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>A pass keeps the answer, and leaves what its formula says.</summary>
public class PassesTests
{
    private const int Seeds = 150;

    public static TheoryData<string> Names => [.. Passes.ForInference.Except([Passes.AveragesToSums, Passes.ToIntegers, Passes.ResizeIntegers]).Select(pass => pass.Name)];

    /// <summary>Each pass alone keeps the outputs of random networks.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void EachPassKeepsTheAnswer(string name) => Keeps([Passes.ForInference.First(pass => pass.Name == name)]);

    /// <summary>All passes keep the outputs of random networks.</summary>
    [Fact]
    public void AllPassesKeepTheAnswer() => Keeps(Passes.ForInference);

    private static void Keeps(ImmutableArray<Pass> passes)
    {
        int touched = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            Graph graph = Network(seed), rewritten = graph.Rewrite(passes);
            if (!ReferenceEquals(graph, rewritten)) touched++;
            Tensor[] inputs = RandomGraphs.Fed(graph, seed), expected = Reference.Run(graph, inputs), actual = Reference.Run(rewritten, inputs);
            for (int i = 0; i < expected.Length; i++) Closeness.Check(expected[i], actual[i], 1e-5, $"seed {seed}, output {i}");
        }
        Assert.True(touched > Seeds / 20, $"the passes touched only {touched} graphs of {Seeds}");
    }

    /// <summary>What is computed with reals that integers stand for is computed with the integers: the same ones, or their neighbours where sums of reals were rounded.</summary>
    [Fact]
    public void IntegersTakeThePlaceOfReals()
    {
        int products = 0, off = 0, all = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            Quantization Any(float scale) => new(scale * (1 + random.NextSingle()), random.Next(256));
            Node Rounded(Node x, Quantization quantization) =>
                new($"{x.Name}/real", new DequantizeLinear(), new Node($"{x.Name}/quantized", new QuantizeLinear(ElementType.UInt8, quantization), x));
            int channels = random.Next(1, 9), outputs = random.Next(1, 9);
            Quantization joined = Any(0.05f);
            Node input = new("x", new Input(ElementType.Float32, [1, channels, 8, 7])), x = Rounded(input, Any(0.02f));
            float[] scales = [.. Enumerable.Range(0, outputs).Select(_ => 0.001f + random.NextSingle() / 200)];
            Node w = new("w/real", new DequantizeLinear(), new Node("w", new Constant(RandomTensors.Any(ElementType.Int8, [outputs, channels, 3, 3], seed), new Quantization([.. scales], [.. scales.Select(_ => 0)], 0))));
            Node b = Node.Weight("b", RandomTensors.Normal([outputs], seed));
            Node conv = Rounded(new("relu", random.Next(2) == 0 ? new Relu() : new Clip(-1, 4), new Node("conv", new Conv(Size.One, Padding.All(1), Size.One), x, w, b)), joined);
            Node pool = Rounded(new("pool", random.Next(2) == 0 ? new AveragePool(Size.Square(2), Size.One, default) : new MaxPool(Size.Square(2), Size.One, default), conv), joined);
            Node cut = Rounded(new("cut", new Slice(2, 0, 7), new Node("inner", new Slice(3, 0, 6), conv)), joined);
            Node y = new("y", new QuantizeLinear(ElementType.UInt8, joined), new Node("joined", new Concat(1), pool, cut));
            Graph graph = new([y, .. random.Next(2) == 0 ? (Node[])[new("mean", new GlobalAveragePool(), conv)] : []]), rewritten = graph.Rewrite(Passes.ForInference);
            Assert.DoesNotContain(rewritten.Nodes, node => node.Op is Conv or Concat or MaxPool && node.Info.Type is ElementType.Float32);
            products += rewritten.Nodes.Count(node => node is { Op: Conv, Info.Type: ElementType.Int32 });
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            byte[] expected = Reference.Run(graph, fed)[0].Bytes.ToArray(), actual = Reference.Run(rewritten, fed)[0].Bytes.ToArray();
            foreach ((byte one, byte other) in expected.Zip(actual))
            {
                Assert.InRange(other, one - 1, one + 1);
                if (one != other) off++;
                all++;
            }
        }
        Assert.InRange(products, Seeds + 20, 2 * Seeds);
        Assert.InRange(off, 0, all / 100);
    }

    /// <summary>Integers are resized as integers: enlarged by two, the nearest of what reals come to, halves to even; by other factors, that or its neighbour. Of another quantization, or by cubes, reals are.</summary>
    [Fact]
    public void IntegersAreResized()
    {
        int off = 0, all = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            bool twice = seed % 2 == 0;
            ElementType type = random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;
            // A power of two, so that reals are exact.
            Quantization quantization = new(0.25f, random.Next(20));
            Node x = new("x", new Constant(RandomTensors.Any(type, [1, 2, random.Next(1, 7), random.Next(1, 7)], seed), quantization));
            Resize resize = new(twice ? new(2 * x.Shape[2], 2 * x.Shape[3]) : new(random.Next(1, 14), random.Next(1, 14)), ResizeMode.Linear, random.Next(2) == 0 ? CoordinateMode.HalfPixel : CoordinateMode.AlignCorners);
            Node real = new("real", new DequantizeLinear(), x), y = new("y", new QuantizeLinear(type, quantization), new Node("resized", resize, real));
            Node integers = new Graph(y).Rewrite(Passes.ResizeIntegers).Outputs[0];
            Assert.Equal(resize, Assert.IsType<Resize>(integers.Op));
            foreach ((Op other, Quantization to) in new (Op, Quantization)[] { (resize, new(0.5f, 0)), (resize with { Mode = ResizeMode.Cubic }, quantization) })
                Assert.Equal("QuantizeLinear", new Graph(new Node("y", new QuantizeLinear(type, to), new Node("resized", other, real))).Rewrite(Passes.ResizeIntegers).Outputs[0].Op.Name);
            Graph back = new Graph(integers).Rewrite(Passes.ToReals);
            Assert.Equal("DequantizeLinear Resize QuantizeLinear", string.Join(' ', back.Nodes.Select(node => node.Op).Where(op => op is not Constant).Select(op => op.Name)));
            Assert.Equal(resize, Assert.IsType<Resize>(back.Rewrite(Passes.ResizeIntegers).Outputs[0].Op));
            byte[] expected = Reference.Run(new(y), [])[0].Bytes.ToArray(), actual = Reference.Run(new(integers), [])[0].Bytes.ToArray();
            foreach ((byte one, byte other) in expected.Zip(actual))
            {
                int between = (sbyte)(one - other);
                Assert.InRange(between, -1, 1);
                if (twice && resize.Coordinates is CoordinateMode.HalfPixel) Assert.Equal(0, between);
                off += Math.Abs(between);
                all++;
            }
        }
        Assert.InRange(off, 1, all / 5);
    }

    /// <summary>After all passes no node is left that one of them removes, and the graph is a fixed point of all.</summary>
    [Fact]
    public void NothingIsLeftToDo()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Graph graph = Network(seed).Rewrite(Passes.ForInference);
            ILookup<Node, Node> readers = graph.Consumers();
            foreach (Node node in graph.Nodes)
            {
                Assert.False(node.Op is Identity or Dropout or BatchNormalization or MatMul, $"seed {seed}: {node}");
                Assert.False(node.Inputs.Length > 0 && node.Inputs.All(input => input.Op is Constant), $"seed {seed}: {node} reads constants only");
                Assert.False(node is { Op: Activation, Inputs: [{ Op: Conv { Then: null } or Gemm { Then: null } or Add { Then: null } } before] }
                    && readers[before].Count() == 1 && !graph.Outputs.Contains(before), $"seed {seed}: {node} could be fused");
            }
            foreach (Pass pass in Passes.ForInference) Assert.True(ReferenceEquals(graph, graph.Rewrite(pass)), $"seed {seed}: '{pass.Name}' still changes the graph");
        }
    }

    /// <summary>The outputs keep their names where a node is fused into another.</summary>
    [Fact]
    public void OutputsKeepTheirNames()
    {
        Node x = Picture(4), conv = Convolution("conv", x, 6);
        Graph graph = new Graph(new Node("answer", new Relu(), Normalized("norm", conv))).Rewrite(Passes.ForInference);
        Assert.Equal("answer", graph.Outputs[0].Name);
    }

    /// <summary>Conv, BatchNormalization, Relu becomes one Conv; the depthwise form too.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void ConvolutionTakesNormalizationAndActivation(int groups)
    {
        Node conv = Convolution("conv", Picture(4), 8, groups);
        Node output = new("relu", new Clip(0, 6), Normalized("norm", conv));
        Graph graph = Same(new(output), "Conv", Passes.ForInference);
        Assert.Equal(new Clip(0, 6), ((Conv)graph.Outputs[0].Op).Then);
        Assert.Equal(["conv.w", "norm/bias"], graph.Weights.Select(node => node.Name));
    }

    /// <summary>ConvTranspose takes normalization, with groups too, but no activation.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TransposedConvolutionTakesNormalization(int groups)
    {
        Node w = Node.Weight("w", RandomTensors.Normal([4, 6 / groups, 3, 3], 3));
        Node conv = new("conv", new ConvTranspose(Size.Square(2), Padding.All(1), Size.One, Size.One, groups), Picture(4), w);
        Same(new(new Node("relu", new Relu(), Normalized("norm", conv))), "ConvTranspose Relu", Passes.ForInference);
    }

    /// <summary>Gemm takes normalization whichever way its matrix lies and whatever its factors are.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GemmTakesNormalization(bool transposed)
    {
        Node w = Node.Weight("w", RandomTensors.Normal(transposed ? [7, 5] : [5, 7], 3)), b = Node.Weight("b", RandomTensors.Normal([1, 7], 4));
        Node gemm = new("gemm", new Gemm(false, transposed, 0.5f, 3), new Node("x", new Input(ElementType.Float32, [3, 5])), w, b);
        Same(new(new Node("act", new Tanh(), Normalized("norm", gemm))), "Gemm", Passes.ForInference);
    }

    /// <summary>MatMul and the Add of a row become one Gemm.</summary>
    [Fact]
    public void MatricesBecomeGemm()
    {
        Node w = Node.Weight("w", RandomTensors.Normal([5, 7], 3)), b = Node.Weight("b", RandomTensors.Normal([7], 4));
        Node product = new("product", new MatMul(), new Node("x", new Input(ElementType.Float32, [3, 5])), w);
        Same(new(new Node("relu", new Relu(), new Node("sum", new Add(), b, product))), "Gemm", Passes.ForInference);
    }

    /// <summary>A value that something else reads is not swallowed: the normalization stands by itself, as a depthwise convolution that takes its activation.</summary>
    [Fact]
    public void WhatOthersReadStays()
    {
        Node conv = Convolution("conv", Picture(4), 6), norm = Normalized("norm", conv), relu = new("relu", new Relu(), norm);
        Graph graph = Same(new([relu, new Node("sum", new Add(), conv, relu)]), "Conv Conv Add", Passes.ForInference);
        Assert.Null(((Conv)graph.Nodes.First(node => node.Name == "conv").Op).Then);
        Same(new([new Node("relu", new Relu(), conv), conv]), "Conv Relu", Passes.ForInference);
        Same(new([relu, norm]), "Conv Relu", Passes.ForInference);
        Node sum = new("sum", new Add(), conv, norm);
        Same(new([new Node("left", new Relu(), sum), new Node("right", new Sigmoid(), sum)]), "Conv Conv Add Relu Sigmoid", Passes.ForInference);
    }

    /// <summary>Two convolutions of one kernel each get their own folded one.</summary>
    [Fact]
    public void SharedWeightsFoldApart()
    {
        Node x = Picture(4), w = Node.Weight("w", RandomTensors.Normal([4, 4, 1, 1], 9));
        Node first = Normalized("n1", new("c1", new Conv(), x, w)), second = Normalized("n2", new("c2", new Conv(), first, w));
        Same(new(new Node("sum", new Add(), first, second)), "Conv Conv Add", Passes.ForInference);
        Same(new(new Node("sum", new Add(), second, new Node("c3", new Conv(), x, w))), "Conv Conv Conv Add", Passes.ForInference);
    }

    /// <summary>Constants around a convolution, one per channel or one for all, on either side, fold; a picture-shaped one doesn't.</summary>
    [Fact]
    public void ConstantsPerChannelFold()
    {
        Node Scalar(string name) => Node.Weight(name, RandomTensors.Uniform([], name.Length, 0.5, 2));
        Node Channels(string name) => Node.Weight(name, RandomTensors.Uniform([1, 6, 1, 1], name.Length, 0.5, 2));
        Node conv = Convolution("conv", Picture(4), 6);
        Node scaled = new("a", new Mul(), Scalar("one"), new Node("b", new Sub(), Channels("two"), new Node("c", new Div(), conv, Channels("three"))));
        Same(new(new Node("d", new Add(), new Node("e", new Sub(), scaled, Scalar("f")), Channels("g"))), "Conv", Passes.ForInference);
        Same(new(new Node("d", new Add(), conv, Node.Weight("picture", RandomTensors.Normal([1, 1, 9, 8], 5)))), "Conv Add", Passes.ForInference);
        Same(new(new Node("d", new Div(), Scalar("one"), conv)), "Conv Div", Passes.ForInference);
    }

    /// <summary>Normalization of what is no convolution: depthwise for pictures, Mul and Add else.</summary>
    [Fact]
    public void NormalizationAloneIsLowered()
    {
        Same(new(new Node("relu", new Relu(), Normalized("norm", Picture(5)))), "Conv", Passes.ForInference);
        Same(new(Normalized("norm", new("x", new Input(ElementType.Float32, [3, 5])))), "Mul Add", Passes.ForInference);
        Same(new(new Node("relu", new Relu(), Normalized("norm", new("x", new Input(ElementType.Float32, [3, 5, 2]))))), "Mul Add", Passes.ForInference);
    }

    /// <summary>Zero padding before a window becomes the window's own where that is exact, and stays where it isn't.</summary>
    [Fact]
    public void PaddingMovesIntoWindows()
    {
        Node x = Picture(4), relu = new("relu", new Relu(), x);
        Node Padded(Node of, float value = 0, int before = 1, int after = 2) => new("pad3", new Pad(3, before, after, PadMode.Constant, value), new Node("pad2", new Pad(-2, 0, 1, PadMode.Constant, value), of));
        Graph Pooled(Node of, Op pool) => new(new Node("pool", pool, of));
        Size two = Size.Square(2), three = Size.Square(3);
        Same(new(Convolution("conv", Padded(x), 6)), "Conv", Passes.FusePadding);
        Same(new(Convolution("conv", Padded(x, 0, -1), 6)), "Pad Pad Conv", Passes.FusePadding);
        Same(new(new Node("conv", new Conv(), Padded(x, 0, -1), Node.Weight("w", RandomTensors.Normal([3, 4, 2, 2], 1)))), "Conv", Passes.FusePadding);
        Same(new(Convolution("conv", Padded(x, 0.5f), 6)), "Pad Pad Conv", Passes.FusePadding);
        Same(new(Convolution("conv", new("pad", new Pad(1, 1, 1), Picture(2)), 6)), "Pad Conv", Passes.FusePadding);
        Same(Pooled(Padded(x), new AveragePool(three, two)), "AveragePool", Passes.FusePadding);
        Same(Pooled(Padded(x), new AveragePool(three, two, Padding.All(1))), "Pad Pad AveragePool", Passes.FusePadding);
        Same(Pooled(Padded(x), new AveragePool(three, two, default, true)), "Pad Pad AveragePool", Passes.FusePadding);
        Same(Pooled(Padded(x), new AveragePool(three, two, new(1, 1, 0, 0), false, true)), "AveragePool", Passes.FusePadding);
        Same(Pooled(Padded(x), new AveragePool(two, two)), "Pad Pad AveragePool", Passes.FusePadding);
        Same(Pooled(Padded(relu), new MaxPool(three, two)), "Relu MaxPool", Passes.FusePadding);
        Same(Pooled(Padded(x), new MaxPool(three, two)), "Pad Pad MaxPool", Passes.FusePadding);
        Same(Pooled(Padded(x, float.NegativeInfinity), new MaxPool(three, two)), "MaxPool", Passes.FusePadding);
    }

    /// <summary>What a join is cut off at its parts are cut off at, unless they can't be below zero anyhow, or the join itself is read.</summary>
    [Fact]
    public void ClampsMoveBeforeJoins()
    {
        Node x = Picture(4), relu = new("relu", new Relu(), Convolution("conv", x, 3)), pool = new("pool", new MaxPool(Size.One, Size.One), relu);
        Node joined = new("joined", new Concat(1), x, pool, Convolution("other", x, 3));
        Same(new(new Node("last", new Relu(), joined)), "Relu Conv Relu MaxPool Conv Relu Concat", Passes.ClampBeforeConcat);
        Same(new(new Node("last", new Clip(-0.5f, 0.5f), joined)), "Clip Conv Relu MaxPool Clip Conv Clip Concat", Passes.ClampBeforeConcat);
        Same(new([new Node("last", new Relu(), joined), new Node("else", new Sigmoid(), joined)]), "Conv Relu MaxPool Conv Concat Relu Sigmoid", Passes.ClampBeforeConcat);
    }

    /// <summary>What hangs on constants only is computed, as far as it reaches.</summary>
    [Fact]
    public void ConstantsFold()
    {
        Node a = Node.Weight("a", RandomTensors.Normal([3, 4], 1)), b = Node.Weight("b", RandomTensors.Normal([4], 2));
        Node sum = new("sum", new Transpose([1, 0]), new Node("add", new Add(), a, b));
        Graph graph = Same(new(new Node("product", new Mul(), new Node("x", new Input(ElementType.Float32, [4, 3])), sum)), "Mul", Passes.FoldConstants);
        Assert.Equal("sum", graph.Weights.Single().Name);
        Same(new(sum), "", Passes.FoldConstants);
    }

    /// <summary>Chains of Identity and Dropout go, in front of an output too.</summary>
    [Fact]
    public void IdentitiesGo()
    {
        Node relu = new("relu", new Relu(), new Node("same", new Identity(), new Node("drop", new Dropout(), Picture(3))));
        Same(new([new Node("out", new Identity(), relu), relu]), "Relu", Passes.DropIdentities);
    }

    private static Graph Same(Graph graph, string operations, params ImmutableArray<Pass> passes)
    {
        Graph rewritten = graph.Rewrite(passes);
        Assert.Equal(operations, string.Join(' ', rewritten.Nodes.Where(node => node.Op is not (Input or Constant)).Select(node => node.Op.Name)));
        Tensor[] inputs = RandomGraphs.Fed(graph, 1), expected = Reference.Run(graph, inputs), actual = Reference.Run(rewritten, inputs);
        for (int i = 0; i < expected.Length; i++) Closeness.Check(expected[i], actual[i], 1e-5, $"{operations}, output {i}");
        return rewritten;
    }

    private static Graph Network(int seed) => seed % 2 == 0 ? FoldableGraphs.Network(seed) : RandomGraphs.Network(seed);

    private static Node Picture(int channels) => new("x", new Input(ElementType.Float32, [2, channels, 9, 8]));

    private static Node Convolution(string name, Node x, int outputs, int groups = 1) => new(name, new Conv(Size.One, Padding.All(1), Size.One, groups),
        x, Node.Weight($"{name}.w", RandomTensors.Normal([outputs, x.Shape[1] / groups, 3, 3], 5)));

    private static Node Normalized(string name, Node x)
    {
        Shape c = [x.Shape[1]];
        return new(name, new BatchNormalization(1e-3f), x, Node.Weight($"{name}.scale", RandomTensors.Normal(c, 6)), Node.Weight($"{name}.shift", RandomTensors.Normal(c, 7)),
            Node.Weight($"{name}.mean", RandomTensors.Normal(c, 8)), Node.Weight($"{name}.variance", RandomTensors.Uniform(c, 9, 0.2, 2)));
    }
}
