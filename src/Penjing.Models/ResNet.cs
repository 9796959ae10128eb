namespace Penjing.Models;

/// <summary>
/// ResNet (He et al. 2016): residual blocks of two 3×3 convolutions, or, in ResNet-50, of 1×1, 3×3, 1×1. Inputs are 1×channels×size×size, outputs 1×classes
/// logits. Shortcuts are projections where shapes change (the paper's option B).
/// </summary>
public static class ResNet
{
    /// <summary>The paper's network, for pictures of about 128 to 224 pixels; five halvings.</summary>
    /// <param name="depth">18, 34 or 50 layers.</param>
    /// <param name="width">A factor on every layer's channels, to the nearest multiple of 8.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="original">In ResNet-50: the stride in a block's first convolution, as the paper has it, in place of its 3×3 one ("version 1.5").</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(
        int depth = 50, double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool original = false, bool softmax = false)
    {
        // The paper's Table 1: blocks in each stage.
        int[] blocks = depth switch
        {
            18 => [2, 2, 2, 2],
            34 or 50 => [3, 4, 6, 3],
            _ => throw Architecture.Bad("resnet", nameof(depth), depth, "18, 34 or 50"),
        };
        Architecture.Check($"resnet-{depth}", size, channels, classes, width);
        Layers net = new(seed);
        Node x = net.Block("stem", Layers.Input(channels, size), Scaled(64), kernel: 7, stride: 2);
        x = Layers.MaxPool("stem.pool", x, kernel: 3, stride: 2, padding: 1);
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
            {
                string name = $"stage{stage + 1}.block{block + 1}";
                int narrow = Scaled(64 << stage), stride = stage > 0 && block == 0 ? 2 : 1, outputs = depth == 50 ? 4 * narrow : narrow;
                Node y = depth == 50 ? Bottleneck(net, name, x, narrow, stride, original) : Basic(net, name, x, narrow, stride);
                Node shortcut = stride > 1 || x.Shape[1] != outputs ? net.Normal(name + ".shortcut", x, outputs, kernel: 1, stride) : x;
                x = net.Sum(name, y, shortcut);
            }
        }
        string kind = $"resnet-{depth}{(original && depth == 50 ? "-original" : "")}";
        return Architecture.Model(
            Architecture.Name(kind, width == 1 ? null : width, size), net.Classifier(x, classes), softmax, Architecture.ImageNet(channels));

        int Scaled(int channels) => Architecture.Scaled(channels, width);
    }

    /// <summary>Two 3×3 convolutions.</summary>
    internal static Node Basic(Layers net, string name, Node x, int channels, int stride) =>
        net.Residual(name + ".conv2", net.Block(name + ".conv1", x, channels, kernel: 3, stride), channels, kernel: 3);

    /// <summary>1×1 to fewer channels, 3×3, 1×1 to four times as many.</summary>
    private static Node Bottleneck(Layers net, string name, Node x, int narrow, int stride, bool original)
    {
        Node reduced = net.Block(name + ".conv1", x, narrow, kernel: 1, original ? stride : 1);
        Node filtered = net.Block(name + ".conv2", reduced, narrow, kernel: 3, original ? 1 : stride);
        return net.Residual(name + ".conv3", filtered, 4 * narrow, kernel: 1);
    }
}
