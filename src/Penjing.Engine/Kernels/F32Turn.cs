using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Rows turned into columns, a square of as many rows and columns as a vector has lanes at a time.</summary>
internal static unsafe class F32Turn<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>
    /// target[j · pitch + i] = rows[i][first + j] for as many rows as a vector has lanes, of which the first <paramref name="count"/> are stored, and
    /// each j below <paramref name="columns"/>.
    /// </summary>
    public static void Run(float** rows, nint first, int columns, float* target, nint pitch, int count)
    {
        if (count >= S.Lanes) Run<AllLanes>(rows, first, columns, target, pitch, S.Lanes);
        else Run<FirstLanes>(rows, first, columns, target, pitch, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<L>(float** rows, nint first, int columns, float* target, nint pitch, int count) where L : struct, ILanes
    {
        for (; columns >= S.Lanes; columns -= S.Lanes, first += S.Lanes, target += S.Lanes * pitch) Square<AllLanes, L>(rows, first, S.Lanes, target, pitch, count);
        if (columns > 0) Square<FirstLanes, L>(rows, first, columns, target, pitch, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Square<R, L>(float** rows, nint first, int columns, float* target, nint pitch, int count) where R : struct, ILanes where L : struct, ILanes
    {
        if (S.Lanes == 1)
        {
            *target = rows[0][first];
            return;
        }
        V a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3;
        Load<R>(rows, first, columns, out a0, out a1, out a2, out a3);
        (b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) = (a0, a1, a2, a3, a0, a1, a2, a3, a0, a1, a2, a3);
        if (S.Lanes > 4) Load<R>(rows + 4, first, columns, out b0, out b1, out b2, out b3);
        if (S.Lanes > 8)
        {
            Load<R>(rows + 8, first, columns, out c0, out c1, out c2, out c3);
            Load<R>(rows + 12, first, columns, out d0, out d1, out d2, out d3);
        }
        if (S.Lanes > 4)
        {
            Part(ref a0, ref b0, ref c0, ref d0);
            Part(ref a1, ref b1, ref c1, ref d1);
            Part(ref a2, ref b2, ref c2, ref d2);
            Part(ref a3, ref b3, ref c3, ref d3);
        }
        Store<R, L>(a0, a1, a2, a3, columns, target, pitch, count);
        if (S.Lanes > 4) Store<R, L>(b0, b1, b2, b3, columns - 4, target + 4 * pitch, pitch, count);
        if (S.Lanes <= 8) return;
        Store<R, L>(c0, c1, c2, c3, columns - 8, target + 8 * pitch, pitch, count);
        Store<R, L>(d0, d1, d2, d3, columns - 12, target + 12 * pitch, pitch, count);
    }

    /// <summary>Four rows, turned within each quad.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<R>(float** rows, nint first, int columns, out V a, out V b, out V c, out V d) where R : struct, ILanes
    {
        V p = R.Load<S, V>(rows[0] + first, columns), q = R.Load<S, V>(rows[1] + first, columns);
        V r = R.Load<S, V>(rows[2] + first, columns), s = R.Load<S, V>(rows[3] + first, columns);
        V low = S.ZipLow(p, r), high = S.ZipHigh(p, r), otherLow = S.ZipLow(q, s), otherHigh = S.ZipHigh(q, s);
        (a, b, c, d) = (S.ZipLow(low, otherLow), S.ZipHigh(low, otherLow), S.ZipLow(high, otherHigh), S.ZipHigh(high, otherHigh));
    }

    /// <summary>Quads turned among vectors: two vectors where there are two quads in each, else four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Part(ref V a, ref V b, ref V c, ref V d)
    {
        V even = S.EvenQuads(a, b), odd = S.OddQuads(a, b);
        if (S.Lanes == 8)
        {
            (a, b) = (even, odd);
            return;
        }
        V otherEven = S.EvenQuads(c, d), otherOdd = S.OddQuads(c, d);
        (a, b, c, d) = (S.EvenQuads(even, otherEven), S.EvenQuads(odd, otherOdd), S.OddQuads(even, otherEven), S.OddQuads(odd, otherOdd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<R, L>(V a, V b, V c, V d, int columns, float* target, nint pitch, int count) where R : struct, ILanes where L : struct, ILanes
    {
        bool all = typeof(R) == typeof(AllLanes);
        if (all || columns > 0) L.Store<S, V>(target, a, count);
        if (all || columns > 1) L.Store<S, V>(target + pitch, b, count);
        if (all || columns > 2) L.Store<S, V>(target + 2 * pitch, c, count);
        if (all || columns > 3) L.Store<S, V>(target + 3 * pitch, d, count);
    }
}
