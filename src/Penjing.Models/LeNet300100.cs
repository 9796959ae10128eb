namespace Penjing.Models;

/// <summary>
/// LeNet-300-100 (LeCun et al. 1998), two hidden layers, with ReLUs as in Han et al. 2015, 2016, who compress it. Inputs are 1×channels×size×size, outputs
/// 1×classes logits.
/// </summary>
public static class LeNet300100
{
    /// <summary>The network, for MNIST's pictures or others as small.</summary>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(int size = 28, int channels = 1, int classes = 10, int seed = 1, bool softmax = false)
    {
        Architecture.Check("lenet-300-100", size, channels, classes);
        Layers net = new(seed);
        Node x = Layers.Flat("ip1", Layers.Input(channels, size));
        x = net.Active("ip1", net.Linear("ip1", x, 300, gain: 2));
        x = net.Active("ip2", net.Linear("ip2", x, 100, gain: 2));
        return Architecture.Model(
            Architecture.Name("lenet-300-100", null, size), net.Linear("ip3", x, classes), softmax, Architecture.Uniform(channels, 0, 256));
    }
}
