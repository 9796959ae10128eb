namespace Penjing;

/// <summary>
/// y = (x − mean) / √(variance + ε) · scale + bias along axis 1, as at inference; inputs x, scale, bias, mean, variance, the last four of C.
/// Trained as Ioffe and Szegedy 2015.
/// </summary>
public sealed record BatchNormalization(float Epsilon = 1e-5f) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 5, 5);
        Floats(inputs);
        Require(inputs[0].Shape.Rank >= 2, $"an input of rank 2 or more is needed, not {inputs[0].Shape}");
        for (int i = 1; i < 5; i++) Exactly(inputs[i], [inputs[0].Shape[1]], "parameters");
        return inputs[0];
    }
}

/// <summary>x / (Bias + Alpha / Size · Σ x²)^Beta, the sum over Size channels (axis 1) around x's; of Krizhevsky 2012.</summary>
public sealed record LRN(float Alpha, float Beta, float Bias, int Size) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Require(Size > 0, $"it sums over one channel or more, not {Size}");
        Require(inputs[0].Shape.Rank >= 2, $"an input of rank 2 or more is needed, not {inputs[0].Shape}");
        return inputs[0];
    }
}

/// <summary>exp(x) / Σ exp(x) along one axis.</summary>
public sealed record Softmax(int Axis = -1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => Along(inputs, Axis);
}

/// <summary>x − log(Σ exp(x)) along one axis: the logarithm of <see cref="Softmax"/>.</summary>
public sealed record LogSoftmax(int Axis = -1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => Along(inputs, Axis);
}

/// <summary>1 for the first largest element along one axis, 0 for the others.</summary>
public sealed record Hardmax(int Axis = -1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => Along(inputs, Axis);
}

/// <summary>
/// The sum of all elements up to this one along an axis, without this one if <see cref="Exclusive"/>, from the end if <see cref="Reverse"/>.
/// </summary>
public sealed record CumSum(int Axis, bool Exclusive = false, bool Reverse = false) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Plain(inputs);
        Require(inputs[0].Type is not ElementType.Bool, $"it doesn't compute with {inputs[0]}");
        FromFront(Axis, inputs[0].Shape.Rank);
        return inputs[0];
    }
}
