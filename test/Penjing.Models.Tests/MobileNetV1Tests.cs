namespace Penjing.Models.Tests;

/// <summary>MobileNet v1 is the paper's: its tables of parameters and multiply-accumulates come out, and seeds decide the weights.</summary>
public sealed class MobileNetV1Tests
{
    /// <summary>Tables 6 and 7 of the paper, millions of multiply-accumulates and of parameters.</summary>
    [Theory]
    [InlineData(1.0, 224, 569, 4.2)]
    [InlineData(0.75, 224, 325, 2.6)]
    [InlineData(0.5, 224, 149, 1.3)]
    [InlineData(0.25, 224, 41, 0.5)]
    [InlineData(1.0, 192, 418, 4.2)]
    [InlineData(1.0, 160, 290, 4.2)]
    [InlineData(1.0, 128, 186, 4.2)]
    [InlineData(0.5, 160, 76, 1.3)]
    public void CostsAreThePapers(double width, int size, int megaMacs, double megaParameters)
    {
        Graph graph = MobileNetV1.Build(width, size).Graph;
        Assert.Equal(megaMacs, Cost.Macs(graph) / 1e6, 1.0);
        Assert.Equal(megaParameters, Cost.Trainable(graph) / 1e6, 0.051);
    }

    /// <summary>The element count is exactly that of the network as Keras publishes it.</summary>
    [Fact]
    public void ParametersAreExactlyThose() => Assert.Equal(4_253_864, MobileNetV1.Build().Graph.Parameters);

    /// <summary>The output is logits or probabilities of every class, behind a last picture of 1/32 of the size, in the small variant of 1/8.</summary>
    [Fact]
    public void ShapesAreRight()
    {
        Assert.Equal([1, 1000], MobileNetV1.Build().Graph.Outputs[0].Shape);
        Assert.Equal([1, 1024, 7, 7], MobileNetV1.Build().Graph["block13.pointwise.relu"].Shape);
        Model small = MobileNetV1.Small(repeats: 2);
        Assert.Equal([1, 10], small.Graph.Outputs[0].Shape);
        Assert.Equal([1, 512, 4, 4], small.Graph["block10.pointwise.relu"].Shape);
        Assert.Equal("mobilenet-v1-small-0.5-28", small.Name);
        Assert.IsType<Softmax>(MobileNetV1.Small(softmax: true).Graph.Outputs[0].Op);
        Assert.Equal(new Clip(0, 6), MobileNetV1.Small(relu6: true).Graph["stem.relu"].Op);
        Assert.All(MobileNetV1.Build(0.3, 96).Graph.Nodes.Where(node => node.Op is Conv), node => Assert.Equal(0, node.Shape[1] % 8));
    }

    /// <summary>One seed gives the same bits each time, two seeds different ones, and a layer's deviation is He's.</summary>
    [Fact]
    public void SeedsDecideTheWeights()
    {
        Tensor Weights(int seed) => MobileNetV1.Small(seed: seed).Graph["block9.pointwise.weight"].Value!;
        Assert.True(Weights(7).BitsEqual(Weights(7)));
        Assert.False(Weights(7).BitsEqual(Weights(8)));
        float[] values = Weights(7).Floats.ToArray();
        Assert.Equal(Math.Sqrt(2.0 / 256), Math.Sqrt(values.Average(value => (double)value * value)), 0.001);
        Assert.Equal(0, values.Average(value => (double)value), 0.001);
    }

    /// <summary>A parameter that makes no network is answered with its name.</summary>
    [Fact]
    public void BadParametersAreNamed()
    {
        Assert.Contains("width", Assert.Throws<PenjingException>(() => MobileNetV1.Build(width: double.NaN)).Message, StringComparison.Ordinal);
        Assert.Contains("classes", Assert.Throws<PenjingException>(() => MobileNetV1.Build(classes: 0)).Message, StringComparison.Ordinal);
        Assert.Contains("repeats", Assert.Throws<PenjingException>(() => MobileNetV1.Small(repeats: -1)).Message, StringComparison.Ordinal);
    }
}
