using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>The most that one processor can multiply: a short loop of nothing but fused multiply-adds in registers, measured once for each vector width.</summary>
internal static class FmaPeak
{
    private const int Sums = 14, Steps = 20_000, Tries = 40;
    private static readonly Lazy<double>[] measured = [.. Enum.GetValues<Isa>().Select(isa => new Lazy<double>(() => Measure(isa)))];

    /// <summary>Billions of floating-point operations a second on one thread, two for each multiply-add; the first call takes some milliseconds.</summary>
    public static double Gflops(Isa isa) => measured[(int)isa].Value;

    private static double Measure(Isa isa) => isa switch
    {
        Isa.Vector512 => Measure<Simd512, Vector512<float>>(),
        Isa.Vector256 => Measure<Simd256, Vector256<float>>(),
        Isa.Vector128 => Measure<Simd128, Vector128<float>>(),
        _ => Measure<Scalar, float>(),
    };

    private static double Measure<S, V>() where S : struct, ISimd<V> where V : unmanaged
    {
        double best = double.PositiveInfinity;
        for (int run = 0; run < Tries; run++)
        {
            long start = Stopwatch.GetTimestamp();
            Loop<S, V>(S.Fill(0.5f), S.Fill(1));
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
        return 2.0 * Sums * S.Lanes * Steps / best;
    }

    /// <summary>Fourteen sums that don't wait for each other: what sixteen registers hold beside the factors, and more than any latency needs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static V Loop<S, V>(V x, V y) where S : struct, ISimd<V> where V : unmanaged
    {
        V a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y, m = y, n = y;
        for (int step = 0; step < Steps; step++)
        {
            a = S.MultiplyAdd(a, x, y);
            b = S.MultiplyAdd(b, x, y);
            c = S.MultiplyAdd(c, x, y);
            d = S.MultiplyAdd(d, x, y);
            e = S.MultiplyAdd(e, x, y);
            f = S.MultiplyAdd(f, x, y);
            g = S.MultiplyAdd(g, x, y);
            h = S.MultiplyAdd(h, x, y);
            i = S.MultiplyAdd(i, x, y);
            j = S.MultiplyAdd(j, x, y);
            k = S.MultiplyAdd(k, x, y);
            l = S.MultiplyAdd(l, x, y);
            m = S.MultiplyAdd(m, x, y);
            n = S.MultiplyAdd(n, x, y);
        }
        V left = S.Add(S.Add(S.Add(a, b), S.Add(c, d)), S.Add(S.Add(e, f), g)), right = S.Add(S.Add(S.Add(h, i), S.Add(j, k)), S.Add(S.Add(l, m), n));
        return S.Add(left, right);
    }
}
