using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Four columns of a sparse right matrix that are summed side by side, and how many steps that takes: as many as the longest of them has weights.
/// A place that no column fills repeats the first, without weights, and comes before it.
/// </summary>
internal readonly record struct F32SparseGroup(int Steps, int A, int B, int C, int D);

/// <summary>
/// The register tile of sparse products: up to four vectors of pixels by four columns. A step is three words, read a step ahead so that no address
/// waits for its load: where the pixels of each of the four weights begin, in 16 bits each, then the weights. Words come through the integer
/// registers because the loads of pixels alone fill the vector units' ports.
/// </summary>
internal static unsafe class F32SparseTile<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>Words of a step.</summary>
    public const int Words = 3;

    /// <summary>The most vectors of pixels: what the registers hold.</summary>
    public static int MostVectors => S.TileRows >= 12 ? 4 : 3;

    /// <summary>
    /// The tile of this many vectors, whose sums begin with the biases or go on from what is stored; it takes the pixels of each depth, the sums of each
    /// column, floats between those, the biases, the groups, how many, and their steps.
    /// </summary>
    public static delegate*<float*, float*, nint, float*, F32SparseGroup*, int, ulong*, void> Pick(int vectors, bool begins) =>
        begins ? Pick<N1>(vectors) : Pick<N2>(vectors);

    private static delegate*<float*, float*, nint, float*, F32SparseGroup*, int, ulong*, void> Pick<F>(int vectors) where F : INumber => vectors switch
    {
        1 => &Run<N1, F>,
        2 => &Run<N2, F>,
        3 => &Run<N3, F>,
        4 => &Run<N4, F>,
        _ => throw new ArgumentOutOfRangeException(nameof(vectors)),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<P, F>(float* pixels, float* sums, nint pitch, float* biases, F32SparseGroup* group, int groups, ulong* steps) where P : INumber where F : INumber
    {
        ulong nextPlaces = steps[0], nextAB = steps[1], nextCD = steps[2];
        for (; groups > 0; groups--, group++)
        {
            float* toA = sums + group->A * pitch, toB = sums + group->B * pitch, toC = sums + group->C * pitch, toD = sums + group->D * pitch;
            V a0 = Begin<F>(biases, group->A, toA), b0 = Begin<F>(biases, group->B, toB), c0 = Begin<F>(biases, group->C, toC), d0 = Begin<F>(biases, group->D, toD);
            V a1 = a0, b1 = b0, c1 = c0, d1 = d0;
            V a2 = a0, b2 = b0, c2 = c0, d2 = d0;
            V a3 = a0, b3 = b0, c3 = c0, d3 = d0;
            if (F.Value > 1 && P.Value > 1) (a1, b1, c1, d1) = (S.Load(toA + S.Lanes), S.Load(toB + S.Lanes), S.Load(toC + S.Lanes), S.Load(toD + S.Lanes));
            if (F.Value > 1 && P.Value > 2) (a2, b2, c2, d2) = (S.Load(toA + 2 * S.Lanes), S.Load(toB + 2 * S.Lanes), S.Load(toC + 2 * S.Lanes), S.Load(toD + 2 * S.Lanes));
            if (F.Value > 1 && P.Value > 3) (a3, b3, c3, d3) = (S.Load(toA + 3 * S.Lanes), S.Load(toB + 3 * S.Lanes), S.Load(toC + 3 * S.Lanes), S.Load(toD + 3 * S.Lanes));
            for (int step = group->Steps; step > 0; step--)
            {
                ulong places = nextPlaces, ab = nextAB, cd = nextCD;
                steps += Words;
                (nextPlaces, nextAB, nextCD) = (steps[0], steps[1], steps[2]);
                float* from = pixels + (ushort)places;
                V weight = Fill(ab);
                a0 = S.MultiplyAdd(weight, S.Load(from), a0);
                if (P.Value > 1) a1 = S.MultiplyAdd(weight, S.Load(from + S.Lanes), a1);
                if (P.Value > 2) a2 = S.MultiplyAdd(weight, S.Load(from + 2 * S.Lanes), a2);
                if (P.Value > 3) a3 = S.MultiplyAdd(weight, S.Load(from + 3 * S.Lanes), a3);
                from = pixels + (ushort)(places >> 16);
                weight = Fill(ab >> 32);
                b0 = S.MultiplyAdd(weight, S.Load(from), b0);
                if (P.Value > 1) b1 = S.MultiplyAdd(weight, S.Load(from + S.Lanes), b1);
                if (P.Value > 2) b2 = S.MultiplyAdd(weight, S.Load(from + 2 * S.Lanes), b2);
                if (P.Value > 3) b3 = S.MultiplyAdd(weight, S.Load(from + 3 * S.Lanes), b3);
                from = pixels + (ushort)(places >> 32);
                weight = Fill(cd);
                c0 = S.MultiplyAdd(weight, S.Load(from), c0);
                if (P.Value > 1) c1 = S.MultiplyAdd(weight, S.Load(from + S.Lanes), c1);
                if (P.Value > 2) c2 = S.MultiplyAdd(weight, S.Load(from + 2 * S.Lanes), c2);
                if (P.Value > 3) c3 = S.MultiplyAdd(weight, S.Load(from + 3 * S.Lanes), c3);
                from = pixels + (ushort)(places >> 48);
                weight = Fill(cd >> 32);
                d0 = S.MultiplyAdd(weight, S.Load(from), d0);
                if (P.Value > 1) d1 = S.MultiplyAdd(weight, S.Load(from + S.Lanes), d1);
                if (P.Value > 2) d2 = S.MultiplyAdd(weight, S.Load(from + 2 * S.Lanes), d2);
                if (P.Value > 3) d3 = S.MultiplyAdd(weight, S.Load(from + 3 * S.Lanes), d3);
            }
            Store<P>(toA, a0, a1, a2, a3);
            Store<P>(toB, b0, b1, b2, b3);
            Store<P>(toC, c0, c1, c2, c3);
            Store<P>(toD, d0, d1, d2, d3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Begin<F>(float* biases, int column, float* sums) where F : INumber => F.Value > 1 ? S.Load(sums) : S.Fill(biases[column]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Fill(ulong bits) => S.Fill(BitConverter.Int32BitsToSingle((int)bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<P>(float* sums, V first, V second, V third, V fourth) where P : INumber
    {
        S.Store(sums, first);
        if (P.Value > 1) S.Store(sums + S.Lanes, second);
        if (P.Value > 2) S.Store(sums + 2 * S.Lanes, third);
        if (P.Value > 3) S.Store(sums + 3 * S.Lanes, fourth);
    }
}
