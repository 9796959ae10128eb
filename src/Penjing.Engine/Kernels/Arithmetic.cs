using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>What a product multiplies: words of 32 bits, each a float or several integers.</summary>
internal interface IWords<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>The sums and the products of two vectors of words.</summary>
    static abstract V MultiplyAdd(V left, V right, V sums);
}

/// <summary>A float a word.</summary>
internal readonly struct Floats<S, V> : IWords<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V MultiplyAdd(V left, V right, V sums) => S.MultiplyAdd(left, right, sums);
}

/// <summary>Two integers of 16 bits a word, whose products are added exactly.</summary>
internal readonly struct Pairs<S, V> : IWords<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V MultiplyAdd(V left, V right, V sums) => S.AddPairs(left, right, sums);
}

/// <summary>Four integers of 8 bits a word, whose products are added as exactly as <see cref="IVectorIntegers{V}.AddDots"/> does.</summary>
internal readonly struct Dots<S, V> : IWords<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V MultiplyAdd(V left, V right, V sums) => S.AddDots(left, right, sums);
}

/// <summary>What becomes of a product's sums.</summary>
internal unsafe interface IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>Whether <see cref="Finish"/> writes so many columns of vectors of so many lanes; else <see cref="Part"/> does.</summary>
    static abstract bool Finishes(int columns, int lanes);

    /// <summary>Writes a row of sums, one vector or two, of which there are so many columns.</summary>
    static abstract void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber;

    /// <summary>
    /// Writes the kept sums of rows of so many vectors, of which there are so many columns. It is called, not inlined: what lives across a call in a tile would leave its registers in
    /// the loop.
    /// </summary>
    static virtual void Part(int rows, int vectors, V min, V max, in TileShape shape, float** outputs, float** addends, nint column, int columns) => throw new NotSupportedException();
}

/// <summary>Floats: min(max(sum + addend, Min), Max).</summary>
internal readonly unsafe struct BoundedFloats<S, V> : IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    public static bool Finishes(int columns, int lanes) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber
    {
        output += column;
        if (addend is not null) addend += column;
        if (columns == C.Value * S.Lanes)
        {
            if (addend is not null) c = S.Add(c, S.Load(addend));
            S.Store(output, S.AtMost(max, S.AtLeast(min, c)));
            if (C.Value == 1) return;
            if (addend is not null) d = S.Add(d, S.Load(addend + S.Lanes));
            S.Store(output + S.Lanes, S.AtMost(max, S.AtLeast(min, d)));
            return;
        }
        int first = Math.Min(columns, S.Lanes);
        if (addend is not null) c = S.Add(c, S.LoadPart(addend, first));
        S.StorePart(output, S.AtMost(max, S.AtLeast(min, c)), first);
        if (columns <= S.Lanes) return;
        if (addend is not null) d = S.Add(d, S.LoadPart(addend + S.Lanes, columns - S.Lanes));
        S.StorePart(output + S.Lanes, S.AtMost(max, S.AtLeast(min, d)), columns - S.Lanes);
    }
}

/// <summary>
/// Sums of integers, as floats, times their column's scale are kept within the bounds, rounded, halves to even, and with the zero point added stored as bytes. Bounds are those
/// of the type less the zero point, so that all of it is the requantization of <see cref="QuantizeLinear"/>.
/// </summary>
internal readonly unsafe struct RequantizedSums<S, V> : IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    public static bool Finishes(int columns, int lanes) => columns == lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber
    {
        byte* bytes = (byte*)output + column;
        float* scales = shape.End.Scales + column;
        c = Bounded(c, min, max, scales);
        if (C.Value > 1) S.StoreBytes(bytes, bytes + S.Lanes, c, Bounded(d, min, max, scales + S.Lanes), shape.End.Zero);
        else S.StoreBytes(bytes, c, shape.End.Zero, S.Lanes);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Part(int rows, int vectors, V min, V max, in TileShape shape, float** outputs, float** addends, nint column, int columns)
    {
        for (int vector = 0; vector < vectors && columns > 0; vector++, column += S.Lanes, columns -= S.Lanes)
            for (int row = 0; row < rows; row++)
            {
                V sums = S.Load(shape.Spare + (row * vectors + vector) * S.Lanes);
                S.StoreBytes((byte*)outputs[row] + column, Bounded(sums, min, max, shape.End.Scales + column), shape.End.Zero, Math.Min(columns, S.Lanes));
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Bounded(V sums, V min, V max, float* scales) => S.AtMost(max, S.AtLeast(min, S.Multiply(S.ToFloats(sums), S.Load(scales))));
}

/// <summary>The same with an addend in between: too much to be repeated for every row of a tile.</summary>
internal readonly unsafe struct RequantizedSumsWithAddend<S, V> : IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    public static bool Finishes(int columns, int lanes) => false;

    public static void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber => throw new NotSupportedException();

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Part(int rows, int vectors, V min, V max, in TileShape shape, float** outputs, float** addends, nint column, int columns)
    {
        for (int vector = 0; vector < vectors && columns > 0; vector++, column += S.Lanes, columns -= S.Lanes)
        {
            // A constant count leaves but one way to load and store bytes.
            float* kept = shape.Spare + vector * S.Lanes;
            if (columns >= S.Lanes) Column(rows, vectors, min, max, shape.End, kept, outputs, addends, column, S.Lanes);
            else Column(rows, vectors, min, max, shape.End, kept, outputs, addends, column, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Column(int rows, int vectors, V min, V max, IntegerEnd end, float* kept, float** outputs, float** addends, nint column, int count)
    {
        V scales = S.Load(end.Scales + column);
        for (int row = 0; row < rows; row++, kept += vectors * S.Lanes)
        {
            V steps = end.Steps<S, V>(S.Load(kept), scales, (byte*)addends[row] + column, count);
            S.StoreBytes((byte*)outputs[row] + column, S.AtMost(max, S.AtLeast(min, steps)), end.Zero, count);
        }
    }
}

/// <summary>Sums of integers, stored as they are; of all columns of a tile.</summary>
internal readonly unsafe struct PlainSums<S, V> : IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    public static bool Finishes(int columns, int lanes) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber
    {
        S.Store(output + column, c);
        if (C.Value > 1) S.Store(output + column + S.Lanes, d);
    }
}

/// <summary>Sums of integers, stored as the floats that they stand for.</summary>
internal readonly unsafe struct RealSums<S, V> : IEnd<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    public static bool Finishes(int columns, int lanes) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<C>(V c, V d, V min, V max, in TileShape shape, float* output, float* addend, nint column, int columns) where C : INumber
    {
        float* scales = shape.End.Scales + column;
        output += column;
        S.StorePart(output, S.Multiply(S.ToFloats(c), S.Load(scales)), Math.Min(columns, S.Lanes));
        if (C.Value > 1 && columns > S.Lanes) S.StorePart(output + S.Lanes, S.Multiply(S.ToFloats(d), S.Load(scales + S.Lanes)), columns - S.Lanes);
    }
}
