namespace Penjing;

/// <summary>The mean over axes; with none given, over all.</summary>
public sealed record ReduceMean(Ints Axes, bool KeepDims = true) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Shape x = inputs[0].Shape;
        HashSet<int> reduced = [];
        foreach (int axis in Axes.AsSpan()) Require(reduced.Add(FromFront(axis, x.Rank)), $"axis {axis} is reduced twice");
        if (Axes.Count == 0) reduced.UnionWith(Enumerable.Range(0, x.Rank));
        Shape kept = KeepDims ? [.. x.Select((extent, axis) => reduced.Contains(axis) ? 1 : extent)] : [.. x.Where((_, axis) => !reduced.Contains(axis))];
        return inputs[0] with { Shape = kept };
    }
}

/// <summary>The index of the largest element along an axis, the first of equals unless <see cref="SelectLast"/>, as Int64.</summary>
public sealed record ArgMax(int Axis = 0, bool KeepDims = true, bool SelectLast = false) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Shape x = inputs[0].Shape;
        int reduced = FromFront(Axis, x.Rank);
        Require(x[reduced] > 0, $"axis {reduced} of {x} is empty");
        return new(ElementType.Int64, KeepDims ? x.With(reduced, 1) : [.. x.Where((_, axis) => axis != reduced)]);
    }
}
