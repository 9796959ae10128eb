using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Penjing.Engine.X64;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Code that is assembled at run time gives the reference's integers and touches nothing else; all tests of this assembly run with it, where the machine can.</summary>
public sealed unsafe class AssembledKernelsTests
{
    [ModuleInitializer]
    internal static void Use() => AssembledKernels.Use();

    /// <summary>What the system tells of the processor decides, and nothing else.</summary>
    [Fact]
    public void AreUsedWhereTheProcessorHasTheInstructions()
    {
        Assert.Equal(AssembledKernels.Obstacle is null, AssembledKernels.Use());
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not Architecture.X64) Assert.NotNull(AssembledKernels.Obstacle);
        else Assert.Equal(File.ReadAllText("/proc/cpuinfo").Contains("avx512_vnni", StringComparison.Ordinal) && Isas.Best is Isa.Vector512, AssembledKernels.Obstacle is null);
    }

    /// <summary>Tiles of every height, whole panels and parts of one and two vectors, one segment and several, dense and in wider pixels, with every end.</summary>
    [Fact]
    public void TilesEqualTheReference()
    {
        if (AssembledKernels.Obstacle is { } obstacle) Assert.Skip(obstacle);
        HashSet<(int, int, DotEnd)> seen = [];
        int seed = 0;
        foreach (int rows in Enumerable.Range(1, 15))
            foreach (int columns in (int[])[1, 15, 16, 17, 31, 32, 33, 48])
                foreach (DotEnd end in (DotEnd[])[DotEnd.Reals, DotEnd.None, DotEnd.Adds, DotEnd.Adds | DotEnd.Rounds])
                    foreach (DotEnd more in end is DotEnd.Reals ? (DotEnd[])[DotEnd.None] : [DotEnd.None, DotEnd.Signed, DotEnd.Bounds, DotEnd.Signed | DotEnd.Bounds])
                    {
                        Graph graph = Product(rows, columns, end | more, ++seed);
                        Site site = Check("i8-vnni-conv", graph, seed);
                        DotEnd own = new Requantization((IntegerProduct)site.Node.Op).DotEnd(site.Node);
                        Assert.Equal(end | more, own);
                        seen.Add((rows, columns, own));
                    }
        Assert.Equal(15 * 8 * 13, seen.Count);
    }

    /// <summary>Of 32 to 100 channels, strides 1 and 2, pictures down to one pixel, padding up to 2 on each side, with every end.</summary>
    [Fact]
    public void DepthwiseEqualsTheReference()
    {
        if (AssembledKernels.Obstacle is { } obstacle) Assert.Skip(obstacle);
        if (!Avx512Vbmi.IsSupported) Assert.Skip("the processor has no AVX-512 VBMI");
        for (int seed = 0; seed < 400; seed++) Check("i8-vnni-depthwise", Depthwise(new(seed), seed), seed);
    }

    /// <summary>Windows of pixels without whole words: of 1 to 7 channels, any kernel, stride, padding and distance of rows, in one picture and in several.</summary>
    [Fact]
    public void WindowsEqualTheReference()
    {
        if (AssembledKernels.Obstacle is { } obstacle) Assert.Skip(obstacle);
        int read = 0;
        for (int seed = 1; seed < 600; seed += 2) read += ByteWindows.Fits(Check("i8-vnni-conv", Windows(new(seed), seed), seed)) ? 1 : 0;
        Assert.InRange(read, 200, 300);
    }

    /// <summary>Runs the one product of a graph by a row's kernel between guarded values; every other time its pixels are parts of wider ones.</summary>
    private static Site Check(string name, Graph graph, int seed)
    {
        KernelRow row = KernelTable.Rows.First(row => row.Name == name);
        Site site = Tuning.Sites(graph, new(1) { Isa = Isa.Vector512 }).Sites.Single(site => site.Node.Op is IntegerProduct);
        Node node = site.Node;
        bool pitched = seed % 2 == 0;
        if (pitched) site = site with { InputPitches = [.. node.Inputs.Select(input => Site.Pitch(input.Shape) + (seed % 4 == 0 ? 4 : 3))], OutputPitch = Site.Pitch(node.Shape) + 3 };
        Assert.True(row.Fits(site), $"{name} doesn't fit {node.Op}");
        Tensor[] fed = RandomGraphs.Fed(graph, seed);
        Node[] read = [.. node.Inputs.Where(input => input.Value is null)];
        Tensor[] values = [.. read.Select(input => Reference.Run(new Graph([input], graph.Inputs), fed)[0])];
        Tensor expected = Reference.Run(new Graph([graph.Nodes.First(one => one.Name == node.Name)], graph.Inputs), fed)[0];
        foreach (bool inPlace in pitched || read.Length == 1 || node.Info.Type.Size() > 1 ? new[] { false } : [false, true])
        {
            using Kernel kernel = row.Create(site);
            Closeness.CheckBits(expected, Run(kernel, site, values, inPlace), $"seed {seed}, {kernel.Label}, {node.Op}, {node.Shape}");
        }
        return site;
    }

    private static Tensor Run(Kernel kernel, Site site, Tensor[] values, bool inPlace)
    {
        Node node = site.Node;
        GuardedMemory[] memory = [.. values.Select((value, i) => Spread(value, site.InputPitches[i == 0 ? 0 : FusedConv.Addend]))];
        using GuardedMemory fresh = Spread(Tensor.Zeros(node.Info.Type, node.Shape), site.OutputPitch), scratch = new((kernel.ScratchBytes + 63) / 64 * 64);
        GuardedMemory output = inPlace ? memory[1] : fresh;
        void** pointers = stackalloc void*[FusedConv.Addend + 1];
        pointers[0] = memory[0].Pointer;
        pointers[FusedConv.Addend] = memory.Length > 1 ? memory[1].Pointer : null;
        Operands operands = new(pointers, output.Pointer, kernel.ScratchBytes > 0 ? scratch.Pointer : null);
        for (int phase = 0; phase < kernel.Phases; phase++)
            for (int task = kernel.Tasks(phase) - 1; task >= 0; task--) kernel.Run(phase, task, operands);
        Assert.True(output.IsIntact && scratch.IsIntact && memory.All(value => value.IsIntact), $"{kernel.Label} wrote before a value");
        Tensor answer = Gathered(node.Info, output.Pointer, site.OutputPitch);
        foreach (GuardedMemory value in memory) value.Dispose();
        return answer;
    }

    private const byte Between = 0xB3;

    /// <summary>A tensor in the engine's order with its pixels so many elements apart.</summary>
    private static GuardedMemory Spread(Tensor tensor, int pitch)
    {
        int bytes = tensor.Shape[1] * tensor.Type.Size(), apart = pitch * tensor.Type.Size(), pixels = tensor.Shape.Elements / tensor.Shape[1];
        GuardedMemory memory = new((pixels - 1) * (long)apart + bytes);
        using NativeBuffer dense = StridedCopy.Inward(tensor);
        for (int i = 0; i < (pixels - 1) * apart + bytes; i++) memory.Pointer[i] = i % apart < bytes ? dense.Pointer[i / apart * bytes + i % apart] : Between;
        return memory;
    }

    /// <summary>The tensor of pixels so many elements apart, between which nothing was written.</summary>
    private static Tensor Gathered(ValueInfo info, byte* from, int pitch)
    {
        (int size, int channels, int area) = (info.Type.Size(), info.Shape[1], info.Shape[2] * info.Shape[3]);
        for (int i = 0; i < ((info.Shape[0] * area - 1) * pitch + channels) * size; i++)
            Assert.True(i % (pitch * size) < channels * size || from[i] == Between, $"byte {i}, between two pixels, was written");
        var bytes = new byte[info.Shape.Elements * size];
        for (int i = 0; i < bytes.Length; i++)
        {
            int element = i / size;
            bytes[i] = from[((element / area / channels * area + element % area) * pitch + element / area % channels) * size + i % size];
        }
        return new(info.Type, info.Shape, bytes);
    }

    /// <summary>A product of so many rows and columns: of one tap that is copied first, one that is read where it lies, rows of joined taps, and taps by themselves.</summary>
    private static Graph Product(int rows, int columns, DotEnd end, int seed)
    {
        Random random = new(seed);
        (int channels, int size) = (seed % 4) switch { 0 => (7, 1), 1 => (12, 1), 2 => (12, 3), _ => (100, 3) };
        (Node x, Node w) = (Quantized("x", Any(random), [1, channels, 1, rows], random), Weights([columns, channels, size, size], seed, random));
        Node sums = new("sums", new Conv(Size.One, Padding.All(size / 2), Size.One), x, w, Bias(columns, random));
        if (end is DotEnd.Reals) return new(new Node("y", new DequantizeLinear(), sums));
        ElementType type = end.HasFlag(DotEnd.Signed) ? ElementType.Int8 : ElementType.UInt8;
        // Of scales as small as that, sums reach what no integer of 32 bits holds.
        float scale = end.HasFlag(DotEnd.Bounds) ? 1e-9f : 0.02f * MathF.Sqrt(channels * size * size) * random.NextSingle() + 0.001f;
        Quantization to = new(scale, Zero(type, random));
        if (!end.HasFlag(DotEnd.Adds)) return new(new Node("y", new QuantizeLinear(type, to), sums));
        Node own = end.HasFlag(DotEnd.Rounds) ? new("rounded", new QuantizeLinear(Any(random), new(0.04f, 5)), sums) : sums;
        Node sum = new("sum", new Add(), new("reals", new DequantizeLinear(), own), new("b/real", new DequantizeLinear(), Quantized("b", Any(random), sums.Shape, random)));
        if (end.HasFlag(DotEnd.Bounds)) (sum, to) = (new("clip", new Clip(-0.3f, 2), sum), to with { Scales = [0.03f] });
        return new(new Node("y", new QuantizeLinear(type, to), sum));
    }

    /// <summary>A convolution of few channels.</summary>
    internal static Graph Windows(Random random, int seed)
    {
        (int channels, int outputs, Size kernel, Size dilation) = (random.Next(1, 8), random.Next(1, 40), new(random.Next(1, 8), random.Next(1, 8)), new(random.Next(1, 3), 1));
        Padding around = new(random.Next(4), random.Next(4), random.Next(4), random.Next(4));
        int height = Math.Max((kernel.Height - 1) * dilation.Height + 1 - around.Top - around.Bottom, random.Next(1, 16)), width = Math.Max(kernel.Width - around.Left - around.Right, random.Next(1, 24));
        Node x = Quantized("x", Any(random), [random.Next(1, 4), channels, height, width], random), w = Weights([outputs, channels, kernel.Height, kernel.Width], seed, random);
        Node sums = new("sums", new Conv(new(random.Next(1, 4), random.Next(1, 4)), around, dilation), x, w, Bias(outputs, random));
        ElementType type = Any(random);
        return new(new Node("y", random.Next(4) == 0 ? new DequantizeLinear() : new QuantizeLinear(type, new(0.02f + 0.3f * random.NextSingle(), Zero(type, random))), sums));
    }

    private static Graph Depthwise(Random random, int seed)
    {
        int channels = random.Next(32, 101);
        Padding around = new(random.Next(3), random.Next(3), random.Next(3), random.Next(3));
        Node x = Quantized("x", Any(random), [random.Next(1, 3), channels, Math.Max(3 - around.Top - around.Bottom, random.Next(1, 12)), Math.Max(3 - around.Left - around.Right, random.Next(1, 20))], random);
        Node w = Weights([channels, 1, 3, 3], seed, random);
        Node sums = new("sums", new Conv(seed / 2 % 2 == 0 ? Size.One : new(2, 2), around, Size.One, channels), x, w, Bias(channels, random));
        ElementType type = Any(random);
        return new(new Node("y", new QuantizeLinear(type, new(seed % 3 == 0 ? 1e-11f : 0.01f + 0.02f * random.NextSingle(), Zero(type, random))), sums));
    }

    private static ElementType Any(Random random) => random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8;

    /// <summary>Any zero point, the ends among them.</summary>
    private static int Zero(ElementType type, Random random)
    {
        int zero = random.Next(4) switch { 0 => 0, 1 => 255, _ => random.Next(256) };
        return type is ElementType.Int8 ? zero - 128 : zero;
    }

    private static Node Quantized(string name, ElementType type, Shape shape, Random random) =>
        new(name + "/quantized", new QuantizeLinear(type, new(0.02f + 0.03f * random.NextSingle(), Zero(type, random))), new Node(name, new Input(ElementType.Float32, shape)));

    private static Node Weights(Shape shape, int seed, Random random)
    {
        float[] scales = [.. Enumerable.Range(0, shape[0]).Select(_ => (float)Math.Pow(2, -random.NextDouble() * 4) / 100)];
        return new("w", new Constant(RandomTensors.Any(ElementType.Int8, shape, seed), new([.. scales], [.. scales.Select(_ => 0)], 0)));
    }

    private static Node Bias(int outputs, Random random) =>
        Node.Weight("bias", Tensor.Build<int>([outputs], values => { for (int i = 0; i < outputs; i++) values[i] = random.Next(-20000, 20000); }));
}
