using System.Collections.Immutable;

namespace Penjing.Interop.Caffe;

/// <summary>The weights of a network by layer and number, Caffe's "blobs", each of the shape that the layer's definition asks.</summary>
internal interface ICaffeBlobs
{
    /// <summary>The layer's weight of this number.</summary>
    /// <exception cref="ModelFormatException">There is none, or it has another shape.</exception>
    Tensor Blob(CaffeLayer layer, int number, Shape shape);
}

/// <summary>
/// Builds a <see cref="Graph"/> from a network's layers, as it runs after training: data layers become inputs of one picture, SoftmaxWithLoss becomes
/// Softmax, and Accuracy goes. A node has its layer's name, and a weight that name followed by .weight, .bias and the like.
/// </summary>
internal sealed partial class CaffeGraph
{
    private const string Label = "label";

    private readonly ICaffeBlobs blobs;
    private readonly Dictionary<string, Node> values = [];
    private readonly Dictionary<string, string> unread = [];
    private readonly HashSet<string> names = [];
    private readonly HashSet<string> labels = [];
    private readonly List<Node> inputs = [];

    private CaffeGraph(ICaffeBlobs blobs) => this.blobs = blobs;

    /// <summary>The graph of a network with these weights. Its outputs are the values that no layer reads, in the order of their layers.</summary>
    /// <exception cref="ModelFormatException">A layer is not understood or doesn't fit; the message names it, its line and what is supported.</exception>
    public static Graph Build(CaffeNetwork network, ICaffeBlobs blobs)
    {
        var graph = new CaffeGraph(blobs);
        foreach ((string name, Shape shape) in network.Inputs) graph.Input(name, shape);
        foreach (CaffeLayer layer in network.Layers)
        {
            try
            {
                graph.Add(layer);
            }
            catch (ShapeException error)
            {
                throw layer.Wrong($"doesn't fit: {error.Message}");
            }
        }
        Node[] outputs = [.. graph.unread.Keys.Where(name => graph.values[name].Op is not Penjing.Input).Select(name => graph.values[name])];
        return outputs.Length > 0 ? new([.. outputs.Distinct()], [.. graph.inputs]) : throw new ModelFormatException("it has no layer that yields an output");
    }

    private void Add(CaffeLayer layer)
    {
        if (layer.Type.EndsWith("Data", StringComparison.Ordinal) || layer.Type == "Input")
        {
            AddData(layer);
            return;
        }
        if (layer.Type is "Accuracy" or "Silence")
        {
            foreach (string bottom in layer.Bottoms.Where(bottom => layer.Type == "Silence")) unread.Remove(bottom);
            return;
        }
        if (!Builders.TryGetValue(layer.Type, out Func<CaffeGraph, CaffeLayer, Node[]>? build))
            throw layer.Wrong(
                $"is not supported; supported are Input, the data layers, Accuracy, Silence, {string.Join(", ", Builders.Keys.Order(StringComparer.Ordinal))}");
        Node[] outputs = build(this, layer);
        if (layer.Tops.Length != outputs.Length) throw layer.Wrong($"has {layer.Tops.Length} tops where it yields {outputs.Length}");
        foreach (string bottom in layer.Bottoms) unread.Remove(bottom);
        foreach ((string top, Node output) in layer.Tops.Zip(outputs)) Yield(top, output);
    }

    private void AddData(CaffeLayer layer)
    {
        if (layer.Tops.Length == 0) throw layer.Wrong("has no top");
        PrototxtMessage[] shapes = [.. layer.Definition.Message("input_param").Messages("shape")];
        if (layer.Type == "Input")
        {
            for (int i = 0; i < layer.Tops.Length; i++)
                Input(layer.Tops[i], shapes.Length > 0
                    ? [.. shapes[Math.Min(i, shapes.Length - 1)].Integers("dim")]
                    : throw layer.Wrong("has no input_param with a shape"));
            return;
        }
        PrototxtMessage transform = layer.Definition.Message("transform_param");
        int side = transform.Integer("crop_size", 0), means = transform.Numbers("mean_value").Length;
        if (side < 1)
            throw layer.Wrong("takes its pictures' size from a data base, which is not here, and has no crop_size; "
                + "use the deploy prototxt, which states the input's shape");
        Input(layer.Tops[0], [1, transform.Flag("force_gray", false) || means == 1 ? 1 : 3, side, side]);
        labels.UnionWith(layer.Tops.Skip(1));
    }

    private void Input(string name, Shape shape)
    {
        var input = new Node(Unique(name), new Input(ElementType.Float32, shape));
        inputs.Add(input);
        Yield(name, input);
    }

    private void Yield(string top, Node node)
    {
        values[top] = node;
        unread[top] = top;
    }

    /// <summary>The value that the layer reads at a place.</summary>
    private Node Bottom(CaffeLayer layer, int number = 0)
    {
        if (number >= layer.Bottoms.Length) throw layer.Wrong($"reads {layer.Bottoms.Length} values, and needs more");
        string name = layer.Bottoms[number];
        if (values.TryGetValue(name, out Node? value)) return value;
        throw layer.Wrong(labels.Contains(name) || name == Label
            ? $"reads the labels '{name}', which there are in training only"
            : $"reads '{name}', which no layer before it yields");
    }

    /// <summary>A weight of the layer as a node, in the shape that the operation wants, if another one than Caffe's.</summary>
    private Node Weight(CaffeLayer layer, int number, string what, Shape shape, Shape? wanted = null)
    {
        Tensor value = blobs.Blob(layer, number, shape);
        return Node.Weight(Unique($"{layer.Name}.{what}"), wanted is { } other ? value.Reshape(other) : value);
    }

    private Node Constant(CaffeLayer layer, string what, Shape shape, float value) =>
        Node.Weight(Unique($"{layer.Name}.{what}"), Tensor.Build<float>(shape, values => values.Fill(value)));

    private Node Make(CaffeLayer layer, Op op, params ImmutableArray<Node> inputs) => new(Unique(layer.Name), op, inputs);

    private string Unique(string name)
    {
        string free = name.Length > 0 ? name : "value";
        for (int number = 2; !names.Add(free); number++) free = $"{name}_{number}";
        return free;
    }
}
