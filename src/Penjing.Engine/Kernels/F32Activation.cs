using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>A function of one element, compiled into the loops that apply it.</summary>
internal interface IF32Function
{
    /// <summary>The function, lane by lane, with its two parameters.</summary>
    static abstract V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged;
}

/// <summary>min(max(x, a), b): no activation, Relu and Clip.</summary>
internal readonly struct Bounded : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged => S.AtMost(S.Fill(b), S.AtLeast(S.Fill(a), x));
}

/// <summary>x where positive, else a · x.</summary>
internal readonly struct Leaky : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged => S.IfNegative(x, S.Multiply(x, S.Fill(a)), x);
}

/// <summary>max(0, min(1, a · x + b)).</summary>
internal readonly struct Ramp : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged =>
        S.AtLeast(S.Fill(0), S.AtMost(S.Fill(1), S.MultiplyAdd(x, S.Fill(a), S.Fill(b))));
}

/// <summary>x times a ramp.</summary>
internal readonly struct Swish : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged => S.Multiply(x, Ramp.Apply<S, V>(x, a, b));
}

/// <summary>1 / (1 + e⁻ˣ).</summary>
internal readonly struct Logistic : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged => Functions<S, V>.Sigmoid(x);
}

/// <summary>The hyperbolic tangent.</summary>
internal readonly struct Hyperbolic : IF32Function
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V x, float a, float b) where S : struct, ISimd<V> where V : unmanaged => Functions<S, V>.Tanh(x);
}

/// <summary>
/// A fused activation as kernels apply it: the bounds Min and Max while a result is in registers, then, where these don't express it,
/// a function over what was just stored.
/// </summary>
internal readonly unsafe struct F32Finish<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly delegate*<float*, float*, nint, float, float, void> function;
    private readonly float a, b;

    /// <summary>The activation, or none.</summary>
    public F32Finish(Activation? then)
    {
        (Min, Max) = then switch
        {
            Relu => (0, float.PositiveInfinity),
            Clip clip => (clip.Min, clip.Max),
            _ => (float.NegativeInfinity, float.PositiveInfinity),
        };
        Bounds = then is null or Relu or Clip;
        (a, b) = then switch
        {
            LeakyRelu leaky => (leaky.Alpha, 0),
            HardSigmoid ramp => (ramp.Alpha, ramp.Beta),
            HardSwish => (1 / 6f, 0.5f),
            _ => (Min, Max),
        };
        function = then switch
        {
            null or Relu or Clip => &Run<Bounded>,
            LeakyRelu => &Run<Leaky>,
            HardSigmoid => &Run<Ramp>,
            HardSwish => &Run<Swish>,
            Sigmoid => &Run<Logistic>,
            Tanh => &Run<Hyperbolic>,
            _ => throw new NotSupportedException($"no kernel applies {then.Name}"),
        };
    }

    /// <summary>The lower bound.</summary>
    public float Min { get; }

    /// <summary>The upper bound.</summary>
    public float Max { get; }

    /// <summary>Whether the bounds are all of it.</summary>
    public bool Bounds { get; }

    /// <summary>Applies the whole activation to <paramref name="count"/> elements; source and target may be the same.</summary>
    public void Apply(float* source, float* target, nint count) => function(source, target, count, a, b);

    /// <summary>Applies what the bounds don't express to <paramref name="count"/> stored elements.</summary>
    public void Complete(float* target, nint count)
    {
        if (!Bounds) function(target, target, count, a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<F>(float* source, float* target, nint count, float a, float b) where F : struct, IF32Function
    {
        nint i = 0;
        for (; i <= count - S.Lanes; i += S.Lanes) S.Store(target + i, F.Apply<S, V>(S.Load(source + i), a, b));
        for (; i < count; i++) target[i] = F.Apply<Scalar, float>(source[i], a, b);
    }
}

/// <summary>An activation by itself.</summary>
internal readonly struct F32Activation : IKernelMaker
{
    /// <summary>Whether the node is an activation of floats.</summary>
    public static bool Fits(Node node) => node.Op is Activation and (Relu or Clip or LeakyRelu or HardSigmoid or HardSwish or Sigmoid or Tanh)
        && node.Info.Type == ElementType.Float32 && node.Inputs[0].Value is null;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Activation<S, V>(site);
}

/// <summary>An activation by itself: a run of elements a task, or of pixels where these are parts of wider ones.</summary>
internal sealed unsafe class F32Activation<S, V>(Site site) : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly F32Finish<S, V> finish = new((Activation)site.Node.Op);
    private readonly int channels = site.IsDense ? 0 : site.Node.Shape[1], inputPitch = site.InputPitches[0], outputPitch = site.OutputPitch;
    private readonly Split split = site.IsDense ? Split.Flat(site.Node.Shape.Elements, Effort(site.Node))
        : Split.Of(site.Node.Shape.Elements / site.Node.Shape[1], site.Node.Shape[1] * Effort(site.Node));

    /// <inheritdoc/>
    public override string Label => $"f32-activation-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => true;

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        if (channels == 0)
        {
            finish.Apply(operands.Input(0) + first, operands.Output + first, count);
            return;
        }
        for (nint pixel = first, end = first + count; pixel < end; pixel++)
            finish.Apply(operands.Input(0) + pixel * inputPitch, operands.Output + pixel * outputPitch, channels);
    }

    private static double Effort(Node node) => node.Op is Sigmoid or Tanh ? 8 : 1;
}
