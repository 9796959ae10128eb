using System.Numerics;

namespace Penjing;

/// <content>Operations whose indices are computed, and repetition.</content>
public static partial class Reference
{
    private static int[] Repeated(Tile tile, Shape input, Shape shape)
    {
        int[] strides = Strides(input, input.Rank), from = new int[shape.Elements];
        for (int i = 0; i < from.Length; i++)
            for (int axis = input.Rank - 1, rest = i; axis >= 0; rest /= shape[axis], axis--) from[i] += rest % shape[axis] % input[axis] * strides[axis];
        return from;
    }

    private static int[] Triangle(Trilu trilu, Shape shape)
    {
        int rows = shape[-2], columns = shape[-1];
        return [.. Enumerable.Range(0, shape.Elements).Select(i =>
        {
            long beyond = i % columns - (long)(i / columns % rows) - trilu.K;
            return (trilu.Upper ? beyond >= 0 : beyond <= 0) ? i : -1;
        })];
    }

    private static Tensor Pick(Take take, Tensor input, Tensor indices, Shape shape)
    {
        (int outer, int extent, int inner) = Around(input.Shape, take.Axis);
        int[] picked = Indices(take, indices, extent), from = new int[shape.Elements];
        int next = 0;
        for (int i = 0; i < outer; i++)
            foreach (int index in picked)
                for (int j = 0; j < inner; j++) from[next++] = (i * extent + index) * inner + j;
        return Moved(input, shape, from);
    }

    /// <summary>For each index its place in the data: that of its own coordinates, but with the index along one axis.</summary>
    private static int[] Places(Op op, int axis, Shape data, Tensor indices)
    {
        if (axis < 0) axis += data.Rank;
        int[] strides = PlainStrides(data), own = Offsets(indices.Shape, [.. strides.Select((stride, i) => i == axis ? 0 : stride)]);
        int[] along = Indices(op, indices, data[axis]);
        return [.. own.Select((place, i) => place + along[i] * strides[axis])];
    }

    /// <summary>For each element of the slices that the indices point at, its place in the data.</summary>
    private static int[] Places(Op op, int batchDims, Shape data, Tensor indices, int elements)
    {
        int depth = indices.Shape[-1], slice = data.Product(batchDims + depth, data.Rank), batch = data.Product(batchDims, data.Rank);
        int[] strides = PlainStrides(data);
        int batches = data.Product(0, batchDims), tuples = indices.Shape.Product(0, indices.Shape.Rank - 1);
        long[] values = [.. Wholes(indices).Select(value => (long)value)];
        var places = new int[elements];
        for (int i = 0; i < tuples; i++)
        {
            int first = i / Math.Max(1, tuples / Math.Max(1, batches)) * batch;
            for (int k = 0; k < depth; k++) first += Index(op, values[i * depth + k], data[batchDims + k]) * strides[batchDims + k];
            for (int j = 0; j < slice; j++) places[i * slice + j] = first + j;
        }
        return places;
    }

    private static Tensor Scatter(Tensor data, Tensor updates, int[] places, ScatterReduction reduction) => reduction switch
    {
        ScatterReduction.None => Replaced(data, updates, places),
        _ when data.Type.IsFloat() => Stored(new(data.Type, data.Shape), Scattered(Reals(data), Reals(updates), places, reduction)),
        _ => Stored(new(data.Type, data.Shape), Scattered(Wholes(data), Wholes(updates), places, reduction)),
    };

    private static Tensor Replaced(Tensor data, Tensor updates, int[] places)
    {
        int size = data.Type.Size();
        byte[] output = data.Bytes.ToArray();
        for (int i = 0; i < places.Length; i++) updates.Bytes.Span.Slice(i * size, size).CopyTo(output.AsSpan(places[i] * size));
        return new(data.Type, data.Shape, output);
    }

    private static N[] Scattered<N>(N[] data, N[] updates, int[] places, ScatterReduction reduction) where N : INumber<N>
    {
        for (int i = 0; i < places.Length; i++)
        {
            ref N target = ref data[places[i]];
            target = reduction switch
            {
                ScatterReduction.Add => unchecked(target + updates[i]),
                ScatterReduction.Mul => unchecked(target * updates[i]),
                ScatterReduction.Max => N.Max(target, updates[i]),
                _ => N.Min(target, updates[i]),
            };
        }
        return data;
    }

    private static Tensor Marked(OneHot op, Tensor indices, Tensor values, Shape shape)
    {
        int axis = op.Axis < 0 ? op.Axis + shape.Rank : op.Axis, inner = shape.Product(axis + 1, shape.Rank);
        Int128[] at = Wholes(indices);
        return Moved(values, shape, [.. Enumerable.Range(0, shape.Elements).Select(i =>
        {
            Int128 index = at[i / inner / op.Depth * inner + i % inner];
            return (index < 0 ? index + op.Depth : index) == i / inner % op.Depth ? 1 : 0;
        })]);
    }

    private static int[] PlainStrides(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(axis => shape.Product(axis + 1, shape.Rank))];

    private static int[] Indices(Op op, Tensor indices, int extent) => [.. Wholes(indices).Select(index => Index(op, (long)index, extent))];

    private static int Index(Op op, long index, int extent) => index >= -extent && index < extent ? (int)(index < 0 ? index + extent : index)
        : throw new PenjingException($"{op.Name}: the index {index} lies outside an axis of {extent}");
}
