using System.Runtime.InteropServices;

namespace Penjing;

/// <content>Operations that only move elements, of every type.</content>
public static partial class Reference
{
    private static Tensor Permute(Transpose transpose, Tensor input, Shape shape)
    {
        var strides = new int[shape.Rank];
        for (int axis = 0; axis < strides.Length; axis++)
            strides[axis] = input.Shape.Product(transpose.Permutation[axis] + 1, shape.Rank);
        int size = input.Type.Size();
        int[] from = Offsets(shape, strides);
        var output = new byte[input.Bytes.Length];
        for (int i = 0; i < from.Length; i++) input.Bytes.Span.Slice(from[i] * size, size).CopyTo(output.AsSpan(i * size));
        return new(input.Type, shape, output);
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
    private static Tensor Select(Tensor input, Shape shape, int axis, ReadOnlySpan<int> indices, float fill = 0)
    {
        (int outer, int extent, int inner) = Around(input.Shape, axis);
        int slab = inner * input.Type.Size(), at = 0;
        byte[] blank = [.. Enumerable.Repeat(Element(input.Type, fill), inner).SelectMany(element => element)];
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

    private static byte[] Element(ElementType type, float value) => type switch
    {
        ElementType.Float32 => Bytes(value),
        ElementType.Float16 => Bytes((Half)value),
        ElementType.Int8 => Bytes((sbyte)value),
        ElementType.UInt8 => Bytes((byte)value),
        ElementType.Int32 => Bytes((int)value),
        ElementType.Int64 => Bytes((long)value),
        ElementType.Float64 => Bytes((double)value),
        ElementType.Int16 => Bytes((short)value),
        ElementType.UInt16 => Bytes((ushort)value),
        ElementType.UInt32 => Bytes((uint)value),
        ElementType.UInt64 => Bytes((ulong)value),
        ElementType.Bool => Bytes(value != 0),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };

    private static byte[] Bytes<T>(T value) where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
