using Penjing.Models;
using Penjing.Testing;
using TorchSharp;

namespace Penjing.Training.Tests;

/// <summary>A trainable graph answers as the reference does, and comes back unharmed.</summary>
public sealed class TrainableGraphTests
{
    /// <summary>Operations of floats that training leaves out: rare in networks that train, or without a derivative.</summary>
    private static readonly Type[] LeftOut =
    [
        typeof(Hardmax), typeof(TopKIndices), typeof(Einsum), typeof(GatherND), typeof(ScatterElements), typeof(ScatterND), typeof(OneHot), typeof(GridSample), typeof(RoiAlign),
        typeof(QuantizeLinear),
    ];

    /// <summary>Of floats, all operations but those left out answer so; of other types, they do or say that training doesn't know them.</summary>
    [Fact]
    public void Every_operation_answers_as_the_reference()
    {
        List<string> wrong = [];
        int count = 0;
        foreach (OpCase one in OpCases.All)
        {
            count++;
            bool mayRefuse = LeftOut.Contains(one.Op.GetType()) || one.Op is CumSum { Exclusive: true } or CumSum { Reverse: true } or Resize { Coordinates: CoordinateMode.TfCropAndResize }
                || one.Inputs.Append(one.Expected()).Any(tensor => tensor.Type is not (ElementType.Float32 or ElementType.Bool));
            try
            {
                using TrainableGraph trainable = new(one.Graph());
                Closeness.Check(one.Expected(), trainable.Run(one.Fed())[0], 1e-4, one.Name);
            }
            catch (PenjingException error) when (mayRefuse && (error.Message.Contains("training doesn't know") || error.Message.Contains("only a network of floats")))
            {
                continue;
            }
            catch (Exception error)
            {
                wrong.Add($"{one.Name}: {error.GetType().Name}: {error.Message.Split('\n')[0]}");
            }
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} cases:\n{string.Join('\n', wrong.Take(40))}");
    }

    [Fact]
    public void Untrained_comes_back_to_the_bit()
    {
        foreach (Parameterization parameterization in new[] { Parameterization.Free, Parameterization.KeepZeros, Parameterization.Shared, Parameterization.Shared | Parameterization.KeepZeros })
        {
            Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;
            using TrainableGraph trainable = new(graph, Parameterizations.ForKernels(parameterization));
            foreach ((Node before, Node after) in graph.Nodes.Zip(trainable.ToGraph().Nodes)) Assert.Same(before, after);
        }
    }

    [Fact]
    public void Any_batch_size_answers_as_the_reference()
    {
        Node x = new("input", new Input(ElementType.Float32, [1, 6, 4, 4]));
        Node shuffled = new("back", new Reshape([1, 6, 4, 4]), new Node("swap", new Transpose([0, 2, 1, 3, 4]), new Node("split", new Reshape([1, 2, 3, 4, 4]), x)));
        Node flat = new("flat", new Reshape([1, -1]), shuffled);
        Graph graph = new(new Node("logits", new Gemm(TransposeB: true), flat, Node.Weight("w", RandomTensors.Normal([5, 96], 1))));
        using TrainableGraph trainable = new(graph);
        Tensor five = RandomTensors.Normal([5, 6, 4, 4], 2), all = trainable.Run(five)[0];
        for (int i = 0; i < 5; i++)
        {
            Tensor one = Tensor.Of([1, 6, 4, 4], five.Floats.Slice(i * 96, 96));
            Closeness.Check(Reference.Run(graph, one)[0], Tensor.Of([1, 5], all.Floats.Slice(i * 5, 5)), 1e-4, $"picture {i}");
        }
        Assert.Throws<ShapeException>(() => trainable.Run(RandomTensors.Normal([5, 6, 4, 5], 2)));
        Assert.Throws<ShapeException>(() => trainable.Run());
    }

    [Fact]
    public void Whole_networks_answer_as_the_reference()
    {
        foreach (Graph graph in new[] { MobileNetV1.Small(0.25, repeats: 1).Graph, MobileNetV1.Build(0.25, 64, classes: 7, relu6: true, softmax: true).Graph })
        {
            using TrainableGraph trainable = new(graph);
            Tensor input = RandomTensors.Normal(graph.Inputs[0].Shape, 1);
            Closeness.Check(Reference.Run(graph, input)[0], trainable.Run(input)[0], 1e-3, graph.Outputs[0].Name);
        }
    }

    [Fact]
    public void Running_statistics_follow_the_batch()
    {
        const float Mean = 0.3f, Variance = 2;
        Shape shape = [4, 3, 2, 5];
        Tensor x = RandomTensors.Normal(shape, 1, 1.7, 0.4);
        Graph graph = new(new Node("y", new BatchNormalization(), new("input", new Input(ElementType.Float32, shape)), Filled("scale", 1), Filled("bias", 0), Filled("mean", Mean), Filled("variance", Variance)));
        using TrainableGraph trainable = new(graph);
        torch.Tensor output = trainable.Master.Forward([x.ToTorch()], training: true)[0];
        Graph after = trainable.ToGraph();
        for (int c = 0; c < 3; c++)
        {
            double[] values = [.. Enumerable.Range(0, shape.Elements).Where(i => i / 10 % 3 == c).Select(i => (double)x.Floats[i])];
            double mean = values.Average(), squares = values.Sum(value => (value - mean) * (value - mean));
            Assert.Equal(0.9 * Mean + 0.1 * mean, after["mean"].Value!.Floats[c], 1e-5);
            Assert.Equal(0.9 * Variance + 0.1 * squares / (values.Length - 1), after["variance"].Value!.Floats[c], 1e-5);
            int first = Enumerable.Range(0, shape.Elements).First(i => i / 10 % 3 == c);
            Assert.Equal((x.Floats[first] - mean) / Math.Sqrt(squares / values.Length + 1e-5), output.ToPenjing(ElementType.Float32).Floats[first], 1e-4);
        }

        static Node Filled(string name, float value) => Node.Weight(name, Tensor.Build<float>([3], values => values.Fill(value)));
    }

    [Fact]
    public void What_cannot_be_trained_is_named()
    {
        Node x = new("input", new Input(ElementType.Float32, [1, 3, 2, 2]));
        Node vector = Node.Weight("v", RandomTensors.Uniform([3], 1, 1, 2));
        Graph computed = new(new Node("bn", new BatchNormalization(), x, vector, vector, new Node("negative", new Relu(), vector), vector));
        Assert.Contains("negative", Assert.Throws<PenjingException>(() => new TrainableGraph(computed)).Message);
        Graph quantized = new([new Node("cut", new Slice(0, 0, 1), new Node("q", new Constant(RandomTensors.Any(ElementType.Int8, [3], 1), new Quantization(0.5f, 0))))], []);
        Assert.Contains("quantized", Assert.Throws<PenjingException>(() => new TrainableGraph(quantized)).Message);
    }
}
