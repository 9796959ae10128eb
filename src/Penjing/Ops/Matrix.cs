namespace Penjing;

/// <summary>
/// Alpha · A' · B' + Beta · C with A' M×K, B' K×N (each transposed where said) and an optional C that broadcasts to M×N.
/// <see cref="Then"/> is the activation that a pass has fused in. Of 8-bit integers it yields the exact sums as Int32, as <see cref="Conv"/> does.
/// </summary>
public sealed record Gemm(bool TransposeA = false, bool TransposeB = false, float Alpha = 1, float Beta = 1, Activation? Then = null) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 3);
        ElementType type = Sums(inputs);
        Require(type is ElementType.Float32 || (Alpha == 1 && Beta == 1), $"integers are multiplied with alpha and beta 1, not {Alpha} and {Beta}");
        Rank(inputs[0], 2, "a left matrix");
        Rank(inputs[1], 2, "a right matrix");
        Shape a = inputs[0].Shape, b = inputs[1].Shape;
        int rows = a[TransposeA ? 1 : 0], depth = a[TransposeA ? 0 : 1], columns = b[TransposeB ? 0 : 1];
        Require(depth == b[TransposeB ? 1 : 0], $"{a}{(TransposeA ? " transposed" : "")} and {b}{(TransposeB ? " transposed" : "")} don't multiply");
        Shape output = [rows, columns];
        if (inputs.Length == 3) Require(Shape.Broadcast(inputs[2].Shape, output) == output, $"the addend {inputs[2].Shape} doesn't broadcast to {output}");
        return Sums(inputs, type, output, TransposeB ? 0 : 1, 1);
    }
}

/// <summary>
/// NumPy's matmul: the last two axes multiply as matrices, the axes before them broadcast; rank 1 is a row or a column. Integers as in
/// <see cref="Gemm"/>.
/// </summary>
public sealed record MatMul : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        ElementType type = Sums(inputs);
        Shape a = inputs[0].Shape, b = inputs[1].Shape;
        Require(a.Rank >= 1 && b.Rank >= 1, "a scalar is no matrix");
        int depth = a[-1], rows = a.Rank == 1 ? 1 : a[-2], columns = b.Rank == 1 ? 1 : b[-1];
        Require(depth == (b.Rank == 1 ? b[0] : b[-2]), $"{a} and {b} don't multiply");
        Shape left = Shape.Create(a.AsSpan()[..Math.Max(0, a.Rank - 2)]), right = Shape.Create(b.AsSpan()[..Math.Max(0, b.Rank - 2)]);
        Shape outer = Shape.Broadcast(left, right) ?? throw new ShapeException($"{Name}: the outer axes of {a} and {b} don't broadcast");
        Shape product = [.. outer, .. a.Rank == 1 ? (ReadOnlySpan<int>)[] : [rows], .. b.Rank == 1 ? (ReadOnlySpan<int>)[] : [columns]];
        return Sums(inputs, type, product, b.Rank == 1 ? -1 : b.Rank - 1, product.Rank - 1);
    }
}
