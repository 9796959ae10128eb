using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Depthwise and pointwise convolutions as one step.</summary>
public unsafe class SeparableConvTests
{
    private const double Tolerance = 1e-5;
    private const float Untouched = -12345;

    private static readonly Activation?[] activations = [null, new Relu(), new Clip(-1, 1.5f), new HardSwish()];

    /// <summary>The kernel gives the plain nodes' answer at every width, with pixels as far apart as they may be, and also where it overwrites the addend.</summary>
    [Fact]
    public void AgreesWithThePlainNodes()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int channels = random.Next(2, random.Next(2) == 0 ? 20 : 71), outputs = random.Next(1, 71);
            int side = random.Next(3) switch { 0 => 5, 1 => 3, _ => random.Next(1, 5) };
            int more = random.Next(3) == 0 ? random.Next(6) : 0;
            bool adds = random.Next(2) == 0;
            Size stride = Size.Square(random.Next(1, 3)), dilation = Size.Square(random.Next(4) == 0 ? 2 : 1);
            Conv first = new(stride, Padding.All(side / 2), dilation, channels, activations[random.Next(4)]);
            SeparableConv op = new(first, new() { Then = activations[random.Next(4)] }, adds);
            Shape shape = [random.Next(1, 3), channels, random.Next(side * 2, 20), random.Next(side * 2, 20)];
            List<Tensor> inputs =
            [
                RandomTensors.Normal(shape, seed),
                RandomTensors.Kernel([channels, 1, side, side], seed + 1), RandomTensors.Normal([channels], seed + 2),
                RandomTensors.Kernel([outputs, channels, 1, 1], seed + 3), RandomTensors.Normal([outputs], seed + 4),
            ];
            List<Node> nodes = [new("x", new Input(ElementType.Float32, shape)), .. inputs.Skip(1).Select((weight, i) => Node.Weight($"w{i}", weight))];
            if (adds)
            {
                Shape output = new Node("plain", op with { Adds = false }, [.. nodes]).Shape;
                inputs.Add(RandomTensors.Normal(output, seed + 5));
                nodes.Add(new("addend", new Input(ElementType.Float32, output)));
            }
            Node node = new("separable", op, [.. nodes]);
            Tensor expected = op.Evaluate([.. inputs]);
            foreach (Isa isa in Enum.GetValues<Isa>())
            {
                Site site = new(node, isa, [channels + more, 0, 0, 0, 0, .. adds ? (int[])[outputs + more] : []], outputs + more);
                using Kernel kernel = KernelTable.Rows.First(row => row.Name == "f32-separable").Create(site);
                string label = $"seed {seed}: {op} of {shape} to {outputs}, {more} more, {isa}";
                Closeness.Check(expected, Run(kernel, site, inputs, inPlace: false), Tolerance, label);
                if (adds) Closeness.Check(expected, Run(kernel, site, inputs, inPlace: true), Tolerance, $"{label}, in place");
            }
        }
    }

    /// <summary>MobileNet's first blocks are fused, in its second version with their sums; the network's answer stays what the plain nodes give.</summary>
    [Theory]
    [InlineData("mobilenet-v1-0.25-128")]
    [InlineData("mobilenet-v2-0.35-96")]
    public void NetworksAreFused(string network)
    {
        Graph graph = Penjing.Models.Zoo.Find(network).Build().Graph;
        Tensor[] fed = RandomGraphs.Fed(graph, 1);
        foreach (int threads in (int[])[1, 3])
        {
            using Session session = new(graph, new(threads));
            Assert.Contains(session.Steps, step => step.Op == "SeparableConv");
            Closeness.Check(Reference.Run(graph, fed)[0], session.Run(fed)[0], 1e-4, $"{network}, {threads} threads");
        }
    }

    /// <summary>The answer of a kernel whose values lie with the site's pitches; in place, its output lies where its addend was.</summary>
    private static Tensor Run(Kernel kernel, Site site, List<Tensor> inputs, bool inPlace)
    {
        using GuardedMemory x = FusedConvTests.Spread(inputs[0], site.InputPitches[0]);
        using GuardedMemory? addend = inputs.Count > SeparableConv.Addend ? FusedConvTests.Spread(inputs[^1], site.InputPitches[^1]) : null;
        Tensor blank = Tensor.Build<float>(site.Node.Shape, values => values.Fill(Untouched));
        using GuardedMemory fresh = FusedConvTests.Spread(blank, site.OutputPitch);
        using GuardedMemory scratch = new(kernel.ScratchBytes);
        GuardedMemory output = inPlace ? addend! : fresh;
        void** pointers = stackalloc void*[SeparableConv.Addend + 1];
        pointers[0] = x.Pointer;
        pointers[SeparableConv.Addend] = addend is null ? null : addend.Pointer;
        for (int task = kernel.Tasks(0) - 1; task >= 0; task--) kernel.Run(0, task, new(pointers, output.Pointer, scratch.Pointer));
        Assert.True(x.IsIntact && output.IsIntact && scratch.IsIntact, kernel.Label);
        return FusedConvTests.Gathered(site.Node.Shape, (float*)output.Pointer, site.OutputPitch);
    }
}
