namespace Penjing.Models;

/// <summary>
/// LeNet-5 (LeCun et al. 1998) as Caffe has it and Han et al. 2015, 2016 compress it: wider than the original, maxima for pools, one ReLU. Inputs are
/// 1×channels×size×size, outputs 1×classes logits.
/// </summary>
public static class LeNet5
{
    /// <summary>The network, for MNIST's pictures or others as small.</summary>
    /// <param name="size">Height and width of the input picture, at least 16.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(int size = 28, int channels = 1, int classes = 10, int seed = 1, bool softmax = false)
    {
        Architecture.Check("lenet-5", size, channels, classes, least: 16);
        Layers net = new(seed);
        Node x = net.Conv("conv1", Layers.Input(channels, size), 20, kernel: 5, padding: 0);
        x = Layers.MaxPool("pool1", x, kernel: 2, stride: 2, ceil: true);
        x = net.Conv("conv2", x, 50, kernel: 5, padding: 0);
        x = Layers.MaxPool("pool2", x, kernel: 2, stride: 2, ceil: true);
        x = net.Active("ip1", net.Linear("ip1", Layers.Flat("ip1", x), 500, gain: 2));
        return Architecture.Model(Architecture.Name("lenet-5", null, size), net.Linear("ip2", x, classes), softmax, Architecture.Uniform(channels, 0, 256));
    }
}
