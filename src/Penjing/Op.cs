namespace Penjing;

/// <summary>What a node does. A record of attributes; names and meanings are ONNX's unless its summary says otherwise.</summary>
public abstract record Op
{
    /// <summary>ONNX's name of the operation.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>The type and shape of the output, from those of the inputs.</summary>
    /// <exception cref="ShapeException">The inputs don't fit the operation; the message names the shapes.</exception>
    public abstract ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs);

    /// <summary>Throws unless there are between <paramref name="least"/> and <paramref name="most"/> inputs.</summary>
    private protected void Arity(ReadOnlySpan<ValueInfo> inputs, int least, int most)
    {
        if (inputs.Length < least || inputs.Length > most)
            throw new ShapeException($"{Name} takes {(least == most ? $"{least}" : $"{least} to {most}")} inputs, not {inputs.Length}");
    }

    /// <summary>Throws unless every input is Float32.</summary>
    private protected void Floats(ReadOnlySpan<ValueInfo> inputs)
    {
        foreach (ValueInfo input in inputs)
            if (input.Type != ElementType.Float32) throw new ShapeException($"{Name} computes with Float32, not {input}");
    }

    /// <summary>The type of the sums of products of the first two inputs: Float32, or Int32 where both are 8-bit integers; so is a third input.</summary>
    private protected ElementType Sums(ReadOnlySpan<ValueInfo> inputs)
    {
        if (!QuantizedProduct.Of(inputs[0], inputs[1])) Floats(inputs);
        else if (inputs.Length == 3) Require(inputs[2].Type is ElementType.Int32, $"the bias of integers is Int32, not {inputs[2]}");
        return inputs[0].Type is ElementType.Float32 ? ElementType.Float32 : ElementType.Int32;
    }

    /// <summary>The sums of products of the first two inputs; those of integers are quantized as the second is along axis <paramref name="from"/>.</summary>
    private protected ValueInfo Sums(ReadOnlySpan<ValueInfo> inputs, ElementType type, Shape shape, int from, int to) => type is ElementType.Float32
        ? new(type, shape)
        : new(type, shape, QuantizedProduct.Sums(inputs[0], inputs[1], from, to)
            ?? throw new ShapeException($"{Name}: {inputs[0]} and {inputs[1]} are quantized along axes other than that of the output's channels"));

    /// <summary>Throws where an input's integers stand for reals.</summary>
    private protected void Plain(ReadOnlySpan<ValueInfo> inputs)
    {
        foreach (ValueInfo input in inputs) Require(input.Quantization is null, $"it doesn't compute with the quantized {input}: dequantize first");
    }

    /// <summary>Throws unless the input holds Int32 or Int64, as indices are.</summary>
    private protected void Indexes(ValueInfo input) =>
        Require(input.Type is ElementType.Int32 or ElementType.Int64 && input.Quantization is null, $"indices are Int32 or Int64, not {input}");

    /// <summary>
    /// The input's elements, or some of them, under another shape. Quantization along an axis goes with it: where one axis was touched, it must be another;
    /// else the axis stays where the same number of elements stands before it.
    /// </summary>
    private protected ValueInfo Kept(ValueInfo input, Shape shape, int? touched = null)
    {
        if (input.Quantization?.Axis is not { } given) return input with { Shape = shape };
        int along = FromFront(given, input.Shape.Rank), extent = input.Shape[along], before = input.Shape.Product(0, along);
        int at = touched is { } axis ? (axis == along ? -1 : along)
            : Enumerable.Range(0, shape.Rank).Where(axis => shape[axis] == extent && shape.Product(0, axis) == before).DefaultIfEmpty(-1).First();
        Require(at >= 0, $"{input}, quantized along axis {along}, can't become {shape}: dequantize first");
        return input with { Shape = shape, Quantization = input.Quantization with { Axis = at } };
    }

    /// <summary>The output of an operation of floats along one axis.</summary>
    private protected ValueInfo Along(ReadOnlySpan<ValueInfo> inputs, int axis)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        FromFront(axis, inputs[0].Shape.Rank);
        return inputs[0];
    }

    /// <summary>Throws unless the input has the rank; <paramref name="role"/> is what the operation calls it.</summary>
    private protected void Rank(ValueInfo input, int rank, string role)
    {
        if (input.Shape.Rank != rank) throw new ShapeException($"{Name} takes {role} of rank {rank}, not {input.Shape}");
    }

    /// <summary>Throws unless a parameter has the shape.</summary>
    private protected void Exactly(ValueInfo input, Shape shape, string role)
    {
        if (input.Shape != shape) throw new ShapeException($"{Name} takes {role} of shape {shape}, not {input.Shape}");
    }

    /// <summary>The axis counted from the front.</summary>
    private protected int FromFront(int axis, int rank)
    {
        if (axis < -rank || axis >= rank) throw new ShapeException($"{Name} has axis {axis}, but its input has rank {rank}");
        return axis < 0 ? axis + rank : axis;
    }

    /// <summary>Throws with the operation's name unless the condition holds.</summary>
    private protected void Require(bool condition, string message)
    {
        if (!condition) throw new ShapeException($"{Name}: {message}");
    }
}

/// <summary>A value that the caller supplies at each run.</summary>
public sealed record Input(ElementType Type, Shape Shape) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 0, 0);
        return new(Type, Shape);
    }
}

/// <summary>A value that never changes: a weight. Equal to another when the bits are.</summary>
public sealed record Constant(Tensor Value, Quantization? Quantization = null) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 0, 0);
        if (Quantization is not null) Require(Quantization.Fits(Value.Type, Value.Shape), $"the quantization by {Quantization} doesn't fit {Value}");
        return new(Value.Type, Value.Shape, Quantization);
    }

    /// <summary>Equal when quantization, type, shape and bits are.</summary>
    public bool Equals(Constant? other) => other is not null && Equals(Quantization, other.Quantization) && Value.BitsEqual(other.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Value.Type, Value.Shape);
}
