using System.Collections.Immutable;

namespace Penjing.Models;

/// <summary>
/// A parser of pictures: a class for each pixel. A MobileNet v1 base (Howard et al. 2017) at a sixteenth or an eighth of the picture by dilation; a light context module, of a 1×1 convolution,
/// two dilated depthwise-separable ones and the mean of the whole picture, summed (after Chen et al. 2018, DeepLab v3+); a decoder that adds finer layers of the base at an eighth and a fourth; logits,
/// enlarged bilinearly. Inputs are 1×channels×height×width, outputs 1×classes×height×width logits.
/// </summary>
public static class ParseNet
{
    private const int ContextChannels = 128, MiddleChannels = 128, FineChannels = 64, Eighth = 5, Fourth = 3;
    private static readonly ImmutableArray<int> dilations = [2, 4];

    /// <summary>The usual picture, of a person: 384 high, 256 wide.</summary>
    public static Size Usual { get; } = new(384, 256);

    /// <summary>The network.</summary>
    /// <param name="width">MobileNet's α: a factor on every layer's channels.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="stride">By how much the base makes pictures smaller: 16, or 8, finer and slower.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(double width = 0.75, Size? size = null, int channels = 3, int classes = 18, int seed = 1, int stride = 16, bool softmax = false)
    {
        string name = stride == 8 ? "parsenet-s8" : "parsenet";
        Size picture = size ?? Usual;
        Architecture.Check(name, picture.Height, channels, classes, width, least: 32);
        Architecture.Check(name, picture.Width, channels, classes, width, least: 32);
        if (stride is not (8 or 16)) throw Architecture.Bad(name, nameof(stride), stride, "8 or 16");
        Layers net = new(seed, new Clip(0, 6), epsilon: 1e-3f);
        Node input = Layers.Input(channels, picture);
        ImmutableArray<Node> features = MobileNetV1.Base(net, input, width, stride);
        Node x = Context(net, features[^1], Scaled(ContextChannels));
        x = net.Separable("decoder1", Joined(net, "decoder1", x, features[Eighth]), Scaled(MiddleChannels));
        x = net.Block("decoder2.reduce", x, Scaled(FineChannels), kernel: 1);
        x = net.Separable("decoder2", Joined(net, "decoder2", x, features[Fourth]), Scaled(FineChannels));
        Node logits = Layers.Enlarged("logits", net.Conv("classifier", x, classes, kernel: 1), input);
        return new(new Graph(softmax ? new Node("probabilities", new Softmax(1), logits) : logits))
        {
            Name = Architecture.Name(name, width, picture), Preprocessing = Architecture.Uniform(channels, 127.5f, 127.5f) is { } uniform ? uniform with { Fit = Fit.Stretch } : null,
        };

        int Scaled(int channels) => Architecture.Scaled(channels, width);
    }

    /// <summary>What surrounds each pixel: near, further, and everywhere.</summary>
    private static Node Context(Layers net, Node x, int channels)
    {
        Node near = net.Block("context.near", x, channels, kernel: 1), sum = near;
        foreach (int dilation in dilations) sum = new Node($"context.sum{dilation}", new Add(), sum, net.Separable($"context.dilated{dilation}", near, channels, dilation));
        Node everywhere = net.Biased("context.everywhere", new Node("context.pool", new GlobalAveragePool(), x), channels, kernel: 1);
        return new("context", new Add(), sum, everywhere);
    }

    /// <summary>A picture enlarged to a finer one's size, and that one's channels, made as many, added.</summary>
    private static Node Joined(Layers net, string name, Node x, Node finer)
    {
        Node lateral = net.Normal(name + ".lateral", finer, x.Shape[1], kernel: 1);
        return net.Sum(name + ".sum", x.Shape[2] == lateral.Shape[2] && x.Shape[3] == lateral.Shape[3] ? x : Layers.Enlarged(name + ".enlarged", x, lateral), lateral);
    }
}
