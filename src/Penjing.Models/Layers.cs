using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Models;

/// <summary>
/// The layers that the zoo's architectures are made of: each adds its weights, named after it, and returns its value. Weights are drawn in the order of
/// the calls.
/// </summary>
/// <param name="seed">What the initial weights follow from.</param>
/// <param name="activation">What <see cref="Active"/> applies.</param>
/// <param name="epsilon">What BatchNormalization adds to variances.</param>
internal sealed class Layers(int seed, Activation activation, float epsilon = 1e-5f)
{
    private readonly Initializer initializer = new(seed);

    /// <summary>Layers with ReLU.</summary>
    public Layers(int seed) : this(seed, new Relu()) { }

    /// <summary>The network's picture, 1×channels×size×size.</summary>
    public static Node Input(int channels, int size) => Input(channels, Size.Square(size));

    /// <summary>The network's picture, 1×channels×height×width.</summary>
    public static Node Input(int channels, Size size) => new("input", new Input(ElementType.Float32, [1, channels, size.Height, size.Width]));

    /// <summary>Square convolution with a bias and an activation; padded such that stride 1 keeps the picture's size, unless told otherwise.</summary>
    public Node Biased(string name, Node x, int channels, int kernel, int stride = 1, int? padding = null) =>
        Active(name, Conv(name, x, channels, kernel, stride, padding, biased: true));

    /// <summary>Square convolution without bias, BatchNormalization, activation.</summary>
    public Node Block(string name, Node x, int channels, int kernel, int stride = 1, int groups = 1) =>
        Active(name, Normal(name, x, channels, kernel, stride, groups));

    /// <summary>Square convolution without bias, BatchNormalization.</summary>
    public Node Normal(string name, Node x, int channels, int kernel, int stride = 1, int groups = 1, int dilation = 1) =>
        Normalized(name, Conv(name, x, channels, kernel, stride, padding: null, biased: false, groups, dilation), scale: 1);

    /// <summary>The last layer of a block's residual, which is added to its input: as <see cref="Normal"/>, but scaled to a tenth at first.</summary>
    /// <remarks>
    /// Blocks that begin near the identity train sooner and at higher rates (Goyal et al. 2017, section 5.1, where they begin at zero). At a tenth, every
    /// weight of an untrained network still counts in its answer.
    /// </remarks>
    public Node Residual(string name, Node x, int channels, int kernel, int groups = 1) =>
        Normalized(name, Conv(name, x, channels, kernel, padding: null, biased: false, groups: groups), scale: 0.1f);

    /// <summary>A depthwise convolution without bias, and BatchNormalization.</summary>
    public Node Depthwise(string name, Node x, int stride = 1, int dilation = 1) => Normal(name, x, x.Shape[1], kernel: 3, stride, groups: x.Shape[1], dilation);

    /// <summary>A depthwise-separable block: a depthwise convolution, then a 1×1 one, both with BatchNormalization and activation.</summary>
    public Node Separable(string name, Node x, int channels, int dilation = 1) =>
        Block(name + ".pointwise", Active(name + ".depthwise", Depthwise(name + ".depthwise", x, dilation: dilation)), channels, kernel: 1);

    /// <summary>The activation, as the node name.relu.</summary>
    public Node Active(string name, Node x) => new(name + ".relu", activation, x);

    /// <summary>Square convolution, with or without a bias of zeros.</summary>
    public Node Conv(string name, Node x, int channels, int kernel, int stride = 1, int? padding = null, bool biased = true, int groups = 1, int dilation = 1)
    {
        int perGroup = x.Shape[1] / groups;
        Node weights = Node.Weight(name + ".weight", initializer.Normal([channels, perGroup, kernel, kernel], perGroup * kernel * kernel));
        Conv conv = new(Size.Square(stride), Padding.All(padding ?? kernel / 2 * dilation), Size.Square(dilation), groups);
        return biased ? new(name, conv, x, weights, Node.Weight(name + ".bias", Zeros(channels))) : new(name, conv, x, weights);
    }

    /// <summary>The largest of each square window.</summary>
    public static Node MaxPool(string name, Node x, int kernel, int stride, int padding = 0, bool ceil = false) =>
        new(name, new MaxPool(Size.Square(kernel), Size.Square(stride), Padding.All(padding), Size.One, ceil), x);

    /// <summary>Each channel's mean over the picture: N×C×H×W to N×C.</summary>
    public static Node Pooled(string name, Node x) => Flat(name, new(name + ".pool", new GlobalAveragePool(), x));

    /// <summary>All of a picture's elements in one row: N×C×H×W to N×CHW.</summary>
    public static Node Flat(string name, Node x) => new(name + ".flatten", new Flatten(), x);

    /// <summary>The values next to each other, channel by channel.</summary>
    public static Node Concat(string name, params ImmutableArray<Node> parts) => new(name, new Concat(1), parts);

    /// <summary>A picture enlarged to the size of another, bilinearly.</summary>
    public static Node Enlarged(string name, Node x, Node to) => new(name, new Resize(new(to.Shape[2], to.Shape[3]), ResizeMode.Linear), x);

    /// <summary>A sum, then the activation.</summary>
    public Node Sum(string name, Node left, Node right) => Active(name, new(name, new Add(), left, right));

    /// <summary>A linear layer: N×C to N×features. Its weights suit a ReLU behind it at gain 2, and none at 1.</summary>
    public Node Linear(string name, Node x, int features, double gain = 1)
    {
        Node weights = Node.Weight(name + ".weight", initializer.Normal([features, x.Shape[1]], x.Shape[1], gain));
        return new(name, new Gemm(TransposeB: true), x, weights, Node.Weight(name + ".bias", Zeros(features)));
    }

    /// <summary>Each channel's mean over the picture, then a linear layer: N×C×H×W to N×classes.</summary>
    public Node Classifier(Node x, int classes) => Linear("classifier", Pooled("classifier", x), classes);

    /// <summary>BatchNormalization of a layer, all its scales the same.</summary>
    private Node Normalized(string name, Node x, float scale)
    {
        Tensor zeros = Zeros(x.Shape[1]);
        return new(name + ".bn", new BatchNormalization(epsilon), x, Node.Weight(name + ".bn.scale", Filled(scale)), Node.Weight(name + ".bn.bias", zeros),
            Node.Weight(name + ".bn.mean", zeros), Node.Weight(name + ".bn.variance", Filled(1)));

        Tensor Filled(float value) => Tensor.Build<float>([x.Shape[1]], values => values.Fill(value));
    }

    private static Tensor Zeros(int count) => Tensor.Zeros(ElementType.Float32, [count]);
}
