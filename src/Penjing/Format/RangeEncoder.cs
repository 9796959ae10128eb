using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>The writing side of <see cref="RangeDecoder"/>: it narrows an interval by the odds of each bit, and writes a number within it.</summary>
internal struct RangeEncoder() : IBitCoder
{
    private readonly CodeWords words = new();
    private ulong low;
    private ulong range = uint.MaxValue;

    /// <inheritdoc/>
    public int Bit(ref uint odds, int bit)
    {
        if (range < RangeDecoder.Narrowest)
        {
            words.Add((uint)(low >> 32));
            low <<= 32;
            range <<= 32;
        }
        ulong ones = (range >> 16) * (odds >> 16);
        if (bit != 0) range = ones;
        else
        {
            low += ones;
            if (low < ones) words.Carry();
            range -= ones;
        }
        odds = Odds.After(odds, -bit, Odds.Steps);
        return bit;
    }

    /// <inheritdoc/>
    public int Number(Span<uint> first, Span<uint> odds, int number)
    {
        int node = 1;
        for (int mask = odds.Length >> 1; mask > 0; mask >>= 1)
        {
            int bit = (number & mask) == 0 ? 0 : 1;
            if (node < first.Length)
            {
                first[node] = Odds.Or(first[node], odds[node]);
                Bit(ref first[node], bit);
                odds[node] = Odds.After(odds[node], -bit, Odds.Steps);
            }
            else Bit(ref odds[node], bit);
            node = 2 * node + bit;
        }
        return number;
    }

    /// <summary>The shortest bytes that, with zeros behind them, stand for a number in the interval.</summary>
    public readonly byte[] Finish()
    {
        ulong unit = 1UL << 63;
        while (unit > range) unit >>= 1;
        ulong number = low + (unit - 1) & ~(unit - 1);
        if (number < low) words.Carry();
        words.Add((uint)(number >> 32));
        words.Add((uint)number);
        return words.ToArray();
    }

    /// <summary>The words that won't change, but for a carry; the first, always 0, is none.</summary>
    private sealed class CodeWords
    {
        private readonly List<uint> words = [];

        public void Add(uint word) => words.Add(word);

        public void Carry()
        {
            int last = words.Count - 1;
            while (++CollectionsMarshal.AsSpan(words)[last] == 0) last--;
        }

        public byte[] ToArray()
        {
            var bytes = new byte[4 * (words.Count - 1)];
            for (int word = 1; word < words.Count; word++) BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * (word - 1)), words[word]);
            int length = bytes.Length, least = Math.Max(0, length - RangeDecoder.MostLeftOut);
            while (length > least && bytes[length - 1] == 0) length--;
            return bytes[..length];
        }
    }
}
