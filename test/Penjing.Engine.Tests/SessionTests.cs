using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>What a session promises beyond right answers.</summary>
public class SessionTests
{
    private static readonly Graph small = MobileNetV1.Build(0.25, 32, 3, 10).Graph;

    /// <summary>A run over spans allocates nothing, with and without workers, and gives the bits that a run over tensors gives.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    [InlineData(3, true)]
    public void ARunAllocatesNothing(int threads, bool moves)
    {
        Graph graph = moves ? OnlyMoves() : small;
        using Session session = new(graph, new(threads));
        Assert.DoesNotContain(session.Steps, step => step.IsFallback);
        Tensor fed = RandomTensors.Normal(graph.Inputs[0].Shape, 1);
        var output = new float[graph.Outputs[0].Shape.Elements];
        session.Run(fed.Floats, output);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int run = 0; run < 50; run++) session.Run(fed.Floats, output);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Closeness.CheckBits(session.Run(fed)[0], Tensor.Of<float>(graph.Outputs[0].Shape, output), $"{threads} threads");
    }

    /// <summary>A picture is run as the input that the model says it becomes; where that isn't known or doesn't fit, it is said.</summary>
    [Fact]
    public void APictureIsRunAsTheModelSays()
    {
        Preprocessing how = new(Channels.Rgb, [1, 2, 3], [4, 5, 6]);
        byte[] bytes = new byte[40 * 50 * 3];
        new Random(3).NextBytes(bytes);
        Picture picture = new(new(40, 50), Channels.Bgr, bytes);
        using Session told = new(new Model(small) { Labels = ["one"], Preprocessing = how }, new(1)), untold = new(small, new(1)), more = new(new Model(small) { Preprocessing = how }, new(1, 2));
        float[] output = new float[10], expected = new float[10];
        told.Run(picture, output);
        untold.Run(picture.ToInput(how, small.Inputs[0].Shape).Floats, expected);
        Assert.Equal(expected, output);
        Assert.Equal(("one", how), (Assert.Single(told.Labels), told.Preprocessing));
        Assert.Contains("--preprocessing", Assert.Throws<PenjingException>(() => untold.Run(picture, output)).Message);
        Assert.Throws<ShapeException>(() => more.Run(picture, new float[20]));
    }

    /// <summary>Input and output may be the same memory.</summary>
    [Fact]
    public void TheOutputMayBeTheInputsMemory()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 4, 5]));
        Graph graph = new(new Node("y", new Relu(), new Node("t", new Gather(1, [2, 0, 1]), x)));
        using Session session = new(graph, new(1));
        Tensor fed = RandomTensors.Normal(x.Shape, 2);
        float[] memory = fed.Floats.ToArray();
        session.Run(memory, memory);
        Closeness.CheckBits(Reference.Run(graph, fed)[0], Tensor.Of<float>(x.Shape, memory), "in place");

        // An output that the step that makes it writes there, at no multiple of a vector, between what stays.
        Node row = new("row", new Input(ElementType.Float32, [6, 7]));
        Graph direct = new(new Node("softmax", new Softmax(1), new Node("sigmoid", new Sigmoid(), row)));
        using Session second = new(direct, new(2));
        Assert.DoesNotContain(second.Steps, step => step.Op == "Output");
        fed = RandomTensors.Normal(row.Shape, 3);
        memory = [1, .. fed.Floats, 2];
        second.Run(memory.AsSpan(1, 42), memory.AsSpan(1, 42));
        Closeness.Check(Reference.Run(direct, fed)[0], Tensor.Of<float>(row.Shape, memory.AsSpan(1, 42)), 1e-5, "in place");
        Assert.Equal((1, 2), (memory[0], memory[^1]));
    }

    /// <summary>Outputs may be inputs, constants, views of each other, and integers.</summary>
    [Fact]
    public void OutputsMayBeAnything()
    {
        Node x = new("x", new Input(ElementType.Float32, [2, 3, 4, 5])), unused = new("unused", new Input(ElementType.Int64, [7]));
        Node constant = Node.Weight("c", RandomTensors.Normal([3, 2], 1)), relu = new("relu", new Relu(), x);
        Node kept = new("kept", new Relu(), relu), flat = new("flat", new Flatten(), relu), moved = new("moved", new Transpose([1, 0]), constant);
        Node wide = Node.Weight("wide", RandomTensors.Any(ElementType.Int64, [2, 3, 2, 2], 5));
        Graph graph = new([x, constant, relu, kept, flat, new("largest", new ArgMax(1), x), moved, wide, unused], [x, unused]);
        Tensor[] fed = [RandomTensors.Normal(x.Shape, 4), RandomTensors.Any(ElementType.Int64, [7], 6)], expected = Reference.Run(graph, fed);
        foreach (int threads in (int[])[1, 2])
        {
            using Session session = new(graph, new(threads));
            Tensor[] actual = session.Run(fed);
            for (int i = 0; i < expected.Length; i++) Closeness.CheckBits(expected[i], actual[i], graph.Outputs[i].Name);
        }
    }

    /// <summary>Wrong counts, types and shapes are answered with both sides named.</summary>
    [Fact]
    public void MisfitsAreNamed()
    {
        using Session session = new(small, new(1));
        Assert.Equal("the input 'input' of shape 1×3×32×32 takes 3072 values, not 7",
            Assert.Throws<ShapeException>(() => session.Run(new float[7], new float[10])).Message);
        Assert.Equal($"the output '{small.Outputs[0].Name}' of shape 1×10 takes 10 values, not 11",
            Assert.Throws<ShapeException>(() => session.Run(new float[3072], new float[11])).Message);
        Assert.Equal("the network takes 1 input(s), not 0", Assert.Throws<ShapeException>(() => session.Run()).Message);
        Assert.Equal("the input 'input' takes Float32 1×3×32×32, not Float32 1×3×32×31",
            Assert.Throws<ShapeException>(() => session.Run(Tensor.Zeros(ElementType.Float32, [1, 3, 32, 31]))).Message);
        Node a = new("a", new Input(ElementType.Float32, [2])), b = new("b", new Input(ElementType.Float32, [2]));
        using Session two = new(new Graph(new Node("sum", new Add(), a, b)), new(1));
        Assert.Contains("2 inputs and 1 outputs", Assert.Throws<ShapeException>(() => two.Run(new float[2], new float[2])).Message);
        using Session integer = new(new Graph(new Node("most", new ArgMax(), a)), new(1));
        Assert.Contains("'most' is Int64 1", Assert.Throws<ShapeException>(() => integer.Run(new float[2], new float[1])).Message);
    }

    /// <summary>Options that can't be are answered.</summary>
    [Fact]
    public void BadOptionsAreNamed()
    {
        Assert.Contains("-1 threads", Assert.Throws<PenjingException>(() => new Session(small, new(-1))).Message);
        Assert.Contains("no kernel 'none'; the kernels are", Assert.Throws<PenjingException>(() => new Session(small, new(Kernel: "none"))).Message);
    }

    /// <summary>A cancelled run ends in OperationCanceledException, and the session still works.</summary>
    [Fact]
    public void ARunCanBeCancelled()
    {
        using Session session = new(small, new(2));
        var output = new float[10];
        Assert.Throws<OperationCanceledException>(() => session.Run(new float[3072], output, new CancellationToken(true)));
        Assert.Throws<OperationCanceledException>(() => session.Run([Tensor.Zeros(ElementType.Float32, [1, 3, 32, 32])], new CancellationToken(true)));
        Assert.All(output, value => Assert.Equal(0, value));
        Tensor fed = RandomTensors.Normal([1, 3, 32, 32], 1);
        session.Run(fed.Floats, output);
        Closeness.Check(Reference.Run(small, fed)[0], Tensor.Of<float>([1, 10], output), 1e-4, "after cancellation");
    }

    /// <summary>A disposed session says so, and disposing twice is nothing.</summary>
    [Fact]
    public void ADisposedSessionSaysSo()
    {
        Session session = new(small, new(1));
        session.Dispose();
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run(new float[3072], new float[10]));
    }

    /// <summary>The batch option gives what each picture gives alone.</summary>
    [Fact]
    public void ABatchIsItsPictures()
    {
        using Session one = new(small, new(1)), three = new(small, new(2, Batch: 3));
        Shape batched = [3, 3, 32, 32];
        Assert.Equal(batched, three.Inputs[0].Info.Shape);
        float[] pictures = RandomTensors.Normal(batched, 9).Floats.ToArray(), together = new float[30], alone = new float[10];
        three.Run(pictures, together);
        for (int i = 0; i < 3; i++)
        {
            one.Run(pictures.AsSpan(i * 3072, 3072), alone);
            Closeness.Check(Tensor.Of<float>([10], alone), Tensor.Of<float>([10], together.AsSpan(i * 10, 10)), 1e-5, $"picture {i}");
        }
    }

    /// <summary>The profile names every step once, with times and costs.</summary>
    [Fact]
    public void TheProfileNamesEveryStep()
    {
        using Session session = new(small, new(2));
        StepTime[] times = [.. session.Profile(2)];
        Assert.Equal(session.Steps, times.Select(time => time.Step));
        Assert.Equal(Cost.Macs(small), times.Sum(time => time.Step.Macs));
        Assert.All(times, time => Assert.True(time.MedianMs >= 0 && time.Gflops >= 0));
        Assert.Equal("Input", times[0].Step.Op);
        Assert.DoesNotContain(times, time => time.Step.Op == "Output");
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Profile(0));
    }

    private static Graph OnlyMoves()
    {
        Node x = new("x", new Input(ElementType.Float32, [2, 3, 65, 67]));
        return new(new Node("flat", new Flatten(), new Node("back", new Transpose([0, 1, 3, 2]), new Node("turned", new Transpose([0, 2, 1, 3]), x))));
    }

    /// <summary>Pictures larger than a cache come in and out in planes, on one thread and on several.</summary>
    [Fact]
    public void Large_planes_are_turned()
    {
        foreach ((int images, int channels, int height, int width) in ((int, int, int, int)[])[(1, 18, 96, 64), (2, 3, 71, 113), (1, 5, 64, 65), (2, 17, 51, 93), (1, 2, 300, 301), (1, 1030, 67, 63)])
            for (int threads = 1; threads < 4; threads += 2)
            {
                Node x = new("x", new Input(ElementType.Float32, [images, channels, height, width])), y = new("y", new Relu(), x);
                Tensor fed = RandomTensors.Normal(x.Shape, channels);
                using Session session = new(new Graph(y), new(threads));
                Closeness.CheckBits(Reference.Run(new Graph(y), [fed])[0], session.Run([fed], TestContext.Current.CancellationToken)[0], $"{x.Shape} on {threads} threads");
            }
    }
}
