using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>A TensorFlow Lite file as its schema has it: the values of one graph by number, and the operations in the order in which they run.</summary>
internal sealed record LiteModel(ImmutableArray<LiteTensor> Tensors, ImmutableArray<int> Inputs, ImmutableArray<int> Outputs, ImmutableArray<LiteOperator> Operators)
{
    /// <summary>What the graph is called.</summary>
    public string Name { get; init; } = "";

    /// <summary>Texts by name, beside the network.</summary>
    public ImmutableDictionary<string, string> Metadata { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>A value: rank 4 is N, H, W, C. Its bytes are there where it is a constant of any.</summary>
internal sealed record LiteTensor(string Name, ElementType Type, Ints Shape, ReadOnlyMemory<byte>? Data = null, Quantization? Quantization = null)
{
    /// <summary>The bytes of a constant, which may be one of none; null where the value is computed.</summary>
    public ReadOnlyMemory<byte>? Constant => Data ?? (Shape.Contains(0) ? ReadOnlyMemory<byte>.Empty : default(ReadOnlyMemory<byte>?));
}

/// <summary>An operation: its inputs and outputs are numbers of values, −1 one that is left out; options are by name, each a list of one number unless it is one of several.</summary>
internal sealed record LiteOperator(LiteOp Op, ImmutableArray<int> Inputs, ImmutableArray<int> Outputs, ImmutableDictionary<string, ImmutableArray<double>> Options);
