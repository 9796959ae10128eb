using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>What moves elements: axes are the file's, and become the graph's.</content>
internal static partial class LiteOps
{
    private static (string, Func<LiteNode, Node>)[] Layouts =>
    [
        ("RESHAPE", Reshape),
        ("SQUEEZE", Squeeze),
        ("EXPAND_DIMS", ExpandDims),
        ("TRANSPOSE", Transpose),
        ("CONCATENATION", Concatenation),
        ("PACK", Pack),
        ("SHAPE", node => node.Part("extents", new Cast(node.OutputType), Node.Weight("shape", Tensor.Of<int>([node[0].Shape.Rank], [.. LiteNode.Last(node[0].Shape)])))),
        ("PAD", node => Pad(node, 0)),
        ("PADV2", node => Pad(node, node.Real(2))),
        ("MIRROR_PAD", node => node.Int("mode") == 0 ? Pad(node, 0, PadMode.Reflect) : throw new ModelFormatException("it repeats the edge when it mirrors; understood is the mode REFLECT")),
        ("SLICE", Slice),
        ("STRIDED_SLICE", StridedSlice),
        ("GATHER", Gather),
        ("TILE", Tile),
        ("DEPTH_TO_SPACE", DepthToSpace),
        ("SPACE_TO_DEPTH", SpaceToDepth),
    ];

    private static (string Type, Builder Build)[] Several =>
    [
        ("SPLIT", node => Split(node, node[1], LiteNode.Axis(node.Int(0), node[1].Shape.Rank), null)),
        ("SPLIT_V", node => Split(node, node[0], LiteNode.Axis(node.Int(2), node[0].Shape.Rank), node.Ints(1))),
        ("UNPACK", Unpack),
    ];

    private static Node Reshape(LiteNode node)
    {
        node.Takes(1, 2);
        return node.Reshaped(node[0], node.Count == 2 ? node.Ints(1) : node.List("new_shape"));
    }

    private static Node Squeeze(LiteNode node)
    {
        Ints last = LiteNode.Last(node[0].Shape), axes = [.. node.List("squeeze_dims").Select(axis => axis < 0 ? axis + last.Count : axis)];
        if (axes.Any(axis => axis < 0 || axis >= last.Count || last[axis] != 1)) throw new ModelFormatException($"the axes {axes} of {last} can't be squeezed");
        return node.Reshaped(node[0], [.. last.Where((extent, axis) => axes.Count == 0 ? extent != 1 : !axes.Contains(axis))]);
    }

    private static Node ExpandDims(LiteNode node)
    {
        node.Takes(2, 2);
        ImmutableArray<int> last = LiteNode.Last(node[0].Shape).Items;
        int axis = node.Int(1) is < 0 and var back ? back + last.Length + 1 : node.Int(1);
        return axis >= 0 && axis <= last.Length ? node.Reshaped(node[0], new(last.Insert(axis, 1))) : throw new ModelFormatException($"there is no axis {axis} in {node[0].Shape}");
    }

    private static Node Transpose(LiteNode node)
    {
        node.Takes(2, 2);
        Node x = node[0];
        Ints order = node.Ints(1);
        if (x.Shape.Rank != 4 || order.Count != 4) return node.Make(new Transpose(order), x);
        if (!order.Order().SequenceEqual([0, 1, 2, 3])) throw new ModelFormatException($"{order} is no order of axes");
        // What stands at the graph's axis i of the output is what stands at the file's axis of it.
        return node.Make(new Transpose([.. ((int[])[0, 3, 1, 2]).Select(axis => LiteNode.Axis(order[axis], 4))]), x);
    }

    private static Node Concatenation(LiteNode node)
    {
        node.Takes(1, int.MaxValue);
        return node.Activated(new Concat(LiteNode.Axis(node.Int("axis"), node[0].Shape.Rank)), node.All());
    }

    private static Node Pack(LiteNode node)
    {
        node.Takes(1, int.MaxValue);
        int rank = node[0].Shape.Rank + 1, axis = node.Int("axis") is < 0 and var back ? back + rank : node.Int("axis");
        if (axis < 0 || axis >= rank) throw new ModelFormatException($"there is no axis {axis} in a value of rank {rank}");
        ImmutableArray<Node> rows = [.. node.All().Select((x, i) => node.Part($"row {i}", new Unsqueeze([axis]), node.Import.ToLast($"{x.Name}/last", x)))];
        return rank == 4 ? node.Import.FromLast(node.Output(0), node.Part("packed", new Concat(axis), rows)) : node.Make(new Concat(axis), rows);
    }

    private static ImmutableArray<Node> Unpack(LiteNode node)
    {
        node.Takes(1, 1);
        Node x = node[0];
        int axis = LiteNode.Axis(node.Int("axis"), x.Shape.Rank);
        return [.. Enumerable.Range(0, node.Outputs).Select(i => node.Part($"row {i}", new Slice(axis, i, i + 1), x)).Select((row, i) => node.Reshaped(row, Without(row.Shape, [axis]), node.Wish(i)))];
    }

    private static ImmutableArray<Node> Split(LiteNode node, Node x, int axis, Ints? given)
    {
        if (node.Outputs is 0 || given is null && x.Shape[axis] % node.Outputs != 0) throw new ModelFormatException($"{x.Shape} doesn't divide into {node.Outputs} parts");
        Ints parts = given ?? [.. Enumerable.Repeat(x.Shape[axis] / node.Outputs, node.Outputs)];
        if (parts.Count(part => part == -1) == 1) parts = [.. parts.Select(part => part == -1 ? x.Shape[axis] - parts.Sum() - 1 : part)];
        if (parts.Count != node.Outputs || parts.Any(part => part < 0 || part > x.Shape[axis]) || parts.Sum(part => (long)part) != x.Shape[axis])
            throw new ModelFormatException($"{x.Shape} doesn't divide into {parts}");
        int start = 0;
        return [.. parts.Select((part, i) => node.Make(i, new Slice(axis, start, start += part), x))];
    }

    private static Node Pad(LiteNode node, float value, PadMode mode = PadMode.Constant)
    {
        Node x = node[0];
        Ints amounts = node.Ints(1);
        if (amounts.Count != 2 * x.Shape.Rank) throw new ModelFormatException($"{amounts} are no paddings of {x.Shape}");
        if (amounts.Any(amount => amount < 0)) throw new ModelFormatException($"the paddings {amounts} are negative");
        Node padded = Padded(node, x, [.. Enumerable.Range(0, x.Shape.Rank).Select(axis => (LiteNode.Axis(axis, x.Shape.Rank), amounts[2 * axis], amounts[2 * axis + 1]))], value, mode);
        return padded == x ? node.Make(new Identity(), x) : padded;
    }

    /// <summary>A value with elements around it, or, if negative, without; the value itself where nothing changes.</summary>
    private static Node Padded(LiteNode node, Node x, IEnumerable<(int Axis, int Before, int After)> sides, float value, PadMode mode = PadMode.Constant)
    {
        (int Axis, int Before, int After)[] padded = [.. sides.Where(side => side is not (_, 0, 0))];
        foreach ((int i, (int axis, int before, int after)) in padded.Index())
        {
            var op = new Pad(axis, before, after, mode, value);
            x = i == padded.Length - 1 ? node.Make(op, x) : node.Part($"padded {i}", op, x);
        }
        return x;
    }

    private static Node Slice(LiteNode node)
    {
        node.Takes(3, 3);
        Node x = node[0];
        Ints starts = node.Ints(1), sizes = node.Ints(2), last = LiteNode.Last(x.Shape);
        if (starts.Count != last.Count || sizes.Count != last.Count || starts.Where((start, axis) => start < 0 || sizes[axis] < -1 || (long)start + Math.Max(0, sizes[axis]) > last[axis]).Any())
            throw new ModelFormatException($"{last} has no part from {starts} of size {sizes}");
        return Sliced(node, x, [.. starts.Select((start, axis) => new Slice(LiteNode.Axis(axis, last.Count), start, sizes[axis] == -1 ? last[axis] : start + sizes[axis]))]);
    }

    private static Node StridedSlice(LiteNode node)
    {
        node.Takes(4, 4);
        node.Only("ellipsis_mask", 0);
        node.Only("new_axis_mask", 0);
        node.Only("offset", 0);
        Node x = node[0];
        Ints starts = node.Ints(1), ends = node.Ints(2), steps = node.Ints(3), last = LiteNode.Last(x.Shape);
        int first = node.Int("begin_mask"), end = node.Int("end_mask"), single = node.Int("shrink_axis_mask");
        if (starts.Count > last.Count || ends.Count != starts.Count || steps.Count != starts.Count) throw new ModelFormatException($"{starts}, {ends} and {steps} are no part of {last}");
        Node part = Sliced(node, x, [.. starts.Select((start, axis) => Range(axis))]);
        Ints gone = [.. Enumerable.Range(0, starts.Count).Where(axis => Bit(single, axis)).Select(axis => LiteNode.Axis(axis, last.Count))];
        return gone.Count == 0 ? part : node.Reshaped(part, Without(part.Shape, gone));

        Slice Range(int axis)
        {
            bool back = steps[axis] < 0;
            int at = LiteNode.Axis(axis, last.Count);
            if (Bit(single, axis)) return new(at, starts[axis], starts[axis] == -1 ? int.MaxValue : starts[axis] + 1);
            return new(at, Bit(first, axis) ? (back ? int.MaxValue : 0) : starts[axis], Bit(end, axis) ? (back ? int.MinValue : int.MaxValue) : ends[axis], steps[axis]);
        }

        static bool Bit(int mask, int axis) => (mask >> axis & 1) != 0;
    }

    /// <summary>The parts along several axes; those that are the whole are left out.</summary>
    private static Node Sliced(LiteNode node, Node x, ImmutableArray<Slice> slices)
    {
        Slice[] cutting = [.. slices.Where(slice => slice.Step != 1 || slice.Range(x.Shape[slice.Axis]) != (0, x.Shape[slice.Axis]))];
        if (cutting.Length == 0) return node.Make(new Identity(), x);
        foreach (Slice slice in cutting[..^1]) x = node.Part($"part of axis {slice.Axis}", slice, x);
        return node.Make(cutting[^1], x);
    }

    private static Node Gather(LiteNode node)
    {
        node.Takes(2, 2);
        node.Only("batch_dims", 0);
        Node x = node[0], indices = node[1];
        int axis = LiteNode.Axis(node.Int("axis"), x.Shape.Rank);
        if (indices.Value is { Shape.Rank: 1 }) return node.Make(new Gather(axis, node.Ints(1)), x);
        if (x.Shape.Rank == 4 || x.Shape.Rank + indices.Shape.Rank - 1 == 4) throw new ModelFormatException("of pictures, or to pictures, indices are understood that are one list and known when the network is read");
        return node.Make(new Take(axis), x, indices);
    }

    private static Node Tile(LiteNode node)
    {
        node.Takes(2, 2);
        Ints counts = node.Ints(1);
        return node.Make(new Tile(counts.Count == 4 ? [counts[0], counts[3], counts[1], counts[2]] : counts), node[0]);
    }

    private static Node DepthToSpace(LiteNode node)
    {
        Node x = Pictures(node, 0);
        (int b, Shape shape) = (Side(node), x.Shape);
        if (shape[1] % (b * b) != 0) throw new ModelFormatException($"{shape} has no channels for blocks of {b}×{b}");
        Node split = node.Part("split", new Reshape([0, b, b, shape[1] / (b * b), shape[2], shape[3]]), x);
        return node.Make(new Reshape([0, shape[1] / (b * b), shape[2] * b, shape[3] * b]), node.Part("turned", new Transpose([0, 3, 4, 1, 5, 2]), split));
    }

    private static Node SpaceToDepth(LiteNode node)
    {
        Node x = Pictures(node, 0);
        (int b, Shape shape) = (Side(node), x.Shape);
        if (shape[2] % b != 0 || shape[3] % b != 0) throw new ModelFormatException($"{shape} doesn't divide into blocks of {b}×{b}");
        Node split = node.Part("split", new Reshape([0, shape[1], shape[2] / b, b, shape[3] / b, b]), x);
        return node.Make(new Reshape([0, shape[1] * b * b, shape[2] / b, shape[3] / b]), node.Part("turned", new Transpose([0, 3, 5, 1, 2, 4]), split));
    }

    private static int Side(LiteNode node) => node.Int("block_size") is > 0 and < 1 << 12 and var side ? side : throw new ModelFormatException($"its blocks have the side {node.Int("block_size")}");
}
