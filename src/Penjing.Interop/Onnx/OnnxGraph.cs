using Google.Protobuf;
using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <summary>A graph as an ONNX message under construction: names, tensors and attributes.</summary>
internal sealed partial class OnnxGraph
{
    private readonly HashSet<string> names;
    private readonly HashSet<Node> requantized;

    /// <summary>The message of a whole graph.</summary>
    public OnnxGraph(Graph graph, string name)
    {
        names = [.. graph.Nodes.Select(node => node.Name)];
        requantized = Requantized(graph);
        Proto.Name = name.Length > 0 ? name : "graph";
        foreach (Node input in graph.Inputs) Proto.Input.Add(Describe(input.Name, input.Info));
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is Constant constant) Proto.Initializer.Add(Tensor(node.Name, constant.Value));
            else if (node.Op is not Input && !requantized.Contains(node)) Write(node);
        }
        var written = new HashSet<Node>();
        foreach (Node output in graph.Outputs)
        {
            // ONNX wants each output once, and computed by a node.
            string value = written.Add(output) && output.Op is not (Input or Constant) ? output.Name : Add("Identity", Fresh($"{output.Name}/output"), [output.Name]);
            Proto.Output.Add(Describe(value, output.Info));
        }
    }

    /// <summary>The message.</summary>
    public GraphProto Proto { get; } = new();

    /// <summary>Adds a node and returns the name of its output.</summary>
    private string Add(string type, string output, IEnumerable<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Add(type, [output], inputs, attributes);

    /// <summary>Adds a node of several outputs and returns the name of the first.</summary>
    private string Add(string type, string[] outputs, IEnumerable<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var node = new NodeProto { OpType = type, Name = outputs[0] };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        foreach (AttributeProto attribute in attributes) node.Attribute.Add(attribute);
        Proto.Node.Add(node);
        return outputs[0];
    }

    /// <summary>Adds a constant parameter of a node and returns its name.</summary>
    private string Parameter<T>(Node node, string role, Shape shape, params T[] values) where T : unmanaged
    {
        string name = Fresh($"{node.Name}/{role}");
        Proto.Initializer.Add(Tensor(name, Penjing.Tensor.Of(shape, values)));
        return name;
    }

    /// <summary>A name that nothing else in the graph has.</summary>
    private string Fresh(string wish)
    {
        string name = wish;
        for (int i = 2; !names.Add(name); i++) name = $"{wish}{i}";
        return name;
    }

    private static AttributeProto Number(string name, long value) => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    private static AttributeProto Flag(string name, bool value) => Number(name, value ? 1 : 0);

    private static AttributeProto Number(string name, float value) => new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    private static AttributeProto Text(string name, string value) => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeProto.Types.AttributeType.String };

    private static AttributeProto Numbers(string name, params ReadOnlySpan<int> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        foreach (int value in values) attribute.Ints.Add(value);
        return attribute;
    }

    private static TensorProto Tensor(string name, Tensor tensor)
    {
        var proto = new TensorProto { Name = name, DataType = (int)Type(tensor.Type), RawData = UnsafeByteOperations.UnsafeWrap(tensor.Bytes) };
        foreach (int extent in tensor.Shape) proto.Dims.Add(extent);
        return proto;
    }

    private static ValueInfoProto Describe(string name, ValueInfo info)
    {
        var shape = new TensorShapeProto();
        foreach (int extent in info.Shape) shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = extent });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)Type(info.Type), Shape = shape } } };
    }

    private static TensorProto.Types.DataType Type(ElementType type) => type switch
    {
        ElementType.Float32 => TensorProto.Types.DataType.Float,
        ElementType.Float16 => TensorProto.Types.DataType.Float16,
        ElementType.Int8 => TensorProto.Types.DataType.Int8,
        ElementType.UInt8 => TensorProto.Types.DataType.Uint8,
        ElementType.Int32 => TensorProto.Types.DataType.Int32,
        ElementType.Int64 => TensorProto.Types.DataType.Int64,
        ElementType.Float64 => TensorProto.Types.DataType.Double,
        ElementType.Int16 => TensorProto.Types.DataType.Int16,
        ElementType.UInt16 => TensorProto.Types.DataType.Uint16,
        ElementType.UInt32 => TensorProto.Types.DataType.Uint32,
        ElementType.UInt64 => TensorProto.Types.DataType.Uint64,
        ElementType.Bool => TensorProto.Types.DataType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };
}
