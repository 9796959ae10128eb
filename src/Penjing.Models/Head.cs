using System.Collections.Immutable;

namespace Penjing.Models;

/// <summary>The last layer of a network that tells classes apart.</summary>
public static class Head
{
    /// <summary>
    /// The network with its last convolution or product begun anew, for another count of classes; all before it keeps its weights. What lies between it and the output
    /// (a pool, a reshape, the sum with a bias, a softmax) follows. The classes have no names any more.
    /// </summary>
    /// <param name="model">The network, of floats, with one output.</param>
    /// <param name="classes">How many classes it is to tell apart.</param>
    /// <param name="seed">What the new weights follow from.</param>
    /// <exception cref="PenjingException">The network doesn't end so; the message says where.</exception>
    public static Model Replace(Model model, int classes, int seed)
    {
        if (classes < 1) throw new PenjingException($"a network tells at least one class apart, not {classes}");
        if (model.Graph.Outputs is not [{ } output]) throw new PenjingException($"the network has {model.Graph.Outputs.Length} outputs: a new last layer needs one that holds all classes");
        HashSet<Node> behind = [];
        Node layer = output;
        for (; !IsLayer(layer); layer = layer.Inputs.Single(input => input.Op is not Constant))
        {
            if (layer.Op is Conv or ConvTranspose or Gemm or MatMul or Einsum || layer.Inputs.Count(input => input.Op is not Constant) != 1)
                throw new PenjingException($"'{layer.Name}' ({layer.Op.Name}) stands where the last layer should: only a convolution without groups, or a product, with Float32 weights, that alone leads to the output can begin anew");
            behind.Add(layer);
        }
        ILookup<Node, Node> readers = model.Graph.Consumers();
        Node weight = layer.Inputs[1];
        int axis = layer.Op is Conv or Gemm { TransposeB: true } ? 0 : weight.Shape.Rank - 1, before = weight.Shape[axis];
        Tensor fresh = new Initializer(seed).Normal(weight.Shape.With(axis, classes), weight.Shape.Elements / before, gain: 1);
        Graph graph;
        try
        {
            graph = model.Graph.Map((node, inputs) =>
                node == layer ? new(node.Name, node.Op, [inputs[0], Own(weight, fresh), .. inputs.Skip(2).Select(bias => Zeros(bias, bias.Shape.With(node.Op is Conv ? 0 : -1, classes)))])
                : !behind.Contains(node) ? node.With(inputs)
                : node.Op is Reshape shaped ? new(node.Name, new Reshape(Follow(shaped.Target)), inputs)
                : node.Op is Add && inputs.Any(input => input.Op is Constant) ? Summed(node, inputs) : node.With(inputs));
        }
        catch (ShapeException error)
        {
            throw Other(error.Message, error);
        }
        int[] changed = [.. Enumerable.Range(0, output.Shape.Rank).Where(at => output.Shape[at] != graph.Outputs[0].Shape[at])];
        if (graph.Outputs[0].Shape.Rank != output.Shape.Rank || changed.Length > 1 || changed is [var one] && (output.Shape[one], graph.Outputs[0].Shape[one]) != (before, classes))
            throw Other($"the output becomes {graph.Outputs[0].Shape} in place of {output.Shape}");
        return model with { Graph = graph, Labels = [], Colors = [] };

        // The bias follows the value that it is added to.
        Node Summed(Node node, ImmutableArray<Node> inputs)
        {
            int at = inputs[0].Op is Constant ? 0 : 1;
            Shape was = node.Inputs[1 - at].Shape, now = inputs[1 - at].Shape, bias = inputs[at].Shape;
            for (int i = 1; i <= bias.Rank && i <= was.Rank && i <= now.Rank; i++)
                if (bias[-i] == was[-i]) bias = bias.With(-i, now[-i]);
            return node.With(inputs.SetItem(at, Zeros(inputs[at], bias)));
        }

        // The first extent behind the batch that is the count of classes becomes the new one.
        Ints Follow(Ints target)
        {
            int at = target.Count == 0 ? -1 : target.Items.IndexOf(before, Math.Min(1, target.Count - 1));
            return at < 0 ? target : new(target.Items.SetItem(at, classes));
        }

        Node Zeros(Node bias, Shape shape) => Own(bias, Tensor.Zeros(ElementType.Float32, shape));

        // What others read too keeps its name for them.
        Node Own(Node constant, Tensor value)
        {
            string name = constant.Name;
            if (readers[constant].Count() > 1)
                for (int i = 1; model.Graph.Nodes.Any(node => node.Name == name); i++) name = $"{constant.Name}.head{i}";
            return Node.Weight(name, value);
        }

        PenjingException Other(string why, Exception? cause = null) => new($"the network can't tell {classes} classes apart in place of {before}: {why}", cause!);
    }

    private static bool IsLayer(Node node) => node.Op is Conv { Groups: 1 } or Gemm or MatMul
        && node.Inputs is [{ Op: not Constant }, { Value: { Type: ElementType.Float32, Shape.Rank: >= 2 } }, ..] && node.Inputs.Skip(2).All(input => input.Op is Constant);
}
