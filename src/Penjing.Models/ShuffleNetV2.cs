namespace Penjing.Models;

/// <summary>
/// ShuffleNet v2 (Ma et al. 2018): half of the channels pass each unit untouched, and a shuffle mixes the halves behind it. Inputs are 1×channels×size×size,
/// outputs 1×classes logits.
/// </summary>
public static class ShuffleNetV2
{
    /// <summary>Units of stage 2, 3 and 4, the first of each with stride 2.</summary>
    private static readonly int[] repeats = [4, 8, 4];

    /// <summary>The paper's network, for pictures of about 128 to 224 pixels; five halvings.</summary>
    /// <param name="width">The paper's scale on channels: 0.5, 1, 1.5, 2, or another about 244 channels in stage 2 at 2.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false)
    {
        Architecture.Check("shufflenet-v2", size, channels, classes, width);
        // The paper's Table 5.
        (int stage2, int last) = width switch
        {
            0.5 => (48, 1024),
            1 => (116, 1024),
            1.5 => (176, 1024),
            2 => (244, 2048),
            _ => (Architecture.Scaled(122, width, 2), width < 2 ? 1024 : 2048),
        };
        Layers net = new(seed);
        Node x = net.Block("stem", Layers.Input(channels, size), 24, kernel: 3, stride: 2);
        x = Layers.MaxPool("stem.pool", x, kernel: 3, stride: 2, padding: 1);
        for (int stage = 0; stage < repeats.Length; stage++)
        {
            for (int unit = 0; unit < repeats[stage]; unit++)
            {
                string name = $"stage{stage + 2}.unit{unit + 1}";
                x = unit == 0 ? Halving(net, name, x, stage2 << stage) : Unit(net, name, x);
            }
        }
        x = net.Block("head", x, last, kernel: 1);
        return Architecture.Model(Architecture.Name("shufflenet-v2", width, size), net.Classifier(x, classes), softmax, Architecture.ImageNet(channels));
    }

    /// <summary>The paper's Figure 3 (c).</summary>
    private static Node Unit(Layers net, string name, Node x)
    {
        int half = x.Shape[1] / 2;
        Node kept = new(name + ".kept", new Slice(1, 0, half), x), changed = new(name + ".changed", new Slice(1, half, 2 * half), x);
        return Shuffled(name, kept, Branch(net, name, changed, half, stride: 1));
    }

    /// <summary>The paper's Figure 3 (d).</summary>
    private static Node Halving(Layers net, string name, Node x, int outputs)
    {
        Node kept = net.Block(name + ".shortcut.project", net.Depthwise(name + ".shortcut.depthwise", x, stride: 2), outputs / 2, kernel: 1);
        return Shuffled(name, kept, Branch(net, name, x, outputs / 2, stride: 2));
    }

    private static Node Branch(Layers net, string name, Node x, int outputs, int stride)
    {
        Node y = net.Block(name + ".reduce", x, outputs, kernel: 1);
        return net.Block(name + ".expand", net.Depthwise(name + ".depthwise", y, stride), outputs, kernel: 1);
    }

    private static Node Shuffled(string name, Node left, Node right)
    {
        Node both = Layers.Concat(name, left, right);
        return new(name + ".shuffle", Gather.Shuffle(both.Shape[1], 2), both);
    }
}
