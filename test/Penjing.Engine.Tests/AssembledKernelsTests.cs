using System.Runtime.CompilerServices;
using Penjing.Engine.X64;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Code that is assembled at run time gives the reference's integers; all tests of this assembly run with it, where the machine can.</summary>
public sealed class AssembledKernelsTests
{
    [ModuleInitializer]
    internal static void Use() => AssembledKernels.Use();

    /// <summary>Using it twice is harmless, and where it can't be used a reason is given.</summary>
    [Fact]
    public void AreUsedOrRefusedWithAReason()
    {
        Assert.Equal(AssembledKernels.Obstacle is null, AssembledKernels.Use());
        if (AssembledKernels.Obstacle is { } obstacle) Assert.NotEmpty(obstacle);
    }

    /// <summary>Tiles of every height and width, whole panels and parts, words in one segment and in several, with each end.</summary>
    [Theory]
    [InlineData("i8-vnni-conv")]
    [InlineData("i8-vnni-depthwise")]
    public void EqualTheReference(string row)
    {
        if (AssembledKernels.Obstacle is { } obstacle) Assert.Skip(obstacle);
        int taken = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            Graph graph = row == "i8-vnni-conv" ? Product(new(seed), seed) : Depthwise(new(seed), seed);
            Tensor[] fed = RandomGraphs.Fed(graph, seed);
            using Session session = new(graph, new(seed % 3 + 1) { Isa = Isa.Vector512, Kernel = row });
            if (session.Steps.Any(step => step.Row == row)) taken++;
            Closeness.CheckBits(Reference.Run(graph, fed)[0], session.Run(fed)[0], $"seed {seed}, {string.Join(", ", graph.Nodes.Select(node => node.ToString()))}");
        }
        if (row == "i8-vnni-conv" || System.Runtime.Intrinsics.X86.Avx512Vbmi.IsSupported) Assert.Equal(400, taken);
    }

    /// <summary>Of heights 1 to 14 and more, with 1 to 70 columns.</summary>
    private static Graph Product(Random random, int seed)
    {
        int groups = random.Next(4) == 0 ? 2 : 1, channels = groups * random.Next(1, 40), outputs = groups * random.Next(1, 71), size = random.Next(1, 4);
        Node x = Quantized("x", Any(random), [random.Next(1, 3), channels, size, seed % 30 + size], random);
        Node w = Weights([outputs, channels / groups, size, random.Next(1, size + 1)], seed, random);
        Conv conv = new(Size.One, Padding.All(random.Next(size)), Size.One, groups);
        Node sums = new("sums", conv, x, w, Bias(outputs, random));
        float deviation = 0.4f * MathF.Sqrt(channels / groups * w.Shape.Product(2, 4));
        return (seed % 4) switch
        {
            0 => new(new Node("y", new DequantizeLinear(), sums)),
            1 => new(End(new("sum", new Add(), Own(sums), Quantized("b", Any(random), sums.Shape, random, dequantized: true)))),
            _ => new(new Node("y", new QuantizeLinear(Any(random), new(deviation * (0.005f + 0.02f * random.NextSingle()), random.Next(20))), seed % 3 == 0 ? Clipped(sums) : sums)),
        };

        Node Own(Node node) => new("reals", new DequantizeLinear(), random.Next(2) == 0 ? node : new("rounded", new QuantizeLinear(Any(random), new(0.04f, 5)), node));
        Node End(Node sum) => new("y", new QuantizeLinear(Any(random), new(0.03f, random.Next(20))), random.Next(3) switch { 0 => sum, 1 => new("relu", new Relu(), sum), _ => new("clip", new Clip(-0.3f, 2), sum) });
        static Node Clipped(Node sums) => new("clip", new Clip(-0.2f, 0.7f), new Node("reals", new DequantizeLinear(), sums));
    }

    /// <summary>Of 32 to 100 channels, strides 1 and 2, pictures down to one pixel, and padding up to 2 on each side.</summary>
    private static Graph Depthwise(Random random, int seed)
    {
        int channels = random.Next(32, 101);
        Padding around = new(random.Next(3), random.Next(3), random.Next(3), random.Next(3));
        Node x = Quantized("x", Any(random), [random.Next(1, 3), channels, Math.Max(3 - around.Top - around.Bottom, random.Next(1, 12)), Math.Max(3 - around.Left - around.Right, random.Next(1, 20))], random);
        Node w = Weights([channels, 1, 3, 3], seed, random);
        Conv conv = new(seed % 2 == 0 ? Size.One : new(2, 2), around, Size.One, channels);
        Node sums = new("sums", conv, x, w, Bias(channels, random));
        return new(new Node("y", new QuantizeLinear(Any(random), new(0.01f + 0.02f * random.NextSingle(), random.Next(20))), sums));
    }

    private static ElementType Any(Random random) => random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;

    private static Node Quantized(string name, ElementType type, Shape shape, Random random, bool dequantized = false)
    {
        int zero = type is ElementType.Int8 ? random.Next(-128, 128) : random.Next(256);
        Node integers = new(name + "/quantized", new QuantizeLinear(type, new(0.02f + 0.03f * random.NextSingle(), zero)), new Node(name, new Input(ElementType.Float32, shape)));
        return dequantized ? new(name + "/real", new DequantizeLinear(), integers) : integers;
    }

    private static Node Weights(Shape shape, int seed, Random random)
    {
        float[] scales = [.. Enumerable.Range(0, shape[0]).Select(_ => (float)Math.Pow(2, -random.NextDouble() * 4) / 100)];
        return new("w", new Constant(RandomTensors.Any(ElementType.Int8, shape, seed), new([.. scales], [.. scales.Select(_ => 0)], 0)));
    }

    private static Node Bias(int outputs, Random random) =>
        Node.Weight("bias", Tensor.Build<int>([outputs], values => { for (int i = 0; i < outputs; i++) values[i] = random.Next(-20000, 20000); }));
}
