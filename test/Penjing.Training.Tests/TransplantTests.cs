using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>A trained base under a new network: its features are the new network's, before training and when training begins.</summary>
public sealed class TransplantTests
{
    private static readonly Size Picture = new(64, 32);

    /// <summary>Whole or with its normalization folded away, under the same names or others.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_bases_features_are_the_networks(bool folded, bool renamed)
    {
        Graph source = Statistics.Drawn(MobileNetV1.Build(0.25, 64, classes: 5, relu6: true, seed: 7).Graph.WithSize(Picture.Height, Picture.Width));
        Node last = source["block11.pointwise.relu"];
        Tensor picture = RandomTensors.Normal(source.Inputs[0].Shape, 3);
        Tensor expected = Reference.Run(new Graph(last), picture)[0];
        if (folded) source = source.Rewrite(Passes.Folding);
        if (renamed) source = source.Map((node, inputs) => new($"{node.Name}/1", node.Op, inputs));
        Model network = ParseNet.Build(0.25, Picture, classes: 4, seed: 2);
        (Model founded, ImmutableArray<string> normalizations) = Transplant.Into(network, new(source) { Preprocessing = new(Channels.Rgb, [1, 2, 3], [4, 5, 6]) });
        Assert.Equal(27, normalizations.Length);
        Assert.Equal(new(Channels.Rgb, [1, 2, 3], [4, 5, 6], Fit.Stretch), founded.Preprocessing);
        Check(founded.Graph);
        DataSet data = Noise();
        Model renormalized = BatchNormStatistics.Renormalize(founded, normalizations, data, pictures: 8);
        Check(renormalized.Graph);
        // Training normalizes by the batch, as this estimation does: the features are still there, which without measuring anew they are not.
        Tensor seen = data.Train.Picture(0).ToInput(founded.Preprocessing!, network.Graph.Inputs[0].Shape);
        Assert.InRange(Change(renormalized), 0, 0.2);
        Assert.InRange(Change(founded), 0.5, double.PositiveInfinity);

        double Change(Model before)
        {
            float[] was = Features(before.Graph, seen).Floats.ToArray(), now = Features(BatchNormStatistics.Estimate(before, data, pictures: 8).Graph, seen).Floats.ToArray();
            return was.Zip(now, (one, other) => Math.Abs(one - other)).Sum() / was.Sum(Math.Abs);
        }

        void Check(Graph graph) => Closeness.Check(expected, Features(graph, picture), 1e-3, $"folded {folded}, renamed {renamed}");
    }

    [Fact]
    public void Paddings_are_the_bases()
    {
        Graph source = MobileNetV1.Build(0.25, 64, classes: 5).Graph.Map((node, inputs) => node.Op is Conv { Stride.Height: 2 } conv ? new(node.Name, conv with { Padding = new(0, 0, 1, 1) }, inputs) : node.With(inputs));
        Graph founded = Transplant.Into(ParseNet.Build(0.25, Picture), new(source)).Model.Graph;
        Assert.All(founded.Nodes.Where(node => node.Op is Conv { Stride.Height: 2 }), node => Assert.Equal(new Padding(0, 0, 1, 1), ((Conv)node.Op).Padding));
        Assert.Equal([1, 18, Picture.Height, Picture.Width], founded.Outputs[0].Shape);
    }

    [Fact]
    public void Another_width_is_refused() =>
        Assert.Contains("8×3×3×3", Assert.Throws<PenjingException>(() => Transplant.Into(ParseNet.Build(0.5, Picture), MobileNetV1.Build(0.25, 64))).Message);

    private static Tensor Features(Graph graph, Tensor picture) => Reference.Run(new Graph(graph["block11.pointwise.relu"]), picture)[0];

    private static DataSet Noise()
    {
        byte[] pixels = new byte[8 * Picture.Height * Picture.Width * 3];
        new Random(5).NextBytes(pixels);
        MemorySplit pictures = new(Picture, Channels.Rgb, [.. Enumerable.Range(0, 8).Select(_ => 0)], pixels);
        Samples.MaskedPictures masked = new(pictures, [.. Enumerable.Range(0, 8).Select(_ => new byte[Picture.Height * Picture.Width])]);
        return new("noise", "made up", ["a", "b", "c", "d"], masked, masked, new(Channels.Rgb, [1, 2, 3], [4, 5, 6], Fit.Stretch));
    }
}
