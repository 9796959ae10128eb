using Penjing.Testing;

namespace Penjing.Models.Tests;

/// <summary>A network begins anew for other classes.</summary>
public sealed class HeadTests
{
    [Theory]
    [InlineData("mobilenet-v1-small-0.25", null)]
    [InlineData("squeezenet-1.1", null)]
    [InlineData("resnet-18", 0.25)]
    [InlineData("lenet-5", null)]
    [InlineData("lenet-300-100", null)]
    [InlineData("vgg-16-small", 0.25)]
    [InlineData("parsenet-0.75", 0.25)]
    public void Only_the_last_layer_begins_anew(string name, double? width)
    {
        Model model = Zoo.Find(name).Build(new() { Width = width, Size = Size.Square(32), Channels = 3, Classes = 10, Seed = 1, Softmax = true }) with { Labels = ["a"] };
        // Biases begin at zero: one that stays as it was is to be told from a new one.
        model = model with { Graph = model.Graph.Map((node, inputs) => node is { Op: Constant, Shape: { Rank: 1 } shape } ? Node.Weight(node.Name, Tensor.Build<float>(shape, values => values.Fill(0.5f))) : node.With(inputs)) };
        foreach (int classes in new[] { 7, 10, 19 })
        {
            Model other = Head.Replace(model, classes, seed: 5);
            Assert.Equal(model.Graph.Outputs[0].Shape.With(1, classes), other.Graph.Outputs[0].Shape);
            Assert.Empty(other.Labels);
            string[] changed = [.. model.Graph.Weights.Where(weight => !weight.Value!.Bytes.Span.SequenceEqual(other.Graph[weight.Name].Value!.Bytes.Span)).Select(weight => weight.Name)];
            Assert.Equal([.. model.Graph.Nodes.Last(node => node.Op is Conv or Gemm).Inputs.Skip(1).Select(weight => weight.Name).Order()], changed.Order());
            Assert.Equal(model.Graph.Weights.Select(weight => weight.Name), other.Graph.Weights.Select(weight => weight.Name));
            Assert.DoesNotContain(Reference.Run(other.Graph, RandomTensors.Normal(other.Graph.Inputs[0].Shape, 3))[0].Floats.ToArray(), value => !float.IsFinite(value));
            Closeness.CheckBits(other.Graph[changed[0]].Value!, Head.Replace(model, classes, seed: 5).Graph[changed[0]].Value!, "the same seed");
        }
    }

    [Fact]
    public void A_bias_and_a_shape_behind_the_last_layer_follow()
    {
        Node x = new("x", new Input(ElementType.Float32, [2, 6])), product = new("product", new MatMul(), x, Node.Weight("weight", RandomTensors.Normal([6, 4], 1)));
        Node sum = new("sum", new Add(), product, Node.Weight("bias", RandomTensors.Normal([4], 2))), shaped = new("shaped", new Reshape([2, 4, 1, 1]), sum);
        Graph graph = Head.Replace(new(new Graph(new Node("y", new Softmax(), shaped))), 3, 1).Graph;
        Assert.Equal(new Shape([2, 3, 1, 1]), graph.Outputs[0].Shape);
        Assert.Equal([0, 0, 0], graph["bias"].Value!.Floats.ToArray());
    }

    /// <summary>One class, as many as the batch, as many as features: only the classes' extent changes.</summary>
    [Theory]
    [InlineData(1, 1, 6)]
    [InlineData(4, 4, 6)]
    [InlineData(2, 6, 6)]
    [InlineData(1, 1, 1)]
    public void Extents_that_are_alike_are_told_apart(int batch, int classes, int features)
    {
        Node x = new("x", new Input(ElementType.Float32, [batch, features, 1, 1])), conv = new("conv", new Conv(Size.One, Padding.All(0), Size.One), x, Node.Weight("w", RandomTensors.Normal([classes, features, 1, 1], 1)));
        Node sum = new("sum", new Add(), Node.Weight("b", RandomTensors.Normal([1, classes, 1, 1], 2)), conv), shaped = new("shaped", new Reshape([batch, classes]), sum);
        Assert.Equal(new Shape([batch, 3]), Head.Replace(new(new Graph(shaped)), 3, 1).Graph.Outputs[0].Shape);
        Node flat = new("flat", new Flatten(), x), product = new("product", new Gemm(), flat, Node.Weight("v", RandomTensors.Normal([features, classes], 1)), Node.Weight("c", RandomTensors.Normal([1, classes], 1)));
        Assert.Equal(new Shape([batch, 3]), Head.Replace(new(new Graph(product)), 3, 1).Graph.Outputs[0].Shape);
    }

    /// <summary>A bias that two layers read stays as it was for the one before.</summary>
    [Fact]
    public void A_shared_bias_is_kept_for_the_other()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 4])), bias = Node.Weight("bias", RandomTensors.Normal([4], 4));
        Node one = new("one", new Gemm(), x, Node.Weight("v", RandomTensors.Normal([4, 4], 1)), bias), two = new("two", new Gemm(), one, Node.Weight("w", RandomTensors.Normal([4, 4], 2)), bias);
        Graph graph = Head.Replace(new(new Graph(two)), 3, 1).Graph;
        Closeness.CheckBits(bias.Value!, graph["one"].Inputs[2].Value!, "the first layer's bias");
        Assert.Equal([0, 0, 0], graph["two"].Inputs[2].Value!.Floats.ToArray());
    }

    [Fact]
    public void What_has_no_last_layer_is_named()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 4, 3, 3]));
        Node one = new("one", new Conv(Size.One, Padding.All(0), Size.One), x, Node.Weight("w1", RandomTensors.Normal([4, 4, 1, 1], 1))), two = new("two", new Conv(Size.One, Padding.All(0), Size.One), x, Node.Weight("w2", RandomTensors.Normal([4, 4, 1, 1], 2)));
        Assert.Contains("'both'", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(new Node("both", new Add(), one, two))), 3, 1)).Message);
        Node late = new("late", new ConvTranspose(Size.One, Padding.All(0), Size.One), one, Node.Weight("w3", RandomTensors.Normal([4, 4, 1, 1], 3)));
        Assert.Contains("'late'", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(late)), 4, 1)).Message);
        Node grouped = new("grouped", new Conv(Size.One, Padding.All(0), Size.One, 4), one, Node.Weight("w4", RandomTensors.Normal([4, 1, 1, 1], 3)));
        Assert.Contains("'grouped'", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(grouped)), 4, 1)).Message);
        Node left = new("left", new Input(ElementType.Float32, [1, 4])), fused = new("fused", new Gemm(), left, Node.Weight("w5", RandomTensors.Normal([4, 4], 3)), new Node("relu", new Relu(), left));
        Assert.Contains("'fused'", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(fused)), 4, 1)).Message);
        Assert.Contains("2 outputs", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph([one, two])), 3, 1)).Message);
        Node scaled = new("scaled", new BatchNormalization(), [one, .. Enumerable.Range(0, 4).Select(i => Node.Weight($"s{i}", RandomTensors.Normal([4], i)))]);
        Assert.Contains("3 classes", Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(scaled)), 3, 1)).Message);
        Assert.Throws<PenjingException>(() => Head.Replace(new(new Graph(one)), 0, 1));
    }
}
