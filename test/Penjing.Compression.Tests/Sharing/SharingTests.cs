using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Sharing leaves as few values as asked, near the old ones; the rewrites of BatchNormalization leave the answers.</summary>
public sealed class SharingTests
{
    /// <summary>Every kind of tensor gets its own setting, single layers theirs, and what no setting names stays.</summary>
    [Fact]
    public void Layers_share_as_asked()
    {
        Graph graph = Trained(3);
        SharingOptions options = new()
        {
            Dense = new(9),
            Depthwise = new(17, Rate: 0.01),
            Layer = (node, kind) => node.Name == "classifier" ? kind! with { Clusters = 5, Halves = false } : kind,
        };
        Graph shared = Sharing.Share(graph, options);
        ImmutableArray<SharedTensor> changes = Sharing.Describe(graph, shared);
        foreach (Node node in shared.Nodes.Where(node => node.Op is Conv or Gemm))
        {
            float[] values = node.Inputs[1].Value!.Floats.ToArray();
            int most = node.Op is Gemm ? 5 : node.Op is Conv { Groups: > 1 } ? 17 : 9;
            Assert.True(values.Distinct().Count() <= most, $"{node.Name} has {values.Distinct().Count()} values");
            if (node.Op is Conv) Assert.All(values, value => Assert.Equal(value, (float)(Half)value));
            Assert.Equal(values.Distinct().Count(), changes.Single(change => change.Name == node.Inputs[1].Name).Distinct);
        }
        Assert.All(changes, change => Assert.InRange(change.SignalToNoise, 8, 100));
        Assert.Same(graph["block9.pointwise.bn"].Inputs[1], shared["block9.pointwise.bn"].Inputs[1]);
        Assert.Empty(Sharing.Describe(graph, Sharing.Share(graph, new() { Dense = null, Depthwise = null })));
    }

    /// <summary>Zeros of a sparse tensor stay zero, and nothing else becomes zero.</summary>
    [Fact]
    public void Zeros_stay()
    {
        Tensor weights = Tensor.Build<float>([16, 10], values =>
        {
            RandomTensors.Normal([160], 1).Floats.CopyTo(values);
            for (int i = 0; i < values.Length; i += 3) values[i] = 0;
        });
        Node x = new("x", new Input(ElementType.Float32, [1, 10]));
        Graph graph = new(new Node("y", new Gemm(TransposeB: true), x, Node.Weight("w", weights)));
        float[] shared = Sharing.Share(graph, new() { Dense = new(4, KeepZeros: true) })["w"].Value!.Floats.ToArray();
        Assert.All(shared, (value, i) => Assert.Equal(i % 3 == 0, value == 0));
        Assert.Equal(5, shared.Distinct().Count());
    }

    /// <summary>Each group of output channels shares values as it would alone, wherever its weights lie; more groups than channels are one for each.</summary>
    [Theory]
    [InlineData(1), InlineData(3), InlineData(6), InlineData(100)]
    public void Groups_of_channels_share_by_themselves(int groups)
    {
        Tensor weights = RandomTensors.Normal([6, 20], 4), turned = Tensor.Build<float>([20, 6], values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = weights.Floats[i % 6 * 20 + i / 6];
        });
        Clustering whole = new(3, Groups: groups), alone = new(3);
        float[] rows = Shared(new(TransposeB: true), weights, whole), columns = Shared(new(), turned, whole);
        int count = Math.Min(groups, 6), channels = 6 / count;
        for (int group = 0; group < count; group++)
        {
            float[] expected = Shared(new(TransposeB: true), Tensor.Of([channels, 20], weights.Floats.Slice(group * channels * 20, channels * 20)), alone);
            Assert.Equal(expected, rows.AsSpan(group * channels * 20, channels * 20).ToArray());
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], columns[i % 20 * 6 + group * channels + i / 20]);
        }

        static float[] Shared(Gemm gemm, Tensor tensor, Clustering clustering)
        {
            Node x = new("x", new Input(ElementType.Float32, [1, 20]));
            return Sharing.Share(new(new Node("y", gemm, x, Node.Weight("w", tensor))), new() { Dense = clustering })["w"].Value!.Floats.ToArray();
        }
    }

    /// <summary>A finished network holds nothing but Float16 values, no means, no more kernel values than before, and answers nearly as before.</summary>
    [Fact]
    public void Finished_networks_are_halves()
    {
        Graph graph = Sharing.Share(Trained(5), new() { Dense = new(16, Halves: false), Depthwise = new(16, Halves: false) });
        Graph finished = Sharing.Finish(graph, vectorBits: 5);
        foreach (Node weight in finished.Weights)
        {
            float[] values = weight.Value!.Floats.ToArray();
            Assert.All(values, value => Assert.Equal(value, (float)(Half)value));
            if (weight.Shape.Rank == 1) Assert.All(values, value => Assert.Equal(0u, BitConverter.SingleToUInt32Bits(value) & 0x3FFFF));
            else Assert.True(values.Distinct().Count() <= 16, weight.Name);
            if (weight.Name.EndsWith(".mean", StringComparison.Ordinal)) Assert.All(values, value => Assert.Equal(0, value));
        }
        Tensor picture = RandomTensors.Normal(graph.Inputs[0].Shape, 5);
        Closeness.Check(Reference.Run(graph, picture)[0], Reference.Run(finished, picture)[0], 0.1, "finished");
        Assert.Throws<PenjingException>(() => Sharing.Finish(graph, 11));
    }

    /// <summary>A setting out of range and a weight gone wild are answered by name.</summary>
    [Fact]
    public void Bad_settings_are_named()
    {
        Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;
        PenjingException error = Assert.Throws<PenjingException>(() => Sharing.Share(graph, new() { Dense = new(0) }));
        Assert.Contains("'stem.weight'", error.Message, StringComparison.Ordinal);
        Node x = new("x", new Input(ElementType.Float32, [1, 2]));
        Graph wild = new(new Node("y", new Gemm(), x, Node.Weight("w", Tensor.Of([2, 1], 1f, float.NaN))));
        Assert.Contains("'w'", Assert.Throws<PenjingException>(() => Sharing.Share(wild, new())).Message, StringComparison.Ordinal);
    }

    /// <summary>Reduced and equalized networks answer as before; reduced ones carry mean 0 and variance 1, equalized ones kernels of one size.</summary>
    [Fact]
    public void BatchNormalization_rewrites_keep_the_answers()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Graph graph = seed < 3 ? Trained(seed) : PrunableGraphs.Network(seed), reduced = BatchNorms.Reduce(graph), equalized = BatchNorms.Equalize(graph);
            Tensor[] pictures = RandomGraphs.Fed(graph, seed);
            Tensor expected = Reference.Run(graph, pictures)[0];
            Closeness.Check(expected, Reference.Run(reduced, pictures)[0], 1e-4, $"seed {seed}, reduced");
            Closeness.Check(expected, Reference.Run(equalized, pictures)[0], 1e-4, $"seed {seed}, equalized");
            foreach (Node node in reduced.Nodes.Where(node => node.Op is BatchNormalization))
            {
                Assert.All(node.Inputs[3].Value!.Floats.ToArray(), value => Assert.Equal(0, value));
                Assert.All(node.Inputs[4].Value!.Floats.ToArray(), value => Assert.Equal(1, value));
            }
            if (seed >= 3) continue;
            foreach (Node node in equalized.Nodes.Where(node => node.Op is Conv))
            {
                float[] values = node.Inputs[1].Value!.Floats.ToArray();
                Assert.All(values.Chunk(values.Length / node.Shape[1]), kernel => Assert.Equal(1, kernel.Average(value => (double)value * value), 1e-4));
            }
        }
    }

    /// <summary>A MobileNet whose BatchNormalizations are as if trained.</summary>
    private static Graph Trained(int seed) => MobileNetV1.Small(0.5, repeats: 1, seed: seed).Graph.Map((node, inputs) =>
    {
        int own = node.Name.Length + seed;
        Tensor? value = !node.Name.Contains(".bn.", StringComparison.Ordinal) ? null
            : node.Name.EndsWith(".variance", StringComparison.Ordinal) ? RandomTensors.Uniform(node.Shape, own, 0.5, 2)
            : RandomTensors.Normal(node.Shape, own, 0.3, node.Name.EndsWith(".scale", StringComparison.Ordinal) ? 1 : 0);
        return value is null ? node.With(inputs) : Node.Weight(node.Name, value);
    });
}
