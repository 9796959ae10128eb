namespace Penjing;

/// <summary>An operation on each element by itself that can be fused into what yields its input.</summary>
public abstract record Activation : Elementwise;

/// <summary>max(x, 0).</summary>
public sealed record Relu : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => Math.Max(x, 0);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 x) => Int128.Max(x, 0);

    private protected override bool Takes(ElementType type) => type is not ElementType.Bool;

    private protected override bool TakesQuantized(ValueInfo x) => x.Quantization!.Axis is null;
}

/// <summary>min(max(x, Min), Max); ReLU6 is Clip(0, 6). The bounds of integers that stand for reals are rounded as those are.</summary>
public sealed record Clip(float Min, float Max) : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => Math.Min(Math.Max(x, Min), Max);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 x) => Int128.Min(Int128.Max(x, (Int128)Math.Ceiling(Min)), (Int128)Math.Floor(Max));

    private protected override bool Takes(ElementType type) => type is not ElementType.Bool;

    private protected override bool TakesQuantized(ValueInfo x) => x.Quantization!.Axis is null;
}

/// <summary>x where positive, else Alpha · x.</summary>
public sealed record LeakyRelu(float Alpha = 0.01f) : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => x < 0 ? Alpha * x : x;
}

/// <summary>1 / (1 + exp(−x)).</summary>
public sealed record Sigmoid : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => 1 / (1 + Math.Exp(-x));
}

/// <summary>max(0, min(1, Alpha · x + Beta)).</summary>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => Math.Max(0, Math.Min(1, Alpha * x + Beta));
}

/// <summary>x · max(0, min(1, x / 6 + 1/2)), of MobileNet v3.</summary>
public sealed record HardSwish : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => x * Math.Max(0, Math.Min(1, x / 6 + 0.5));
}

/// <summary>Hyperbolic tangent.</summary>
public sealed record Tanh : Activation
{
    /// <inheritdoc/>
    public override double Apply(double x) => Math.Tanh(x);
}

/// <summary>x where positive, else slope · x; the slope, the second input, broadcasts to x.</summary>
public sealed record PRelu : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Floats(inputs);
        Require(Shape.Broadcast(inputs[0].Shape, inputs[1].Shape) == inputs[0].Shape, $"the slope {inputs[1].Shape} doesn't broadcast to {inputs[0].Shape}");
        return inputs[0];
    }
}
