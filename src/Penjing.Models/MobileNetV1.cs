using System.Collections.Immutable;

namespace Penjing.Models;

/// <summary>
/// MobileNet v1 (Howard et al. 2017): depthwise-separable blocks, BatchNormalization and ReLU behind every convolution, global pooling, a linear classifier.
/// Inputs are 1×channels×size×size, outputs 1×classes logits. A width multiplier scales every layer's channels, to the nearest multiple of 8 and at least 8.
/// </summary>
public static class MobileNetV1
{
    /// <summary>The paper's blocks.</summary>
    private static readonly ImmutableArray<Block> paper =
        [new(64, 1), new(128, 2), new(128, 1), new(256, 2), new(256, 1), new(512, 2), .. Enumerable.Repeat(new Block(512, 1), 5), new(1024, 2), new(1024, 1)];

    /// <summary>One depthwise-separable block.</summary>
    private readonly record struct Block(int Channels, int Stride);

    /// <summary>The paper's network, for pictures of about 128 to 224 pixels; five halvings.</summary>
    /// <param name="width">The paper's α: 1, 0.75, 0.5, 0.25 or another.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="relu6">ReLU6, as in TensorFlow's version, in place of the paper's ReLU.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is not positive.</exception>
    public static Model Build(double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool relu6 = false, bool softmax = false) =>
        Build("mobilenet-v1", width, size, channels, classes, seed, relu6, softmax, stem: 2, paper);

    /// <summary>
    /// The variant for small pictures such as 28×28 and 32×32: the stem and the last stage keep the picture's size, which leaves three halvings.
    /// </summary>
    /// <param name="width">The paper's α.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="repeats">How many 512-channel blocks of stride 1 there are: 5 in the paper, 0 in its shallow variant.</param>
    /// <param name="relu6">ReLU6 in place of ReLU.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is not positive.</exception>
    public static Model Small(
        double width = 0.5, int size = 28, int channels = 1, int classes = 10, int seed = 1, int repeats = 5, bool relu6 = false, bool softmax = false) =>
        Build("mobilenet-v1-small", width, size, channels, classes, seed, relu6, softmax, stem: 1, [
            new(64, 1), new(128, 2), new(128, 1), new(256, 2), new(256, 1), new(512, 2),
            .. Enumerable.Repeat(new Block(512, 1), Checked(repeats)), new(1024, 1), new(1024, 1)]);

    private static Model Build(
        string name, double width, int size, int channels, int classes, int seed, bool relu6, bool softmax, int stem, ImmutableArray<Block> blocks)
    {
        Architecture.Check(name, size, channels, classes, width);
        Layers net = new(seed, relu6 ? new Clip(0, 6) : new Relu(), epsilon: 1e-3f);
        Node x = Features(net, Layers.Input(channels, Size.Square(size)), width, stem, blocks, int.MaxValue)[^1];
        return Architecture.Model(Architecture.Name(name, width, size), net.Classifier(x, classes), softmax, Architecture.Uniform(channels, 127.5f, 127.5f));
    }

    /// <summary>
    /// What the paper's blocks yield, the stem first, as the base of another network. Where blocks would make pictures smaller than 1 / <paramref name="most"/>, kernels are
    /// dilated in place of strides, so that each sees as much as before (Chen et al. 2015).
    /// </summary>
    internal static ImmutableArray<Node> Base(Layers net, Node picture, double width, int most) => Features(net, picture, width, 2, paper, most);

    private static ImmutableArray<Node> Features(Layers net, Node picture, double width, int stem, ImmutableArray<Block> blocks, int most)
    {
        List<Node> features = [net.Block("stem", picture, Architecture.Scaled(32, width), kernel: 3, stem)];
        int reduction = stem, dilation = 1;
        foreach ((int i, Block block) in blocks.Index())
        {
            bool dilates = block.Stride > 1 && reduction * block.Stride > most;
            string depthwise = $"block{i + 1}.depthwise";
            Node x = net.Active(depthwise, net.Depthwise(depthwise, features[^1], dilates ? 1 : block.Stride, dilation));
            if (dilates) dilation *= block.Stride;
            else reduction *= block.Stride;
            features.Add(net.Block($"block{i + 1}.pointwise", x, Architecture.Scaled(block.Channels, width), kernel: 1));
        }
        return [.. features];
    }

    private static int Checked(int repeats) => repeats is >= 0 and <= 1000 ? repeats
        : throw Architecture.Bad("mobilenet-v1-small", nameof(repeats), repeats, "one from 0 to 1000");
}
