namespace Penjing.Models;

/// <summary>
/// VGG-16 (Simonyan and Zisserman 2015, configuration D): 3×3 convolutions, five halvings, two hidden layers of 4096. Inputs are 1×channels×size×size, outputs
/// 1×classes logits.
/// </summary>
public static class Vgg16
{
    /// <summary>The paper's Table 1: channels and convolutions of each stage.</summary>
    private static readonly (int Channels, int Repeats)[] stages = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

    /// <summary>The paper's network; the first hidden layer reads (size / 32)² pixels of 512 channels.</summary>
    /// <param name="width">A factor on every layer's channels, to the nearest multiple of 8.</param>
    /// <param name="size">Height and width of the input picture, at least 32.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(double width = 1, int size = 224, int channels = 3, int classes = 1000, int seed = 1, bool softmax = false)
    {
        Architecture.Check("vgg-16", size, channels, classes, width, least: 32);
        Layers net = new(seed);
        Node x = Layers.Input(channels, size);
        for (int stage = 1; stage <= stages.Length; stage++)
        {
            (int outputs, int repeats) = stages[stage - 1];
            for (int i = 1; i <= repeats; i++) x = net.Biased($"conv{stage}_{i}", x, Scaled(outputs), kernel: 3);
            x = Layers.MaxPool($"pool{stage}", x, kernel: 2, stride: 2);
        }
        x = Layers.Flat("fc6", x);
        foreach (string name in (string[])["fc6", "fc7"])
            x = new(name + ".dropout", new Dropout(), net.Active(name, net.Linear(name, x, Scaled(4096), gain: 2)));
        return Architecture.Model(
            Architecture.Name("vgg-16", width == 1 ? null : width, size), net.Linear("fc8", x, classes), softmax, Architecture.ImageNet(channels));

        int Scaled(int channels) => Architecture.Scaled(channels, width);
    }

    /// <summary>
    /// The variant for small pictures such as 28×28 and 32×32, in the form in which Liu et al. 2017 slim a VGG: BatchNormalization behind every convolution, four halvings, and in place of
    /// the fifth and the hidden layers the mean over the picture.
    /// </summary>
    /// <param name="width">A factor on every layer's channels, to the nearest multiple of 8.</param>
    /// <param name="size">Height and width of the input picture, at least 16.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Small(double width = 1, int size = 32, int channels = 3, int classes = 10, int seed = 1, bool softmax = false)
    {
        Architecture.Check("vgg-16-small", size, channels, classes, width, least: 16);
        Layers net = new(seed);
        Node x = Layers.Input(channels, size);
        for (int stage = 1; stage <= stages.Length; stage++)
        {
            (int outputs, int repeats) = stages[stage - 1];
            for (int i = 1; i <= repeats; i++) x = net.Block($"conv{stage}_{i}", x, Architecture.Scaled(outputs, width), kernel: 3);
            if (stage < stages.Length) x = Layers.MaxPool($"pool{stage}", x, kernel: 2, stride: 2);
        }
        return Architecture.Model(
            Architecture.Name("vgg-16-small", width == 1 ? null : width, size), net.Classifier(x, classes), softmax, Architecture.Uniform(channels, 122, 64));
    }
}
