using System.Numerics;

namespace Penjing;

/// <summary>
/// Whole weights under a range coder and <see cref="IndexModel"/>. Stored as a byte, how many low bits of each element's rank
/// (<see cref="Codebook{T}.Rank"/>) are left out, plus <see cref="Seeded"/>, and then another byte, how many low bits of every element are zeros, none where
/// that isn't added; a varint, the code's length; the code; and the bits left out that may not be zeros, packed. The code has, in raw bits, the count
/// of the distinct ranks less 1 (12 bits), the lowest rank whole, and the model's two means, each as its length (5 bits) and its five highest bits; then the
/// ranks' distances less 1; then the indices. A distance is coded by how many bits it has, seen against the one before: the same, more or fewer, and by how
/// many, in ones that end with a zero; then its bits below the highest, the first three modelled.
/// </summary>
internal static class ModelledCode
{
    /// <summary>Stands in the first byte since version 3 of the file.</summary>
    private const int Seeded = 0x80;

    private const int CountBits = 12, MostValues = 1 << CountBits;
    private const int ModelledBits = 3, MostSteps = 20, MeanBits = 5, LongestMean = 21;

    /// <summary>How many low bits may be left out, besides those that are zeros: a float's fraction, or most of it.</summary>
    private static ReadOnlySpan<int> Cuts(ElementType type) => type switch
    {
        ElementType.Float32 => [20, 22, 23],
        ElementType.Float16 => [7, 10],
        ElementType.Float64 => [52],
        _ => [],
    };

    /// <summary>Writes the elements by the shortest cut; false, and nothing written, where they are all one or too many differ.</summary>
    public static bool TryWrite<T>(CodeWriter writer, ElementType type, Shape shape, ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        CodeWriter? best = null;
        T used = T.Zero;
        foreach (T element in elements) used |= element;
        if (used == T.Zero) return false;
        int zeros = int.CreateTruncating(T.TrailingZeroCount(used));
        foreach (int cut in (int[])[zeros, .. Cuts(type)])
        {
            if (cut < zeros || cut == zeros && best is not null) continue;
            var candidate = new CodeWriter();
            if (TryWrite(candidate, type, shape, elements, cut, zeros) && (best is null || candidate.Written.Length < best.Written.Length)) best = candidate;
            if (cut == zeros && best is not null && best.Written.Length < (long)elements.Length * (8 * type.Size() - zeros) / 16) break;
        }
        if (best is not null) writer.Bytes(best.Written);
        return best is not null;
    }

    /// <summary>Reads as many elements as the span holds.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or makes no sense.</exception>
    public static void Read<T>(ref CodeReader reader, ElementType type, Shape shape, scoped Span<T> elements)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        int head = reader.Byte(), cut = head & ~Seeded, zeros = head == cut ? 0 : reader.Byte(), width = 8 * type.Size() - cut;
        if (width < 1 || zeros > cut) throw new ModelFormatException($"a weight of {type} lacks {cut} bits, {zeros} of them zeros");
        var decoder = new RangeDecoder(reader.Bytes(reader.Varint()));
        var ranks = new ulong[Raw(ref decoder, 0, CountBits) + 1];
        ranks[0] = Raw(ref decoder, 0, width);
        (int, int) means = (CodeMean(ref decoder, 0), CodeMean(ref decoder, 0));
        CodeDistances(ref decoder, ranks, width);
        var indices = new ushort[elements.Length];
        Model(type, shape, ranks, (cut, zeros), means, seeded: head != cut).Code(ref decoder, indices);
        decoder.Finish();
        if (cut > zeros)
        {
            for (int i = 0; i < elements.Length; i++) elements[i] = Value(ranks[indices[i]] << cut | reader.Low(cut - zeros) << zeros);
            return;
        }
        T[] values = [.. ranks.Select(rank => Value(rank << cut))];
        for (int i = 0; i < elements.Length; i++) elements[i] = values[indices[i]];

        T Value(ulong rank) => Codebook<T>.Value(T.CreateTruncating(rank), type) & T.AllBitsSet << zeros;
    }

    private static bool TryWrite<T>(CodeWriter writer, ElementType type, Shape shape, ReadOnlySpan<T> elements, int cut, int zeros)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        var numbers = new Dictionary<ulong, ushort>();
        foreach (T element in elements)
            if (numbers.TryAdd(Rank(element, type) >> cut, 0) && numbers.Count > MostValues) return false;
        if (numbers.Count < 2) return false;
        ulong[] ranks = [.. numbers.Keys.Order()];
        for (int number = 0; number < ranks.Length; number++) numbers[ranks[number]] = (ushort)number;
        var indices = new ushort[elements.Length];
        for (int i = 0; i < indices.Length; i++) indices[i] = numbers[Rank(elements[i], type) >> cut];
        (int zeroAt, bool hasZero) = Zero<T>(type, ranks, (cut, zeros));
        (int All, int Others) means = IndexModel.MeansOf(indices, zeroAt, hasZero, ranks.Length);
        var encoder = new RangeEncoder();
        int width = 8 * type.Size() - cut;
        Raw(ref encoder, (ulong)ranks.Length - 1, CountBits);
        Raw(ref encoder, ranks[0], width);
        means = (CodeMean(ref encoder, means.All), CodeMean(ref encoder, means.Others));
        CodeDistances(ref encoder, ranks, width);
        Model(type, shape, ranks, (cut, zeros), means, seeded: true).Code(ref encoder, indices);
        byte[] code = encoder.Finish();
        writer.Byte(cut | Seeded);
        writer.Byte(zeros);
        writer.Varint(code.Length);
        writer.Bytes(code);
        int left = cut - zeros;
        if (left > 0)
            foreach (T element in elements)
            {
                ulong low = Rank(element, type) >> zeros & (1UL << left) - 1;
                writer.Bits((uint)low, Math.Min(left, 32));
                if (left > 32) writer.Bits((uint)(low >> 32), left - 32);
            }
        return true;

        static ulong Rank(T element, ElementType type) => ulong.CreateTruncating(Codebook<T>.Rank(element, type));
    }

    private static IndexModel Model(ElementType type, Shape shape, ulong[] ranks, (int, int) cut, (int, int) means, bool seeded)
    {
        (int zeroAt, bool hasZero) = type.Size() switch
        {
            1 => Zero<byte>(type, ranks, cut),
            2 => Zero<ushort>(type, ranks, cut),
            4 => Zero<uint>(type, ranks, cut),
            _ => Zero<ulong>(type, ranks, cut),
        };
        return new(shape, zeroAt, hasZero, ranks.Length, means, seeded);
    }

    /// <summary>Where zero is among the ranks, or would be; ranks that lack more bits than zeros have none.</summary>
    private static (int At, bool Has) Zero<T>(ElementType type, ulong[] ranks, (int Bits, int Zeros) cut) where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        int at = Array.BinarySearch(ranks, ulong.CreateTruncating(Codebook<T>.Rank(T.Zero, type)) >> cut.Bits);
        return at < 0 ? (~at, false) : (at, cut.Bits == cut.Zeros);
    }

    /// <summary>Codes the distances of rising ranks, the first of which is known.</summary>
    private static void CodeDistances<TCoder>(ref TCoder coder, ulong[] ranks, int width) where TCoder : struct, IBitCoder, allows ref struct
    {
        var lengthOdds = new uint[2 + 2 * MostSteps];
        var topOdds = new uint[2 << ModelledBits];
        Array.Fill(lengthOdds, Odds.Even);
        Array.Fill(topOdds, Odds.Even);
        int before = Math.Max(0, width - CountBits);
        for (int i = 1; i < ranks.Length; i++)
        {
            ulong distance = ranks[i] - ranks[i - 1] - 1;
            int length = 64 - BitOperations.LeadingZeroCount(distance), change = length - before;
            bool same = coder.Bit(ref lengthOdds[0], change == 0 ? 1 : 0) != 0;
            length = before;
            if (!same)
            {
                int more = coder.Bit(ref lengthOdds[1], change > 0 ? 1 : 0), steps = 1;
                while (coder.Bit(ref lengthOdds[2 + MostSteps * more + Math.Min(steps, MostSteps) - 1], Math.Abs(change) > steps ? 1 : 0) != 0)
                    if (++steps > 128) break;
                length += more != 0 ? steps : -steps;
            }
            if (length < 0 || length > width) throw new ModelFormatException("a distance in a codebook is too long");
            ulong value = length == 0 ? 0UL : 1;
            int bit = length - 2, node = 1;
            for (; bit >= 0 && node < 1 << ModelledBits; bit--)
            {
                int one = coder.Bit(ref topOdds[(same ? 1 << ModelledBits : 0) + node], (int)(distance >> bit) & 1);
                node = node << 1 | one;
                value = value << 1 | (uint)one;
            }
            if (bit >= 0) value = value << bit + 1 | Raw(ref coder, distance & (1UL << bit + 1) - 1, bit + 1);
            ulong rank = ranks[i - 1] + value + 1;
            if (rank <= ranks[i - 1] || width < 64 && rank >> width != 0) throw new ModelFormatException("the values of a codebook rise too far");
            ranks[i] = rank;
            before = length;
        }
    }

    /// <summary>Codes a mean, and returns what the reading side gets: its highest bits.</summary>
    private static int CodeMean<TCoder>(ref TCoder coder, int mean) where TCoder : struct, IBitCoder, allows ref struct
    {
        int length = (int)Raw(ref coder, (ulong)(32 - BitOperations.LeadingZeroCount((uint)mean)), MeanBits), left = Math.Max(0, length - MeanBits);
        if (length > LongestMean) throw new ModelFormatException($"a mean of indices has {length} bits");
        return (int)Raw(ref coder, (ulong)(mean >> left), MeanBits) << left;
    }

    private static ulong Raw<TCoder>(ref TCoder coder, ulong value, int count) where TCoder : struct, IBitCoder, allows ref struct
    {
        ulong read = 0;
        for (int bit = count - 1; bit >= 0; bit--)
        {
            uint even = Odds.Even;
            read = read << 1 | (uint)coder.Bit(ref even, (int)(value >> bit) & 1);
        }
        return read;
    }
}
