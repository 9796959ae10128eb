namespace Penjing;

/// <summary>An operation on pairs of elements of one type, after broadcasting by ONNX's rule.</summary>
public abstract record Binary : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Plain(inputs);
        Require(Takes(inputs[0].Type, inputs[1].Type), $"it doesn't compute with {inputs[0]} and {inputs[1]}");
        return new(Yields(inputs[0].Type), Shape.Broadcast(inputs[0].Shape, inputs[1].Shape)
            ?? throw new ShapeException($"{Name}: the shapes {inputs[0].Shape} and {inputs[1].Shape} don't broadcast"));
    }

    /// <summary>The function, in double precision; a truth value is 1 or 0.</summary>
    public abstract double Apply(double left, double right);

    /// <summary>The function of integers, exactly; results are cut to the type's bits.</summary>
    internal abstract Int128 Apply(Int128 left, Int128 right);

    /// <summary>Whether the function is defined for elements of these types.</summary>
    private protected virtual bool Takes(ElementType left, ElementType right) => left == right && left is not ElementType.Bool;

    /// <summary>The type of the output.</summary>
    private protected virtual ElementType Yields(ElementType left) => left;
}

/// <summary>left + right; <see cref="Then"/> is the activation that a pass has fused in.</summary>
public sealed record Add(Activation? Then = null) : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => Then is null ? left + right : Then.Apply(left + right);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => Then is null ? left + right : Then.Apply(left + right);
}

/// <summary>left − right.</summary>
public sealed record Sub : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left - right;

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => left - right;
}

/// <summary>left · right.</summary>
public sealed record Mul : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left * right;

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => left * right;
}

/// <summary>left / right; of integers the part before the point, and 0 where the divisor is.</summary>
public sealed record Div : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left / right;

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => right == 0 ? 0 : left / right;
}

/// <summary>left to the power of right; the types may differ, the result is of left's.</summary>
public sealed record Pow : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => Math.Pow(left, right);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right)
    {
        if (right < 0) return left == 1 ? 1 : left == -1 ? (Int128.IsEvenInteger(right) ? 1 : -1) : 0;
        Int128 result = 1;
        for (; right > 0; right >>= 1, left = unchecked(left * left))
            if (Int128.IsOddInteger(right)) result = unchecked(result * left);
        return result;
    }

    private protected override bool Takes(ElementType left, ElementType right) => left is not ElementType.Bool && right is not ElementType.Bool;
}

/// <summary>The smaller of both; not a number where one of them isn't.</summary>
public sealed record Min : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => Math.Min(left, right);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => Int128.Min(left, right);
}

/// <summary>The larger of both; not a number where one of them isn't.</summary>
public sealed record Max : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => Math.Max(left, right);

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => Int128.Max(left, right);
}

/// <summary>The rest of left / right: with left's sign if <see cref="Fmod"/>, else with right's; 0 for integers where the divisor is.</summary>
public sealed record Mod(bool Fmod = false) : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right)
    {
        double rest = left % right;
        return !Fmod && rest != 0 && rest < 0 != right < 0 ? rest + right : rest;
    }

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right)
    {
        Int128 rest = right == 0 ? 0 : left % right;
        return !Fmod && rest != 0 && rest < 0 != right < 0 ? rest + right : rest;
    }
}

/// <summary>The bits of unsigned integers moved up (left) or down by right places; none are left beyond the type's width.</summary>
public sealed record BitShift(bool Left) : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => throw new NotSupportedException("bits are shifted in integers");

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 left, Int128 right) => right > 63 ? 0 : Left ? left << (int)right : left >> (int)right;

    private protected override bool Takes(ElementType left, ElementType right) => left == right && left.IsUnsigned() && left is not ElementType.Bool;
}

/// <summary>A question about pairs of elements, answered with Bool.</summary>
public abstract record Comparison : Binary
{
    /// <inheritdoc/>
    public sealed override double Apply(double left, double right) => Holds(left, right) ? 1 : 0;

    /// <inheritdoc/>
    internal sealed override Int128 Apply(Int128 left, Int128 right) => Holds(left.CompareTo(right), 0) ? 1 : 0;

    /// <summary>The answer for two numbers.</summary>
    private protected abstract bool Holds(double left, double right);

    private protected sealed override ElementType Yields(ElementType left) => ElementType.Bool;
}

/// <summary>left = right, of any type.</summary>
public sealed record Equal : Comparison
{
    private protected override bool Holds(double left, double right) => left == right;

    private protected override bool Takes(ElementType left, ElementType right) => left == right;
}

/// <summary>left &lt; right.</summary>
public sealed record Less : Comparison
{
    private protected override bool Holds(double left, double right) => left < right;
}

/// <summary>left ≤ right.</summary>
public sealed record LessOrEqual : Comparison
{
    private protected override bool Holds(double left, double right) => left <= right;
}

/// <summary>left &gt; right.</summary>
public sealed record Greater : Comparison
{
    private protected override bool Holds(double left, double right) => left > right;
}

/// <summary>left ≥ right.</summary>
public sealed record GreaterOrEqual : Comparison
{
    private protected override bool Holds(double left, double right) => left >= right;
}

/// <summary>A function of two truth values.</summary>
public abstract record Logical : Binary
{
    /// <inheritdoc/>
    public sealed override double Apply(double left, double right) => Holds(left != 0, right != 0) ? 1 : 0;

    /// <inheritdoc/>
    internal sealed override Int128 Apply(Int128 left, Int128 right) => Holds(left != 0, right != 0) ? 1 : 0;

    /// <summary>The function.</summary>
    private protected abstract bool Holds(bool left, bool right);

    private protected sealed override bool Takes(ElementType left, ElementType right) => left is ElementType.Bool && right is ElementType.Bool;
}

/// <summary>Whether both hold.</summary>
public sealed record And : Logical
{
    private protected override bool Holds(bool left, bool right) => left && right;
}

/// <summary>Whether one holds or both do.</summary>
public sealed record Or : Logical
{
    private protected override bool Holds(bool left, bool right) => left || right;
}

/// <summary>Whether one of both holds.</summary>
public sealed record Xor : Logical
{
    private protected override bool Holds(bool left, bool right) => left != right;
}

/// <summary>The second input's element where the first, of Bool, holds, else the third's; all three broadcast.</summary>
public sealed record Where : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 3, 3);
        Require(inputs[0].Type is ElementType.Bool, $"the condition is Bool, not {inputs[0]}");
        Require(inputs[1].Type == inputs[2].Type && Equals(inputs[1].Quantization, inputs[2].Quantization),
            $"{inputs[1]} and {inputs[2]} are of different types");
        return Kept(inputs[1], Shape.Broadcast(inputs[0].Shape, inputs[1].Shape) is { } both && Shape.Broadcast(both, inputs[2].Shape) is { } all
            ? all : throw new ShapeException($"{Name}: the shapes {inputs[0].Shape}, {inputs[1].Shape} and {inputs[2].Shape} don't broadcast"));
    }
}
