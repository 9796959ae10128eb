using System.Text.Json.Serialization;

namespace Penjing;

/// <summary>What a node does. A record of attributes; names and meanings are ONNX's unless its summary says otherwise.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "op")]
[JsonDerivedType(typeof(Input), nameof(Input))]
[JsonDerivedType(typeof(Conv), nameof(Conv))]
[JsonDerivedType(typeof(ConvTranspose), nameof(ConvTranspose))]
[JsonDerivedType(typeof(BatchNormalization), nameof(BatchNormalization))]
[JsonDerivedType(typeof(PRelu), nameof(PRelu))]
[JsonDerivedType(typeof(Softmax), nameof(Softmax))]
[JsonDerivedType(typeof(Relu), nameof(Relu))]
[JsonDerivedType(typeof(Clip), nameof(Clip))]
[JsonDerivedType(typeof(LeakyRelu), nameof(LeakyRelu))]
[JsonDerivedType(typeof(Sigmoid), nameof(Sigmoid))]
[JsonDerivedType(typeof(HardSigmoid), nameof(HardSigmoid))]
[JsonDerivedType(typeof(HardSwish), nameof(HardSwish))]
[JsonDerivedType(typeof(Tanh), nameof(Tanh))]
[JsonDerivedType(typeof(Add), nameof(Add))]
[JsonDerivedType(typeof(Sub), nameof(Sub))]
[JsonDerivedType(typeof(Mul), nameof(Mul))]
[JsonDerivedType(typeof(Div), nameof(Div))]
[JsonDerivedType(typeof(Gemm), nameof(Gemm))]
[JsonDerivedType(typeof(MatMul), nameof(MatMul))]
[JsonDerivedType(typeof(MaxPool), nameof(MaxPool))]
[JsonDerivedType(typeof(AveragePool), nameof(AveragePool))]
[JsonDerivedType(typeof(GlobalAveragePool), nameof(GlobalAveragePool))]
[JsonDerivedType(typeof(ReduceMean), nameof(ReduceMean))]
[JsonDerivedType(typeof(ArgMax), nameof(ArgMax))]
[JsonDerivedType(typeof(Concat), nameof(Concat))]
[JsonDerivedType(typeof(Slice), nameof(Slice))]
[JsonDerivedType(typeof(Gather), nameof(Gather))]
[JsonDerivedType(typeof(Pad), nameof(Pad))]
[JsonDerivedType(typeof(Reshape), nameof(Reshape))]
[JsonDerivedType(typeof(Flatten), nameof(Flatten))]
[JsonDerivedType(typeof(Transpose), nameof(Transpose))]
[JsonDerivedType(typeof(Squeeze), nameof(Squeeze))]
[JsonDerivedType(typeof(Unsqueeze), nameof(Unsqueeze))]
[JsonDerivedType(typeof(Resize), nameof(Resize))]
[JsonDerivedType(typeof(Identity), nameof(Identity))]
[JsonDerivedType(typeof(Dropout), nameof(Dropout))]
public abstract record Op
{
    /// <summary>ONNX's name of the operation.</summary>
    [JsonIgnore]
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
        return new(Value.Type, Value.Shape, Quantization);
    }

    /// <summary>Equal when quantization, type, shape and bits are.</summary>
    public bool Equals(Constant? other) => other is not null && Equals(Quantization, other.Quantization) && Value.BitsEqual(other.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Value.Type, Value.Shape);
}
