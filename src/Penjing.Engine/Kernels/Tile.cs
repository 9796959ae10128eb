using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>What all tiles of a product share.</summary>
/// <param name="segments">How many segments each row of the left matrix has.</param>
/// <param name="length">How many words of each segment are read.</param>
/// <param name="order">Which words of a segment those are: <paramref name="length"/> places, counted from the segment's pointer.</param>
/// <param name="min">The output's lower bound.</param>
/// <param name="max">The output's upper bound.</param>
/// <param name="adds">Whether the table ends with the pointers of an addend's rows.</param>
internal unsafe struct TileShape(int segments, int length, int* order, float min, float max, bool adds = false)
{
    /// <summary>Segments of a row.</summary>
    public readonly int Segments = segments;

    /// <summary>Floats read of a segment.</summary>
    public readonly int Length = length;

    /// <summary>Places in a segment.</summary>
    public int* Order = order;

    /// <summary>The bounds.</summary>
    public readonly float Min = min, Max = max;

    /// <summary>Whether there is an addend.</summary>
    public readonly bool Adds = adds;

    /// <summary>What becomes of sums of integers.</summary>
    public IntegerEnd End = default;

    /// <summary>Where the memory begins that the next tile asks for, to come into the second-level cache, and how many bytes later it asks at each next depth.</summary>
    public byte* Ahead = (byte*)order;

    /// <inheritdoc cref="Ahead"/>
    public nint Step = 0;

    /// <summary>Memory for the sums of a tile, from where they are written if not from registers.</summary>
    public float* Spare = null;

    /// <summary>
    /// Lets the next tile ask for this memory while it computes: hardware looks ahead within a page only, and too late for weights that come from memory.
    /// </summary>
    public void Ask(void* ahead, nint bytes)
    {
        Ahead = (byte*)ahead;
        Step = bytes / Math.Max(1, Segments * Length) + 1;
    }

    /// <summary>The order 0, 1, 2, …</summary>
    public static NativeBuffer Plain(int length) => NativeBuffer.Of<int>([.. Enumerable.Range(0, length)]);
}

/// <summary>
/// The register tile of every product: up to 14 rows by one or two vectors of columns, what <typeparamref name="E"/> makes of bias + left · right, words as <typeparamref name="W"/> multiplies them.
/// A row of the left matrix lies in segments anywhere in memory; the right matrix is a packed panel: the biases of its columns, then for each
/// depth the weights of its columns. The table holds for each row where its output goes, then for each segment each row's pointer, then where
/// the row of the addend lies, if there is one.
/// </summary>
internal static unsafe class Tile<S, V, W, E> where S : struct, ISimd<V> where V : unmanaged where W : struct, IWords<S, V> where E : struct, IEnd<S, V>
{
    /// <summary>
    /// The tile of this many rows and vectors; it takes the table, what is added to the rows' pointers, the panel, its first column and how many
    /// it has, and the shape.
    /// </summary>
    private static delegate*<float**, nint, float*, nint, int, in TileShape, void> Pick(int rows, int vectors) =>
        vectors == 1 ? Pick<N1>(rows) : Pick<N2>(rows);

    /// <summary>All of them: that of some rows and vectors at 2 · rows + vectors − 1.</summary>
    public static delegate*<float**, nint, float*, nint, int, in TileShape, void>[] All()
    {
        var all = new delegate*<float**, nint, float*, nint, int, in TileShape, void>[2 * S.TileRows + 2];
        for (int i = 2; i < all.Length; i++) all[i] = Pick(i / 2, i % 2 + 1);
        return all;
    }

    private static delegate*<float**, nint, float*, nint, int, in TileShape, void> Pick<C>(int rows) where C : INumber => rows switch
    {
        1 => &Run<N1, C>,
        2 => &Run<N2, C>,
        3 => &Run<N3, C>,
        4 => &Run<N4, C>,
        5 => &Run<N5, C>,
        6 => &Run<N6, C>,
        7 => &Run<N7, C>,
        8 => &Run<N8, C>,
        9 => &Run<N9, C>,
        10 => &Run<N10, C>,
        11 => &Run<N11, C>,
        12 => &Run<N12, C>,
        13 => &Run<N13, C>,
        14 => &Run<N14, C>,
        _ => throw new ArgumentOutOfRangeException(nameof(rows)),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<R, C>(float** table, nint left, float* panel, nint column, int columns, in TileShape shape) where R : INumber where C : INumber
    {
        V b0 = S.Load(panel), b1 = C.Value > 1 ? S.Load(panel + S.Lanes) : b0;
        V c0 = b0, d0 = b1;
        V c1 = b0, d1 = b1;
        V c2 = b0, d2 = b1;
        V c3 = b0, d3 = b1;
        V c4 = b0, d4 = b1;
        V c5 = b0, d5 = b1;
        V c6 = b0, d6 = b1;
        V c7 = b0, d7 = b1;
        V c8 = b0, d8 = b1;
        V c9 = b0, d9 = b1;
        V c10 = b0, d10 = b1;
        V c11 = b0, d11 = b1;
        V c12 = b0, d12 = b1;
        V c13 = b0, d13 = b1;
        panel += C.Value * S.Lanes;
        float** pointers = table + R.Value;
        byte* ahead = shape.Ahead;
        nint step = shape.Step;
        for (int segment = shape.Segments; segment > 0; segment--)
        {
            float* p0 = pointers[0] + left;
            float* p1 = R.Value > 1 ? pointers[1] + left : null;
            float* p2 = R.Value > 2 ? pointers[2] + left : null;
            float* p3 = R.Value > 3 ? pointers[3] + left : null;
            float* p4 = R.Value > 4 ? pointers[4] + left : null;
            float* p5 = R.Value > 5 ? pointers[5] + left : null;
            float* p6 = R.Value > 6 ? pointers[6] + left : null;
            float* p7 = R.Value > 7 ? pointers[7] + left : null;
            float* p8 = R.Value > 8 ? pointers[8] + left : null;
            float* p9 = R.Value > 9 ? pointers[9] + left : null;
            float* p10 = R.Value > 10 ? pointers[10] + left : null;
            float* p11 = R.Value > 11 ? pointers[11] + left : null;
            float* p12 = R.Value > 12 ? pointers[12] + left : null;
            float* p13 = R.Value > 13 ? pointers[13] + left : null;
            for (int* place = shape.Order, end = place + shape.Length; place < end; place++)
            {
                nint k = *place;
                if (Sse.IsSupported)
                {
                    Sse.Prefetch1(ahead);
                    Sse.Prefetch1(ahead + 64);
                    ahead += step;
                }
                b0 = S.Load(panel);
                if (C.Value > 1) b1 = S.Load(panel + S.Lanes);
                Add<R, C>(0, p0, k, b0, b1, ref c0, ref d0);
                Add<R, C>(1, p1, k, b0, b1, ref c1, ref d1);
                Add<R, C>(2, p2, k, b0, b1, ref c2, ref d2);
                Add<R, C>(3, p3, k, b0, b1, ref c3, ref d3);
                Add<R, C>(4, p4, k, b0, b1, ref c4, ref d4);
                Add<R, C>(5, p5, k, b0, b1, ref c5, ref d5);
                Add<R, C>(6, p6, k, b0, b1, ref c6, ref d6);
                Add<R, C>(7, p7, k, b0, b1, ref c7, ref d7);
                Add<R, C>(8, p8, k, b0, b1, ref c8, ref d8);
                Add<R, C>(9, p9, k, b0, b1, ref c9, ref d9);
                Add<R, C>(10, p10, k, b0, b1, ref c10, ref d10);
                Add<R, C>(11, p11, k, b0, b1, ref c11, ref d11);
                Add<R, C>(12, p12, k, b0, b1, ref c12, ref d12);
                Add<R, C>(13, p13, k, b0, b1, ref c13, ref d13);
                panel += C.Value * S.Lanes;
            }
            pointers += R.Value;
        }
        if (!shape.Adds) pointers = null;
        V min = S.Fill(shape.Min), max = S.Fill(shape.Max);
        if (!E.Finishes(columns, C.Value * S.Lanes))
        {
            Keep<C>(shape.Spare, 0, c0, d0);
            if (R.Value > 1) Keep<C>(shape.Spare, 1, c1, d1);
            if (R.Value > 2) Keep<C>(shape.Spare, 2, c2, d2);
            if (R.Value > 3) Keep<C>(shape.Spare, 3, c3, d3);
            if (R.Value > 4) Keep<C>(shape.Spare, 4, c4, d4);
            if (R.Value > 5) Keep<C>(shape.Spare, 5, c5, d5);
            if (R.Value > 6) Keep<C>(shape.Spare, 6, c6, d6);
            if (R.Value > 7) Keep<C>(shape.Spare, 7, c7, d7);
            if (R.Value > 8) Keep<C>(shape.Spare, 8, c8, d8);
            if (R.Value > 9) Keep<C>(shape.Spare, 9, c9, d9);
            if (R.Value > 10) Keep<C>(shape.Spare, 10, c10, d10);
            if (R.Value > 11) Keep<C>(shape.Spare, 11, c11, d11);
            if (R.Value > 12) Keep<C>(shape.Spare, 12, c12, d12);
            if (R.Value > 13) Keep<C>(shape.Spare, 13, c13, d13);
            E.Part(R.Value, C.Value, min, max, in shape, table, pointers, column, columns);
            return;
        }
        E.Finish<C>(c0, d0, min, max, in shape, table[0], pointers is null ? null : pointers[0], column, columns);
        if (R.Value > 1) E.Finish<C>(c1, d1, min, max, in shape, table[1], pointers is null ? null : pointers[1], column, columns);
        if (R.Value > 2) E.Finish<C>(c2, d2, min, max, in shape, table[2], pointers is null ? null : pointers[2], column, columns);
        if (R.Value > 3) E.Finish<C>(c3, d3, min, max, in shape, table[3], pointers is null ? null : pointers[3], column, columns);
        if (R.Value > 4) E.Finish<C>(c4, d4, min, max, in shape, table[4], pointers is null ? null : pointers[4], column, columns);
        if (R.Value > 5) E.Finish<C>(c5, d5, min, max, in shape, table[5], pointers is null ? null : pointers[5], column, columns);
        if (R.Value > 6) E.Finish<C>(c6, d6, min, max, in shape, table[6], pointers is null ? null : pointers[6], column, columns);
        if (R.Value > 7) E.Finish<C>(c7, d7, min, max, in shape, table[7], pointers is null ? null : pointers[7], column, columns);
        if (R.Value > 8) E.Finish<C>(c8, d8, min, max, in shape, table[8], pointers is null ? null : pointers[8], column, columns);
        if (R.Value > 9) E.Finish<C>(c9, d9, min, max, in shape, table[9], pointers is null ? null : pointers[9], column, columns);
        if (R.Value > 10) E.Finish<C>(c10, d10, min, max, in shape, table[10], pointers is null ? null : pointers[10], column, columns);
        if (R.Value > 11) E.Finish<C>(c11, d11, min, max, in shape, table[11], pointers is null ? null : pointers[11], column, columns);
        if (R.Value > 12) E.Finish<C>(c12, d12, min, max, in shape, table[12], pointers is null ? null : pointers[12], column, columns);
        if (R.Value > 13) E.Finish<C>(c13, d13, min, max, in shape, table[13], pointers is null ? null : pointers[13], column, columns);
    }

    /// <summary>Keeps the sums of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<C>(float* spare, int row, V c, V d) where C : INumber
    {
        S.Store(spare + row * C.Value * S.Lanes, c);
        if (C.Value > 1) S.Store(spare + (row * C.Value + 1) * S.Lanes, d);
    }

    /// <summary>One product for each sum of a row, if the tile has that row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<R, C>(int row, float* left, nint k, V b0, V b1, ref V c, ref V d) where R : INumber where C : INumber
    {
        if (R.Value <= row) return;
        V a = S.Fill(left[k]);
        c = W.MultiplyAdd(a, b0, c);
        if (C.Value > 1) d = W.MultiplyAdd(a, b1, d);
    }
}
