using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>
/// Whole tensors as streams: a byte, the <see cref="TensorEncoding"/>, then the elements. Of a sparse one there come first, as varints, how many elements
/// have any bit set and how many distances follow, then the distances as <see cref="Symbols"/>, then those elements. A distance of d stands for d zeros
/// and an element, but 255 for 255 zeros.
/// </summary>
internal static class TensorCode
{
    private const int LongestGap = 255;

    /// <summary>At least one element in this many must be zero for the sparse encodings to be tried.</summary>
    private const int SparseFrom = 8;

    /// <summary>The tensor's stream under each encoding that applies to it.</summary>
    public static ImmutableSortedDictionary<TensorEncoding, byte[]> Write(Tensor tensor) => tensor.Type.Size() switch
    {
        1 => Write(tensor.Type, tensor.Shape, MemoryMarshal.Cast<byte, byte>(tensor.Bytes.Span)),
        2 => Write(tensor.Type, tensor.Shape, MemoryMarshal.Cast<byte, ushort>(tensor.Bytes.Span)),
        4 => Write(tensor.Type, tensor.Shape, MemoryMarshal.Cast<byte, uint>(tensor.Bytes.Span)),
        _ => Write(tensor.Type, tensor.Shape, MemoryMarshal.Cast<byte, ulong>(tensor.Bytes.Span)),
    };

    /// <summary>The tensor whose stream comes next, and its encoding.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or makes no sense.</exception>
    public static (Tensor Tensor, TensorEncoding Encoding) Read(ref CodeReader reader, ElementType type, Shape shape)
    {
        var bytes = new byte[checked(shape.Elements * type.Size())];
        TensorEncoding encoding = Read(ref reader, type, shape, bytes);
        return (new(type, shape, bytes), encoding);
    }

    /// <summary>Writes the elements whose stream comes next to memory of their length; returns their encoding.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or makes no sense.</exception>
    public static TensorEncoding Read(ref CodeReader reader, ElementType type, Shape shape, scoped Span<byte> bytes) => type.Size() switch
    {
        1 => Read<byte>(ref reader, type, shape, bytes),
        2 => Read<ushort>(ref reader, type, shape, bytes),
        4 => Read<uint>(ref reader, type, shape, bytes),
        _ => Read<ulong>(ref reader, type, shape, bytes),
    };

    private static ImmutableSortedDictionary<TensorEncoding, byte[]> Write<T>(ElementType type, Shape shape, ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        var streams = ImmutableSortedDictionary.CreateBuilder<TensorEncoding, byte[]>();
        var book = Codebook<T>.Of(elements, type);
        foreach (TensorEncoding encoding in Elements.Dense)
        {
            var stream = new CodeWriter();
            stream.Byte((int)encoding);
            if (Elements.TryWrite(stream, encoding, type, elements, book)) streams.Add(encoding, stream.Written.ToArray());
        }
        var modelled = new CodeWriter();
        modelled.Byte((int)TensorEncoding.Modelled);
        if (ModelledCode.TryWrite(modelled, type, shape, elements)) streams.Add(TensorEncoding.Modelled, modelled.Written.ToArray());
        int zeros = elements.Count(T.Zero);
        if (zeros == 0 || zeros < elements.Length / SparseFrom) return streams.ToImmutable();
        (ushort[] gaps, T[] others) = Split(elements, elements.Length - zeros);
        book = Codebook<T>.Of(others, type);
        foreach (TensorEncoding encoding in Elements.Dense)
        {
            var stream = new CodeWriter();
            stream.Byte((int)(TensorEncoding.Sparse | encoding));
            stream.Varint(others.Length);
            stream.Varint(gaps.Length);
            Symbols.Write(stream, gaps);
            if (Elements.TryWrite(stream, encoding, type, others, book)) streams.Add(TensorEncoding.Sparse | encoding, stream.Written.ToArray());
        }
        return streams.ToImmutable();
    }

    private static (ushort[] Gaps, T[] Others) Split<T>(ReadOnlySpan<T> elements, int count) where T : unmanaged, IBinaryInteger<T>
    {
        var gaps = new List<ushort>(count);
        var others = new T[count];
        int gap = 0, done = 0;
        foreach (T element in elements)
        {
            if (gap == LongestGap)
            {
                gaps.Add(LongestGap);
                gap = 0;
            }
            if (element == T.Zero)
            {
                gap++;
                continue;
            }
            gaps.Add((ushort)gap);
            others[done++] = element;
            gap = 0;
        }
        return ([.. gaps], others);
    }

    private static TensorEncoding Read<T>(ref CodeReader reader, ElementType type, Shape shape, scoped Span<byte> bytes)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        Span<T> elements = MemoryMarshal.Cast<byte, T>(bytes);
        var encoding = (TensorEncoding)reader.Byte();
        if (encoding == TensorEncoding.Modelled)
        {
            ModelledCode.Read(ref reader, type, shape, elements);
            return encoding;
        }
        if ((encoding & TensorEncoding.Sparse) == 0)
        {
            Elements.Read(ref reader, encoding, type, elements);
            return encoding;
        }
        int count = reader.Varint(), distances = reader.Varint();
        if (count > elements.Length || distances < count || distances - count > elements.Length / LongestGap)
            throw new ModelFormatException($"a sparse weight of {elements.Length} elements has {count} others than zero and {distances} distances");
        var gaps = new ushort[distances];
        Symbols.Read(ref reader, gaps);
        var others = new T[count];
        Elements.Read<T>(ref reader, encoding & ~TensorEncoding.Sparse, type, others);
        elements.Clear();
        int place = 0, done = 0;
        foreach (ushort gap in gaps)
        {
            if (gap > elements.Length - place) throw new ModelFormatException("the elements of a sparse weight lie outside it");
            place += gap;
            if (gap == LongestGap) continue;
            if (place == elements.Length || done == count) throw new ModelFormatException("the elements of a sparse weight lie outside it");
            elements[place++] = others[done++];
        }
        if (done < count) throw new ModelFormatException("a sparse weight has elements without a place");
        return encoding;
    }
}
