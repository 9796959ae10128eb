using System.Collections.Frozen;

namespace Penjing.Interop;

/// <summary>What each ONNX operator is in the core: a table for each family, in a file of its own.</summary>
internal static partial class OnnxOps
{
    private static readonly Lazy<FrozenDictionary<string, Builder>> builders = new(() => Table(
        Activations, Arithmetic, Matrices, Windows, Normalizations, Reductions, Layouts, Slices, Indexing, Pictures, Constants, Quantized, Losses, Unpooling)),
        runtimeBuilders = new(() => Table(Runtime));

    /// <summary>Makes an operator's first output; further ones it gives to the node itself.</summary>
    public delegate Node Builder(OnnxNode node);

    /// <summary>All operators, by ONNX's names.</summary>
    public static FrozenDictionary<string, Builder> Builders => builders.Value;

    /// <summary>The operators of <see cref="RuntimeDomain"/>.</summary>
    public static FrozenDictionary<string, Builder> RuntimeBuilders => runtimeBuilders.Value;

    /// <summary>The operators of a domain, by their names there; null where it is not understood.</summary>
    public static FrozenDictionary<string, Builder>? Of(string domain) => domain switch { "" => Builders, RuntimeDomain => RuntimeBuilders, _ => null };

    private static FrozenDictionary<string, Builder> Table(params (string Type, Builder Build)[][] families) => families.SelectMany(family => family).ToFrozenDictionary(row => row.Type, row => row.Build);
}
