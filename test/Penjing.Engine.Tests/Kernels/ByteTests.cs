using System.Runtime.Intrinsics.X86;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>What moves and compares bytes gives the reference's.</summary>
public sealed class ByteTests
{
    /// <summary>Channels in other orders: shuffles by groups, and orders drawn from few and from many places.</summary>
    [Fact]
    public void OrdersAreTheReferences()
    {
        int taken = 0, wide = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            int groups = random.Next(1, 9), each = random.Next(1, 50), channels = groups * each;
            int[] order = [.. Enumerable.Range(0, channels).Select(i => i % groups * each + i / groups)];
            if (seed % 5 == 0) order = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => random.Next(channels))];
            ByteOrder? narrow = ByteOrder.Of(order, channels, Isa.Vector128);
            if (narrow is not null) taken++;
            if (ByteOrder.Of(order, channels, Isa.Vector512) is { } other && other.GetType() != narrow?.GetType()) wide++;
            Check(new Gather(1, [.. order]), [2, channels, random.Next(1, 5), random.Next(1, 5)], random, seed);
        }
        Assert.InRange(taken, 80, 199);
        if (Avx512Vbmi.VL.IsSupported) Assert.InRange(wide, 60, 199);
    }

    /// <summary>Largest bytes of windows, over edges too, of 1 to 100 channels.</summary>
    [Fact]
    public void PoolsAreTheReferences()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            (int high, int across) = (random.Next(1, 4), random.Next(1, 4));
            MaxPool pool = new(new(high, across), new(random.Next(1, 3), random.Next(1, 3)), new(random.Next(high), random.Next(across), random.Next(high), random.Next(across)));
            Check(pool, [2, random.Next(1, 101), random.Next(3, 9), random.Next(3, 9)], random, seed);
        }
    }

    /// <summary>Windows with gaps, and global ones.</summary>
    [Fact]
    public void DilatedAndGlobalPoolsAreTheReferences()
    {
        Random random = new(1);
        for (int seed = 0; seed < 20; seed++)
            foreach (Op pool in (Op[])[new MaxPool(Size.Square(3), Size.One, Padding.All(2)) with { Dilation = new(2, 2) }, new GlobalMaxPool()])
                Check(pool, [1, random.Next(1, 101), 9, 11], random, seed);
    }

    /// <summary>Nearest pixels and means of two or four, of all ways to place pixels that have them, smaller and larger, of 1 to 70 channels.</summary>
    [Fact]
    public void ResizesAreTheReferences()
    {
        CoordinateMode[] ways = [.. Enum.GetValues<CoordinateMode>().Except([CoordinateMode.TfCropAndResize])];
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            (int height, int width) = (random.Next(1, 7), random.Next(1, 7));
            Size output = random.Next(2) == 0 ? new(2 * height, 2 * width) : new(random.Next(1, 13), random.Next(1, 13));
            ResizeMode mode = random.Next(3) == 0 ? ResizeMode.Nearest : ResizeMode.Linear;
            Check(new Resize(output, mode, ways[random.Next(ways.Length)], (NearestMode)random.Next(4)), [2, random.Next(1, 71), height, width], random, seed);
        }
    }

    /// <summary>Functions of integers, with and without integers between them and of a value times another function of it, are one look into a table.</summary>
    [Fact]
    public void FunctionsAreTheReferences()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            Node x = Rounded("integers", new("x", new Input(ElementType.Float32, [2, random.Next(1, 70), 3, 5])), random), y = x;
            for (int i = random.Next(4); i >= 0; i--) y = Function(y, i, random);
            Graph graph = new(new Node("y", new DequantizeLinear(), Rounded("rounded", y, random).Inputs[0]));
            using Session session = Compare(graph, seed);
            Assert.Single(session.Steps, step => step.Op == nameof(QuantizedFunction));
            Assert.DoesNotContain(session.Steps, step => step.Op is nameof(Mul) or nameof(HardSwish) || step.Kernel.StartsWith("f32", StringComparison.Ordinal));
        }
    }

    /// <summary>Pictures of integers, their channels each times a real of its own, of 1 to 70 channels.</summary>
    [Fact]
    public void GatesAreTheReferences()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            (int pictures, int channels, int height) = (random.Next(1, 3), random.Next(1, 70), random.Next(2, 4));
            Node x = Rounded("integers", new("x", new Input(ElementType.Float32, [pictures, channels, height, 5])), random), gate = new("gate", new Sigmoid(), new Node("z", new Input(ElementType.Float32, [pictures, channels, 1, 1])));
            Graph graph = new(new Node("y", new DequantizeLinear(), Rounded("rounded", new("product", new Mul(), random.Next(2) == 0 ? [x, gate] : [gate, x]), random).Inputs[0]));
            using Session session = Compare(graph, seed);
            Assert.Single(session.Steps, step => step.Row == "i8-gate");
        }
    }

    /// <summary>A function of two values, of a value and of several constants, or by way of integers of each channel, is no look into a table; nor is a chain of very many.</summary>
    [Fact]
    public void WhatNeedsMoreThanAnIntegerIsNoTable()
    {
        Random random = new(1);
        Node a = Rounded("a", new("x", new Input(ElementType.Float32, [1, 4, 2, 2])), random), b = Rounded("b", new("z", new Input(ElementType.Float32, [1, 4, 2, 2])), random);
        Node each = new("each", new QuantizeLinear(ElementType.UInt8, new([0.1f, 0.2f, 0.3f, 0.4f], [1, 2, 3, 4], 1)), new Node("bent", new Sigmoid(), a));
        foreach (Node other in (Node[])[b, Node.Weight("w", RandomTensors.Normal([1, 4, 1, 1], 1)), new Node("each/real", new DequantizeLinear(), each)])
        {
            using Session session = Compare(new(new Node("y", new DequantizeLinear(), Rounded("rounded", new("product", new Mul(), a, other), random).Inputs[0])), 1, fallback: true);
            Assert.DoesNotContain(session.Steps, step => step.Op == nameof(QuantizedFunction));
        }
        Node chain = a;
        for (int i = 0; i < 500; i++) chain = new($"chain{i}", new Tanh(), chain);
        using Session much = Compare(new(new Node("y", new DequantizeLinear(), Rounded("rounded", chain, random).Inputs[0])), 1);
        Assert.DoesNotContain(much.Steps, step => step.Op == nameof(QuantizedFunction));
    }

    /// <summary>Softmax of integers along each axis, of few and of many classes.</summary>
    [Fact]
    public void SoftmaxesAreTheReferences()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Random random = new(seed);
            Shape shape = random.Next(3) switch { 0 => [random.Next(1, 4), random.Next(1, 400)], 1 => [2, random.Next(1, 9), random.Next(1, 9)], _ => [random.Next(1, 3), random.Next(1, 30), random.Next(1, 9), random.Next(1, 9)] };
            if (seed % 10 == 0) shape = [1, 18, 40, 40];
            int axis = random.Next(-shape.Rank, shape.Rank);
            Node x = Rounded("integers", new("x", new Input(ElementType.Float32, shape)), random);
            QuantizeLinear to = random.Next(2) == 0 ? new(ElementType.UInt8, new(1 / 256f, 0)) : new(ElementType.Int8, new(1 / 256f, -128));
            using Session session = Compare(new(new Node("y", new DequantizeLinear(), new Node("rounded", to, new Node("shares", new Softmax(axis), x)))), seed);
            Assert.Single(session.Steps, step => step.Op == nameof(QuantizedSoftmax));
        }
    }

    /// <summary>The kernels of functions, gates, softmaxes and pools, each by itself between guarded memory, of sizes around those of vectors, at every width.</summary>
    [Fact]
    public void NothingOutsideIsTouched()
    {
        Tensor table = RandomTensors.Any(ElementType.Int8, [256], 1);
        QuantizedSoftmax softmax = new(1, new(0.04f, 7), new(ElementType.UInt8, new(1 / 256f, 0)));
        foreach (Isa isa in Enum.GetValues<Isa>())
            foreach (int channels in OpCases.Widths.Concat([64, 127, 128, 129, 200]))
            {
                Tensor x = RandomTensors.Any(ElementType.UInt8, [2, channels, 3, 1], channels);
                Check("i8-table", new QuantizedFunction(table, new(0.1f, 3)), x, isa);
                Check("i8-softmax", softmax, x, isa);
                Check("i8-gate", new QuantizedGate(new(0.04f, 7), new(ElementType.Int8, new(0.03f, -5))), x, isa, RandomTensors.Normal([2, channels, 1, 1], channels));
                Check("i8-max-pool", new MaxPool(new(2, 1), Size.One, new(1, 0, 1, 0)), x, isa);
            }

        static void Check(string name, Op op, Tensor x, Isa isa, params Tensor[] others)
        {
            Tensor[] given = [x, .. others];
            OpCase one = new($"{name} of {x}", op, [.. given], []);
            KernelRow row = KernelTable.Rows.First(row => row.Name == name);
            Assert.True(row.Fits(new(KernelCase.Node(one), isa)), $"{one}, {isa}");
            Closeness.CheckBits(op is Fusion fusion ? fusion.Evaluate(given) : Reference.Evaluate(KernelCase.Node(one), given), KernelCase.Run(row, one, isa, reverse: x.Shape[1] % 2 == 0), $"{one}, {isa}");
        }
    }

    private static Node Function(Node x, int number, Random random) => random.Next(7) switch
    {
        0 => new($"{number}", new Mul(), x, new Node($"{number}/gate", OpCases.Activations[random.Next(OpCases.Activations.Length)], x)),
        1 => new($"{number}", new Add(), x, Node.Weight($"{number}/scalar", RandomTensors.Normal([1, 1, 1, 1], number))),
        2 => new($"{number}", new Mul(), x, Rounded($"{number}/gate/rounded", new($"{number}/gate", new Sigmoid(), x), random)),
        3 => Rounded($"{number}/rounded", new($"{number}", new HardSwish(), x), random),
        4 => new($"{number}", new Mul(), x, Rounded($"{number}/gate/rounded", new($"{number}/gate", new Clip(-0.4f, 0.7f), x), random)),
        5 => new($"{number}", new Unary(UnaryFunction.Log), x),
        _ => new($"{number}", new Unary(random.Next(2) == 0 ? UnaryFunction.Abs : UnaryFunction.Mish), x),
    };

    /// <summary>What a value's integers stand for.</summary>
    private static Node Rounded(string name, Node x, Random random)
    {
        ElementType type = random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;
        return new($"{name}/real", new DequantizeLinear(), new Node(name, new QuantizeLinear(type, new(0.02f + 0.03f * random.NextSingle(), type is ElementType.Int8 ? random.Next(-60, 60) : random.Next(60, 190))), x));
    }

    private static Session Compare(Graph graph, int seed, bool fallback = false)
    {
        Tensor[] fed = RandomGraphs.Fed(graph, seed);
        Session session = new(graph, new(seed % 3 + 1) { Isa = (Isa)(seed % 4) });
        if (!fallback) Assert.DoesNotContain(session.Steps, step => step.IsFallback);
        Closeness.CheckBits(Reference.Run(graph, fed)[0], session.Run(fed)[0], $"seed {seed}, {string.Join(", ", graph.Nodes.Select(node => node.ToString()))}");
        return session;
    }

    private static void Check(Op op, Shape shape, Random random, int seed)
    {
        ElementType type = random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;
        Node x = new("x", new Input(ElementType.Float32, shape)), integers = new("integers", new QuantizeLinear(type, new(0.02f, random.Next(20))), x);
        Graph graph = new(new Node("y", new DequantizeLinear(), new Node("moved", op, integers)));
        Compare(graph, seed).Dispose();
    }
}
