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
