namespace Penjing;

/// <content>Operations that only move elements, of every type.</content>
public static partial class Reference
{
    private static Tensor Permute(Transpose transpose, Tensor input, Shape shape)
    {
        var strides = new int[shape.Rank];
        for (int axis = 0; axis < strides.Length; axis++)
            strides[axis] = input.Shape.Product(transpose.Permutation[axis] + 1, shape.Rank);
        return Moved(input, shape, Offsets(shape, strides));
    }

    private static Tensor Join(Concat concat, ReadOnlySpan<Tensor> inputs, Shape shape)
    {
        int size = inputs[0].Type.Size(), at = 0;
        var output = new byte[checked(shape.Elements * size)];
        int outer = Around(shape, concat.Axis).Outer;
        for (int i = 0; i < outer; i++)
            foreach (Tensor input in inputs)
            {
                ReadOnlySpan<byte> block = input.Bytes.Span.Slice(input.Bytes.Length / outer * i, input.Bytes.Length / outer);
                block.CopyTo(output.AsSpan(at));
                at += block.Length;
            }
        return new(inputs[0].Type, shape, output);
    }

    /// <summary>The slabs at these indices along an axis; a slab of the fill where an index is negative.</summary>
    private static Tensor Select(Tensor input, Shape shape, int axis, ReadOnlySpan<int> indices, byte[]? fill = null)
    {
        (int outer, int extent, int inner) = Around(input.Shape, axis);
        int slab = inner * input.Type.Size(), at = 0;
        byte[] blank = fill is null ? [] : [.. Enumerable.Repeat(fill, inner).SelectMany(element => element)];
        var output = new byte[checked(shape.Elements * input.Type.Size())];
        for (int i = 0; i < outer; i++)
            foreach (int index in indices)
            {
                (index < 0 ? blank : input.Bytes.Span.Slice((i * extent + index) * slab, slab)).CopyTo(output.AsSpan(at));
                at += slab;
            }
        return new(input.Type, shape, output);
    }

    private static int[] Indices(Slice slice, int extent)
    {
        (int first, int count) = slice.Range(extent);
        return [.. Enumerable.Range(0, count).Select(i => first + i * slice.Step)];
    }

    private static int[] Indices(Pad pad, int extent) => [.. Enumerable.Range(-pad.Before, extent + pad.Before + pad.After).Select(i => pad.Mode switch
    {
        PadMode.Edge => Math.Clamp(i, 0, extent - 1),
        PadMode.Reflect when i < 0 => -i,
        PadMode.Reflect when i >= extent => 2 * (extent - 1) - i,
        PadMode.Reflect => i,
        _ => i < extent ? i : -1,
    })];

    /// <summary>The bits of one element: of a number, or of the integer that stands for it.</summary>
    private static byte[] Element(ValueInfo info, float value) =>
        Stored(new(info.Type, [1]), [(double)(info.Quantization?.Nearest(value, info.Type) ?? value)]).Bytes.ToArray();
}
