using System.Collections.Immutable;
using Google.Protobuf;
using Penjing.Interop.Onnx;
using AttributeType = Penjing.Interop.Onnx.AttributeProto.Types.AttributeType;

namespace Penjing.Interop.Tests;

/// <summary>One ONNX node at one opset, as a file: some of its inputs are fed, the others are weights; null leaves an input out.</summary>
internal sealed record OnnxVariant(int Opset, string Type, ImmutableArray<Tensor?> Inputs, int Fed = 1, int Outputs = 1,
    params (string Name, object Value)[] Attributes)
{
    /// <summary>The file.</summary>
    public byte[] ToBytes() => ToProto().ToByteArray();

    /// <summary>What is fed.</summary>
    public Tensor[] Given() => [.. Inputs.Take(Fed).Where(input => input is not null).Select(input => input!)];

    /// <summary>The message of the file.</summary>
    public ModelProto ToProto()
    {
        var graph = new GraphProto { Name = Type };
        var node = new NodeProto { OpType = Type, Name = $"a {Type}" };
        for (int i = 0; i < Inputs.Length; i++)
        {
            node.Input.Add(Inputs[i] is null ? "" : $"in{i}");
            if (Inputs[i] is not { } tensor) continue;
            if (i < Fed) graph.Input.Add(Value($"in{i}", tensor.Type, [.. tensor.Shape.Select(extent => (long)extent)]));
            else graph.Initializer.Add(Weight($"in{i}", tensor));
        }
        for (int i = 0; i < Outputs; i++)
        {
            node.Output.Add($"out{i}");
            graph.Output.Add(new ValueInfoProto { Name = $"out{i}" });
        }
        foreach ((string name, object value) in Attributes) node.Attribute.Add(Attribute(name, value));
        graph.Node.Add(node);
        return Model(Opset, graph);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Type} of opset {Opset} with {string.Join(", ", [.. Inputs.Select(input => input?.ToString() ?? "nothing"), .. Attributes.Select(one => one.Name)])}";

    /// <summary>A model of a graph.</summary>
    public static ModelProto Model(int opset, GraphProto graph)
    {
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = opset });
        return model;
    }

    /// <summary>A value's description; a negative extent is left open under the name "open".</summary>
    public static ValueInfoProto Value(string name, ElementType type, params long[] extents)
    {
        var shape = new TensorShapeProto();
        foreach (long extent in extents) shape.Dim.Add(extent < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "open" }
            : new TensorShapeProto.Types.Dimension { DimValue = extent });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = Number(type), Shape = shape } } };
    }

    /// <summary>A weight with raw data.</summary>
    public static TensorProto Weight(string name, Tensor tensor)
    {
        var proto = new TensorProto { Name = name, DataType = Number(tensor.Type), RawData = ByteString.CopyFrom(tensor.Bytes.Span) };
        foreach (int extent in tensor.Shape) proto.Dims.Add(extent);
        return proto;
    }

    /// <summary>A node of one output.</summary>
    public static NodeProto Node(string type, string output, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = type };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        foreach ((string name, object value) in attributes) node.Attribute.Add(Attribute(name, value));
        return node;
    }

    /// <summary>ONNX's number of an element type.</summary>
    public static int Number(ElementType type) => Enumerable.Range(1, 13).First(number => number != 8 && OnnxTensors.Type(number) == type);

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case int number: (attribute.I, attribute.Type) = (number, AttributeType.Int); break;
            case float number: (attribute.F, attribute.Type) = (number, AttributeType.Float); break;
            case string text: (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeType.String); break;
            case Tensor tensor: (attribute.T, attribute.Type) = (Weight("", tensor), AttributeType.Tensor); break;
            case GraphProto graph: (attribute.G, attribute.Type) = (graph, AttributeType.Graph); break;
            case int[] numbers: attribute.Ints.AddRange(numbers.Select(number => (long)number)); attribute.Type = AttributeType.Ints; break;
            case float[] numbers: attribute.Floats.AddRange(numbers); attribute.Type = AttributeType.Floats; break;
            default: throw new ArgumentException($"{value} is no attribute", nameof(value));
        }
        return attribute;
    }
}
