using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>One extent of a strided copy, and how many source elements lie between neighbours along it.</summary>
internal readonly record struct Axis(int Extent, long Stride);

/// <summary>How values lie in the engine's memory: rank 4 as N, H, W, C, all others row-major.</summary>
internal static class Layout
{
    private static readonly ImmutableArray<int> channelsLast = [0, 2, 3, 1];

    /// <summary>Whether channels-last and row-major are the same order for this shape.</summary>
    public static bool IsPlain(Shape shape) => shape.Rank != 4 || shape[1] == 1 || shape[2] * shape[3] == 1;

    /// <summary>The shape of a value as that of pictures: a row of a matrix is one pixel.</summary>
    public static Shape Pictures(Shape shape) => shape.Rank == 2 ? [shape[0], shape[1], 1, 1] : shape;

    /// <summary>The copy that makes the engine's order of row-major elements.</summary>
    public static ImmutableArray<Axis> Inward(Shape shape) => Merge([.. Order(shape).Select(axis => new Axis(shape[axis], RowMajor(shape)[axis]))]);

    /// <summary>The copy that makes row-major elements of the engine's order, pixels <paramref name="pitch"/> elements apart.</summary>
    public static ImmutableArray<Axis> Outward(Shape shape, int pitch = 0) => Merge([.. shape.Select((extent, axis) => new Axis(extent, Strides(shape, pitch)[axis]))]);

    /// <summary>The copy, from the engine's order to the engine's order, that transposes.</summary>
    public static ImmutableArray<Axis> Transposed(Shape input, Transpose op)
    {
        long[] strides = Strides(input);
        int[] extents = [.. op.Permutation.Select(axis => input[axis])];
        return Merge([.. Order(Shape.Create(extents)).Select(axis => new Axis(extents[axis], strides[op.Permutation[axis]]))]);
    }

    /// <summary>
    /// The copies that make a node's value of its input where the operation only moves elements (none: the input's memory is the value's),
    /// or null for all other operations.
    /// </summary>
    public static ImmutableArray<ImmutableArray<Axis>>? Moves(Node node)
    {
        if (node.Op is not (Reshape or Flatten or Squeeze or Unsqueeze or Identity or Dropout or Reinterpret or Transpose)) return null;
        Shape input = node.Inputs[0].Shape, output = node.Shape;
        if (node.Op is Transpose transpose) return Needed([Transposed(input, transpose)]);
        bool aligned = input.Rank == 4 && output.Rank == 4 && input[0] == output[0] && input[1] == output[1];
        return input == output || aligned ? [] : Needed([Outward(input), Inward(output)]);

        static ImmutableArray<ImmutableArray<Axis>> Needed(ImmutableArray<ImmutableArray<Axis>> copies) => [.. copies.Where(copy => !IsCopy(copy))];
    }

    /// <summary>The axis counted from the front.</summary>
    public static int Axis(Shape shape, int axis) => axis < 0 ? axis + shape.Rank : axis;

    /// <summary>How many elements of dense memory, or pixels of pitched, each place along an axis takes; 1 along the channels.</summary>
    public static long Inner(Shape shape, int axis)
    {
        if (shape.Rank == 0) return 0;
        int[] order = [.. Order(shape)];
        int at = Array.IndexOf(order, Axis(shape, axis)), end = shape.Rank == 4 ? Math.Max(3, at + 1) : shape.Rank;
        return order[(at + 1)..end].Aggregate(1L, (product, other) => product * shape[other]);
    }

    /// <summary>Whether a stretch of an axis is one piece of memory or, along the channels of a picture, a part of each pixel.</summary>
    public static bool IsSegment(Shape shape, int axis)
    {
        axis = Axis(shape, axis);
        return (shape.Rank == 4 && axis == 1) || Order(shape).TakeWhile(other => other != axis).All(other => shape[other] == 1);
    }

    /// <summary>The extents of a shape in the engine's order.</summary>
    public static int[] Ordered(Shape shape) => [.. Order(shape).Select(axis => shape[axis])];

    /// <summary>
    /// Elements of <paramref name="shape"/>'s memory, pixels <paramref name="pitch"/> elements apart, between neighbours along each axis, in the
    /// engine's order, of the shape it broadcasts to; 0 where it repeats.
    /// </summary>
    public static long[] Broadcast(Shape shape, Shape to, int pitch = 0)
    {
        long[] strides = Strides(shape, pitch);
        int missing = to.Rank - shape.Rank;
        return [.. Order(to).Select(axis => axis < missing || shape[axis - missing] == 1 ? 0 : strides[axis - missing])];
    }

    /// <summary>Whether a copy changes nothing about the order.</summary>
    public static bool IsCopy(ImmutableArray<Axis> axes) => axes.Length == 0 || (axes.Length == 1 && axes[0].Stride == 1);

    private static IEnumerable<int> Order(Shape shape) => shape.Rank == 4 ? channelsLast : Enumerable.Range(0, shape.Rank);

    private static long[] RowMajor(Shape shape)
    {
        var strides = new long[shape.Rank];
        long stride = 1;
        for (int axis = shape.Rank - 1; axis >= 0; stride *= shape[axis--]) strides[axis] = stride;
        return strides;
    }

    /// <summary>Elements between neighbours along each axis of the shape, pixels <paramref name="pitch"/> elements apart; 0 means side by side.</summary>
    private static long[] Strides(Shape shape, int pitch = 0)
    {
        if (shape.Rank != 4) return RowMajor(shape);
        long across = pitch > 0 ? pitch : shape[1], width = shape[3];
        return [shape[2] * width * across, 1, width * across, across];
    }

    /// <summary>Drops axes of extent 1 and joins neighbours that one stride can walk; an empty copy is one axis of extent 0.</summary>
    private static ImmutableArray<Axis> Merge(ImmutableArray<Axis> axes)
    {
        if (axes.Any(axis => axis.Extent == 0)) return [new(0, 1)];
        var merged = new List<Axis>();
        foreach (Axis axis in axes.Where(axis => axis.Extent != 1))
        {
            if (merged.Count > 0 && merged[^1].Stride == axis.Stride * axis.Extent) merged[^1] = new(merged[^1].Extent * axis.Extent, axis.Stride);
            else merged.Add(axis);
        }
        return [.. merged];
    }
}
