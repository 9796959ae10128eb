using System.Buffers.Binary;

namespace Penjing;

/// <summary>Reads what a <see cref="CodeWriter"/> wrote; whatever runs past the end is a <see cref="ModelFormatException"/>.</summary>
internal ref struct CodeReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;

    /// <summary>The place of the next bit, counted from the beginning.</summary>
    public long Bit { get; set; }

    /// <summary>The whole stream.</summary>
    public readonly ReadOnlySpan<byte> All => bytes;

    /// <summary>The place of the next whole byte.</summary>
    public readonly int Position => (int)((Bit + 7) >> 3);

    /// <summary>One byte.</summary>
    public byte Byte() => Bytes(1)[0];

    /// <summary>As many bytes.</summary>
    public ReadOnlySpan<byte> Bytes(long count)
    {
        int start = Position;
        if (count > bytes.Length - start) throw Ended();
        Bit = (start + count) * 8;
        return bytes.Slice(start, (int)count);
    }

    /// <summary>An integer of <see cref="CodeWriter.Varint"/>.</summary>
    public int Varint()
    {
        long value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte next = Byte();
            value |= (long)(next & 0x7f) << shift;
            if (next < 0x80 && value <= int.MaxValue) return (int)value;
        }
        throw new ModelFormatException("a number in a coded weight is too large");
    }

    /// <summary>The next bits, at most 32.</summary>
    public uint Bits(int length)
    {
        uint value = (uint)(Peek() & ((1UL << length) - 1));
        Skip(length);
        return value;
    }

    /// <summary>The next bits, at most 64, those that were written first the lowest.</summary>
    public ulong Low(int length) => length <= 32 ? Bits(length) : Bits(32) | (ulong)Bits(length - 32) << 32;

    /// <summary>The next 57 bits or more; zeros follow the end.</summary>
    public readonly ulong Peek()
    {
        int start = (int)(Bit >> 3);
        if (start <= bytes.Length - 8) return BinaryPrimitives.ReadUInt64LittleEndian(bytes[start..]) >> (int)(Bit & 7);
        Span<byte> padded = stackalloc byte[8];
        padded.Clear();
        bytes[Math.Min(start, bytes.Length)..].CopyTo(padded);
        return BinaryPrimitives.ReadUInt64LittleEndian(padded) >> (int)(Bit & 7);
    }

    /// <summary>Passes over bits.</summary>
    public void Skip(int length)
    {
        Bit += length;
        if (Bit > bytes.Length * 8L) throw Ended();
    }

    private static ModelFormatException Ended() => new("a coded weight ends too early");
}
