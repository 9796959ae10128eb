using System.Numerics;
using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>
/// The distinct values of a run of elements, and for each element the number of its value. Stored as a varint, the count of values; a byte, their own encoding
/// (<see cref="TensorEncoding.Plain"/>, <see cref="TensorEncoding.Half"/>, <see cref="TensorEncoding.Planes"/>, or <see cref="Rising"/>); the values;
/// and the numbers as <see cref="Symbols"/>.
/// </summary>
internal sealed class Codebook<T> where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
{
    private const int Most = 4096;

    /// <summary>
    /// The encoding of values that rise: a byte, the parameter of a Rice code (Rice 1979); the lowest value whole; the distances less 1 under that code.
    /// </summary>
    private const int Rising = 6;

    private const int LongestQuotient = 24;

    private readonly T[] values;
    private readonly ushort[] indices;

    private Codebook(T[] values, ushort[] indices) => (this.values, this.indices) = (values, indices);

    /// <summary>The codebook of these elements, its values rising; null where there are more than 4096 distinct ones, or none.</summary>
    public static Codebook<T>? Of(ReadOnlySpan<T> elements, ElementType type)
    {
        var numbers = new Dictionary<T, ushort>();
        foreach (T element in elements)
            if (numbers.TryAdd(element, 0) && numbers.Count > Most) return null;
        if (numbers.Count == 0) return null;
        T[] values = [.. numbers.Keys.OrderBy(value => Rank(value, type))];
        for (int number = 0; number < values.Length; number++) numbers[values[number]] = (ushort)number;
        var indices = new ushort[elements.Length];
        for (int i = 0; i < indices.Length; i++) indices[i] = numbers[elements[i]];
        return new(values, indices);
    }

    /// <summary>Writes the values, rising, and packed indices.</summary>
    public void WritePacked(CodeWriter writer, ElementType type)
    {
        WriteValues(writer, type, rising: true);
        Symbols.WritePacked(writer, indices);
    }

    /// <summary>
    /// Writes the values and the indices under a prefix code, by the shorter of two orders: values rising, which makes them cheap, or by falling count,
    /// which makes the code lengths cheap. False, and nothing written, where there is but one value.
    /// </summary>
    public bool TryWriteCoded(CodeWriter writer, ElementType type)
    {
        if (values.Length < 2) return false;
        CodeWriter rising = new(), falling = new();
        WriteValues(rising, type, rising: true);
        Symbols.TryWriteCoded(rising, indices);
        Codebook<T> byCount = ByCount();
        byCount.WriteValues(falling, type, rising: false);
        Symbols.TryWriteCoded(falling, byCount.indices);
        writer.Bytes(rising.Written.Length <= falling.Written.Length ? rising.Written : falling.Written);
        return true;
    }

    /// <summary>Reads as many elements as the span holds.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or makes no sense.</exception>
    public static void Read(ref CodeReader reader, ElementType type, scoped Span<T> elements)
    {
        int count = reader.Varint();
        if (count is < 1 or > Most) throw new ModelFormatException($"a codebook has {count} values");
        var values = new T[count];
        int encoding = reader.Byte();
        if (encoding == Rising) ReadRising(ref reader, type, values);
        else if ((TensorEncoding)encoding is TensorEncoding.Plain or TensorEncoding.Half or TensorEncoding.Planes)
            Elements.Read<T>(ref reader, (TensorEncoding)encoding, type, values);
        else throw new ModelFormatException($"a codebook has the encoding {encoding}, which there is not");
        var indices = new ushort[elements.Length];
        Symbols.Read(ref reader, indices);
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] >= values.Length) throw new ModelFormatException($"a weight has the index {indices[i]} into a codebook of {count}");
            elements[i] = values[indices[i]];
        }
    }

    private Codebook<T> ByCount()
    {
        var counts = new int[values.Length];
        foreach (ushort index in indices) counts[index]++;
        int[] order = [.. Enumerable.Range(0, values.Length).OrderByDescending(index => counts[index])];
        var places = new ushort[values.Length];
        for (int place = 0; place < order.Length; place++) places[order[place]] = (ushort)place;
        return new([.. order.Select(index => values[index])], [.. indices.Select(index => places[index])]);
    }

    private void WriteValues(CodeWriter writer, ElementType type, bool rising)
    {
        writer.Varint(values.Length);
        CodeWriter? best = null;
        foreach (int encoding in (ReadOnlySpan<int>)[(int)TensorEncoding.Plain, (int)TensorEncoding.Half, (int)TensorEncoding.Planes, Rising])
        {
            var candidate = new CodeWriter();
            candidate.Byte(encoding);
            bool applies = encoding == Rising
                ? rising && TryWriteRising(candidate, type)
                : Elements.TryWrite<T>(candidate, (TensorEncoding)encoding, type, values, null);
            if (applies && (best is null || candidate.Written.Length < best.Written.Length)) best = candidate;
        }
        writer.Bytes(best!.Written);
    }

    private bool TryWriteRising(CodeWriter writer, ElementType type)
    {
        if (type.Size() > 4) return false;
        uint[] ranks = [.. values.Select(value => uint.CreateTruncating(Rank(value, type)))];
        uint[] gaps = [.. ranks.Zip(ranks.Skip(1), (low, high) => high - low - 1)];
        long Cost(int parameter) => gaps.Sum(gap => (gap >> parameter) + 1L + parameter);
        int parameter = Enumerable.Range(0, 8 * type.Size()).MinBy(Cost);
        if (gaps.Any(gap => gap >> parameter > LongestQuotient)) return false;
        writer.Byte(parameter);
        writer.Bytes(MemoryMarshal.AsBytes(values.AsSpan(0, 1)));
        foreach (uint gap in gaps)
        {
            int quotient = (int)(gap >> parameter);
            writer.Bits((1u << quotient) - 1, quotient + 1);
            writer.Bits(gap & (1u << parameter) - 1, parameter);
        }
        return true;
    }

    private static void ReadRising(ref CodeReader reader, ElementType type, T[] values)
    {
        int parameter = reader.Byte();
        if (type.Size() > 4 || parameter >= 8 * type.Size()) throw new ModelFormatException($"a codebook of {type} has the Rice parameter {parameter}");
        Elements.Read<T>(ref reader, TensorEncoding.Plain, type, values.AsSpan(0, 1));
        ulong rank = ulong.CreateTruncating(Rank(values[0], type));
        for (int i = 1; i < values.Length; i++)
        {
            int quotient = 0;
            while (reader.Bits(1) == 1)
                if (++quotient > LongestQuotient) throw new ModelFormatException("a distance in a codebook is too long");
            rank += ((ulong)quotient << parameter) + reader.Bits(parameter) + 1;
            if (rank >> 8 * type.Size() != 0) throw new ModelFormatException("the values of a codebook rise too far");
            values[i] = Value(T.CreateTruncating(rank), type);
        }
    }

    /// <summary>The bits turned into an unsigned integer that rises with the value: −NaN, −∞ … −0, 0 … ∞, NaN.</summary>
    public static T Rank(T bits, ElementType type) => type switch
    {
        _ when type.IsUnsigned() => bits,
        _ when type.IsFloat() && (bits & Sign(type)) != T.Zero => ~bits,
        _ => bits ^ Sign(type),
    };

    /// <summary>The bits of a rank.</summary>
    public static T Value(T rank, ElementType type) => type switch
    {
        _ when type.IsUnsigned() => rank,
        _ when type.IsFloat() && (rank & Sign(type)) == T.Zero => ~rank,
        _ => rank ^ Sign(type),
    };

    private static T Sign(ElementType type) => T.One << 8 * type.Size() - 1;
}
