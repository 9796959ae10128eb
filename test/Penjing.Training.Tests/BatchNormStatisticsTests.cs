using Penjing.Compression;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>Estimated means and variances are those that the reference finds.</summary>
public sealed class BatchNormStatisticsTests
{
    /// <summary>Behind surgery, over one batch: what each BatchNormalization reads in the reference has its mean and unbiased variance.</summary>
    [Fact]
    public void Every_layer_reads_what_its_statistics_say()
    {
        DataSet data = Samples.SquaresSet(train: 60);
        Model model = TrainerTests.Network();
        model = model with { Graph = Pruner.Prune(model.Graph, new() { Ratio = 0.4 }) };
        Graph estimated = BatchNormStatistics.Estimate(model, data, pictures: 60, threads: 2).Graph;
        Check(estimated, data, [.. estimated.Nodes.Where(node => node.Op is BatchNormalization)]);
        foreach (Node weight in model.Graph.Weights.Where(node => !node.Name.EndsWith("mean", StringComparison.Ordinal) && !node.Name.EndsWith("variance", StringComparison.Ordinal)))
            Closeness.CheckBits(weight.Value!, estimated[weight.Name].Value!, weight.Name);
    }

    /// <summary>Over several batches: the first layer's are exact, and no number of threads makes a difference.</summary>
    [Fact]
    public void Batches_add_up()
    {
        DataSet data = Samples.SquaresSet(train: 300);
        Graph one = BatchNormStatistics.Estimate(TrainerTests.Network(), data, pictures: 1000).Graph;
        Check(one, data, [one.Nodes.First(node => node.Op is BatchNormalization)]);
        Graph three = BatchNormStatistics.Estimate(TrainerTests.Network(), data, pictures: 1000, threads: 3).Graph;
        foreach ((Node left, Node right) in one.Weights.Zip(three.Weights)) Closeness.CheckBits(left.Value!, right.Value!, left.Name);
        Graph part = BatchNormStatistics.Estimate(TrainerTests.Network(), data, pictures: 140).Graph, other = BatchNormStatistics.Estimate(TrainerTests.Network(), data, pictures: 140, seed: 2).Graph;
        Assert.False(part["stem.bn.mean"].Value!.BitsEqual(other["stem.bn.mean"].Value!));
    }

    /// <summary>A training asked to begins with them, and a network without BatchNormalization comes back as it was.</summary>
    [Fact]
    public void Training_begins_with_them()
    {
        DataSet data = Samples.SquaresSet();
        TrainingOptions options = new() { Steps = 1, Batch = 16, LearningRate = 1e-9, WarmUp = 0, ValidateEvery = 0, EstimateOver = 100 };
        Graph trained = Trainer.Train(TrainerTests.Network(), data, options, cancellation: TestContext.Current.CancellationToken).Model.Graph;
        Graph estimated = BatchNormStatistics.Estimate(TrainerTests.Network(), data, 100).Graph, batch = Trainer.Train(
            TrainerTests.Network(), data, options with { EstimateOver = 0 }, cancellation: TestContext.Current.CancellationToken).Model.Graph;
        foreach (string name in new[] { "stem.bn.mean", "stem.bn.variance" })
        {
            float begun = name.EndsWith("mean", StringComparison.Ordinal) ? 0 : 1;
            for (int i = 0; i < trained[name].Shape.Elements; i++)
                Assert.Equal(0.9 * (estimated[name].Value!.Floats[i] - begun), trained[name].Value!.Floats[i] - batch[name].Value!.Floats[i], 1e-5);
        }
        Graph bare = new(new Node("y", new Gemm(TransposeB: true), new Node("f", new Flatten(), new Node("input", new Input(ElementType.Float32, [1, 1, 8, 8]))),
            Node.Weight("w", RandomTensors.Normal([4, 64], 1))));
        Assert.Same(bare["w"], BatchNormStatistics.Estimate(new(bare), data).Graph["w"]);
        Assert.Contains("two", Assert.Throws<PenjingException>(() => BatchNormStatistics.Estimate(TrainerTests.Network(), Samples.SquaresSet(train: 1))).Message);
    }

    private static void Check(Graph graph, DataSet data, Node[] layers)
    {
        int count = data.Train.Count, pixels = graph.Inputs[0].Shape.Elements;
        float[] pictures = new float[count * pixels];
        for (int i = 0; i < count; i++) data.Train.ToInput(i, TrainerTests.Network().Preprocessing!, graph.Inputs[0].Shape, pictures.AsSpan(i * pixels, pixels));
        // A batch is normalized by its biased variance, but the unbiased one is kept.
        Dictionary<Node, double> biased = graph.Nodes.Where(node => node.Op is BatchNormalization).ToDictionary(node => node.Inputs[4], node => 1 - 1.0 / (count * node.Shape[2] * node.Shape[3]));
        Graph inside = new Graph([.. layers.Select(layer => layer.Inputs[0])], [.. graph.Inputs]).Map((node, inputs) => biased.TryGetValue(node, out double share)
            ? Node.Weight(node.Name, Tensor.Of(node.Shape, (ReadOnlySpan<float>)[.. node.Value!.Floats.ToArray().Select(x => (float)(x * share))])) : node.With(inputs));
        Tensor[] read = Reference.Run(inside.WithBatch(count), Tensor.Of(graph.Inputs[0].Shape.With(0, count), pictures));
        foreach ((Node layer, Tensor value) in layers.Zip(read))
        {
            int channels = value.Shape[1], area = value.Shape[2] * value.Shape[3];
            for (int channel = 0; channel < channels; channel++)
            {
                double[] values = [.. Enumerable.Range(0, value.Shape.Elements).Where(i => i / area % channels == channel).Select(i => (double)value.Floats[i])];
                double mean = values.Average(), variance = values.Sum(x => (x - mean) * (x - mean)) / (values.Length - 1);
                Assert.Equal(mean, layer.Inputs[3].Value!.Floats[channel], 1e-4 * Math.Max(1, Math.Sqrt(variance)));
                Assert.Equal(variance, layer.Inputs[4].Value!.Floats[channel], 1e-3 * Math.Max(1e-3, variance));
            }
        }
    }
}
