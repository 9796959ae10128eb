namespace Penjing;

/// <summary>
/// The elements at computed indices along one axis: ONNX's Gather. Inputs are the data and the indices, whose axes replace that axis; negative indices
/// count from the end. <see cref="Gather"/> has constant ones.
/// </summary>
public sealed record Take(int Axis = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Indexes(inputs[1]);
        Shape x = inputs[0].Shape;
        int axis = FromFront(Axis, x.Rank);
        Require(inputs[0].Quantization?.Axis is null, $"{inputs[0]} is quantized along an axis: dequantize first");
        return inputs[0] with { Shape = [.. x.AsSpan()[..axis], .. inputs[1].Shape, .. x.AsSpan()[(axis + 1)..]] };
    }
}

/// <summary>For each index the element of the data at its place, but with the index in place of that along one axis.</summary>
public sealed record GatherElements(int Axis = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Indexes(inputs[1]);
        Shape x = inputs[0].Shape, at = inputs[1].Shape;
        int axis = FromFront(Axis, x.Rank);
        Require(at.Rank == x.Rank && at.Where((extent, i) => i != axis && extent > x[i]).Any() == false, $"the indices {at} reach beyond {x}");
        Require(inputs[0].Quantization?.Axis is null, $"{inputs[0]} is quantized along an axis: dequantize first");
        return inputs[0] with { Shape = at };
    }
}

/// <summary>The slices of the data that the last axis of the indices points to, after BatchDims axes that both share.</summary>
public sealed record GatherND(int BatchDims = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Indexes(inputs[1]);
        Plain(inputs);
        Shape x = inputs[0].Shape, at = inputs[1].Shape;
        Require(BatchDims >= 0 && BatchDims < at.Rank && BatchDims < x.Rank && at[-1] <= x.Rank - BatchDims,
            $"the indices {at} point into {x} with {BatchDims} shared axes");
        for (int axis = 0; axis < BatchDims; axis++) Require(at[axis] == x[axis], $"the indices {at} and {x} don't share {BatchDims} axes");
        return inputs[0] with { Shape = [.. at.AsSpan()[..^1], .. x.AsSpan()[(BatchDims + at[-1])..]] };
    }
}

/// <summary>What becomes of an element that something is scattered to.</summary>
public enum ScatterReduction
{
    /// <summary>The update replaces it.</summary>
    None,
    /// <summary>The update is added.</summary>
    Add,
    /// <summary>It is multiplied by the update.</summary>
    Mul,
    /// <summary>The larger stays.</summary>
    Max,
    /// <summary>The smaller stays.</summary>
    Min,
}

/// <summary>The data with each update put at its place, but with the index in place of that along one axis. Inputs are data, indices and updates.</summary>
public sealed record ScatterElements(int Axis = 0, ScatterReduction Reduction = ScatterReduction.None) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 3, 3);
        Indexes(inputs[1]);
        Plain(inputs);
        Shape x = inputs[0].Shape, at = inputs[1].Shape;
        int axis = FromFront(Axis, x.Rank);
        Require(at == inputs[2].Shape && inputs[0].Type == inputs[2].Type, $"the updates {inputs[2]} don't fit the indices {at} and {inputs[0]}");
        Require(Reduction is ScatterReduction.None || inputs[0].Type is not ElementType.Bool, $"{inputs[0]} isn't reduced");
        Require(at.Rank == x.Rank && !at.Where((extent, i) => i != axis && extent > x[i]).Any(), $"the indices {at} reach beyond {x}");
        return inputs[0];
    }
}

/// <summary>The data with slices replaced by updates, where the last axis of the indices points to. Inputs are data, indices and updates.</summary>
public sealed record ScatterND(ScatterReduction Reduction = ScatterReduction.None) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 3, 3);
        Indexes(inputs[1]);
        Plain(inputs);
        Shape x = inputs[0].Shape, at = inputs[1].Shape;
        Require(at.Rank >= 1 && at[-1] <= x.Rank, $"the indices {at} don't point into {x}");
        Shape updates = [.. at.AsSpan()[..^1], .. x.AsSpan()[at[-1]..]];
        Require(inputs[2].Shape == updates && inputs[0].Type == inputs[2].Type, $"the updates {inputs[2]} don't fit the indices {at} and {inputs[0]}");
        Require(Reduction is ScatterReduction.None || inputs[0].Type is not ElementType.Bool, $"{inputs[0]} isn't reduced");
        return inputs[0];
    }
}

/// <summary>The K extreme elements along an axis, from the most extreme on; of equals, the first comes first.</summary>
/// <param name="Axis">The axis; a negative one counts from the end.</param>
/// <param name="K">How many.</param>
/// <param name="Largest">Whether the largest are wanted, else the smallest.</param>
/// <param name="Sorted">Whether their order matters.</param>
public abstract record Extremes(int Axis, int K, bool Largest, bool Sorted) : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(inputs[0].Type is not ElementType.Bool && inputs[0].Quantization?.Axis is null, $"it doesn't compare {inputs[0]}");
        Shape x = inputs[0].Shape;
        int axis = FromFront(Axis, x.Rank);
        Require(K >= 0 && K <= x[axis], $"axis {axis} of {x} has no {K} elements");
        return Yields(inputs[0] with { Shape = x.With(axis, K) });
    }

    /// <summary>The output, if the elements themselves would be <paramref name="values"/>.</summary>
    private protected virtual ValueInfo Yields(ValueInfo values) => values;
}

/// <summary>The K extreme elements along an axis.</summary>
public sealed record TopK(int Axis, int K, bool Largest = true, bool Sorted = true) : Extremes(Axis, K, Largest, Sorted);

/// <summary>The indices of the K extreme elements along an axis, as Int64.</summary>
public sealed record TopKIndices(int Axis, int K, bool Largest = true, bool Sorted = true) : Extremes(Axis, K, Largest, Sorted)
{
    private protected override ValueInfo Yields(ValueInfo values) => new(ElementType.Int64, values.Shape);
}

/// <summary>
/// A new axis of Depth elements: the second of two values at the index, the first elsewhere. Inputs are the indices and the pair (off, on); an index
/// outside −Depth … Depth − 1 is nowhere.
/// </summary>
public sealed record OneHot(int Depth, int Axis = -1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 2);
        Plain(inputs);
        Require(inputs[0].Type is not ElementType.Bool, $"{inputs[0]} are no indices");
        Exactly(inputs[1], [2], "a pair of values");
        Require(Depth >= 0, $"the depth {Depth} is negative");
        int rank = inputs[0].Shape.Rank, axis = FromFront(Axis, rank + 1);
        return new(inputs[1].Type, [.. inputs[0].Shape.AsSpan()[..axis], Depth, .. inputs[0].Shape.AsSpan()[axis..]]);
    }
}
