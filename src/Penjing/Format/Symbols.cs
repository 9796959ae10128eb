using System.Buffers.Binary;
using System.Numerics;

namespace Penjing;

/// <summary>
/// A run of 16-bit symbols whose count the reader knows. First a byte: how many bits a symbol has (0 to 16), plus <see cref="Coded"/> and
/// <see cref="Based"/> where they apply. If Based, a varint, the lowest symbol, is subtracted from all. Then the symbols, packed; or if Coded,
/// a varint, the size of the alphabet less 2, the code lengths, and the code words.
/// </summary>
internal static class Symbols
{
    private const int Coded = 0x80, Based = 0x40;
    private const int SmallAlphabet = 512, SmallLimit = 12;

    /// <summary>Writes the symbols with as many bits each as the largest needs.</summary>
    public static void WritePacked(CodeWriter writer, ReadOnlySpan<ushort> symbols)
    {
        (int lowest, int highest) = Range(symbols);
        int bits = BitsOf(highest - lowest);
        if (bits == BitsOf(highest)) lowest = 0;
        WriteHead(writer, bits, lowest);
        if (bits == 0) return;
        foreach (ushort symbol in symbols) writer.Bits((uint)(symbol - lowest), bits);
    }

    /// <summary>Writes the symbols under a prefix code of their own; false, and nothing written, where all are the same or too many differ.</summary>
    public static bool TryWriteCoded(CodeWriter writer, ReadOnlySpan<ushort> symbols)
    {
        (int lowest, int highest) = Range(symbols);
        if (lowest == highest) return false;
        var counts = new int[highest - lowest + 1];
        foreach (ushort symbol in symbols) counts[symbol - lowest]++;
        int different = counts.Length - counts.AsSpan().Count(0);
        if (different > 1 << Huffman.LongestCode) return false;
        byte[] lengths = Huffman.Lengths(counts, different <= SmallAlphabet ? SmallLimit : Huffman.LongestCode);
        ushort[] codes = Huffman.Codes(lengths);
        WriteHead(writer, Coded, lowest);
        writer.Varint(counts.Length - 2);
        Huffman.WriteLengths(writer, lengths);
        foreach (ushort symbol in symbols) writer.Bits(codes[symbol - lowest], lengths[symbol - lowest]);
        return true;
    }

    /// <summary>Writes the symbols in the shorter of the two forms.</summary>
    public static void Write(CodeWriter writer, ReadOnlySpan<ushort> symbols)
    {
        CodeWriter packed = new(), coded = new();
        WritePacked(packed, symbols);
        writer.Bytes(TryWriteCoded(coded, symbols) && coded.Written.Length < packed.Written.Length ? coded.Written : packed.Written);
    }

    /// <summary>Reads as many symbols as the span holds.</summary>
    /// <exception cref="ModelFormatException">The stream ends before, or is no run of symbols.</exception>
    public static void Read(ref CodeReader reader, Span<ushort> symbols)
    {
        int head = reader.Byte(), bits = head & ~(Coded | Based), lowest = (head & Based) != 0 ? reader.Varint() : 0;
        if (bits > 16 || lowest > ushort.MaxValue) throw new ModelFormatException($"a run of symbols has {bits} bits each, from {lowest} on");
        if ((head & Coded) == 0)
        {
            Unpack(reader.Bytes(((long)symbols.Length * bits + 7) / 8), symbols, bits, lowest);
            return;
        }
        long alphabet = reader.Varint() + 2L;
        if (alphabet > reader.All.Length * 8L || alphabet > ushort.MaxValue + 1) throw new ModelFormatException($"an alphabet has {alphabet} symbols");
        var lengths = new byte[alphabet];
        Huffman.ReadLengths(ref reader, lengths);
        new HuffmanDecoder(lengths).Decode(ref reader, symbols, lowest);
    }

    private static void WriteHead(CodeWriter writer, int head, int lowest)
    {
        writer.Byte(lowest > 0 ? head | Based : head);
        if (lowest > 0) writer.Varint(lowest);
    }

    private static int BitsOf(int value) => 32 - BitOperations.LeadingZeroCount((uint)value);

    private static (int Lowest, int Highest) Range(ReadOnlySpan<ushort> symbols)
    {
        int lowest = ushort.MaxValue, highest = 0;
        foreach (ushort symbol in symbols) (lowest, highest) = (Math.Min(lowest, symbol), Math.Max(highest, symbol));
        return (Math.Min(lowest, highest), highest);
    }

    private static void Unpack(ReadOnlySpan<byte> packed, Span<ushort> symbols, int bits, int lowest)
    {
        uint mask = (1u << bits) - 1;
        int done = 0;
        for (; done < symbols.Length && (int)((long)done * bits >> 3) <= packed.Length - 4; done++)
        {
            long bit = (long)done * bits;
            symbols[done] = (ushort)((BinaryPrimitives.ReadUInt32LittleEndian(packed[(int)(bit >> 3)..]) >> (int)(bit & 7) & mask) + (uint)lowest);
        }
        var rest = new CodeReader(packed) { Bit = (long)done * bits };
        for (; done < symbols.Length; done++) symbols[done] = (ushort)(rest.Bits(bits) + (uint)lowest);
    }
}
