using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Models;
using Penjing.Testing;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training.Tests;

/// <summary>Training under the rounding of integers: what rounding gives and passes on, and what comes of it.</summary>
public sealed class QuantizationAwareTests
{
    private static readonly ImmutableHashSet<string> none = [];
    private static readonly TrainingOptions Quick = new() { Steps = 12, Batch = 32, LearningRate = 0.01, CheckpointEverySteps = 1 };

    /// <summary>Values are rounded as QuantizeLinear and DequantizeLinear round them, to the bit; gradients are those of learned steps.</summary>
    [Theory]
    [InlineData(ElementType.UInt8, 0, false)]
    [InlineData(ElementType.UInt8, 37, false)]
    [InlineData(ElementType.Int8, 0, true)]
    [InlineData(ElementType.Int8, 0, true, 6)]
    public void Rounding_is_the_reference_s_and_passes_gradients_on(ElementType type, int zero, bool each, int bits = 8)
    {
        TorchRuntime.Start();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor reals = RandomTensors.Normal([3, 4, 5, 2], 7);
        float[] sizes = each ? [0.005f, 0.01f, 0.02f, 0.011f] : [0.011f];
        Quantization quantization = new([.. sizes], [.. sizes.Select(_ => zero)], each ? 1 : null);
        Graph graph = new(PostTraining.Round(Node.Weight("x", reals), type, quantization, bits));
        LearnedStep op = new(type, zero, quantization.Axis, bits, []);
        TorchTensor x = reals.ToTorch().requires_grad_(true), steps = torch.tensor(sizes).requires_grad_(true), y = op.Evaluate(x, steps);
        Closeness.CheckBits(Reference.Run(graph, [])[0], y.ToPenjing(ElementType.Float32), "rounded");

        y.sum().backward();
        (int low, int high) = type is ElementType.Int8 ? (-(1 << bits - 1), (1 << bits - 1) - 1) : (0, 255);
        double[] expected = new double[sizes.Length];
        float[] passed = x.grad!.ToPenjing(ElementType.Float32).Floats.ToArray();
        for (int i = 0; i < passed.Length; i++)
        {
            int at = each ? i / 10 % 4 : 0;
            double scaled = reals.Floats[i] / sizes[at] + zero;
            bool inside = scaled > low && scaled < high;
            Assert.Equal(inside ? 1 : 0, passed[i], 1e-5);
            expected[at] += inside ? Math.Round(scaled) - scaled : Math.Clamp(scaled, low, high) - zero;
        }
        double served = each ? reals.Shape.Elements / 4 : reals.Shape.Elements / 3;
        for (int at = 0; at < sizes.Length; at++)
            Assert.Equal(expected[at] / Math.Sqrt(served * high), steps.grad!.ToPenjing(ElementType.Float32).Floats[at], 2e-3 * Math.Max(1, Math.Abs(expected[at] / Math.Sqrt(served * high))));
    }

    /// <summary>Without a step of training the integers are those of quantization after training.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(5)]
    public void Untrained_it_is_post_training_quantization(int bits)
    {
        (Model model, DataSet data) = Trained();
        Dictionary<string, ValueRange> ranges = Measured(model, data);
        Graph expected = PostTraining.Quantize(model.Graph, ranges, none, bits), actual = QuantizationAware.End(QuantizationAware.Begin(model.Graph, ranges, none, bits));
        Assert.Equal(expected.Nodes.Select(node => (node.Name, node.Op.Name, node.Info)), actual.Nodes.Select(node => (node.Name, node.Op.Name, node.Info)));
        foreach ((Node one, Node other) in expected.Weights.Zip(actual.Weights)) Closeness.CheckBits(one.Value!, other.Value!, one.Name);
    }

    /// <summary>Channels that folded normalization made small or large are trained at about the size of initial weights, and stand for what they stood for; a channel of zeros stays.</summary>
    [Fact]
    public void Channels_are_trained_at_their_first_size()
    {
        float[] sizes = [1e-4f, 0.02f, 0, 1, 300];
        Tensor drawn = RandomTensors.Normal([5, 6, 3, 3], 1);
        Tensor weight = Tensor.Build<float>([5, 6, 3, 3], values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = sizes[i / 54] * drawn.Floats[i];
        });
        Graph graph = new(new Node("conv", new Conv(), new Node("x", new Input(ElementType.Float32, [1, 6, 8, 8])), Node.Weight("w", weight), Node.Weight("b", Tensor.Zeros(ElementType.Float32, [5]))));
        Dictionary<string, ValueRange> ranges = new() { ["x"] = new(-1, 1) };
        Graph begun = QuantizationAware.Begin(graph, ranges, none);
        float[] trained = begun.Nodes.Single(node => node.Shape == weight.Shape && node.Value is not null).Value!.Floats.ToArray();
        for (int channel = 0; channel < sizes.Length; channel++)
        {
            double sum = trained[(54 * channel)..(54 * channel + 54)].Sum(value => (double)value * value);
            if (sizes[channel] == 0) Assert.Equal(0, sum);
            else Assert.InRange(sum, 1, 4);
        }
        Graph expected = PostTraining.Quantize(graph, ranges, none), actual = QuantizationAware.End(begun);
        foreach ((Node one, Node other) in expected.Weights.Zip(actual.Weights))
        {
            Assert.Equal((one.Name, one.Info), (other.Name, other.Info));
            Closeness.CheckBits(one.Value!, other.Value!, one.Name);
        }
    }

    /// <summary>Where ranges fit badly, training learns better ones; broken off after every few steps the work ends with the same bits.</summary>
    [Fact]
    public void Training_gives_back_what_bad_ranges_take()
    {
        using Samples samples = new();
        (Model model, DataSet data) = Trained();
        Dictionary<string, ValueRange> narrow = Measured(model, data).ToDictionary(range => range.Key, range => new ValueRange(range.Value.Low / 12, range.Value.High / 12));
        Model before = model with { Graph = PostTraining.Quantize(model.Graph, narrow, none) };
        Model after = Retrainer.Quantize(model, data, narrow, none, 8, Quick, WorkFolder.Open(samples.At("whole"), []), cancellation: TestContext.Current.CancellationToken);
        Assert.All(after.Graph.Nodes.Where(node => node.Op is Conv or Gemm), node => Assert.Equal(ElementType.Int8, node.Inputs[1].Info.Type));
        Assert.Equal(before.Graph.Nodes.Select(node => (node.Name, node.Op.Name)), after.Graph.Nodes.Select(node => (node.Name, node.Op.Name)));
        double worse = Right(before, data), better = Right(after, data);
        Assert.True(better > worse + 0.1, $"{worse} before, {better} after");

        while (true)
        {
            using CancellationTokenSource stop = new();
            int steps = 0;
            try
            {
                Model resumed = Retrainer.Quantize(model, data, narrow, none, 8, Quick, WorkFolder.Open(samples.At("broken"), []), _ => { if (++steps == 4) stop.Cancel(); }, stop.Token);
                foreach ((Node one, Node other) in after.Graph.Weights.Zip(resumed.Graph.Weights)) Closeness.CheckBits(one.Value!, other.Value!, one.Name);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(steps, 4, 5);
            }
        }
    }

    /// <summary>A small network that has learnt its pictures, prepared.</summary>
    private static (Model Model, DataSet Data) Trained()
    {
        DataSet data = Samples.SquaresSet();
        Model model = Trainer.Train(MobileNetV1.Small(0.25, 8, 1, 4, seed: 5, repeats: 0), data, new() { Epochs = 6, Batch = 32, LearningRate = 0.05, Seed = 3 }).Model;
        return (model with { Graph = PostTraining.Prepare(model.Graph) }, data);
    }

    private static Dictionary<string, ValueRange> Measured(Model model, DataSet data)
    {
        ImmutableArray<Node> values = PostTraining.Values(model.Graph, none);
        Graph open = new(values, model.Graph.Inputs);
        return Histogram.Of(values, Enumerable.Range(0, 16).Select(picture => Reference.Run(open, [data.Train.Picture(picture).ToInput(data.Preprocessing, model.Graph.Inputs[0].Shape)])))
            .ToDictionary(seen => seen.Key, seen => Ranges.Of(seen.Value, RangeMethod.MinMax));
    }

    private static double Right(Model model, DataSet data)
    {
        int right = 0;
        for (int picture = 0; picture < data.Test.Count; picture++)
        {
            float[] answer = Reference.Run(model.Graph, [data.Test.Picture(picture).ToInput(data.Preprocessing, model.Graph.Inputs[0].Shape)])[0].Floats.ToArray();
            if (Array.IndexOf(answer, answer.Max()) == data.Test.Labels[picture]) right++;
        }
        return (double)right / data.Test.Count;
    }
}
