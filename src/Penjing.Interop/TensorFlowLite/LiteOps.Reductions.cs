namespace Penjing.Interop.TensorFlowLite;

/// <content>One number of many, and normalizations by such.</content>
internal static partial class LiteOps
{
    private static (string, Func<LiteNode, Node>)[] Reductions =>
    [
        ("MEAN", Mean),
        ("SUM", node => Reduced(node, axes => new ReduceSum(axes))),
        ("REDUCE_PROD", node => Reduced(node, axes => new ReduceProd(axes))),
        ("REDUCE_MAX", node => Reduced(node, axes => new ReduceMax(axes))),
        ("REDUCE_MIN", node => Reduced(node, axes => new ReduceMin(axes))),
        ("ARG_MAX", node => Extreme(node, axis => new ArgMax(axis))),
        ("ARG_MIN", node => Extreme(node, axis => new ArgMin(axis))),
        ("SOFTMAX", Softmax),
        ("LOG_SOFTMAX", node => node.Make(new LogSoftmax(LiteNode.Axis(-1, node[0].Shape.Rank)), node[0])),
        ("L2_NORMALIZATION", L2Normalization),
        ("LOCAL_RESPONSE_NORMALIZATION", node => node.Make(new LRN(node.Float("alpha") * Channels(node), node.Float("beta"), node.Float("bias"), Channels(node)), Pictures(node, 0))),
    ];

    private static int Channels(LiteNode node) => node.Int("radius") is >= 0 and < 1 << 20 and var radius ? 2 * radius + 1 : throw new ModelFormatException($"its radius is {node.Int("radius")}");

    private static Node Mean(LiteNode node) => Reduced(node, axes => node[0].Shape.Rank == 4 && axes.Order().SequenceEqual([2, 3]) ? new GlobalAveragePool() : new ReduceMean(axes));

    private static Node Reduced(LiteNode node, Func<Ints, Op> make)
    {
        node.Takes(2, 2);
        Node x = node[0];
        int rank = x.Shape.Rank;
        Ints axes = [.. node.Ints(1).Select(axis => LiteNode.Axis(axis, rank)).Distinct()];
        if (axes.Count == 0) return node.Make(new Identity(), x);
        if (node.Flag("keep_dims")) return node.Make(make(axes), x);
        Node reduced = node.Part("kept", make(axes), x);
        return node.Reshaped(reduced, Without(reduced.Shape, axes));
    }

    /// <summary>The file's extents of a value, without some of the graph's axes.</summary>
    private static Ints Without(Shape shape, Ints axes)
    {
        Ints last = LiteNode.Last(shape);
        return [.. last.Where((_, axis) => !axes.Contains(LiteNode.Axis(axis, shape.Rank)))];
    }

    private static Node Extreme(LiteNode node, Func<int, Op> make)
    {
        node.Takes(2, 2);
        Node x = node[0];
        int axis = LiteNode.Axis(node.Int(1), x.Shape.Rank);
        Node index = node.Part("kept", make(axis), x);
        Ints target = Without(index.Shape, [axis]);
        return node.OutputType is ElementType.Int64 ? node.Reshaped(index, target) : node.Reshaped(node.Part("narrow", new Cast(node.OutputType), index), target);
    }

    private static Node Softmax(LiteNode node)
    {
        node.Takes(1, 1);
        float beta = node.Float("beta");
        Node x = beta == 1 ? node[0] : node.Part("scaled", new Mul(), node[0], node.Number("beta", beta));
        return node.Make(new Softmax(LiteNode.Axis(-1, x.Shape.Rank)), x);
    }

    /// <summary>By the root of the sum of squares along the last axis, at least 10⁻⁶.</summary>
    private static Node L2Normalization(LiteNode node)
    {
        node.Takes(1, 1);
        Node x = node[0], norm = node.Part("norm", new ReduceL2([LiteNode.Axis(-1, x.Shape.Rank)]), x);
        return node.Activated(new Div(), x, node.Part("bounded", new Max(), norm, node.Number("least", 1e-6f)));
    }
}
