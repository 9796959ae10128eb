using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>What picks elements by index and puts them there.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Indexing =>
    [
        ("Gather", Gather),
        ("GatherElements", node => Picked(node, new GatherElements(node.Small("axis", 0)))),
        ("GatherND", node => Picked(node, new GatherND(node.Small("batch_dims", 0)))),
        ("Scatter", ScatterElements),
        ("ScatterElements", ScatterElements),
        ("ScatterND", node => Put(node, new ScatterND(Reduction(node)))),
        ("OneHot", OneHot),
        ("Compress", Compress),
        ("ReverseSequence", ReverseSequence),
    ];

    private static Node Picked(OnnxNode node, Op op)
    {
        node.Takes(2, 2);
        return node.Make(op, node[0], node[1]);
    }

    private static Node Put(OnnxNode node, Op op)
    {
        node.Takes(3, 3);
        return node.Make(op, node.All());
    }

    private static Node ScatterElements(OnnxNode node) => Put(node, new ScatterElements(node.Small("axis", 0), Reduction(node)));

    private static ScatterReduction Reduction(OnnxNode node) => node.Choice<ScatterReduction>("reduction", "none",
        ("none", ScatterReduction.None), ("add", ScatterReduction.Add), ("mul", ScatterReduction.Mul), ("max", ScatterReduction.Max),
        ("min", ScatterReduction.Min));

    /// <summary>Constant indices stand in the operation; a scalar takes its axis away, a matrix puts several in its place.</summary>
    private static Node Gather(OnnxNode node)
    {
        node.Takes(2, 2);
        (Node x, Node at) = (node[0], node[1]);
        int given = node.Small("axis", 0), axis = given < 0 ? given + x.Shape.Rank : given;
        if (axis < 0 || axis >= x.Shape.Rank) throw new ModelFormatException($"axis {given} lies outside {x.Shape}");
        if (at.Value is null || at.Info.Type is not (ElementType.Int32 or ElementType.Int64)) return node.Make(new Take(given), x, at);
        node.Import.Tensors.Charge(8L * at.Shape.Elements);
        ImmutableArray<long> indices = OnnxNode.Longs(at.Value, "the indices");
        int extent = x.Shape[axis];
        foreach (long index in indices)
            if (index < -extent || index >= extent) throw new ModelFormatException($"index {index} lies outside axis {axis} of {x.Shape}");
        var gather = new Gather(given, [.. indices.Select(index => (int)(index < 0 ? index + extent : index))]);
        if (at.Shape.Rank == 1) return node.Make(gather, x);
        Node row = node.Part("row", gather, x);
        if (at.Shape.Rank == 0) return node.Make(new Squeeze([axis]), row);
        if (row.Shape.Elements == 0) return node.Make(new Take(given), x, at);
        return node.Make(new Reshape([.. x.Shape.AsSpan()[..axis].ToArray().Select(_ => 0), .. at.Shape, .. x.Shape.AsSpan()[(axis + 1)..]]), row);
    }

    private static Node OneHot(OnnxNode node)
    {
        node.Takes(3, 3);
        ImmutableArray<float> depth = node.Floats(1, "the depth");
        if (depth.Length != 1 || !(depth[0] >= 0 && depth[0] < int.MaxValue))
            throw new ModelFormatException($"the depth is one whole number, not {string.Join(", ", depth.Take(3))}");
        return node.Make(new OneHot((int)depth[0], node.Small("axis", -1)), node[0], node[2]);
    }

    /// <summary>The elements at which a condition holds, which has to be known: the shape hangs on it.</summary>
    private static Node Compress(OnnxNode node)
    {
        node.Takes(2, 2);
        Tensor condition = node.Known(1, "the condition");
        node.Import.Tensors.Charge(8L * condition.Shape.Elements);
        if (condition.Type is not ElementType.Bool || condition.Shape.Rank != 1)
            throw new ModelFormatException($"the condition is a row of BOOL, not {condition}");
        int[] held = [.. condition.AsSpan<bool>().ToArray().Index().Where(one => one.Item).Select(one => one.Index)];
        int axis = node.Small("axis", int.MinValue);
        return axis != int.MinValue
            ? node.Make(new Gather(axis, [.. held]), node[0])
            : node.Make(new Gather(0, [.. held]), node.Part("flat", new Reshape([-1]), node[0]));
    }

    /// <summary>The first so many elements of each row turned round: indices that the lengths, which have to be known, give.</summary>
    private static Node ReverseSequence(OnnxNode node)
    {
        node.Takes(2, 2);
        Node x = node[0];
        ImmutableArray<long> lengths = node.Longs(1, "the lengths");
        int time = node.Small("time_axis", 0), batch = node.Small("batch_axis", 1);
        if (time is not (0 or 1) || batch is not (0 or 1) || time == batch || x.Shape.Rank < 2 || lengths.Length != x.Shape[batch]
            || lengths.Any(length => length < 0 || length > x.Shape[time]))
            throw new ModelFormatException($"the lengths of {lengths.Length} rows don't fit {x.Shape} with time along axis {time}");
        node.Import.Tensors.Charge(16L * x.Shape.Elements);
        Shape shape = x.Shape;
        int inner = shape.Product(2, shape.Rank), second = shape[1];
        Tensor indices = Tensor.Build<long>(shape, values =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                int row = i / inner / second, column = i / inner % second;
                (int at, long length) = time == 0 ? (row, lengths[column]) : (column, lengths[row]);
                values[i] = at < length ? length - 1 - at : at;
            }
        });
        return node.Make(new GatherElements(time), x, node.Weight("indices", indices));
    }
}
