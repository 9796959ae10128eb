namespace Penjing;

/// <summary>Length-limited canonical prefix codes (Huffman 1952; the limit by package-merge, Larmore and Hirschberg 1990).</summary>
internal static class Huffman
{
    /// <summary>The longest code word of any code, in bits.</summary>
    public const int LongestCode = 14;

    private const int FirstGuess = 4;
    private const int LengthBits = 4;

    /// <summary>
    /// The code lengths that take the fewest bits for symbols that occur so often, none above the limit; 0 for symbols that don't occur.
    /// At least two symbols must occur, and at most 2^limit.
    /// </summary>
    public static byte[] Lengths(ReadOnlySpan<int> counts, int limit)
    {
        var symbols = new int[counts.Length];
        int leaves = 0;
        for (int symbol = 0; symbol < counts.Length; symbol++)
            if (counts[symbol] > 0) symbols[leaves++] = symbol;
        var weights = new long[leaves];
        for (int leaf = 0; leaf < leaves; leaf++) weights[leaf] = counts[symbols[leaf]];
        Array.Sort(weights, symbols, 0, leaves);

        // Each level's list holds, by rising weight, all leaves and the pairs of the level below; isLeaf says which is which.
        var isLeaf = new bool[limit][];
        long[] below = [];
        for (int level = 0; level < limit; level++)
        {
            var merged = new long[leaves + below.Length / 2];
            isLeaf[level] = new bool[merged.Length];
            for (int at = 0, leaf = 0, pair = 0; at < merged.Length; at++)
            {
                bool takeLeaf = leaf < leaves && (pair >= below.Length / 2 || weights[leaf] <= below[2 * pair] + below[2 * pair + 1]);
                merged[at] = takeLeaf ? weights[leaf++] : below[2 * pair] + below[2 * pair++ + 1];
                isLeaf[level][at] = takeLeaf;
            }
            below = merged;
        }

        // A leaf's code length is the number of levels at which it is among the items taken.
        var lengths = new byte[counts.Length];
        for (int level = limit - 1, taken = 2 * leaves - 2; level >= 0 && taken > 0; level--)
        {
            int taking = isLeaf[level].AsSpan(0, taken).Count(true);
            for (int leaf = 0; leaf < taking; leaf++) lengths[symbols[leaf]]++;
            taken = 2 * (taken - taking);
        }
        return lengths;
    }

    /// <summary>The code words, first bit lowest: numbered by length, then by symbol.</summary>
    /// <exception cref="ModelFormatException">The lengths are not those of a complete prefix code.</exception>
    public static ushort[] Codes(ReadOnlySpan<byte> lengths)
    {
        Span<int> counts = stackalloc int[LongestCode + 1], next = stackalloc int[LongestCode + 1];
        counts.Clear();
        foreach (byte length in lengths) counts[length]++;
        counts[0] = 0;
        next[0] = 0;
        for (int length = 1; length <= LongestCode; length++) next[length] = 2 * (next[length - 1] + counts[length - 1]);
        if (next[LongestCode] + counts[LongestCode] != 1 << LongestCode) throw new ModelFormatException("the lengths of a prefix code don't add up");
        var codes = new ushort[lengths.Length];
        for (int symbol = 0; symbol < lengths.Length; symbol++)
            if (lengths[symbol] is > 0 and byte length) codes[symbol] = Reverse(next[length]++, length);
        return codes;
    }

    /// <summary>Writes the code lengths: each as its difference to the one before, 0 as bit 0, ±1 as three bits, others whole.</summary>
    public static void WriteLengths(CodeWriter writer, ReadOnlySpan<byte> lengths)
    {
        int before = FirstGuess;
        foreach (byte length in lengths)
        {
            if (length == before) writer.Bits(0, 1);
            else if (Math.Abs(length - before) == 1) writer.Bits(length > before ? 0b001u : 0b101u, 3);
            else writer.Bits(0b11u | (uint)length << 2, 2 + LengthBits);
            before = length;
        }
    }

    /// <summary>Reads what <see cref="WriteLengths"/> wrote.</summary>
    public static void ReadLengths(ref CodeReader reader, Span<byte> lengths)
    {
        int before = FirstGuess;
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (reader.Bits(1) == 1)
                before = reader.Bits(1) == 1 ? (int)reader.Bits(LengthBits) : before + (reader.Bits(1) == 0 ? 1 : -1);
            if (before is < 0 or > LongestCode) throw new ModelFormatException($"a prefix code has a word of {before} bits");
            lengths[symbol] = (byte)before;
        }
    }

    private static ushort Reverse(int code, int length)
    {
        uint reversed = 0;
        for (int bit = 0; bit < length; bit++) reversed |= ((uint)code >> bit & 1) << (length - 1 - bit);
        return (ushort)reversed;
    }
}
