namespace Penjing;

/// <summary>One number for all elements along some axes; with none given, along all.</summary>
/// <param name="Axes">The axes; negative ones count from the end.</param>
/// <param name="KeepDims">Whether these axes stay, with the extent 1.</param>
public abstract record Reduction(Ints Axes, bool KeepDims) : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Plain(inputs);
        Require(OfIntegers ? inputs[0].Type is not ElementType.Bool : inputs[0].Type.IsFloat(), $"it doesn't compute with {inputs[0]}");
        Shape x = inputs[0].Shape;
        HashSet<int> reduced = [];
        foreach (int axis in Axes.AsSpan()) Require(reduced.Add(FromFront(axis, x.Rank)), $"axis {axis} is reduced twice");
        if (Axes.Count == 0) reduced.UnionWith(Enumerable.Range(0, x.Rank));
        Shape kept = KeepDims ? [.. x.Select((extent, axis) => reduced.Contains(axis) ? 1 : extent)] : [.. x.Where((_, axis) => !reduced.Contains(axis))];
        return inputs[0] with { Shape = kept };
    }

    /// <summary>Whether integers are reduced, too.</summary>
    private protected virtual bool OfIntegers => true;
}

/// <summary>The mean; of integers, without what stands behind the point.</summary>
public sealed record ReduceMean(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>The sum.</summary>
public sealed record ReduceSum(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>The product.</summary>
public sealed record ReduceProd(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>The largest element; of none, the least that the type has.</summary>
public sealed record ReduceMax(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>The smallest element; of none, the largest that the type has.</summary>
public sealed record ReduceMin(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>Σ |x|.</summary>
public sealed record ReduceL1(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>√(Σ x²).</summary>
public sealed record ReduceL2(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims)
{
    private protected override bool OfIntegers => false;
}

/// <summary>log(Σ x).</summary>
public sealed record ReduceLogSum(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims)
{
    private protected override bool OfIntegers => false;
}

/// <summary>log(Σ exp(x)), which doesn't overflow.</summary>
public sealed record ReduceLogSumExp(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims)
{
    private protected override bool OfIntegers => false;
}

/// <summary>Σ x².</summary>
public sealed record ReduceSumSquare(Ints Axes, bool KeepDims = true) : Reduction(Axes, KeepDims);

/// <summary>The index, as Int64, of the extreme element along an axis, the first of equals unless <see cref="SelectLast"/>.</summary>
/// <param name="Axis">The axis; a negative one counts from the end.</param>
/// <param name="KeepDims">Whether the axis stays, with the extent 1.</param>
/// <param name="SelectLast">Whether the last of equals counts.</param>
public abstract record ArgExtreme(int Axis, bool KeepDims, bool SelectLast) : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(inputs[0].Type is not ElementType.Bool && inputs[0].Quantization?.Axis is null, $"it doesn't compute with {inputs[0]}");
        Shape x = inputs[0].Shape;
        int reduced = FromFront(Axis, x.Rank);
        Require(x[reduced] > 0, $"axis {reduced} of {x} is empty");
        return new(ElementType.Int64, KeepDims ? x.With(reduced, 1) : [.. x.Where((_, axis) => axis != reduced)]);
    }
}

/// <summary>The index of the largest element along an axis, the first of equals unless told otherwise, as Int64.</summary>
public sealed record ArgMax(int Axis = 0, bool KeepDims = true, bool SelectLast = false) : ArgExtreme(Axis, KeepDims, SelectLast);

/// <summary>The index of the smallest element along an axis, the first of equals unless told otherwise, as Int64.</summary>
public sealed record ArgMin(int Axis = 0, bool KeepDims = true, bool SelectLast = false) : ArgExtreme(Axis, KeepDims, SelectLast);
