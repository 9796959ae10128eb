namespace Penjing.Models;

/// <summary>
/// MobileNet v2 (Sandler et al. 2018): inverted residual blocks with linear bottlenecks, ReLU6. Inputs are 1×channels×size×size, outputs 1×classes logits.
/// A width multiplier scales every layer's channels to the nearest multiple of 8, the last layer's only upwards.
/// </summary>
public static class MobileNetV2
{
    /// <summary>The paper's Table 2: expansion factor, channels, repeats, stride of the first.</summary>
    private static readonly (int Expansion, int Channels, int Repeats, int Stride)[] stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    /// <summary>The paper's network, for pictures of about 96 to 224 pixels; five halvings.</summary>
    /// <param name="width">The factor on channels: 1, 0.75, 0.5, 0.35, 1.4 or another.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false)
    {
        Architecture.Check("mobilenet-v2", size, channels, classes, width);
        Layers net = new(seed, new Clip(0, 6));
        Node x = net.Block("stem", Layers.Input(channels, size), Scaled(32), kernel: 3, stride: 2);
        int block = 0;
        foreach ((int expansion, int outputs, int repeats, int stride) in stages)
        {
            for (int i = 0; i < repeats; i++) x = Bottleneck(net, $"block{++block}", x, expansion, Scaled(outputs), i == 0 ? stride : 1);
        }
        x = net.Block("head", x, Architecture.Scaled(1280, Math.Max(1, width)), kernel: 1);
        Node features = new("classifier.dropout", new Dropout(0.2f), Layers.Pooled("classifier", x));
        return Architecture.Model(
            Architecture.Name("mobilenet-v2", width, size), net.Linear("classifier", features, classes), softmax, Architecture.ImageNet(channels));

        // Rounding never takes away more than a tenth.
        int Scaled(int channels) => Architecture.Scaled(channels, width) is int near && near < 0.9 * channels * width ? near + 8 : near;
    }

    /// <summary>Expand, filter each channel by itself, project; without an activation at the end, and around it where shapes allow.</summary>
    private static Node Bottleneck(Layers net, string name, Node x, int expansion, int channels, int stride)
    {
        Node wide = expansion == 1 ? x : net.Block(name + ".expand", x, x.Shape[1] * expansion, kernel: 1);
        Node filtered = net.Active(name + ".depthwise", net.Depthwise(name + ".depthwise", wide, stride));
        return stride == 1 && x.Shape[1] == channels
            ? new(name, new Add(), x, net.Residual(name + ".project", filtered, channels, kernel: 1))
            : net.Normal(name + ".project", filtered, channels, kernel: 1);
    }
}
