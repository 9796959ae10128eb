using System.Collections.Immutable;

namespace Penjing.Models;

/// <summary>The first layers of a network with the weights of another, trained one.</summary>
public static class Transplant
{
    /// <summary>
    /// The network with the weights of another's convolutions, in order, as far as they are of one shape. What the other has behind them (its normalization is folded into weights and
    /// biases first) becomes the bias of a BatchNormalization that changes nothing else; strided convolutions are padded as the other's, where this keeps the sizes.
    /// </summary>
    /// <param name="model">The network, of convolutions without bias, each with a BatchNormalization.</param>
    /// <param name="source">The trained network, of floats: such as a MobileNet v1, whose normalizations may be folded already.</param>
    /// <returns>The network, and the names of the BatchNormalizations that now only add a bias: before training they are best measured anew, for answers that stay.</returns>
    /// <exception cref="PenjingException">The first convolutions differ.</exception>
    public static (Model Model, ImmutableArray<string> Normalizations) Into(Model model, Model source)
    {
        ILookup<Node, Node> readers = model.Graph.Consumers();
        Node[] mine = [.. Convolutions(model.Graph)], its = [.. Convolutions(source.Graph.Rewrite(Passes.Folding))];
        (Node Mine, Node Its)[] pairs = [.. mine.Zip(its).TakeWhile(pair => Agree(pair.First, pair.Second) && readers[pair.First].ToArray() is [{ Op: BatchNormalization }])];
        if (pairs.Length == 0)
            throw new PenjingException($"the base begins with {Said(its)}, but the network with {Said(mine)} and a BatchNormalization: give a base of the same architecture and width, its weights Float32");
        Dictionary<Node, Tensor> values = [];
        Dictionary<Node, Conv> paddings = [];
        foreach ((Node to, Node from) in pairs)
        {
            Node normalization = readers[to].Single();
            int channels = to.Shape[1];
            values[to.Inputs[1]] = from.Inputs[1].Value!;
            values[normalization.Inputs[1]] = Filled(1);
            values[normalization.Inputs[2]] = from.Inputs is [_, _, { Value: { } bias }] ? bias.Reshape([channels]) : Filled(0);
            values[normalization.Inputs[3]] = Filled(0);
            values[normalization.Inputs[4]] = Filled(1 - ((BatchNormalization)normalization.Op).Epsilon);
            if ((Conv)from.Op is var conv && conv.Stride == ((Conv)to.Op).Stride && conv.Dilation == ((Conv)to.Op).Dilation) paddings[to] = (Conv)to.Op with { Padding = conv.Padding };

            Tensor Filled(float value) => Tensor.Build<float>([channels], floats => floats.Fill(value));
        }
        Graph graph = model.Graph.Map((node, inputs) => values.TryGetValue(node, out Tensor? value) ? Node.Weight(node.Name, value)
            : paddings.TryGetValue(node, out Conv? padded) && new Node(node.Name, padded, inputs) is var other && other.Shape == node.Shape ? other : node.With(inputs));
        return (model with { Graph = graph, Preprocessing = source.Preprocessing is { } own ? own with { Fit = model.Preprocessing?.Fit ?? own.Fit } : model.Preprocessing },
            [.. pairs.Select(pair => readers[pair.Mine].Single().Name)]);
    }

    private static IEnumerable<Node> Convolutions(Graph graph) => graph.Nodes.Where(node => node is { Op: Conv, Inputs: [_, { Value.Type: ElementType.Float32 }, ..] });

    private static bool Agree(Node one, Node other) => one.Inputs[1].Shape == other.Inputs[1].Shape && ((Conv)one.Op).Groups == ((Conv)other.Op).Groups;

    private static string Said(Node[] convolutions) => convolutions.Length == 0 ? "no convolution of Float32" : $"one of {convolutions[0].Inputs[1].Shape}";
}
