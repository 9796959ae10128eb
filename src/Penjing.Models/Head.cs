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
        while (layer is not ({ Op: Conv { Groups: 1 } or Gemm or MatMul } and { Inputs: [{ Op: not Constant }, { Value.Type: ElementType.Float32 }, ..] }))
        {
            behind.Add(layer);
            layer = layer.Inputs.Where(input => input.Op is not Constant).ToArray() is [{ } only] ? only
                : throw new PenjingException($"'{layer.Name}' ({layer.Op.Name}) stands between the output and the last layer: only a convolution or product with Float32 weights that alone leads to the output can begin anew");
        }
        Node weight = layer.Inputs[1];
        int axis = layer.Op is Conv or Gemm { TransposeB: true } ? 0 : weight.Shape.Rank - 1, before = weight.Shape[axis];
        Tensor fresh = new Initializer(seed).Normal(weight.Shape.With(axis, classes), (int)(weight.Shape.Elements / before), gain: 1);
        try
        {
            Graph graph = model.Graph.Map((node, inputs) =>
                node == layer ? new(node.Name, node.Op, [inputs[0], Node.Weight(weight.Name, fresh), .. inputs.Skip(2).Select(bias => Zeros(bias, node.Op is Conv ? 0 : bias.Shape.Rank - 1))])
                : !behind.Contains(node) ? node.With(inputs)
                : node.Op is Reshape shaped ? new(node.Name, new Reshape(Follow(shaped.Target)), inputs)
                : node.With([.. inputs.Select(input => node.Op is Add && input.Op is Constant ? Zeros(input, input.Shape.Rank - node.Shape.Rank + (layer.Op is Conv ? 1 : node.Shape.Rank - 1)) : input)]));
            return model with { Graph = graph, Labels = [], Colors = [] };
        }
        catch (ShapeException error)
        {
            throw new PenjingException($"the network can't tell {classes} classes apart in place of {before}: {error.Message}", error);
        }

        // The first extent behind the batch that is the count of classes becomes the new one.
        Ints Follow(Ints target)
        {
            int at = target.Items.IndexOf(before, Math.Min(1, target.Count - 1));
            return at < 0 ? target : new(target.Items.SetItem(at, classes));
        }

        Node Zeros(Node bias, int axis) => Node.Weight(bias.Name, Tensor.Zeros(ElementType.Float32, axis >= 0 && bias.Shape[axis] == before ? bias.Shape.With(axis, classes) : bias.Shape));
    }
}
