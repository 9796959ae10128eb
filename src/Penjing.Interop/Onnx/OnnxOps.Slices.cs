using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Parts of values and what is put around them; several axes are a chain, since those of the core are along one.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Slices =>
    [
        ("Slice", Slice),
        ("Split", Split),
        ("Pad", Pad),
        ("CenterCropPad", CenterCropPad),
    ];

    /// <summary>Applies operations one after another; the last has the output's name. None at all is an Identity.</summary>
    private static Node Chain(OnnxNode node, Node x, List<Op> ops)
    {
        for (int i = 0; i < ops.Count - 1; i++) x = node.Part($"{i + 1}", ops[i], x);
        return node.Make(ops.Count > 0 ? ops[^1] : new Identity(), x);
    }

    /// <summary>Bounds are attributes before opset 10, inputs since.</summary>
    private static Node Slice(OnnxNode node)
    {
        bool attributes = node.Version < 10;
        node.Takes(attributes ? 1 : 3, attributes ? 1 : 5);
        Node x = node[0];
        ImmutableArray<long> starts = (attributes ? node.Longs("starts") : node.Longs(1, "the starts"))
            ?? throw new ModelFormatException("the attribute 'starts' is missing");
        ImmutableArray<long> ends = (attributes ? node.Longs("ends") : node.Longs(2, "the ends"))
            ?? throw new ModelFormatException("the attribute 'ends' is missing");
        ImmutableArray<long>? axes = attributes ? node.Longs("axes") : node.Optional(3) is null ? null : node.Longs(3, "the axes");
        ImmutableArray<long> steps = attributes || node.Optional(4) is null ? [.. starts.Select(_ => 1L)] : node.Longs(4, "the steps");
        ImmutableArray<long> along = axes ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        if (ends.Length != starts.Length || along.Length != starts.Length || steps.Length != starts.Length || starts.Length > x.Shape.Rank)
            throw new ModelFormatException($"{starts.Length} starts, {ends.Length} ends, {along.Length} axes and {steps.Length} steps don't slice {x.Shape}");
        List<Op> ops = [];
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = OnnxNode.Small(along[i], "an axis");
            if (axis < -x.Shape.Rank || axis >= x.Shape.Rank) throw new ModelFormatException($"axis {axis} lies outside {x.Shape}");
            var slice = new Slice(axis, Bounded(starts[i]), Bounded(ends[i]), Bounded(steps[i]));
            bool whole = slice.Step == 1 && slice.Range(x.Shape[axis]) == (0, x.Shape[axis]);
            if (!whole || starts.Length == 1) ops.Add(slice);
        }
        return Chain(node, x, ops);
    }

    private static int Bounded(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);

    /// <summary>
    /// The parts' sizes are an attribute before opset 13 and an input since; without them the parts are equal, from opset 18 the last may be
    /// smaller.
    /// </summary>
    private static Node Split(OnnxNode node)
    {
        node.Takes(1, 2);
        Node x = node[0];
        int axis = node.Small("axis", 0), count = node.Outputs;
        if (axis < -x.Shape.Rank || axis >= x.Shape.Rank) throw new ModelFormatException($"axis {axis} lies outside {x.Shape}");
        int extent = x.Shape[axis];
        ImmutableArray<long>? given = node.Version < 13 ? node.Optional(1) is null ? node.Longs("split") : node.Longs(1, "the split")
            : node.Optional(1) is null ? null : node.Longs(1, "the split");
        if (node.Int("num_outputs", count) != count) throw new ModelFormatException($"num_outputs is {node.Int("num_outputs", count)}, but {count} are named");
        if (count == 0) throw new ModelFormatException("it has no outputs");
        long equal = ((long)extent + count - 1) / count;
        ImmutableArray<long> sizes = given ?? [.. Enumerable.Range(0, count).Select(i => Math.Clamp(extent - i * equal, 0, equal))];
        if (sizes.Length != count || sizes.Any(size => size < 0 || size > extent) || sizes.Sum() != extent
            || (given is null && node.Version < 18 && extent % count != 0))
            throw new ModelFormatException($"{x.Shape} can't be split along axis {axis} into {count} parts of {string.Join(", ", sizes)}");
        var parts = new Node[count];
        int from = 0;
        for (int i = 0; i < count; i++)
        {
            parts[i] = node.Make(i, new Slice(axis, from, from + (int)sizes[i]), x);
            from += (int)sizes[i];
            if (i > 0) node.Yield(i, parts[i]);
        }
        return parts[0];
    }

    /// <summary>Pads are an attribute before opset 11 and an input since; they are for the axes that opset 18 may name.</summary>
    private static Node Pad(OnnxNode node)
    {
        bool attributes = node.Version < 11;
        node.Takes(attributes ? 1 : 2, attributes ? 1 : 4);
        Node x = node[0];
        int rank = x.Shape.Rank;
        string mode = node.Choice<string>("mode", "constant", ("constant", "constant"), ("reflect", "reflect"), ("edge", "edge"), ("wrap", "wrap"));
        ImmutableArray<long> pads = (attributes ? node.Longs(node.Version < 2 ? "paddings" : "pads") : node.Longs(1, "the pads"))
            ?? throw new ModelFormatException("the attribute 'pads' is missing");
        float value = attributes ? node.Float("value", 0) : mode == "constant" && node.Optional(2) is not null ? node.One(2, "the value") : 0;
        ImmutableArray<long> axes = node.Optional(3) is null ? [.. Enumerable.Range(0, rank).Select(axis => (long)axis)] : node.Longs(3, "the axes");
        if (pads.Length != 2 * axes.Length) throw new ModelFormatException($"{pads.Length} pads are not two for each of {axes.Length} axes");
        List<Op> ops = [];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = OnnxNode.Small(axes[i] < 0 ? axes[i] + rank : axes[i], "an axis");
            int before = OnnxNode.Small(pads[i], "a pad"), after = OnnxNode.Small(pads[i + axes.Length], "a pad");
            if (axis < 0 || axis >= rank) throw new ModelFormatException($"axis {axes[i]} lies outside {x.Shape}");
            if (before == 0 && after == 0) continue;
            ops.Add(mode switch
            {
                "constant" => new Pad(axis, before, after, PadMode.Constant, value),
                "edge" => new Pad(axis, before, after, PadMode.Edge),
                "reflect" => new Pad(axis, before, after, PadMode.Reflect),
                _ => Wrapped(node, x.Shape, axis, before, after),
            });
        }
        return Chain(node, x, ops);
    }

    private static Gather Wrapped(OnnxNode node, Shape shape, int axis, int before, int after)
    {
        int extent = shape[axis];
        long padded = (long)extent + before + after;
        if (extent == 0 || padded < 0) throw new ModelFormatException($"{before} and {after} can't be wrapped around axis {axis} of {shape}");
        node.Import.Tensors.Charge(4 * padded);
        return new(axis, [.. Enumerable.Range(0, OnnxNode.Small(padded, "an extent")).Select(i => (int)((((long)i - before) % extent + extent) % extent))]);
    }

    private static Node CenterCropPad(OnnxNode node)
    {
        node.Takes(2, 2);
        Node x = node[0];
        ImmutableArray<long> wanted = node.Longs(1, "the shape");
        ImmutableArray<long> axes = node.Longs("axes") ?? [.. Enumerable.Range(0, x.Shape.Rank).Select(axis => (long)axis)];
        if (axes.Length != wanted.Length) throw new ModelFormatException($"{wanted.Length} extents are not for {axes.Length} axes");
        List<Op> ops = [];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = OnnxNode.Small(axes[i] < 0 ? axes[i] + x.Shape.Rank : axes[i], "an axis"), to = OnnxNode.Small(wanted[i], "an extent");
            if (axis < 0 || axis >= x.Shape.Rank || to < 0) throw new ModelFormatException($"{x.Shape} can't have the extent {to} along axis {axes[i]}");
            int from = x.Shape[axis];
            if (to < from) ops.Add(new Slice(axis, (from - to) / 2, (from - to) / 2 + to));
            else if (to > from) ops.Add(new Pad(axis, (to - from) / 2, to - from - (to - from) / 2));
        }
        return Chain(node, x, ops);
    }
}
