using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Convolutions that read their channels in another order or add something before the activation.</summary>
public unsafe class FusedConvTests
{
    private const double Tolerance = 1e-5;

    /// <summary>What lies between pixels.</summary>
    private const float Between = 54321;

    /// <summary>Every row that fits gives the plain nodes' answer at every width, with pixels as far apart as they may be, and also where it overwrites the addend.</summary>
    [Fact]
    public void EveryRowAgreesWithThePlainNodes()
    {
        for (int seed = 0; seed < 300; seed++) Check(Generate(new(seed), seed));
    }

    private static Case Generate(Random random, int seed)
    {
        int groups = random.Next(1, 4), pitches = random.Next(3);
        int More() => pitches == 0 ? 0 : random.Next(6);
        return new(groups, groups * random.Next(1, 18), groups * random.Next(1, random.Next(2) == 0 ? 20 : 71), random.Next(1, 10), random.Next(1, 10),
            random.Next(1, 4), random.Next(1, 3), random.Next(1, 3), random.Next(2) == 0, random.Next(2) == 0, random.Next(4), More(), More(), More(), seed);
    }

    private static void Check(Case one)
    {
        var random = new Random(one.Seed);
        int[] order = [.. Enumerable.Range(0, one.Channels)];
        random.Shuffle(order);
        Activation? then = one.Then switch { 1 => new Relu(), 2 => new Clip(-1, 1.5f), 3 => new HardSwish(), _ => null };
        Conv conv = new(Size.Square(one.Stride), Padding.All(one.Kernel / 2), Size.One, one.Groups, then);
        FusedConv op = new(conv, one.Ordered ? [.. order] : [], one.Adds);
        Tensor x = RandomTensors.Normal([one.Images, one.Channels, one.Height, one.Width], one.Seed);
        Tensor weights = RandomTensors.Kernel([one.Outputs, one.Channels / one.Groups, one.Kernel, one.Kernel], one.Seed + 1);
        List<Tensor> inputs = [x, weights, RandomTensors.Normal([one.Outputs], one.Seed + 2)];
        List<Node> nodes = [new("x", new Input(x.Type, x.Shape)), Node.Weight("w", weights), Node.Weight("b", inputs[2])];
        if (one.Adds)
        {
            Shape shape = new Node("product", conv, [.. nodes]).Shape;
            inputs.Add(RandomTensors.Normal(shape, one.Seed + 3));
            nodes.Add(new("addend", new Input(ElementType.Float32, shape)));
        }
        Node node = new("fused", op, [.. nodes]);
        Tensor expected = op.Evaluate([.. inputs]);
        int[] pitches = [one.Channels + one.MoreInput, 0, 0, .. one.Adds ? (int[])[one.Outputs + one.MoreAddend] : []];
        foreach (Isa isa in Enum.GetValues<Isa>())
        {
            Site site = new(node, isa, [.. pitches], one.Outputs + one.MoreOutput);
            KernelRow[] rows = [.. KernelTable.Rows.Where(row => row.Name != "reference" && row.Fits(site))];
            Assert.Contains(rows, row => row.Name == "f32-gemm-conv");
            foreach (KernelRow row in rows)
            {
                using Kernel kernel = row.Create(site);
                Closeness.Check(expected, Run(kernel, site, inputs, inPlace: false), Tolerance, $"{one} with {row.Name}, {isa}");
                if (one.Adds && kernel.Overwrites(FusedConv.Addend))
                    Closeness.Check(expected, Run(kernel, site, inputs, inPlace: true), Tolerance, $"{one} with {row.Name} in place, {isa}");
            }
        }
    }

    /// <summary>The answer of a kernel whose values lie with the site's pitches; in place, its output lies where its addend was.</summary>
    private static Tensor Run(Kernel kernel, Site site, List<Tensor> inputs, bool inPlace)
    {
        const float untouched = -12345;
        Node node = site.Node;
        using GuardedMemory x = Spread(inputs[0], site.InputPitches[0]);
        using GuardedMemory? addend = inputs.Count > FusedConv.Addend ? Spread(inputs[FusedConv.Addend], site.InputPitches[FusedConv.Addend]) : null;
        using GuardedMemory fresh = Spread(Tensor.Build<float>(node.Shape, values => values.Fill(untouched)), site.OutputPitch);
        using GuardedMemory scratch = new((kernel.ScratchBytes + 63) / 64 * 64);
        GuardedMemory output = inPlace ? addend! : fresh;
        void** pointers = stackalloc void*[4];
        pointers[0] = x.Pointer;
        pointers[FusedConv.Addend] = addend is null ? null : addend.Pointer;
        Operands operands = new(pointers, output.Pointer, kernel.ScratchBytes > 0 ? scratch.Pointer : null);
        for (int phase = 0; phase < kernel.Phases; phase++)
            for (int task = kernel.Tasks(phase) - 1; task >= 0; task--) kernel.Run(phase, task, operands);
        if (!x.IsIntact || !output.IsIntact) throw new InvalidOperationException($"{kernel.Label} wrote before a value");
        return Gathered(node.Shape, (float*)output.Pointer, site.OutputPitch);
    }

    /// <summary>A tensor in the engine's order with its pixels so far apart.</summary>
    internal static GuardedMemory Spread(Tensor tensor, int pitch)
    {
        int channels = tensor.Shape[1], pixels = tensor.Shape.Elements / channels;
        GuardedMemory memory = new(((pixels - 1) * (long)pitch + channels) * sizeof(float));
        using NativeBuffer dense = StridedCopy.Inward(tensor);
        var to = (float*)memory.Pointer;
        for (int i = 0; i < (pixels - 1) * pitch + channels; i++) to[i] = i % pitch < channels ? dense.Floats[i / pitch * channels + i % pitch] : Between;
        return memory;
    }

    /// <summary>The tensor of pixels so far apart, between which nothing was written.</summary>
    internal static Tensor Gathered(Shape shape, float* from, int pitch)
    {
        int channels = shape[1], area = shape[2] * shape[3];
        for (int i = 0; i < (shape[0] * area - 1) * pitch + channels; i++)
            if (i % pitch >= channels && from[i] != Between) throw new InvalidOperationException($"float {i}, between two pixels of pitch {pitch}, was written");
        return Tensor.Build<float>(shape, values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = from[((nint)(i / area / channels * area) + (i % area)) * pitch + (i / area % channels)];
        });
    }

    private sealed record Case(int Groups, int Channels, int Outputs, int Height, int Width, int Kernel, int Stride, int Images, bool Ordered, bool Adds,
        int Then, int MoreInput, int MoreOutput, int MoreAddend, int Seed);
}
