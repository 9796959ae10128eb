namespace Penjing;

/// <summary>An operation on pairs of elements, after broadcasting by ONNX's rule.</summary>
public abstract record Binary : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Floats(inputs);
        return new(inputs[0].Type, Shape.Broadcast(inputs[0].Shape, inputs[1].Shape)
            ?? throw new ShapeException($"{Name}: the shapes {inputs[0].Shape} and {inputs[1].Shape} don't broadcast"));
    }

    /// <summary>The function, in double precision.</summary>
    public abstract double Apply(double left, double right);
}

/// <summary>left + right; <see cref="Then"/> is the activation that a pass has fused in.</summary>
public sealed record Add(Activation? Then = null) : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => Then is null ? left + right : Then.Apply(left + right);
}

/// <summary>left − right.</summary>
public sealed record Sub : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left - right;
}

/// <summary>left · right.</summary>
public sealed record Mul : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left * right;
}

/// <summary>left / right.</summary>
public sealed record Div : Binary
{
    /// <inheritdoc/>
    public override double Apply(double left, double right) => left / right;
}
