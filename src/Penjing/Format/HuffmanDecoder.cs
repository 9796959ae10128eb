using System.Buffers.Binary;

namespace Penjing;

/// <summary>A decoder of a prefix code by one table, indexed by as many bits as its longest word has.</summary>
internal readonly struct HuffmanDecoder
{
    private const int SureBits = 57;
    private readonly uint[] table;
    private readonly int width;

    /// <summary>The decoder of the canonical code of these lengths.</summary>
    /// <exception cref="ModelFormatException">The lengths are not those of a complete prefix code.</exception>
    public HuffmanDecoder(ReadOnlySpan<byte> lengths)
    {
        ushort[] codes = Huffman.Codes(lengths);
        foreach (byte length in lengths) width = Math.Max(width, length);
        table = new uint[1 << width];
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            int length = lengths[symbol];
            if (length == 0) continue;
            for (int index = codes[symbol]; index < table.Length; index += 1 << length) table[index] = (uint)length << 16 | (uint)symbol;
        }
    }

    /// <summary>Decodes as many symbols as the span holds, each plus <paramref name="lowest"/>.</summary>
    /// <exception cref="ModelFormatException">The stream ends before.</exception>
    public void Decode(ref CodeReader reader, Span<ushort> symbols, int lowest)
    {
        ReadOnlySpan<byte> bytes = reader.All;
        ReadOnlySpan<uint> words = table;
        uint mask = (uint)words.Length - 1;
        int each = SureBits / width, done = 0;
        long bit = reader.Bit;
        while (done + each <= symbols.Length && (int)(bit >> 3) <= bytes.Length - 8)
        {
            ulong buffer = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(int)(bit >> 3)..]) >> (int)(bit & 7);
            Span<ushort> group = symbols.Slice(done, each);
            for (int i = 0; i < group.Length; i++)
            {
                uint word = words[(int)((uint)buffer & mask)];
                group[i] = (ushort)(word + (uint)lowest);
                int length = (int)(word >> 16);
                buffer >>= length;
                bit += length;
            }
            done += each;
        }
        reader.Bit = bit;
        for (; done < symbols.Length; done++)
        {
            uint word = words[(int)((uint)reader.Peek() & mask)];
            symbols[done] = (ushort)(word + (uint)lowest);
            reader.Skip((int)(word >> 16));
        }
    }
}
