using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Rows turned into columns.</summary>
internal static unsafe class F32Turn<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>target[j · pitch + i] = rows[i][first + j] for as many rows as a vector has lanes, of which the first <paramref name="count"/> are stored, and j below <paramref name="columns"/>.</summary>
    public static void Run(float** rows, nint first, int columns, float* target, nint pitch, int count)
    {
        if (count >= S.Lanes) Run<AllLanes>(rows, first, columns, target, pitch, S.Lanes);
        else Run<FirstLanes>(rows, first, columns, target, pitch, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<L>(float** rows, nint first, int columns, float* target, nint pitch, int count) where L : struct, ILanes
    {
        if (S.Lanes > 1)
            for (; columns >= 4; columns -= 4, first += 4, target += 4 * pitch)
            {
                // Two zips are one turn of four by four: of a, c and b, d, then of what came.
                V a = S.LoadQuads(rows, first), b = S.LoadQuads(rows + 1, first), c = S.LoadQuads(rows + 2, first), d = S.LoadQuads(rows + 3, first);
                V low = S.ZipLow(a, c), high = S.ZipHigh(a, c), otherLow = S.ZipLow(b, d), otherHigh = S.ZipHigh(b, d);
                L.Store<S, V>(target, S.ZipLow(low, otherLow), count);
                L.Store<S, V>(target + pitch, S.ZipHigh(low, otherLow), count);
                L.Store<S, V>(target + 2 * pitch, S.ZipLow(high, otherHigh), count);
                L.Store<S, V>(target + 3 * pitch, S.ZipHigh(high, otherHigh), count);
            }
        for (; columns > 0; columns--, first++, target += pitch)
            for (int i = 0; i < count; i++) target[i] = rows[i][first];
    }
}
