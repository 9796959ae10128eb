using Penjing.Compression;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>The first-order importance against what a gate on a channel really changes.</summary>
public sealed class LossGradientTests
{
    private const int Count = 24;

    private static readonly DataSet data = Samples.SquaresSet(train: Count);

    /// <summary>A channel's score is the square of the loss's slope by a factor on what its layers yield, on average over batches.</summary>
    [Fact]
    public void Scores_are_squared_slopes_of_gates()
    {
        Graph graph = Network();
        ChannelGroups groups = ChannelGroups.Of(graph);
        // One batch of all pictures, whose order makes no difference.
        IReadOnlyList<double> scores = Importances.Taylor(graph => LossGradients.Of(graph, data, data.Preprocessing, batches: 2, batch: Count))(groups);
        double[] expected = new double[groups.Count];
        foreach ((string value, string[] weights) in new (string, string[])[] { ("n1", ["scale1", "bias1"]), ("n2", ["scale2", "bias2"]), ("c3", ["w3", "b3"]), ("fc", ["w4", "b4"]) })
            foreach ((int channel, int group) in groups.Channels(graph[value]).Index())
            {
                const float Step = 0.02f;
                double slope = (Loss(Gated(graph, weights, channel, 1 + Step)) - Loss(Gated(graph, weights, channel, 1 - Step))) / (2 * Step);
                expected[group] += slope * slope;
            }
        double largest = expected.Max();
        Assert.True(largest > 0);
        for (int group = 0; group < groups.Count; group++) Assert.True(Math.Abs(expected[group] - scores[group]) <= 0.02 * expected[group] + 1e-4 * largest, $"group {group}: {scores[group]} for {expected[group]}");
    }

    [Fact]
    public void A_weight_without_a_gradient_is_named()
    {
        Importance importance = Importances.Taylor(_ => [new Dictionary<string, Tensor>()]);
        Assert.Contains("'scale1'", Assert.Throws<PenjingException>(() => importance(ChannelGroups.Of(Network()))).Message, StringComparison.Ordinal);
        Assert.Throws<PenjingException>(() => Importances.Taylor(_ => [])(ChannelGroups.Of(Network())));
    }

    [Fact]
    public void A_sample_is_the_seeds()
    {
        Split whole = Samples.Squares(100, 4, 4, 3), sample = whole.Sample(30, 1);
        Assert.Equal(30, sample.Count);
        int[] places = [.. Enumerable.Range(0, 30).Select(i => Enumerable.Range(0, 100).Single(j => whole.Pixels(j).SequenceEqual(sample.Pixels(i))))];
        Assert.Equal(places.Distinct().Order(), places);
        Assert.All(places.Index(), entry => Assert.Equal(whole.Labels[entry.Item], sample.Labels[entry.Index]));
        Assert.Equal(sample.Labels, whole.Sample(30, 1).Labels);
        Assert.False(whole.Sample(30, 2).Labels.SequenceEqual(sample.Labels));
        Assert.Same(whole, whole.Sample(100, 1));
    }

    private static Graph Network()
    {
        Node Vector(string name, int count, double mean) => Node.Weight(name, RandomTensors.Normal([count], name.Length + count, 0.3, mean));
        Node Normalized(string number, Node x) => new($"n{number}", new BatchNormalization(), x, Vector($"scale{number}", x.Shape[1], 1), Vector($"bias{number}", x.Shape[1], 0),
            Vector($"mean{number}", x.Shape[1], 0), Node.Weight($"variance{number}", RandomTensors.Uniform([x.Shape[1]], 9, 0.5, 2)));
        Node input = new("input", new Input(ElementType.Float32, [1, 1, 8, 8]));
        Node first = new("r1", new Tanh(), Normalized("1", new("c1", new Conv(Size.Square(2), Padding.All(1), Size.One), input, Node.Weight("w1", RandomTensors.Kernel([6, 1, 3, 3], 1)))));
        Node second = new("r2", new Tanh(), Normalized("2", new("c2", new Conv(Size.One, Padding.All(1), Size.One, 6), first, Node.Weight("w2", RandomTensors.Kernel([6, 1, 3, 3], 2)))));
        Node third = new("r3", new Sigmoid(), new Node("c3", new Conv(), second, Node.Weight("w3", RandomTensors.Kernel([5, 6, 1, 1], 3)), Vector("b3", 5, 0)));
        Node flat = new("flat", new Flatten(), new Node("pool", new GlobalAveragePool(), third));
        return new(new Node("fc", new Gemm(TransposeB: true), flat, Node.Weight("w4", RandomTensors.Normal([4, 5], 4)), Vector("b4", 4, 0)));
    }

    /// <summary>The graph with one output channel of these weights, whose first extent is the channels', times a factor.</summary>
    private static Graph Gated(Graph graph, string[] weights, int channel, float factor) => graph.Map((node, inputs) =>
    {
        if (!weights.Contains(node.Name)) return node.With(inputs);
        float[] values = node.Value!.Floats.ToArray();
        int each = values.Length / node.Shape[0];
        for (int i = channel * each; i < (channel + 1) * each; i++) values[i] *= factor;
        return Node.Weight(node.Name, Tensor.Of<float>(node.Shape, values));
    });

    private static double Loss(Graph graph)
    {
        Tensor pictures = Tensor.Build<float>([Count, 1, 8, 8], values =>
        {
            for (int i = 0; i < Count; i++) data.Train.ToInput(i, data.Preprocessing, [1, 1, 8, 8], values.Slice(i * 64, 64));
        });
        float[] logits = Reference.Run(graph.WithBatch(Count), pictures)[0].Floats.ToArray();
        return Enumerable.Range(0, Count).Average(i =>
        {
            double[] row = [.. logits.Skip(4 * i).Take(4).Select(value => (double)value)];
            return Math.Log(row.Sum(Math.Exp)) - row[data.Train.Labels[i]];
        });
    }
}
