using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>What each operation of TensorFlow Lite is in the core: a table for each family, in a file of its own.</summary>
internal static partial class LiteOps
{
    private static readonly Lazy<FrozenDictionary<string, Builder>> builders = new(() => Single(Windows).Concat(Single(Elements)).Concat(Single(Reductions)).Concat(Single(Layouts)).Concat(Several)
        .ToFrozenDictionary(row => row.Type, row => row.Build));

    /// <summary>Makes an operator's outputs.</summary>
    public delegate ImmutableArray<Node> Builder(LiteNode node);

    /// <summary>All operations, by the names that <see cref="LiteOp.All"/> has.</summary>
    public static FrozenDictionary<string, Builder> Builders => builders.Value;

    private static IEnumerable<(string Type, Builder Build)> Single(IEnumerable<(string Type, Func<LiteNode, Node> Build)> rows) => rows.Select(row => (row.Type, (Builder)(node => [row.Build(node)])));
}
