using Penjing.Engine.X64;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Convolutions of 8-bit integers equal the reference's to the bit.</summary>
public sealed class I8ConvTests
{
    /// <summary>Generated shapes, types, zero points and scales, at every width, on one thread and several.</summary>
    [Fact]
    public void EqualTheReference()
    {
        int saturated = 0;
        Dictionary<string, int> taken = [], added = [];
        for (int seed = 0; seed < 300; seed++)
        {
            Graph graph = Generate(new(seed), seed);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            Tensor expected = Reference.Run(graph, fed)[0];
            saturated += expected.Bytes.Span.Count((byte)0) + expected.Bytes.Span.Count((byte)255);
            foreach (string row in (string[])["i8-gemm-conv", "i8-dot-conv", "i8-vnni-conv", "i8-depthwise", "i8-vnni-depthwise", "i8-winograd-2"])
                foreach (Isa isa in Enum.GetValues<Isa>())
                {
                    using Session session = new(graph, new(seed % 3 + 1) { Isa = isa, Kernel = row });
                    if (session.Steps.All(step => step.Row != row)) continue;
                    taken[row] = taken.GetValueOrDefault(row) + 1;
                    if (graph.Nodes.Any(node => node.Op is Add) && session.Steps.All(step => step.Op is not ("QuantizedAdd" or "Add"))) added[row] = added.GetValueOrDefault(row) + 1;
                    Closeness.CheckBits(expected, session.Run(fed)[0], $"seed {seed}, {isa}, {string.Join(", ", graph.Nodes.Select(node => node.ToString()))}");
                }
        }
        Assert.InRange(saturated, 1000, int.MaxValue);
        Assert.Equal(1200, taken["i8-gemm-conv"]);
        Assert.InRange(taken["i8-depthwise"], 200, 1200);
        Assert.InRange(taken["i8-winograd-2"], 200, 1200);
        Assert.InRange(taken["i8-dot-conv"], 200, 1200);
        Assert.InRange(added["i8-gemm-conv"], 200, 1200);
        Assert.InRange(added["i8-dot-conv"], 50, 1200);
        Assert.InRange(added["i8-winograd-2"], 40, 1200);
        Assert.False(added.ContainsKey("i8-depthwise"));
        // Of one width, where the machine has its instructions.
        bool assembled = AssembledKernels.Obstacle is null;
        Assert.InRange(taken.GetValueOrDefault("i8-vnni-conv"), assembled ? 100 : 0, assembled ? 300 : 0);
        Assert.InRange(added.GetValueOrDefault("i8-vnni-conv"), assembled ? 20 : 0, assembled ? 300 : 0);
    }

    /// <summary>Of pixels without whole words, at every width.</summary>
    [Fact]
    public void WindowsEqualTheReference()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Graph graph = AssembledKernelsTests.Windows(new(seed), seed);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            Tensor expected = Reference.Run(graph, fed)[0];
            foreach (Isa isa in Enum.GetValues<Isa>())
            {
                using Session session = new(graph, new(seed % 3 + 1) { Isa = isa, Kernel = "i8-dot-conv" });
                Closeness.CheckBits(expected, session.Run(fed)[0], $"seed {seed}, {isa}, {string.Join(", ", graph.Nodes.Select(node => node.ToString()))}");
            }
        }
    }

    /// <summary>Products of matrices, their right one turned or not, that yield integers or floats.</summary>
    [Fact]
    public void MatricesEqualTheReference()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            (int rows, int depth, int columns) = (random.Next(1, 9), random.Next(1, 80), random.Next(1, 50));
            Node x = new("x", new Input(ElementType.Float32, [rows, depth])), quantized = new("quantized", new QuantizeLinear(ElementType.UInt8, new(0.03f, random.Next(256))), x);
            bool turned = random.Next(2) == 0;
            Quantization weights = new([.. Enumerable.Range(0, columns).Select(_ => 0.001f + 0.002f * random.NextSingle())], [.. Enumerable.Repeat(0, columns)], turned ? 0 : 1);
            Node w = new("w", new Constant(RandomTensors.Any(ElementType.Int8, turned ? [columns, depth] : [depth, columns], seed), weights));
            Node[] bias = random.Next(3) == 0 ? [] : [Node.Weight("b", RandomTensors.Of([columns], () => random.Next(-20000, 20000)))];
            Node sums = new("sums", new Gemm(TransposeB: turned), [quantized, w, .. bias]);
            Node end = new("end", random.Next(2) == 0 ? new DequantizeLinear() : new QuantizeLinear(ElementType.Int8, new(0.02f, random.Next(-10, 10))), sums);
            if (seed % 3 == 0)
            {
                Node addend = new("addend", new DequantizeLinear(), new Node("other/quantized", new QuantizeLinear(ElementType.UInt8, new(0.03f, 100)), new Node("other", new Input(ElementType.Float32, sums.Shape))));
                end = new("end", new QuantizeLinear(ElementType.Int8, new(0.03f, random.Next(-10, 10))), new Node("sum", new Add(), new Node("reals", new DequantizeLinear(), sums), addend));
            }
            Graph graph = new(end);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            Tensor expected = Reference.Run(graph, fed)[0];
            foreach (Isa isa in Enum.GetValues<Isa>())
            {
                using Session session = new(graph, new(seed % 3 + 1) { Isa = isa });
                Assert.DoesNotContain(session.Steps, step => step.IsFallback);
                Closeness.CheckBits(expected, session.Run(fed)[0], $"seed {seed}, {isa}, {string.Join(", ", graph.Nodes.Select(node => node.ToString()))}");
            }
        }
    }

    /// <summary>Dilated depthwise kernels, larger than the picture too, whose padding is the zero point's byte.</summary>
    [Fact]
    public void DilatedDepthwiseEqualsTheReference()
    {
        foreach ((int side, Size dilation, int padding) in from side in (int[])[3, 5] from dilation in (Size[])[new(2, 2), new(1, 3), new(6, 7)] from padding in (int[])[0, 2, 14] select (side, dilation, padding))
        {
            if (padding < 14 && dilation.Width > 3) continue;
            Node x = new("x", new Input(ElementType.Float32, [2, 19, 9, 13])), quantized = new("quantized", new QuantizeLinear(ElementType.UInt8, new(0.03f, 77)), x);
            Node w = new("w", new Constant(RandomTensors.Any(ElementType.Int8, [19, 1, side, side], side), new(0.01f, 0)));
            Graph graph = new(new Node("y", new QuantizeLinear(ElementType.Int8, new(0.05f, -3)), new Node("sums", new Conv(Size.One, Padding.All(padding), dilation, 19), quantized, w)));
            Tensor[] fed = RandomGraphs.Fed(graph, padding);
            foreach (Isa isa in Enum.GetValues<Isa>())
            {
                using Session session = new(graph, new(2) { Isa = isa });
                Closeness.CheckBits(Reference.Run(graph, fed)[0], session.Run(fed)[0], $"{side}, {dilation}, {padding}, {isa}");
            }
        }
    }

    private static Graph Generate(Random random, int seed)
    {
        Node[] Sides(Node one, Node other) => random.Next(2) == 0 ? [one, other] : [other, one];
        bool depthwise = random.Next(3) == 0, square = !depthwise && seed % 3 == 0;
        int groups = depthwise ? random.Next(1, 70) : square ? 1 : random.Next(1, 4), channels = depthwise ? groups : groups * random.Next(1, random.Next(2) == 0 ? 6 : 40);
        int outputs = depthwise ? groups : groups * random.Next(1, random.Next(2) == 0 ? 9 : 60), size = square ? 3 : random.Next(1, 4);
        ElementType Either() => random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;
        int Zero(ElementType type) => type is ElementType.Int8 ? random.Next(-128, 128) : random.Next(256);
        (ElementType from, ElementType to, ElementType kernel) = (Either(), Either(), random.Next(4) == 0 ? ElementType.UInt8 : ElementType.Int8);
        int[] scaled = random.Next(3) == 0 ? [0] : [.. Enumerable.Range(0, outputs)];
        Quantization weights = new([.. scaled.Select(_ => (float)Math.Pow(2, -random.NextDouble() * 4) / 100)], [.. scaled.Select(_ => random.Next(2) == 0 ? 0 : Zero(kernel))], scaled.Length == 1 ? null : 0);
        Node x = new("x", new Input(ElementType.Float32, [random.Next(1, 3), channels, random.Next(size, 12), random.Next(size, 12)]));
        Node quantized = new("quantized", new QuantizeLinear(from, new(0.02f + 0.03f * random.NextSingle(), Zero(from))), x);
        Tensor drawn = RandomTensors.Any(kernel, [outputs, channels / groups, size, square ? size : random.Next(1, size + 1)], seed);
        if (kernel is ElementType.Int8 && random.Next(2) == 0)
        {
            // As large as may be where two products are added in 16 bits.
            drawn = Tensor.Build<sbyte>(drawn.Shape, narrow => { for (int i = 0; i < narrow.Length; i++) narrow[i] = (sbyte)(random.Next(2) == 0 ? 64 : random.Next(-64, 65)); });
            weights = weights with { ZeroPoints = [.. scaled.Select(_ => 0)] };
        }
        Node w = new("w", new Constant(drawn, weights));
        Node[] bias = random.Next(3) == 0 ? [] : [Node.Weight("b", Tensor.Build<int>([outputs], values => { for (int i = 0; i < outputs; i++) values[i] = random.Next(-20000, 20000); }))];
        Conv conv = new(new(random.Next(1, 3), random.Next(1, 3)), Padding.All(random.Next(size)), new(1, random.Next(4) == 0 ? 2 : 1), groups);
        if (depthwise && size == 3 && random.Next(2) == 0) conv = conv with { Stride = Size.One, Dilation = new(random.Next(1, 4), random.Next(1, 4)), Padding = Padding.All(random.Next(3, 7)) };
        if (square) conv = new(Size.One, new(random.Next(3), random.Next(3), random.Next(3), random.Next(3)), Size.One);
        if (w.Shape[3] > 1 && (w.Shape[3] - 1) * conv.Dilation.Width >= x.Shape[3]) conv = conv with { Dilation = Size.One };
        Node sums = new("sums", conv, [quantized, w, .. bias]);
        if (seed % 5 == 0) return new(new Node("y", new DequantizeLinear(), sums));
        if (seed % 4 == 1)
        {
            ElementType other = Either();
            Node own = random.Next(2) == 0 ? sums : new("rounded", new QuantizeLinear(Either(), new(0.02f + 0.03f * random.NextSingle(), 5)), sums);
            Node sum = new("sum", new Add(), [.. Sides(new("reals", new DequantizeLinear(), own), new("addend", new DequantizeLinear(),
                new Node("b/quantized", new QuantizeLinear(other, new(0.02f + 0.03f * random.NextSingle(), Zero(other))), new Node("b/input", new Input(ElementType.Float32, sums.Shape)))))]);
            Node then = random.Next(3) switch { 0 => sum, 1 => new("relu", new Relu(), sum), _ => new("clip", new Clip(-0.3f, 2), sum) };
            return new(new Node("y", new QuantizeLinear(to, new(0.01f + 0.05f * random.NextSingle(), Zero(to))), then));
        }
        float deviation = 0.4f * MathF.Sqrt(channels / groups * w.Shape.Product(2, 4));
        return new(new Node("y", new QuantizeLinear(to, new(deviation * (0.005f + 0.02f * random.NextSingle()), Zero(to))), sums));
    }
}
