using System.Runtime.CompilerServices;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>What lowering leaves of a network: no step that only moves memory, no sum and no activation by itself, no weight but the packed ones.</summary>
public class LoweringTests
{
    /// <summary>Networks of the zoo, and the steps that only move memory or that a convolution could have done, but for the copies at the door.</summary>
    public static TheoryData<string, string[]> Left => new()
    {
        { "squeezenet-1.0", [] },
        { "squeezenet-1.1", [] },
        { "resnet-18", [] },
        { "resnet-34", [] },
        { "resnet-50", [] },
        { "resnet-50-original", [] },
        // Its shortcuts keep every second row and column and pad the channels (the paper's option A): three strided copies, two times.
        { "cifar-resnet-20", [.. from stage in (int[])[2, 3] from step in (string[])["rows", "columns", "shortcut"] select $"stage{stage}.block1.{step}"] },
        { "mobilenet-v1-1.0", [] },
        { "mobilenet-v2-1.0", [] },
        { "shufflenet-v1-g1-1.0", [] },
        { "shufflenet-v1-g2-1.0", [] },
        { "shufflenet-v1-g3-1.0", [] },
        { "shufflenet-v1-g4-1.0", [] },
        { "shufflenet-v1-g8-1.0", [] },
        // A depthwise convolution reads all channels of the stage's last unit: those that no unit has touched since must join the others.
        { "shufflenet-v2-0.5", ["stage2.unit4.kept", "stage3.unit8.kept"] },
        { "shufflenet-v2-1.0", ["stage2.unit4.kept", "stage3.unit8.kept"] },
    };

    /// <summary>No network has other steps of the kind than those named.</summary>
    [Theory]
    [MemberData(nameof(Left))]
    public void NothingOnlyMovesMemory(string network, string[] left)
    {
        using Session session = new(Zoo.Find(network).Outline(), new(1));
        string[] moving =
        [
            .. from step in session.Steps
               where step.Op is not ("Input" or "Output")
               where step.Kernel is "assemble" or "reorder" or "reference" || step.Kernel.StartsWith("f32-elementwise")
               select step.Name,
        ];
        Assert.Empty(moving.Except(left));
    }

    /// <summary>An answer that is enlarged goes out as planes, which are turned while they are small; what is made smaller, or read by others, is turned at last.</summary>
    [Fact]
    public void AnswersAreEnlargedAsPlanes()
    {
        foreach ((Size size, CoordinateMode coordinates) in from size in (Size[])[new(36, 28), new(37, 90), new(12, 4120), new(5, 6)] from coordinates in Enum.GetValues<CoordinateMode>() select (size, coordinates))
        {
            Node x = new("x", new Input(ElementType.Float32, [2, 5, 9, 7])), small = new("small", new Relu(), x);
            Graph graph = new(new Node("large", new Resize(size, ResizeMode.Linear, coordinates), small));
            Tensor[] fed = RandomGraphs.Fed(graph, 6);
            Tensor expected = Reference.Run(graph, fed)[0];
            for (int threads = 1; threads < 4; threads++)
            {
                using Session session = new(graph, new(threads));
                Assert.Equal(size.Height > 5 && coordinates is not CoordinateMode.TfCropAndResize, session.Steps.Any(step => step.Name == "large/planes"));
                Closeness.Check(expected, session.Run(fed)[0], 1e-5, $"{size}, {coordinates}, {threads} threads");
            }
            using Session read = new(new Graph([graph.Outputs[0], new Node("mean", new GlobalAveragePool(), graph.Outputs[0])], graph.Inputs), new(1));
            Assert.DoesNotContain(read.Steps, step => step.Name == "large/planes");
        }
    }

    /// <summary>
    /// The step that makes an output writes it to the caller's memory, and the arena has no place for it: but where it lies otherwise than the caller's does, another step or output
    /// reads it, or it is an input.
    /// </summary>
    [Fact]
    public void OutputsAreWrittenWhereTheCallerWantsThem()
    {
        Node x = new("x", new Input(ElementType.Float32, [2, 6, 5, 7])), relu = new("relu", new Relu(), x), mean = new("mean", new GlobalAveragePool(), relu);
        Node flat = new("flat", new Flatten(), mean), one = new("one", new Conv(), x, Node.Weight("w", RandomTensors.Kernel([1, 6, 3, 3], 1)));
        Node sigmoid = new("sigmoid", new Sigmoid(), flat), cut = new("cut", new Slice(1, 1, 4), flat), constant = Node.Weight("constant", RandomTensors.Normal([3], 2));
        foreach ((Node[] outputs, string[] copied) in ((Node[], string[])[])
            [([flat], []), ([one], []), ([one, sigmoid, constant], []), ([relu], ["relu"]), ([flat, sigmoid], ["flat"]), ([flat, flat], ["flat", "flat"]), ([mean, flat], ["mean", "flat"]), ([cut], []), ([x], ["x"])])
        {
            Graph graph = new([.. outputs], [x]);
            using Session session = new(graph, new(2));
            Assert.Equal(copied, session.Steps.Where(step => step.Op == "Output").Select(step => step.Name));
            foreach (Node output in outputs.Where(output => output.Value is null && !copied.Contains(output.Name)))
                Assert.DoesNotContain(session.Plan.Values, value => value.Name == output.Name && value.Block.Bytes > 0);
            for (int seed = 0; seed < 2; seed++)
            {
                Tensor[] fed = RandomGraphs.Fed(graph, seed);
                foreach ((Tensor expected, Tensor actual) in Reference.Run(graph, fed).Zip(session.Run(fed))) Closeness.Check(expected, actual, 1e-5, string.Join(", ", outputs.Select(output => output.Name)));
            }
        }
    }

    /// <summary>Two convolutions under a sum: the second one adds, over the first one's memory.</summary>
    [Fact]
    public void ASumGoesIntoTheConvolutionComputedLast()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 16, 9, 9]));
        Node a = new("a", new Conv(), x, Node.Weight("wa", RandomTensors.Kernel([24, 16, 1, 1], 1))), b = new("b", new Conv(), x, Node.Weight("wb", RandomTensors.Kernel([24, 16, 1, 1], 2)));
        Graph graph = new(new Node("relu", new Relu(), new Node("sum", new Add(), a, b)));
        using Session session = new(graph, new(1));
        Assert.Equal(["Input", "Conv", "FusedConv", "Output"], session.Steps.Select(step => step.Op));
        Assert.Equal(session.Plan.Values[session.Plan.Steps[1].Output.Value].Offset, session.Plan.Values[session.Plan.Steps[2].Output.Value].Offset);
        Tensor[] fed = RandomGraphs.Fed(graph, 3);
        Closeness.Check(Reference.Run(graph, fed)[0], session.Run(fed)[0], 1e-5, "sum");
    }

    /// <summary>Pixels of 256 channels have a gap between them wherever they are computed, but where a reshape reads them, and results stay what they are.</summary>
    [Fact]
    public void PixelsOfManyChannelsLieApart()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 8, 7, 7]));
        Node first = new("first", new Conv(), x, Node.Weight("w0", RandomTensors.Kernel([256, 8, 1, 1], 1)));
        Node depthwise = new("depthwise", new Conv { Groups = 256, Padding = new(1, 1, 1, 1) }, first, Node.Weight("w1", RandomTensors.Kernel([256, 1, 3, 3], 2)));
        Node second = new("second", new Conv(), new Node("sum", new Add(), first, new Node("sigmoid", new Sigmoid(), depthwise)), Node.Weight("w2", RandomTensors.Kernel([256, 256, 1, 1], 3)));
        Node mean = new("mean", new GlobalAveragePool(), second), flat = new("flat", new Flatten(), depthwise);
        Graph graph = new([mean, flat]);
        var pitches = new Dictionary<string, int>();
        using (Lower.Of(graph, new(1), site => pitches[site.Node.Name] = site.OutputPitch)) { }
        Assert.Equal([("first", 272), ("depthwise", 256), ("second", 272), ("mean", 256)], pitches.Where(pair => pair.Key is "first" or "depthwise" or "second" or "mean").Select(pair => (pair.Key, pair.Value)));
        using Session session = new(graph, new(1));
        Tensor[] fed = RandomGraphs.Fed(graph, 4);
        foreach ((Tensor expected, Tensor actual) in Reference.Run(graph, fed).Zip(session.Run(fed))) Closeness.Check(expected, actual, 1e-5, "apart");
    }

    /// <summary>
    /// A session of a file, whose weights are read when they are packed, by several threads some of them, gives the bits of one of the network; a damaged weight is
    /// named with the file.
    /// </summary>
    [Fact]
    public void WeightsAreReadWhereTheyArePacked()
    {
        string file = Path.GetTempFileName();
        try
        {
            foreach (Model plain in (Model[])[Tied(), .. ((string[])["shufflenet-v1-g3-1.0-64", "shufflenet-v2-1.0-64", "mobilenet-v1-0.5-64"]).Select(network => Zoo.Find(network).Build())])
            {
                Graph few = plain.Graph.Map((node, inputs) => node.Value is { Shape.Rank: > 1 } value
                    ? Node.Weight(node.Name, Tensor.Of<float>(value.Shape, [.. value.Floats.ToArray().Select(x => MathF.Round(x * 20) / 20)])) : node.With(inputs));
                Tensor[] fed = RandomGraphs.Fed(plain.Graph, 5);
                foreach ((Model model, Storage storage) in ((Model, Storage)[])[(plain with { Graph = few }, Storage.Smallest), (plain, Storage.Plain)])
                {
                    PenjingFile.Write(file, model, storage);
                    for (int threads = 1; threads < 4; threads++)
                    {
                        using Session own = new(model, new(threads)), read = Session.Load(file, new(threads));
                        Closeness.CheckBits(own.Run(fed)[0], read.Run(fed)[0], $"{model.Name}, {storage}, {threads} threads");
                    }
                }
            }
            byte[] bytes = File.ReadAllBytes(file);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(file, bytes);
            string message = Assert.Throws<ModelFormatException>(() => Session.Load(file, new(1))).Message;
            Assert.StartsWith($"{file}: it is damaged: the checksum of the weight '", message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>One large kernel in several convolutions, scaled by a normalization in some.</summary>
    private static Model Tied()
    {
        Node x = new("input", new Input(ElementType.Float32, [1, 64, 9, 9])), kernel = Node.Weight("kernel", RandomTensors.Kernel([64, 64, 3, 3], 1));
        for (int i = 0; i < 6; i++)
        {
            x = new($"conv{i}", new Conv(Size.One, Padding.All(1), Size.One, 1), x, kernel);
            if (i % 2 == 0) x = new($"bn{i}", new BatchNormalization(), [x, .. Enumerable.Range(0, 4).Select(part => Node.Weight($"bn{i}.{part}", RandomTensors.Uniform([64], 10 * i + part, 0.5, 1.5)))]);
            x = new($"relu{i}", new Relu(), x);
        }
        return new(new Graph(x)) { Name = "tied" };
    }

    /// <summary>Once a session is made, nothing holds the network's weights: the kernels have their packed copies.</summary>
    [Fact]
    public void ASessionHoldsNoWeights()
    {
        (Session session, List<WeakReference> weights) = Made();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.All(weights, weight => Assert.False(weight.IsAlive));
        session.Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (Session, List<WeakReference>) Made()
        {
            Graph graph = ShuffleNetV1.Build(3, 0.25, 64).Graph;
            Node slow = new("slow", new Unary(UnaryFunction.Exp), graph.Outputs[0]), twice = new("twice", new Mul(), slow, Node.Weight("two", Tensor.Of<float>([1], 2f)));
            graph = new(twice);
            List<WeakReference> weights = [.. graph.Weights.Select(weight => new WeakReference(weight.Value))];
            Session session = new(graph, new(1));
            session.Run(RandomGraphs.Fed(graph, 1));
            return (session, weights);
        }
    }
}
