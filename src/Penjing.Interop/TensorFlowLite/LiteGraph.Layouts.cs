using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>What moves elements.</content>
internal sealed partial class LiteGraph
{
    private int Reshaped(Node node, int x, ValueInfo of) => Reshaped(node, node.Name, node.Info, x, of);

    /// <summary>The elements of a value, in the graph's order, under another shape.</summary>
    private int Reshaped(Node node, string name, ValueInfo info, int x, ValueInfo of)
    {
        bool same = info.Shape == of.Shape, turned = !same && !LiteNode.IsPlain(of.Shape), back = !same && !LiteNode.IsPlain(info.Shape);
        if (turned) x = Turned($"{name}/first", Unturned(of), x, fromLast);
        ValueInfo wanted = back ? Unturned(info) : info;
        int reshaped = Add("RESHAPE", back ? $"{name}/last" : name, wanted, [x, Stored($"{name}/shape", Tensor.Of([info.Shape.Rank], LiteNode.Last(wanted.Shape).AsSpan()))]);
        return back ? Turned(name, info, reshaped, toLast) : reshaped;
    }

    /// <summary>A value whose extents in the file are those of the graph.</summary>
    private static ValueInfo Unturned(ValueInfo info) => info with { Shape = [info.Shape[0], info.Shape[3], info.Shape[1], info.Shape[2]] };

    private int Turned(string name, ValueInfo info, int x, Ints order) =>
        Add("TRANSPOSE", name, info, [x, Stored($"{name}/order", Tensor.Of([order.Count], order.AsSpan()))]);

    /// <summary>A part of a value along some axes.</summary>
    private int Sliced(Node node, string name, ValueInfo info, int x, ImmutableArray<Slice> slices)
    {
        Ints extents = tensors[x].Shape;
        int[] starts = new int[extents.Count], ends = [.. extents], steps = [.. extents.Select(_ => 1)];
        int open = 0;
        foreach (Slice slice in slices)
        {
            int axis = Axis(slice.Axis, extents.Count);
            (int first, int count) = slice.Range(extents[axis]);
            (starts[axis], steps[axis], ends[axis]) = (first, slice.Step, first + count * slice.Step);
            if (ends[axis] < 0) open |= 1 << axis;
        }
        if (extents.Count > 5) throw Unsaid(node, "it takes parts of values of up to 5 axes");
        return Add("STRIDED_SLICE", name, info, [x, Row("starts", starts), Row("ends", ends), Row("steps", steps)], ("end_mask", open));

        int Row(string role, int[] values) => Stored($"{name}/{role}", Tensor.Of([values.Length], values));
    }

    private int Write(Node node, Pad op, int x, ValueInfo of)
    {
        if (op.Mode is PadMode.Edge) throw Unsaid(node, "it doesn't repeat edges");
        int rank = of.Shape.Rank, axis = op.Axis < 0 ? op.Axis + rank : op.Axis, extent = of.Shape[axis];
        if (op.Before < 0 || op.After < 0)
        {
            if (op.Before > 0 || op.After > 0) throw Unsaid(node, "it adds and cuts along one axis");
            return Sliced(node, node.Name, node.Info, x, [new(axis, -op.Before, extent + op.After)]);
        }
        int[] amounts = new int[2 * rank];
        (amounts[2 * Axis(axis, rank)], amounts[2 * Axis(axis, rank) + 1]) = (op.Before, op.After);
        if (op.Mode is PadMode.Reflect) return Add("MIRROR_PAD", node, [x, Stored($"{node.Name}/paddings", Tensor.Of([rank, 2], amounts))], ("mode", 0));
        return Padded(node, node.Name, node.Info, x, of, amounts, op.Value);
    }

    /// <summary>The input repeated along axes of extent 1.</summary>
    private int Write(Node node, Expand op, int x, ValueInfo of)
    {
        if (of.Shape.Rank != node.Shape.Rank) throw Unsaid(node, $"it repeats along axes that there are, and {of.Shape} has not those of {op.Shape}");
        int[] counts = [.. node.Shape.Select((extent, axis) => of.Shape[axis] == extent ? 1 : extent)];
        return Add("TILE", node, [x, List(node, "counts", LiteNode.Last(Shape.Create(counts)).AsSpan())]);
    }
}
