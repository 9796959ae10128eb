using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>What takes many elements together along axes.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Reductions =>
    [
        ("ReduceMean", node => Reduce(node, (axes, keep) => new ReduceMean(axes, keep))),
        ("ReduceSum", node => Reduce(node, (axes, keep) => new ReduceSum(axes, keep), 13)),
        ("ReduceProd", node => Reduce(node, (axes, keep) => new ReduceProd(axes, keep))),
        ("ReduceMax", node => Reduce(node, (axes, keep) => new ReduceMax(axes, keep))),
        ("ReduceMin", node => Reduce(node, (axes, keep) => new ReduceMin(axes, keep))),
        ("ReduceL1", node => Reduce(node, (axes, keep) => new ReduceL1(axes, keep))),
        ("ReduceL2", node => Reduce(node, (axes, keep) => new ReduceL2(axes, keep))),
        ("ReduceLogSum", node => Reduce(node, (axes, keep) => new ReduceLogSum(axes, keep))),
        ("ReduceLogSumExp", node => Reduce(node, (axes, keep) => new ReduceLogSumExp(axes, keep))),
        ("ReduceSumSquare", node => Reduce(node, (axes, keep) => new ReduceSumSquare(axes, keep))),
        ("ArgMax", node => One(node, new ArgMax(node.Small("axis", 0), node.Flag("keepdims", true), node.Flag("select_last_index")))),
        ("ArgMin", node => One(node, new ArgMin(node.Small("axis", 0), node.Flag("keepdims", true), node.Flag("select_last_index")))),
        ("CumSum", CumSum),
        ("TopK", TopK),
    ];

    /// <summary>Axes are an attribute before an opset, an input since.</summary>
    private static Node Reduce(OnnxNode node, Func<Ints, bool, Op> op, int asInput = 18)
    {
        node.Takes(1, node.Version < asInput ? 1 : 2);
        bool keep = node.Flag("keepdims", true), idle = node.Version >= asInput && node.Flag("noop_with_empty_axes");
        Ints axes = node.Version < asInput ? node.Ints("axes") ?? [] : node.Optional(1) is null ? [] : OnnxNode.Small(node.Longs(1, "the axes"), "an axis");
        if (axes.Count > 0 || !idle) return node.Make(op(axes, keep), node[0]);
        if (op([], keep) is ReduceMean or ReduceSum or ReduceProd or ReduceMax or ReduceMin) return node.Make(new Identity(), node[0]);
        throw new ModelFormatException("noop_with_empty_axes without axes is understood of ReduceMean, ReduceSum, ReduceProd, ReduceMax and ReduceMin only");
    }

    private static Node CumSum(OnnxNode node)
    {
        node.Takes(2, 2);
        ImmutableArray<long> axis = node.Longs(1, "the axis");
        if (axis.Length != 1) throw new ModelFormatException($"it sums along one axis, not along {axis.Length}");
        return node.Make(new CumSum(OnnxNode.Small(axis[0], "the axis"), node.Flag("exclusive"), node.Flag("reverse")), node[0]);
    }

    private static Node TopK(OnnxNode node)
    {
        node.Takes(node.Version < 10 ? 1 : 2, node.Version < 10 ? 1 : 2);
        ImmutableArray<long> given = node.Version < 10 ? [node.Int("k")] : node.Longs(1, "the count k");
        if (given.Length != 1) throw new ModelFormatException($"k is one count, not {given.Length}");
        int k = OnnxNode.Small(given[0], "k"), axis = node.Small("axis", -1);
        bool largest = node.Flag("largest", true), sorted = node.Flag("sorted", true);
        node.Yield(1, node.Make(1, new TopKIndices(axis, k, largest, sorted), node[0]));
        return node.Make(new TopK(axis, k, largest, sorted), node[0]);
    }
}
