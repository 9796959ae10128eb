using System.Collections.Frozen;

namespace Penjing.Interop;

/// <summary>What each ONNX operator is in the core: a table for each family, in a file of its own.</summary>
internal static partial class OnnxOps
{
    private static readonly Lazy<FrozenDictionary<string, Builder>> builders = new(() => new (string Type, Builder Build)[][]
    {
        Activations, Arithmetic, Matrices, Windows, Normalizations, Reductions, Layouts, Slices, Indexing, Pictures, Constants, Quantized, Losses, Unpooling,
    }.SelectMany(family => family).ToFrozenDictionary(row => row.Type, row => row.Build));

    /// <summary>Makes an operator's first output; further ones it gives to the node itself.</summary>
    public delegate Node Builder(OnnxNode node);

    /// <summary>All operators, by ONNX's names.</summary>
    public static FrozenDictionary<string, Builder> Builders => builders.Value;

    /// <summary>The names of all operators, for messages.</summary>
    public static string Understood => string.Join(", ", Builders.Keys.Order(StringComparer.Ordinal));
}
