using System.Numerics;
using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>
/// Runs of elements under the dense <see cref="TensorEncoding"/>s, their count and type known to the reader; elements are taken as the unsigned
/// integers of their bits.
/// </summary>
internal static class Elements
{
    /// <summary>The dense encodings; a sparse one is one of these plus <see cref="TensorEncoding.Sparse"/>.</summary>
    public static readonly TensorEncoding[] Dense =
        [TensorEncoding.Plain, TensorEncoding.Half, TensorEncoding.Constant, TensorEncoding.Shared, TensorEncoding.SharedHuffman, TensorEncoding.Planes];

    /// <summary>Writes the elements under the encoding; false, and nothing written, where it doesn't apply.</summary>
    public static bool TryWrite<T>(CodeWriter writer, TensorEncoding encoding, ElementType type, ReadOnlySpan<T> values, Codebook<T>? book)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        switch (encoding)
        {
            case TensorEncoding.Plain:
                writer.Bytes(MemoryMarshal.AsBytes(values));
                return true;
            case TensorEncoding.Half:
                return type == ElementType.Float32 && TryWriteHalf(writer, MemoryMarshal.Cast<T, float>(values));
            case TensorEncoding.Constant:
                if (values.IsEmpty || values.ContainsAnyExcept(values[0])) return false;
                writer.Bytes(MemoryMarshal.AsBytes(values[..1]));
                return true;
            case TensorEncoding.Shared:
                book?.WritePacked(writer, type);
                return book is not null;
            case TensorEncoding.SharedHuffman:
                return book?.TryWriteCoded(writer, type) ?? false;
            default:
                WritePlanes(writer, type, values);
                return true;
        }
    }

    /// <summary>Reads as many elements as the span holds.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or makes no sense.</exception>
    public static void Read<T>(ref CodeReader reader, TensorEncoding encoding, ElementType type, scoped Span<T> values)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        switch (encoding)
        {
            case TensorEncoding.Plain:
                reader.Bytes(MemoryMarshal.AsBytes(values).Length).CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case TensorEncoding.Half when type == ElementType.Float32:
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(reader.Bytes(2L * values.Length));
                Span<float> floats = MemoryMarshal.Cast<T, float>(values);
                for (int i = 0; i < floats.Length; i++) floats[i] = (float)halves[i];
                break;
            case TensorEncoding.Constant:
                Span<T> value = stackalloc T[1];
                Read(ref reader, TensorEncoding.Plain, type, value);
                values.Fill(value[0]);
                break;
            case TensorEncoding.Shared or TensorEncoding.SharedHuffman:
                Codebook<T>.Read(ref reader, type, values);
                break;
            case TensorEncoding.Planes:
                ReadPlanes(ref reader, type, values);
                break;
            default:
                throw new ModelFormatException($"a weight of {type} has the encoding {encoding}, which there is not");
        }
    }

    private static bool TryWriteHalf(CodeWriter writer, ReadOnlySpan<float> values)
    {
        var halves = new Half[values.Length];
        for (int i = 0; i < halves.Length; i++)
        {
            halves[i] = (Half)values[i];
            if (float.IsNaN(values[i]) || BitConverter.SingleToInt32Bits((float)halves[i]) != BitConverter.SingleToInt32Bits(values[i])) return false;
        }
        writer.Bytes(MemoryMarshal.AsBytes(halves.AsSpan()));
        return true;
    }

    private static void WritePlanes<T>(CodeWriter writer, ElementType type, ReadOnlySpan<T> values) where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        var plane = new ushort[values.Length];
        for (int shift = 0; shift < 8 * type.Size(); shift += 8)
        {
            for (int i = 0; i < plane.Length; i++) plane[i] = byte.CreateTruncating(SignLast(values[i], type) >> shift);
            Symbols.Write(writer, plane);
        }
    }

    private static void ReadPlanes<T>(ref CodeReader reader, ElementType type, scoped Span<T> values) where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        var plane = new ushort[values.Length];
        if (type.Size() == 1)
        {
            Span<T> elements = stackalloc T[byte.MaxValue + 1];
            for (int code = 0; code < elements.Length; code++) elements[code] = SignFirst(T.CreateTruncating(code), type);
            Symbols.Read(ref reader, plane);
            for (int i = 0; i < plane.Length; i++) values[i] = elements[(byte)plane[i]];
            return;
        }
        values.Clear();
        for (int shift = 0; shift < 8 * type.Size(); shift += 8)
        {
            Symbols.Read(ref reader, plane);
            for (int i = 0; i < plane.Length; i++) values[i] |= T.CreateTruncating(plane[i]) << shift;
        }
        for (int i = 0; i < values.Length; i++) values[i] = SignFirst(values[i], type);
    }

    /// <summary>Moves the sign to the lowest bit: a float's highest byte is then its exponent, and a small integer's high bytes are zero.</summary>
    private static T SignLast<T>(T value, ElementType type) where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T> => type switch
    {
        _ when type.IsFloat() => T.RotateLeft(value, 1),
        _ when type.IsUnsigned() => value,
        _ => value << 1 ^ T.Zero - (value >> 8 * type.Size() - 1),
    };

    /// <summary>Undoes <see cref="SignLast"/>.</summary>
    private static T SignFirst<T>(T value, ElementType type) where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T> => type switch
    {
        _ when type.IsFloat() => T.RotateRight(value, 1),
        _ when type.IsUnsigned() => value,
        _ => value >> 1 ^ T.Zero - (value & T.One),
    };
}
