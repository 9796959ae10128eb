namespace Penjing.Models.Tests;

/// <summary>The parser is a MobileNet v1 base, dilated where it would become too small, with a decoder that answers each pixel.</summary>
public sealed class ParseNetTests
{
    [Theory]
    [InlineData(16, 24, 16)]
    [InlineData(8, 48, 32)]
    public void The_base_is_no_smaller_than_asked(int stride, int height, int width)
    {
        Graph graph = ParseNet.Build(0.5, stride: stride).Graph;
        Assert.Equal([1, 18, 384, 256], graph.Outputs[0].Shape);
        Assert.Equal([1, 512, height, width], graph["block13.pointwise.relu"].Shape);
        Assert.Equal([1, 64, 96, 64], graph["block3.pointwise.relu"].Shape);
    }

    /// <summary>A kernel behind strides that were left out sees what it saw: the base's weights are those of the paper's network, shape by shape and name by name.</summary>
    [Fact]
    public void The_bases_weights_are_mobilenets()
    {
        Graph base1 = MobileNetV1.Build(0.75).Graph;
        foreach (int stride in (int[])[8, 16])
        {
            Graph graph = ParseNet.Build(0.75, stride: stride).Graph;
            foreach (Node conv in base1.Nodes.Where(node => node.Op is Conv)) Assert.Equal(conv.Inputs[1].Shape, graph[conv.Inputs[1].Name].Shape);
            Assert.Equal(stride == 8 ? 4 : 2, ((Conv)graph["block13.depthwise"].Op).Dilation.Height);
            Assert.Equal(stride == 8 ? 2 : 1, ((Conv)graph["block12.depthwise"].Op).Dilation.Height);
        }
    }

    /// <summary>Any picture of 32 pixels and more, of any proportions, is answered in its own size.</summary>
    [Fact]
    public void Sizes_need_not_be_round()
    {
        foreach (Size size in (Size[])[new(32, 32), new(33, 47), new(100, 61), new(65, 128)])
            Assert.Equal([1, 3, size.Height, size.Width], ParseNet.Build(0.25, size, classes: 3).Graph.Outputs[0].Shape);
        Assert.IsType<Softmax>(ParseNet.Build(0.25, softmax: true).Graph.Outputs[0].Op);
        Assert.Equal(Fit.Stretch, ParseNet.Build(0.25).Preprocessing!.Fit);
    }

    [Fact]
    public void Bad_parameters_are_named()
    {
        Assert.Contains("stride 4", Assert.Throws<PenjingException>(() => ParseNet.Build(stride: 4)).Message, StringComparison.Ordinal);
        Assert.Contains("size 31", Assert.Throws<PenjingException>(() => ParseNet.Build(size: new(64, 31))).Message, StringComparison.Ordinal);
    }
}
