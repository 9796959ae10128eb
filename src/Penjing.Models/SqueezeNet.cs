namespace Penjing.Models;

/// <summary>
/// SqueezeNet (Iandola et al. 2016): fire modules, a 1×1 squeeze before 1×1 and 3×3 expansions side by side; a convolution as classifier.
/// Inputs are 1×channels×size×size, outputs 1×classes logits.
/// </summary>
public static class SqueezeNet
{
    /// <summary>The paper's network, version 1.0.</summary>
    /// <param name="size">Height and width of the input picture, at least 29; 224, or 227 in Caffe.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Version10(int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false) =>
        Build("squeezenet-1.0", stem: (96, 7), pools: [1, 4, 8], least: 29, size, channels, classes, seed, softmax);

    /// <summary>Version 1.1 by the same authors: a smaller stem and earlier pools, 2.4 times less work for the same accuracy.</summary>
    /// <param name="size">Height and width of the input picture, at least 25; 224, or 227 in Caffe.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Version11(int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false) =>
        Build("squeezenet-1.1", stem: (64, 3), pools: [1, 3, 5], least: 25, size, channels, classes, seed, softmax);

    private static Model Build(
        string name, (int Channels, int Kernel) stem, ReadOnlySpan<int> pools, int least, int size, int channels, int classes, int seed, bool softmax)
    {
        Architecture.Check(name, size, channels, classes, least: least);
        Layers net = new(seed);
        Node x = net.Biased("conv1", Layers.Input(channels, size), stem.Channels, stem.Kernel, stride: 2, padding: 0);
        for (int layer = 1; layer <= 9; layer++)
        {
            if (layer > 1) x = Fire(net, $"fire{layer}", x, squeeze: 16 * (layer / 2));
            if (pools.Contains(layer)) x = Layers.MaxPool($"pool{layer}", x, kernel: 3, stride: 2, ceil: true);
        }
        Node classifier = net.Biased("conv10", new Node("drop9", new Dropout(), x), classes, kernel: 1);
        return Architecture.Model(Architecture.Name(name, null, size), Layers.Pooled("conv10", classifier), softmax, Architecture.ImageNet(channels));
    }

    private static Node Fire(Layers net, string name, Node x, int squeeze)
    {
        Node squeezed = net.Biased(name + ".squeeze", x, squeeze, kernel: 1);
        Node narrow = net.Biased(name + ".expand1", squeezed, 4 * squeeze, kernel: 1), wide = net.Biased(name + ".expand3", squeezed, 4 * squeeze, kernel: 3);
        return Layers.Concat(name, narrow, wide);
    }
}
