using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// A minimal filtering algorithm F(Tile, 3) of Toom and Cook (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016): Tile outputs
/// of a filter of three taps by Tile + 2 products, the values at <see cref="Points"/> and at infinity of polynomials; in two directions, one
/// after the other, of a 3×3 kernel.
/// </summary>
internal unsafe interface IWinograd
{
    /// <summary>Outputs in a row of a tile.</summary>
    static abstract int Tile { get; }

    /// <summary>The finite points, one more than outputs.</summary>
    static abstract ReadOnlySpan<double> Points { get; }

    /// <summary>
    /// Of the inputs d[k] at source + k · step the coefficients' sums Σ b[i, k] · d[k], to target + i · stride, where b[i, k] is the coefficient
    /// of xᵏ in the product of x − p over all finite points p but the i-th, and at infinity over all.
    /// </summary>
    static abstract void Input<S, V>(float* source, nint step, float* target, nint stride) where S : struct, ISimd<V> where V : unmanaged;

    /// <summary>Of the products m[i] at source + i · step the outputs Σ pᵢᵏ · m[i], and the last also m at infinity.</summary>
    static abstract void Output<S, V, E>(float* source, nint step, in E end) where S : struct, ISimd<V> where V : unmanaged where E : struct, IWinogradEnd<V>;
}

/// <summary>Where the outputs of a row go, as a type parameter.</summary>
internal interface IWinogradEnd<V>
{
    /// <summary>Takes the output of this index.</summary>
    void Put(int index, V value);
}

/// <summary>F(2, 3) at 0, 1, −1: as accurate as direct sums.</summary>
internal readonly unsafe struct Winograd2 : IWinograd
{
    public static int Tile => 2;

    public static ReadOnlySpan<double> Points => [0, 1, -1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<S, V>(float* source, nint step, float* target, nint stride) where S : struct, ISimd<V> where V : unmanaged
    {
        V minus = S.Fill(-1), d0 = S.Load(source), d1 = S.Load(source + step), d2 = S.Load(source + 2 * step), d3 = S.Load(source + 3 * step);
        S.Store(target, S.MultiplyAdd(minus, d0, d2));
        S.Store(target + stride, S.Add(d2, d1));
        S.Store(target + 2 * stride, S.MultiplyAdd(minus, d1, d2));
        S.Store(target + 3 * stride, S.MultiplyAdd(minus, d1, d3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<S, V, E>(float* source, nint step, in E end) where S : struct, ISimd<V> where V : unmanaged where E : struct, IWinogradEnd<V>
    {
        V m1 = S.Load(source + step), m2 = S.Load(source + 2 * step);
        end.Put(0, S.Add(S.Load(source), S.Add(m1, m2)));
        end.Put(1, S.Add(S.MultiplyAdd(S.Fill(-1), m2, m1), S.Load(source + 3 * step)));
    }
}

/// <summary>
/// F(4, 3) at 0, ±1/√2, ±√2: half the rounding error of the usual 0, ±1, ±2, since points that are each other's reciprocals keep the coefficients
/// small and near each other (Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution, 2020; Alam et al., Winograd
/// Convolution for Deep Neural Networks: Efficient Point Selection, 2022); the squares 1/2 and 2, and so most coefficients, are exact.
/// </summary>
internal readonly unsafe struct Winograd4 : IWinograd
{
    private const double Root = 1.4142135623730951;

    public static int Tile => 4;

    public static ReadOnlySpan<double> Points => [0, 1 / Root, -1 / Root, Root, -Root];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<S, V>(float* source, nint step, float* target, nint stride) where S : struct, ISimd<V> where V : unmanaged
    {
        V d0 = S.Load(source), d1 = S.Load(source + step), d2 = S.Load(source + 2 * step);
        V d3 = S.Load(source + 3 * step), d4 = S.Load(source + 4 * step), d5 = S.Load(source + 5 * step);
        S.Store(target, S.MultiplyAdd(S.Fill(-2.5f), d2, S.Add(d0, d4)));
        V even = S.MultiplyAdd(S.Fill(-2), d2, d4), odd = S.MultiplyAdd(S.Fill(-2), d1, d3);
        S.Store(target + stride, S.MultiplyAdd(S.Fill((float)(1 / Root)), odd, even));
        S.Store(target + 2 * stride, S.MultiplyAdd(S.Fill((float)(-1 / Root)), odd, even));
        even = S.MultiplyAdd(S.Fill(-0.5f), d2, d4);
        odd = S.MultiplyAdd(S.Fill(-0.5f), d1, d3);
        S.Store(target + 3 * stride, S.MultiplyAdd(S.Fill((float)Root), odd, even));
        S.Store(target + 4 * stride, S.MultiplyAdd(S.Fill((float)-Root), odd, even));
        S.Store(target + 5 * stride, S.MultiplyAdd(S.Fill(-2.5f), d3, S.Add(d1, d5)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<S, V, E>(float* source, nint step, in E end) where S : struct, ISimd<V> where V : unmanaged where E : struct, IWinogradEnd<V>
    {
        V m1 = S.Load(source + step), m2 = S.Load(source + 2 * step), m3 = S.Load(source + 3 * step), m4 = S.Load(source + 4 * step);
        V minus = S.Fill(-1), near = S.Add(m1, m2), far = S.Add(m3, m4);
        end.Put(0, S.Add(S.Load(source), S.Add(near, far)));
        end.Put(2, S.MultiplyAdd(S.Fill(2), far, S.Multiply(S.Fill(0.5f), near)));
        near = S.Multiply(S.Fill((float)(1 / Root)), S.MultiplyAdd(minus, m2, m1));
        far = S.Multiply(S.Fill((float)Root), S.MultiplyAdd(minus, m4, m3));
        end.Put(1, S.Add(near, far));
        end.Put(3, S.MultiplyAdd(S.Fill(2), far, S.MultiplyAdd(S.Fill(0.5f), near, S.Load(source + 5 * step))));
    }
}
