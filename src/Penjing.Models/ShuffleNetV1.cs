namespace Penjing.Models;

/// <summary>
/// ShuffleNet (Zhang et al. 2017): residual units of grouped 1×1 convolutions with a channel shuffle between them. Inputs are 1×channels×size×size, outputs
/// 1×classes logits. More groups have wider layers, at about the same cost.
/// </summary>
public static class ShuffleNetV1
{
    /// <summary>Units of stage 2, 3 and 4, the first of each with stride 2.</summary>
    private static readonly int[] repeats = [4, 8, 4];

    /// <summary>The paper's network, for pictures of about 128 to 224 pixels; five halvings.</summary>
    /// <param name="groups">Groups of the 1×1 convolutions: 1, 2, 3, 4 or 8.</param>
    /// <param name="width">The paper's scale factor s on channels: 1, 0.5, 0.25, 1.5, 2 or another.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(
        int groups = 3, double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false)
    {
        Architecture.Check("shufflenet-v1", size, channels, classes, width);
        // The paper's Table 1.
        int stage2 = groups switch
        {
            1 => 144,
            2 => 200,
            3 => 240,
            4 => 272,
            8 => 384,
            _ => throw Architecture.Bad("shufflenet-v1", nameof(groups), groups, "1, 2, 3, 4 or 8"),
        };
        Layers net = new(seed);
        // The paper leaves the stem open: it widens in whole steps as in the authors' own networks, and below them meets the paper's complexity.
        int stem = width >= 1 ? 24 * (int)width : groups == 8 ? Architecture.Scaled(24, width) : 12;
        Node x = net.Block("stem", Layers.Input(channels, size), stem, kernel: 3, stride: 2);
        x = Layers.MaxPool("stem.pool", x, kernel: 3, stride: 2, padding: 1);
        for (int stage = 0; stage < repeats.Length; stage++)
        {
            int outputs = Architecture.Scaled(stage2 << stage, width, groups);
            for (int unit = 0; unit < repeats[stage]; unit++)
            {
                // The very first 1×1 convolution reads so few channels that it isn't grouped.
                bool dense = stage == 0 && unit == 0;
                x = Unit(net, $"stage{stage + 2}.unit{unit + 1}", x, outputs, unit == 0 ? 2 : 1, groups, dense ? 1 : groups);
            }
        }
        return Architecture.Model(
            Architecture.Name($"shufflenet-v1-g{groups}", width, size), net.Classifier(x, classes), softmax, Architecture.ImageNet(channels));
    }

    /// <summary>The paper's Figure 2 (b) and, at stride 2, (c).</summary>
    private static Node Unit(Layers net, string name, Node x, int outputs, int stride, int groups, int firstGroups)
    {
        int narrow = Architecture.Scaled(outputs, 0.25, groups);
        Node y = net.Block(name + ".reduce", x, narrow, kernel: 1, groups: firstGroups);
        if (groups > 1) y = new(name + ".shuffle", Gather.Shuffle(narrow, groups), y);
        y = net.Depthwise(name + ".depthwise", y, stride);
        if (stride == 1) return net.Sum(name, x, net.Residual(name + ".expand", y, outputs, kernel: 1, groups));
        y = net.Normal(name + ".expand", y, outputs - x.Shape[1], kernel: 1, groups: groups);
        AveragePool halve = new(Size.Square(3), Size.Square(2), Padding.All(1), CountIncludePad: true);
        return net.Active(name, Layers.Concat(name, new(name + ".pool", halve, x), y));
    }
}
