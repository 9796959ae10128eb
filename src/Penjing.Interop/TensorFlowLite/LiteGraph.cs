using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>
/// A graph as a TensorFlow Lite model under construction. A value of rank 4, N×C×H×W here, is N×H×W×C there; integers of 8 bits that stand for reals are Int8,
/// or UInt8 where a network has weights with zero points, which TensorFlow Lite knows for UInt8 alone.
/// </summary>
internal sealed partial class LiteGraph
{
    private static readonly Ints fromLast = [0, 3, 1, 2], toLast = [0, 2, 3, 1];

    private readonly List<LiteTensor> tensors = [];
    private readonly List<LiteOperator> operators = [];
    private readonly Dictionary<Node, int> numbers = [];
    private readonly Dictionary<string, int> names = [];
    private readonly ILookup<Node, Node> readers;
    private readonly HashSet<Node> outputs;
    private readonly ElementType byteType;

    /// <summary>The model of a graph that has gone through <see cref="Passes.ForInference"/>.</summary>
    /// <exception cref="PenjingException">TensorFlow Lite can't say what the node does that the message names.</exception>
    public LiteGraph(Graph graph)
    {
        readers = graph.Consumers();
        outputs = [.. graph.Outputs];
        byteType = graph.Nodes.Any(HasZeroPoints) ? ElementType.UInt8 : ElementType.Int8;
        foreach (Node input in graph.Inputs) Define(input);
        foreach (Node node in Needed(graph))
            if (node.Op is not (Input or Constant)) numbers[node] = Write(node);
        List<int> yielded = [];
        foreach (Node output in graph.Outputs)
        {
            // TensorFlow Lite wants outputs to be computed, and each once.
            int number = Of(output);
            yielded.Add(yielded.Contains(number) || output.Op is Input or Constant ? Copy(output, number) : number);
        }
        Model = new([.. tensors], [.. graph.Inputs.Select(input => numbers[input])], [.. yielded], [.. operators]);
    }

    /// <summary>The model.</summary>
    public LiteModel Model { get; }

    /// <summary>The nodes of which a value is asked for, when those that others compute with them are left out.</summary>
    private List<Node> Needed(Graph graph)
    {
        HashSet<Node> needed = [.. graph.Outputs];
        foreach (Node node in graph.Nodes.Reverse())
            if (needed.Contains(node)) needed.UnionWith(Operands(node));
        return [.. graph.Nodes.Where(needed.Contains)];
    }

    /// <summary>The number of a node's value, its axes in the order of TensorFlow Lite.</summary>
    private int Of(Node node)
    {
        if (numbers.TryGetValue(node, out int number)) return number;
        Constant constant = (Constant)node.Op;
        return numbers[node] = Weight(node.Name, constant.Value, constant.Quantization);
    }

    /// <summary>A weight that is given in the graph's order.</summary>
    private int Weight(string name, Tensor value, Quantization? quantization = null) =>
        Stored(name, value.Shape.Rank == 4 ? Reference.Evaluate(new Transpose(toLast), [value]) : value, quantization is { Axis: { } axis } && value.Shape.Rank == 4 ? quantization with { Axis = toLast.Items.IndexOf(axis) } : quantization);

    /// <summary>A weight that is given in the order of TensorFlow Lite.</summary>
    private int Stored(string name, Tensor value, Quantization? quantization = null)
    {
        (ElementType type, Quantization? meaning) = Stored(value.Type, quantization);
        Tensor stored = type == value.Type ? value : Tensor.Build(type, value.Shape, bytes =>
        {
            ReadOnlySpan<byte> from = value.Bytes.Span;
            for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)(from[i] ^ 0x80);
        });
        return Add(new(Fresh(name), type, new(value.Shape.Extents.Items), stored.Bytes, meaning));
    }

    /// <summary>The type and quantization that quantized bytes have in the file; other values keep theirs.</summary>
    private (ElementType, Quantization?) Stored(ElementType type, Quantization? quantization)
    {
        if (quantization is null || type is not (ElementType.Int8 or ElementType.UInt8) || type == byteType) return (type, quantization);
        int shift = byteType is ElementType.Int8 ? -128 : 128;
        return (byteType, quantization with { ZeroPoints = [.. quantization.ZeroPoints.Select(zero => zero + shift)] });
    }

    /// <summary>A value that is yet to be computed.</summary>
    private int Value(string name, ValueInfo info)
    {
        (ElementType type, Quantization? quantization) = Stored(info.Type, info.Quantization);
        if (LiteFile.Types.IndexOf(type) < 0) throw new PenjingException($"'{name}' can't be written as TensorFlow Lite: it has no {type}");
        if (quantization is { Axis: { } axis } && info.Shape.Rank == 4) quantization = quantization with { Axis = toLast.Items.IndexOf(axis) };
        return Add(new(Fresh(name), type, LiteNode.Last(info.Shape), null, quantization));
    }

    private int Define(Node input)
    {
        // An input's integers are told what they stand for by whoever reads them, if that is one alone.
        Quantization? meaning = readers[input].ToArray() is [{ Op: Reinterpret { Quantization: { } quantization } }] && !outputs.Contains(input) ? quantization : null;
        return numbers[input] = Value(input.Name, input.Info with { Quantization = meaning });
    }

    private int Add(LiteTensor tensor)
    {
        tensors.Add(tensor);
        return tensors.Count - 1;
    }

    /// <summary>Adds an operation whose value is a node's.</summary>
    private int Add(string type, Node node, IEnumerable<int> inputs, params ReadOnlySpan<(string, double)> options) => Add(type, node.Name, node.Info, inputs, options);

    /// <summary>Adds an operation and returns the number of its value.</summary>
    private int Add(string type, string name, ValueInfo info, IEnumerable<int> inputs, params ReadOnlySpan<(string Name, double Value)> options)
    {
        int number = Value(name, info);
        operators.Add(new(LiteOp.Named[type], [.. inputs], [number], Given(options)));
        return number;
    }

    private static ImmutableDictionary<string, ImmutableArray<double>> Given(params ReadOnlySpan<(string Name, double Value)> options)
    {
        var given = ImmutableDictionary.CreateBuilder<string, ImmutableArray<double>>();
        foreach ((string option, double value) in options) given[option] = [value];
        return given.ToImmutable();
    }

    /// <summary>A list of whole numbers, as operations take it for an input.</summary>
    private int List(Node node, string role, params ReadOnlySpan<int> values) => Stored($"{node.Name}/{role}", Tensor.Of([values.Length], values));

    private int Copy(Node output, int number)
    {
        LiteTensor tensor = tensors[number];
        int shape = List(output, "shape", tensor.Shape.AsSpan());
        operators.Add(new(LiteOp.Named["RESHAPE"], [number, shape], [Add(tensor with { Name = Fresh($"{output.Name}/output"), Data = null })], Given()));
        return tensors.Count - 1;
    }

    private string Fresh(string wish)
    {
        string name = wish;
        while (!names.TryAdd(name, 1)) name = $"{wish}/{++names[wish]}";
        return name;
    }

    private static PenjingException Unsaid(Node node, string why) => new($"'{node.Name}' ({node.Op.Name}) can't be written as TensorFlow Lite: {why}");

    /// <summary>The axis in TensorFlow Lite's order of an axis of the graph.</summary>
    private static int Axis(int axis, int rank)
    {
        int front = axis < 0 ? axis + rank : axis;
        return rank == 4 ? toLast.Items.IndexOf(front) : front;
    }
}
