using System.Runtime.CompilerServices;

namespace Penjing;

/// <summary>
/// What is believed of a bit from those seen before in the same place: 22 bits, how likely a one is, above 10 bits, how many were seen. A bit moves the belief
/// by the fraction 1 / (seen + 3/2), down to 1 / 1024: exact for a source that doesn't change. Integers only, so that every machine believes the same.
/// </summary>
internal static class Odds
{
    /// <summary>Even odds, and nothing seen.</summary>
    public const uint Even = 1u << 31;

    /// <summary>The bits of the seen count.</summary>
    public const int SeenBits = 10;

    /// <summary>How many bits speak for odds that were taken from a wider class.</summary>
    public const uint Seed = 2;

    private const int Most = 1022, Surest = 128;
    private const int Scale = 1 << 32 - SeenBits;

    /// <summary>The fractions by which a belief moves, in 65536ths, by how many bits were seen.</summary>
    public static ushort[] Steps { get; } = [.. Enumerable.Range(0, 1 << SeenBits).Select(seen => (ushort)(2 * 65_535 / (2 * Math.Min(seen, Most) + 3)))];

    /// <summary>The odds that a one has this share, in 2^<paramref name="shareBits"/>ths, for which as many bits speak.</summary>
    public static uint Of(int share, int shareBits, int seen) => (uint)share << 32 - shareBits | (uint)seen;

    /// <summary>The odds, or where there are none yet, those of a wider class, for which <see cref="Seed"/> bits speak.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Or(uint odds, uint wider) => odds != 0 ? odds : wider & ~((1u << SeenBits) - 1) | Seed;

    /// <summary>Even odds that as many bits speak for.</summary>
    public static uint EvenAfter(int seen) => Even | (uint)seen;

    /// <summary>The odds after a bit: 0 for a zero, −1 for a one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint After(uint odds, int ones, ReadOnlySpan<ushort> steps)
    {
        uint seen = odds & (1 << SeenBits) - 1;
        int believed = (int)(odds >> SeenBits), target = Surest + (ones & Scale - 2 * Surest);
        believed += (int)((long)(target - believed) * steps[(int)seen] >> 16);
        return (uint)believed << SeenBits | seen + (seen - Most >> 31);
    }
}
