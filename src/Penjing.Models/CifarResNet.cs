namespace Penjing.Models;

/// <summary>
/// The ResNets for CIFAR-10 (He et al. 2016, section 4.2): three stages of 16, 32 and 64 channels, 6n + 2 layers. Inputs are 1×channels×size×size, outputs
/// 1×classes logits. Shortcuts have no weights (the paper's option A): every other pixel, and channels of zeros.
/// </summary>
public static class CifarResNet
{
    /// <summary>The paper's network, for pictures of about 32 pixels; two halvings.</summary>
    /// <param name="depth">6n + 2 layers: 20, 32, 44, 56, 110 or another.</param>
    /// <param name="width">A factor on every layer's channels.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="seed">What the initial weights follow from.</param>
    /// <param name="projections">Shortcuts of 1×1 convolutions where shapes change (option B).</param>
    /// <param name="softmax">Probabilities in place of logits.</param>
    /// <exception cref="PenjingException">A parameter is out of its range.</exception>
    public static Model Build(
        int depth = 20, double width = 1, int size = 32, int channels = 3, int classes = 10, int seed = 1, bool projections = false, bool softmax = false)
    {
        if (depth < 8 || depth > 1202 || depth % 6 != 2) throw Architecture.Bad("cifar-resnet", nameof(depth), depth, "6n + 2, such as 20 or 56");
        Architecture.Check($"cifar-resnet-{depth}", size, channels, classes, width);
        Layers net = new(seed);
        Node x = net.Block("stem", Layers.Input(channels, size), Scaled(16), kernel: 3);
        for (int stage = 0; stage < 3; stage++)
        {
            for (int block = 0; block < (depth - 2) / 6; block++)
            {
                string name = $"stage{stage + 1}.block{block + 1}";
                int outputs = Scaled(16 << stage), stride = stage > 0 && block == 0 ? 2 : 1;
                Node y = ResNet.Basic(net, name, x, outputs, stride);
                Node shortcut = stride == 1 ? x : projections ? net.Normal(name + ".shortcut", x, outputs, kernel: 1, stride) : Thinned(name, x, outputs);
                x = net.Sum(name, y, shortcut);
            }
        }
        string kind = $"cifar-resnet-{depth}{(projections ? "-projections" : "")}";
        return Architecture.Model(
            Architecture.Name(kind, width == 1 ? null : width, size), net.Classifier(x, classes), softmax, Preprocessing(channels));

        int Scaled(int channels) => Architecture.Scaled(channels, width, 4);
    }

    /// <summary>Every other row and column, and behind the channels as many of zeros as are missing.</summary>
    private static Node Thinned(string name, Node x, int outputs)
    {
        Node rows = new(name + ".rows", new Slice(2, 0, int.MaxValue, 2), x), pixels = new(name + ".columns", new Slice(3, 0, int.MaxValue, 2), rows);
        return new(name + ".shortcut", new Pad(1, 0, outputs - x.Shape[1]), pixels);
    }

    /// <summary>CIFAR-10's mean and deviation.</summary>
    private static Preprocessing? Preprocessing(int channels) => channels == 3
        ? new(Channels.Rgb, [125.307f, 122.95f, 113.865f], [62.993f, 62.089f, 66.705f])
        : Architecture.Uniform(channels, 122, 64);
}
