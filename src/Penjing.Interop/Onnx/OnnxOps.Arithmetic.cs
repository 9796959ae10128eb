using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Functions of two elements and of more.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Arithmetic =>
    [
        ("Add", node => Two(node, new Add())),
        ("Sub", node => Two(node, new Sub())),
        ("Mul", node => Two(node, new Mul())),
        ("Div", node => Two(node, new Div())),
        ("Pow", node => Two(node, new Pow())),
        ("Mod", node => Two(node, new Mod(node.Flag("fmod")))),
        ("BitShift", node => Two(node, new BitShift(node.Choice<bool>("direction", "", ("LEFT", true), ("RIGHT", false))))),
        ("Equal", node => Two(node, new Equal())),
        ("Less", node => Two(node, new Less())),
        ("LessOrEqual", node => Two(node, new LessOrEqual())),
        ("Greater", node => Two(node, new Greater())),
        ("GreaterOrEqual", node => Two(node, new GreaterOrEqual())),
        ("And", node => Two(node, new And())),
        ("Or", node => Two(node, new Or())),
        ("Xor", node => Two(node, new Xor())),
        ("Sum", node => Many(node, new Add())),
        ("Max", node => Many(node, new Max())),
        ("Min", node => Many(node, new Min())),
        ("Mean", Mean),
        ("Where", Where),
        ("PRelu", PRelu),
    ];

    private static Node Two(OnnxNode node, Op op)
    {
        node.Takes(2, 2);
        node.Ignore("consumed_inputs");
        return node.Make(op, node[0], node.Version < 7 ? Aligned(node, node[0], node[1]) : node[1]);
    }

    /// <summary>Before opset 7 the right side broadcasts only where asked to, aligned at an axis of the left.</summary>
    private static Node Aligned(OnnxNode node, Node left, Node right)
    {
        bool broadcast = node.Flag("broadcast");
        int axis = node.Small("axis", -1), rank = right.Shape.Rank;
        if (!broadcast && left.Shape != right.Shape) throw new ModelFormatException($"{left.Shape} and {right.Shape} differ, and broadcast is not asked for");
        int after = axis < 0 ? 0 : left.Shape.Rank - axis - rank;
        if (after < 0) throw new ModelFormatException($"{right.Shape} doesn't fit {left.Shape} at axis {axis}");
        return after == 0 ? right : node.Part("aligned", new Unsqueeze([.. Enumerable.Range(rank, after)]), right);
    }

    /// <summary>A chain of pairs; the last one has the output's name.</summary>
    private static Node Many(OnnxNode node, Op op)
    {
        node.Takes(1, int.MaxValue);
        node.Ignore("consumed_inputs");
        return node.Count == 1 ? node.Make(new Identity(), node[0]) : node.Make(op, All(node, op, node.Count - 1), node[node.Count - 1]);
    }

    /// <summary>The first inputs, joined pair by pair.</summary>
    private static Node All(OnnxNode node, Op op, int count)
    {
        Node sum = node[0];
        for (int i = 1; i < count; i++) sum = node.Part($"{i}", op, sum, node[i]);
        return sum;
    }

    private static Node Mean(OnnxNode node)
    {
        node.Takes(1, int.MaxValue);
        node.Ignore("consumed_inputs");
        return node.Count == 1
            ? node.Make(new Identity(), node[0])
            : node.Make(new Div(), All(node, new Add(), node.Count), node.Number("count", node[0], node.Count));
    }

    private static Node Where(OnnxNode node)
    {
        node.Takes(3, 3);
        return node.Make(new Where(), node.All());
    }

    /// <summary>Before opset 7 a slope of rank 1 is one for each channel.</summary>
    private static Node PRelu(OnnxNode node)
    {
        node.Takes(2, 2);
        node.Ignore("consumed_inputs");
        (Node x, Node slope) = (node[0], node[1]);
        if (node.Version < 7 && slope.Shape.Rank == 1 && x.Shape.Rank > 2 && slope.Shape[0] != 1)
            slope = node.Part("slope", new Unsqueeze([.. Enumerable.Range(1, x.Shape.Rank - 2)]), slope);
        return node.Make(new PRelu(), x, slope);
    }
}
