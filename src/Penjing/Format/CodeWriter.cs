namespace Penjing;

/// <summary>A growing stream of bytes and of bits, the lowest bit of a byte first; bytes begin at a byte's border.</summary>
internal sealed class CodeWriter
{
    private byte[] bytes = new byte[64];
    private int count;
    private ulong pending;
    private int pendingBits;

    /// <summary>What was written, filled up to whole bytes with zeros.</summary>
    public ReadOnlySpan<byte> Written
    {
        get
        {
            Align();
            return bytes.AsSpan(0, count);
        }
    }

    /// <summary>Appends one byte.</summary>
    public void Byte(int value) => Bytes([checked((byte)value)]);

    /// <summary>Appends bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> values)
    {
        Align();
        Reserve(values.Length);
        values.CopyTo(bytes.AsSpan(count));
        count += values.Length;
    }

    /// <summary>Appends an integer, seven bits a byte from the lowest on, the eighth set on all but the last.</summary>
    public void Varint(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        for (; value >= 0x80; value >>= 7) Byte(value & 0x7f | 0x80);
        Byte(value);
    }

    /// <summary>Appends the lowest <paramref name="length"/> bits, at most 32, of a value that has no others.</summary>
    public void Bits(uint value, int length)
    {
        pending |= (ulong)value << pendingBits;
        pendingBits += length;
        if (pendingBits < 32) return;
        Reserve(4);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(count), (uint)pending);
        count += 4;
        pending >>= 32;
        pendingBits -= 32;
    }

    private void Align()
    {
        Reserve(4);
        for (; pendingBits > 0; pendingBits -= 8, pending >>= 8) bytes[count++] = (byte)pending;
        pendingBits = 0;
    }

    private void Reserve(int more)
    {
        if (count + more > bytes.Length) Array.Resize(ref bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)count + more, 2L * bytes.Length)));
    }
}
