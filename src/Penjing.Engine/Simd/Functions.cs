using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Elementary functions of vectors of floats, to a few units in the last place.</summary>
internal static class Functions<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>eˣ; 0 below −87.7, infinite above 88.4; NaN of NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp(V x)
    {
        // x = n·ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5·2²³ rounds to the integer n, whose bits then stand lowest in the mantissa.
        x = S.AtMost(S.Fill(89), S.AtLeast(S.Fill(-88), x));
        V shift = S.Fill(12582912f);
        V shifted = S.MultiplyAdd(x, S.Fill(1.44269504f), shift);
        V n = S.Add(shifted, S.Fill(-12582912f));
        V r = S.MultiplyAdd(n, S.Fill(-0.693359375f), x);
        r = S.MultiplyAdd(n, S.Fill(2.12194440e-4f), r);
        V p = S.MultiplyAdd(r, S.Fill(1 / 5040f), S.Fill(1 / 720f));
        p = S.MultiplyAdd(p, r, S.Fill(1 / 120f));
        p = S.MultiplyAdd(p, r, S.Fill(1 / 24f));
        p = S.MultiplyAdd(p, r, S.Fill(1 / 6f));
        p = S.MultiplyAdd(p, r, S.Fill(1 / 2f));
        p = S.MultiplyAdd(p, r, S.Fill(1));
        p = S.MultiplyAdd(p, r, S.Fill(1));
        return S.Multiply(p, S.PowerOfTwo(shifted));
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid(V x)
    {
        V one = S.Fill(1);
        return S.Divide(one, S.Add(one, Exp(S.Multiply(x, S.Fill(-1)))));
    }

    /// <summary>The hyperbolic tangent: Lambert's continued fraction to x⁷ near 0, 1 − 2 / (e²ˣ + 1) elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh(V x)
    {
        V one = S.Fill(1), square = S.Multiply(x, x);
        V far = S.MultiplyAdd(S.Fill(-2), S.Divide(one, S.Add(one, Exp(S.Add(x, x)))), one);
        V over = S.MultiplyAdd(square, S.MultiplyAdd(square, S.Fill(21), S.Fill(1260)), S.Fill(10395));
        V under = S.MultiplyAdd(square, S.MultiplyAdd(square, S.Add(square, S.Fill(210)), S.Fill(4725)), S.Fill(10395));
        V near = S.Multiply(x, S.Divide(over, under));
        return S.IfNegative(S.Add(square, S.Fill(-0.49f)), near, far);
    }
}
