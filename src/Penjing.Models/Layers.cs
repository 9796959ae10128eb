namespace Penjing.Models;

/// <summary>The layers that the zoo's architectures are made of: each adds its weights, named after it, and returns its value.</summary>
/// <param name="seed">What the initial weights follow from.</param>
/// <param name="activation">What stands behind a <see cref="Block"/>.</param>
internal sealed class Layers(int seed, Activation activation)
{
    private const float Epsilon = 1e-3f;
    private readonly Initializer initializer = new(seed);

    /// <summary>Square convolution without bias, BatchNormalization, activation; padded such that stride 1 keeps the picture's size.</summary>
    public Node Block(string name, Node x, int channels, int kernel, int stride = 1, int groups = 1)
    {
        int perGroup = x.Shape[1] / groups;
        Tensor weights = initializer.Normal([channels, perGroup, kernel, kernel], perGroup * kernel * kernel);
        Conv conv = new(Size.Square(stride), Padding.All(kernel / 2), Size.One, groups);
        return new(name + ".relu", activation, BatchNormalization(name + ".bn", new(name, conv, x, Node.Weight(name + ".weight", weights))));
    }

    /// <summary>Each channel's mean over the picture, then a linear layer: N×C×H×W to N×classes.</summary>
    public Node Classifier(string name, Node x, int classes)
    {
        Node flat = new(name + ".flatten", new Flatten(), new Node(name + ".pool", new GlobalAveragePool(), x));
        int features = flat.Shape[1];
        Node weights = Node.Weight(name + ".weight", initializer.Normal([classes, features], features, gain: 1));
        return new(name, new Gemm(TransposeB: true), flat, weights, Node.Weight(name + ".bias", Tensor.Zeros(ElementType.Float32, [classes])));
    }

    private static Node BatchNormalization(string name, Node x)
    {
        Shape vector = [x.Shape[1]];
        Tensor zeros = Tensor.Zeros(ElementType.Float32, vector), ones = Tensor.Build<float>(vector, values => values.Fill(1));
        return new(name, new BatchNormalization(Epsilon), x,
            Node.Weight(name + ".scale", ones), Node.Weight(name + ".bias", zeros), Node.Weight(name + ".mean", zeros), Node.Weight(name + ".variance", ones));
    }
}
