using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>A function of up to three elements, compiled into the loops that apply it.</summary>
internal interface IF32Function
{
    /// <summary>The function, lane by lane.</summary>
    static abstract V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged;

    /// <summary>Whether the result is bounded by an activation that follows.</summary>
    static virtual bool IsBounded => false;
}

/// <summary>x.</summary>
internal readonly struct Same : IF32Function
{
    public static bool IsBounded => true;

    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => x;
}

/// <summary>x + y.</summary>
internal readonly struct Sum : IF32Function
{
    public static bool IsBounded => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.Add(x, y);
}

/// <summary>x − y.</summary>
internal readonly struct Difference : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.MultiplyAdd(y, S.Fill(-1), x);
}

/// <summary>x · y.</summary>
internal readonly struct Product : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.Multiply(x, y);
}

/// <summary>x / y.</summary>
internal readonly struct Quotient : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.Divide(x, y);
}

/// <summary>x · y + z.</summary>
internal readonly struct Scaled : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.MultiplyAdd(x, y, z);
}

/// <summary>x where it is not below 0, else x · y.</summary>
internal readonly struct Sloped : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.IfNegative(x, S.Multiply(x, y), x);
}

/// <summary>max(0, min(1, x · y + z)).</summary>
internal readonly struct Ramp : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.AtLeast(S.Fill(0), S.AtMost(S.Fill(1), S.MultiplyAdd(x, y, z)));
}

/// <summary>x times a ramp.</summary>
internal readonly struct Swish : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => S.Multiply(x, Ramp.Apply<S, V>(x, y, z));
}

/// <summary>1 / (1 + e⁻ˣ).</summary>
internal readonly struct Logistic : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => Functions<S, V>.Sigmoid(x);
}

/// <summary>The hyperbolic tangent of x.</summary>
internal readonly struct Hyperbolic : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, V y, V z) where S : struct, ISimd<V> where V : unmanaged => Functions<S, V>.Tanh(x);
}

/// <summary>How many rows there are, how far apart they lie in each operand and in the output, and the bounds of the results.</summary>
internal readonly record struct F32Steps(nint Rows, nint X, nint Y, nint Z, nint Target, float Min, float Max);

/// <summary>A function over rows of elements.</summary>
internal static unsafe class F32Rows<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>
    /// target[i] = F(x[i], y[i], z[i]), bounded where F says so, for each i below <paramref name="count"/> ≥ 1 of each row; of the three those are
    /// read one by one whose bits R has, 1, 2 and 4, the others stand still in a row. The target may be one of them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<F, R>(float* x, float* y, float* z, float* target, nint count, in F32Steps steps) where F : struct, IF32Function where R : struct, INumber
    {
        (nint right, nint last, nint to) = (steps.Y, steps.Z, steps.Target);
        V min = S.Fill(steps.Min), max = S.Fill(steps.Max);
        for (nint rows = steps.Rows; rows > 0; rows--, x += steps.X, y += right, z += last, target += to)
        {
            V a = S.Fill(*x), b = S.Fill(*y), c = S.Fill(*z);
            nint i = 0;
            for (; i <= count - S.Lanes; i += S.Lanes)
            {
                if ((R.Value & 1) != 0) a = S.Load(x + i);
                if ((R.Value & 2) != 0) b = S.Load(y + i);
                if ((R.Value & 4) != 0) c = S.Load(z + i);
                S.Store(target + i, Bound<F>(F.Apply<S, V>(a, b, c), min, max));
            }
            int rest = (int)(count - i);
            if (rest == 0) continue;
            if ((R.Value & 1) != 0) a = S.LoadPart(x + i, rest);
            if ((R.Value & 2) != 0) b = S.LoadPart(y + i, rest);
            if ((R.Value & 4) != 0) c = S.LoadPart(z + i, rest);
            S.StorePart(target + i, Bound<F>(F.Apply<S, V>(a, b, c), min, max), rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Bound<F>(V value, V min, V max) where F : struct, IF32Function => F.IsBounded ? S.AtMost(max, S.AtLeast(min, value)) : value;
}

/// <summary>
/// A fused activation as kernels apply it: the bounds Min and Max while a result is in registers, then, where these don't express it,
/// a function over what was just stored.
/// </summary>
internal readonly unsafe struct F32Finish<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly delegate*<float*, float*, float*, float*, nint, in F32Steps, void> function;

    /// <summary>The activation, or none.</summary>
    public F32Finish(Activation? then)
    {
        (Min, Max) = then switch
        {
            Relu => (0, float.PositiveInfinity),
            Clip clip => (clip.Min, clip.Max),
            _ => (float.NegativeInfinity, float.PositiveInfinity),
        };
        (Y, Z) = then switch
        {
            LeakyRelu leaky => (leaky.Alpha, 0),
            HardSigmoid ramp => (ramp.Alpha, ramp.Beta),
            HardSwish => (1 / 6f, 0.5f),
            _ => (0, 0),
        };
        Bounds = then is null or Relu or Clip;
        function = then switch
        {
            null or Relu or Clip => &F32Rows<S, V>.Run<Same, N1>,
            LeakyRelu => &F32Rows<S, V>.Run<Sloped, N1>,
            HardSigmoid => &F32Rows<S, V>.Run<Ramp, N1>,
            HardSwish => &F32Rows<S, V>.Run<Swish, N1>,
            Sigmoid => &F32Rows<S, V>.Run<Logistic, N1>,
            Tanh => &F32Rows<S, V>.Run<Hyperbolic, N1>,
            _ => throw new NotSupportedException($"no kernel applies {then.Name}"),
        };
    }

    /// <summary>The lower bound.</summary>
    public float Min { get; }

    /// <summary>The upper bound.</summary>
    public float Max { get; }

    /// <summary>What the function takes beside the element.</summary>
    public float Y { get; }

    /// <inheritdoc cref="Y"/>
    public float Z { get; }

    /// <summary>Whether the bounds are all of it.</summary>
    public bool Bounds { get; }

    /// <summary>Applies the whole activation to <paramref name="count"/> stored elements of each of some pixels, which lie <paramref name="pitch"/> elements apart.</summary>
    public void Apply(float* target, nint count, nint pixels = 1, nint pitch = 0)
    {
        float y = Y, z = Z;
        if (count == pitch) (count, pixels) = (count * pixels, 1);
        function(target, &y, &z, target, count, new(pixels, pitch, 0, 0, pitch, Min, Max));
    }

    /// <summary>Applies what the bounds don't express to <paramref name="count"/> stored elements of each of some pixels.</summary>
    public void Complete(float* target, nint count, nint pixels = 1, nint pitch = 0)
    {
        if (!Bounds) Apply(target, count, pixels, pitch);
    }
}
