using System.Collections.Immutable;
using Penjing.Testing;
using TorchSharp;

namespace Penjing.Training.Tests;

/// <summary>Torch's gradients agree with finite differences of the reference.</summary>
public sealed class GradientTests
{
    private static readonly Shape Picture = [2, 4, 6, 5];

    /// <summary>What stands behind a 1×1 convolution whose gradient must pass through it.</summary>
    private static readonly Func<Node, Node>[] Behind =
    [
        x => x,
        x => new("y", new HardSwish(), x),
        x => new("y", new Sigmoid(), x),
        x => new("y", new Tanh(), x),
        x => new("y", new Relu(), x),
        x => new("y", new Clip(-0.5f, 0.7f), x),
        x => new("y", new LeakyRelu(0.2f), x),
        x => new("y", new HardSigmoid(), x),
        x => new("y", new Softmax(1), x),
        x => new("y", new PRelu(), x, Weight("slope", [4, 1, 1])),
        x => new("y", new Conv(Size.Square(2), new(1, 0, 2, 1), Size.One, 2), x, Weight("k", [6, 2, 3, 3]), Weight("b", [6])),
        x => new("y", new Conv(Size.One, Padding.All(1), Size.One, 4), x, Weight("k", [8, 1, 3, 3])),
        x => new("y", new Conv(Size.One, Padding.All(1), Size.One, 4, new Relu()), x, Weight("k", [4, 1, 3, 3]), Weight("b", [4])),
        x => new("y", new ConvTranspose(Size.Square(2), new(1, 0, 0, 1), Size.One, Size.One), x, Weight("k", [4, 3, 3, 3]), Weight("b", [3])),
        x => new("y", new MaxPool(Size.Square(3), Size.Square(2), Padding.All(1)), x),
        x => new("y", new AveragePool(Size.Square(3), Size.Square(2), new(1, 0, 1, 1), CeilMode: true), x),
        x => new("y", new Resize(new(9, 4), ResizeMode.Linear), x),
        x => new("y", new Pad(2, 2, 1, PadMode.Reflect), x),
        x => new("y", new Mul(), new Node("s", new Slice(3, 4, -9, -2), x), Weight("m", [4, 1, 1])),
        x => new("y", new Div(), x, new Node("d", new Add(), new Node("q", new Mul(), x, x), Node.Weight("one", Tensor.Of<float>([1], 1)))),
        x => new("y", new BatchNormalization(), x, Weight("scale", [4]), Weight("bias", [4]), Weight("mean", [4]), Node.Weight("variance", RandomTensors.Uniform([4], 9, 0.5, 2))),
        x => new("y", new Gemm(TransposeB: true, Alpha: 0.5f, Beta: 2), new Node("f", new Flatten(), new Node("p", new GlobalAveragePool(), x)), Weight("k", [3, 4]), Weight("b", [3])),
        x => new("y", new MatMul(), new Node("t", new Transpose([0, 2, 3, 1]), x), Weight("k", [4, 3])),
        x => new("y", new Concat(1), new Node("g", new Gather(1, [3, 0, 0]), x), x, new Node("r", new Sub(), x, new Node("a", new Relu(), x))),
        x => new("y", new ReduceMean([1, 3]), x),
    ];

    [Fact]
    public void Gradients_agree_with_differences()
    {
        foreach ((int index, Func<Node, Node> behind) in Behind.Index())
        {
            Node x = new("conv", new Conv(), new("input", new Input(ElementType.Float32, Picture)), Weight("conv.weight", [4, 4, 1, 1]), Weight("conv.bias", [4]));
            Graph graph = new(behind(x));
            Tensor input = RandomTensors.Normal(Picture, 3), direction = RandomTensors.Normal(graph.Outputs[0].Shape, 4);
            using TrainableGraph trainable = new(graph);
            float[] gradient = Gradient(trainable, input, direction);
            double norm = Math.Sqrt(gradient.Sum(value => (double)value * value) / gradient.Length);
            var random = new Random(index);
            foreach (WeightSlot slot in trainable.Slots)
                for (int probe = 0; probe < 3; probe++)
                {
                    int at = random.Next(slot.Count);
                    const float Step = 5e-4f;
                    double slope = (Along(graph, slot.Node, at, Step, input, direction) - Along(graph, slot.Node, at, -Step, input, direction)) / (2 * Step);
                    Assert.True(Math.Abs(slope - gradient[slot.Offset + at]) <= 0.02 * Math.Max(norm, Math.Abs(slope)),
                        $"case {index}, {graph.Outputs[0].Op.Name}: '{slot.Node.Name}'[{at}] has the slope {slope}, but the gradient {gradient[slot.Offset + at]}");
                }
        }
    }

    [Fact]
    public void A_shared_value_has_the_sum_of_its_elements_gradients()
    {
        Tensor coarse = Tensor.Build<float>([6, 4, 3, 3], values =>
        {
            ReadOnlySpan<float> fine = RandomTensors.Normal([6, 4, 3, 3], 5).Floats;
            for (int i = 0; i < values.Length; i++) values[i] = MathF.Round(fine[i] * 2) / 2 + 0f;
        });
        Graph graph = new(new Node("y", new Conv(), new("input", new Input(ElementType.Float32, Picture)), Node.Weight("weight", coarse)));
        Tensor input = RandomTensors.Normal(Picture, 3), direction = RandomTensors.Normal(graph.Outputs[0].Shape, 4);
        using TrainableGraph free = new(graph), shared = new(graph, Parameterizations.ForKernels(Parameterization.Shared | Parameterization.KeepZeros));
        float[] each = Gradient(free, input, direction), sums = Gradient(shared, input, direction);
        WeightSlot slot = shared.Slots[0];
        Assert.Equal(coarse.Floats.ToArray().Distinct().Count(), slot.Count);
        for (int k = 0; k < slot.Count; k++)
        {
            double sum = slot.Initial[k] == 0 ? 0 : Enumerable.Range(0, each.Length).Where(i => coarse.Floats[i] == slot.Initial[k]).Sum(i => (double)each[i]);
            Assert.Equal(sum, sums[k], 1e-3 * Math.Max(1, Math.Abs(sum)));
        }
    }

    private static Node Weight(string name, Shape shape) => Node.Weight(name, RandomTensors.Normal(shape, name.Length + shape.Elements, 0.7));

    private static float[] Gradient(TrainableGraph trainable, Tensor input, Tensor direction)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor output = trainable.Master.Forward([input.ToTorch()], training: false)[0];
        (output * direction.ToTorch()).sum().backward();
        return trainable.Master.Gradient.Floats().ToArray();
    }

    /// <summary>The output along a direction, with one element of a weight moved.</summary>
    private static double Along(Graph graph, Node weight, int at, float by, Tensor input, Tensor direction)
    {
        float[] values = weight.Value!.Floats.ToArray();
        values[at] += by;
        Graph moved = graph.Map((node, inputs) => node == weight ? Node.Weight(node.Name, Tensor.Of(node.Shape, values)) : node.With(inputs));
        ReadOnlySpan<float> output = Reference.Run(moved, input)[0].Floats;
        double sum = 0;
        for (int i = 0; i < output.Length; i++) sum += (double)output[i] * direction.Floats[i];
        return sum;
    }
}
