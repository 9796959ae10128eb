using System.Collections.Immutable;

namespace Penjing;

/// <summary>What a file costs, byte by byte: HeaderBytes and those of all tensors add up to Bytes.</summary>
/// <param name="Bytes">The file's length.</param>
/// <param name="HeaderBytes">What is no tensor's: the safetensors header and the description of the network.</param>
/// <param name="Tensors">The weights, in the order of the graph's nodes.</param>
public sealed record FileReport(long Bytes, long HeaderBytes, ImmutableArray<TensorReport> Tensors);

/// <summary>What one weight costs in a file.</summary>
/// <param name="Name">The name of its node.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Encoding">How it is stored.</param>
/// <param name="Bytes">What it takes in the file.</param>
/// <param name="Costs">What it would take under each encoding that applies to it, in bytes.</param>
public sealed record TensorReport(
    string Name, ElementType Type, Shape Shape, TensorEncoding Encoding, long Bytes, ImmutableSortedDictionary<TensorEncoding, long> Costs)
{
    /// <summary>The report of a weight's node.</summary>
    internal static TensorReport Of(Node node, TensorEncoding encoding, long bytes, ImmutableSortedDictionary<TensorEncoding, long> costs) =>
        new(node.Name, node.Info.Type, node.Shape, encoding, bytes, costs);

    /// <summary>The lengths of streams.</summary>
    internal static ImmutableSortedDictionary<TensorEncoding, long> CostsOf(ImmutableSortedDictionary<TensorEncoding, byte[]> streams) =>
        streams.ToImmutableSortedDictionary(item => item.Key, item => (long)item.Value.Length);
}
