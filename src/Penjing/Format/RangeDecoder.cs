using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Penjing;

/// <summary>
/// A binary range coder (Martin 1979) under adaptive <see cref="Odds"/>. The code is a number, its bytes the highest first, zeros behind them. Of the range a
/// bit's ones have the lower part, (range / 2^16) · (odds / 2^16); the range begins with 2^32 − 1 and the first 32 bits, and where it falls below 2^30, the
/// next bit is preceded by another 32 bits.
/// </summary>
internal ref struct RangeDecoder : IBitCoder
{
    /// <summary>The range below which it is widened.</summary>
    public const ulong Narrowest = 1 << 30;

    /// <summary>The most bytes that may be left out at the end, where they are zeros.</summary>
    public const int MostLeftOut = 8;

    private readonly ReadOnlySpan<ushort> steps = Odds.Steps;
    private readonly ReadOnlySpan<uint> words;
    private readonly int count;
    private ulong code;
    private ulong range = uint.MaxValue;
    private int next = 1;

    /// <summary>A decoder of these bytes.</summary>
    public RangeDecoder(ReadOnlySpan<byte> bytes)
    {
        count = (bytes.Length + 3) / 4;
        var padded = new byte[4 * (count + MostLeftOut / 4 + 2)];
        bytes.CopyTo(padded);
        var numbers = new uint[padded.Length / 4];
        for (int word = 0; word < numbers.Length; word++) numbers[word] = BinaryPrimitives.ReadUInt32BigEndian(padded.AsSpan(4 * word));
        words = numbers;
        code = numbers[0];
    }

    /// <summary>Checks that the bits found were those of the whole code.</summary>
    /// <exception cref="ModelFormatException">The code is too long or too short for them.</exception>
    public readonly void Finish()
    {
        if (next < count) throw new ModelFormatException("a modelled weight has bytes too many");
        if (next >= words.Length - 1) throw new ModelFormatException("a modelled weight ends too early");
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Bit(ref uint odds, int bit)
    {
        Widen(ref code, ref range, ref next, words);
        return -(int)Decode(ref odds, ref code, ref range, steps);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Number(Span<uint> first, Span<uint> odds, int number)
    {
        (ulong code, ulong range, int next) = (this.code, this.range, this.next);
        ReadOnlySpan<ushort> steps = this.steps;
        ReadOnlySpan<uint> words = this.words;
        int node = 1;
        while (node < first.Length && node < odds.Length)
        {
            Widen(ref code, ref range, ref next, words);
            ref uint own = ref first[node], wider = ref odds[node];
            own = Odds.Or(own, wider);
            long isOne = Decode(ref own, ref code, ref range, steps);
            wider = Odds.After(wider, (int)isOne, steps);
            node = 2 * node - (int)isOne;
        }
        while (node < odds.Length)
        {
            Widen(ref code, ref range, ref next, words);
            node = 2 * node - (int)Decode(ref odds[node], ref code, ref range, steps);
        }
        (this.code, this.range, this.next) = (code, range, next);
        return node - odds.Length;
    }

    /// <summary>Finds a bit, −1 for a one, without a branch, and narrows the range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Decode(ref uint odds, ref ulong code, ref ulong range, ReadOnlySpan<ushort> steps)
    {
        uint before = odds;
        ulong ones = (range >> 16) * (before >> 16);
        long isOne = (long)(code - ones) >> 63;
        code -= ones & (ulong)~isOne;
        range = ones + (range - 2 * ones & (ulong)~isOne);
        odds = Odds.After(before, (int)isOne, steps);
        return isOne;
    }

    /// <summary>Takes in 32 bits where the range is narrow; far behind the end there are zeros without end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(ref ulong code, ref ulong range, ref int next, ReadOnlySpan<uint> words)
    {
        if (range >= Narrowest) return;
        code = code << 32 | words[next];
        range <<= 32;
        next += next < words.Length - 1 ? 1 : 0;
    }
}
