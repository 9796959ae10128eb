namespace Penjing;

/// <summary>The inputs one after another along an axis.</summary>
public sealed record Concat(int Axis) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, int.MaxValue);
        int axis = FromFront(Axis, inputs[0].Shape.Rank);
        long sum = 0;
        foreach (ValueInfo input in inputs)
        {
            Require(input.Type == inputs[0].Type && input.Shape.Rank == inputs[0].Shape.Rank && input.Shape.With(axis, 0) == inputs[0].Shape.With(axis, 0)
                && Equals(input.Quantization, inputs[0].Quantization),
                $"{inputs[0]} and {input} don't join along axis {axis}");
            sum += input.Shape[axis];
        }
        Require(sum <= int.MaxValue, $"axis {axis} would have {sum} elements");
        return Kept(inputs[0], inputs[0].Shape.With(axis, (int)sum), axis);
    }
}

/// <summary>
/// Elements Start, Start + Step, … before End along one axis; negative bounds count from the end, over-long ones are cut to what there is.
/// A step of −1 reverses; there, an End below −extent means "to the first element". ONNX's Slice along several axes and its Split are several of these.
/// </summary>
public sealed record Slice(int Axis, int Start, int End, int Step = 1) : Op
{
    /// <summary>First element and count for an axis of this extent.</summary>
    public (int First, int Count) Range(int extent)
    {
        long low = Step < 0 ? -1 : 0, high = Step < 0 ? extent - 1 : extent;
        long first = Math.Clamp(Start < 0 ? (long)Start + extent : Start, Step < 0 ? 0 : low, high), end = Math.Clamp(End < 0 ? (long)End + extent : End, low, high);
        return ((int)first, extent == 0 ? 0 : (int)Math.Max(0, Step < 0 ? (first - end - Step - 1L) / -(long)Step : (end - first + Step - 1L) / Step));
    }

    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(Step != 0, "a step of 0 never ends");
        int axis = FromFront(Axis, inputs[0].Shape.Rank);
        return Kept(inputs[0], inputs[0].Shape.With(axis, Range(inputs[0].Shape[axis]).Count), axis);
    }
}

/// <summary>The elements at constant indices along one axis, as ONNX's Gather with a constant rank-1 index: a channel shuffle or selection.</summary>
public sealed record Gather(int Axis, Ints Indices) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        int axis = FromFront(Axis, inputs[0].Shape.Rank), extent = inputs[0].Shape[axis];
        foreach (int index in Indices.AsSpan()) Require(index >= 0 && index < extent, $"index {index} lies outside axis {axis} of {inputs[0].Shape}");
        return Kept(inputs[0], inputs[0].Shape.With(axis, Indices.Count), axis);
    }

    /// <summary>The channel shuffle of ShuffleNet (Zhang 2017): channels as groups × per group, transposed.</summary>
    public static Gather Shuffle(int channels, int groups) =>
        new(1, new([.. Enumerable.Range(0, channels).Select(channel => channel % groups * (channels / groups) + channel / groups)]));
}

/// <summary>What stands in the added elements of a <see cref="Pad"/>.</summary>
public enum PadMode
{
    /// <summary>A constant.</summary>
    Constant,
    /// <summary>The picture mirrored at its edge, the edge itself not repeated.</summary>
    Reflect,
    /// <summary>The edge repeated.</summary>
    Edge,
}

/// <summary>Elements added before and after (or, if negative, cut) along one axis; ONNX's Pad along several axes is several of these.</summary>
public sealed record Pad(int Axis, int Before, int After, PadMode Mode = PadMode.Constant, float Value = 0) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        int axis = FromFront(Axis, inputs[0].Shape.Rank), extent = inputs[0].Shape[axis];
        long padded = (long)extent + Before + After;
        Require(padded <= int.MaxValue, $"axis {axis} would have {padded} elements");
        Require(padded >= 0, $"{Before} and {After} cut more than axis {axis} of {inputs[0].Shape} has");
        Require(inputs[0].Quantization?.Axis is null, $"{inputs[0]} is quantized along an axis: dequantize first");
        Require(Mode != PadMode.Reflect || (Before < extent && After < extent), $"{Before} and {After} mirror more than axis {axis} of {inputs[0].Shape} has");
        Require(Mode != PadMode.Edge || extent > 0 || padded == 0, $"axis {axis} of {inputs[0].Shape} has no edge to repeat");
        return Kept(inputs[0], inputs[0].Shape.With(axis, (int)padded), axis);
    }
}

/// <summary>The same elements under another shape; in the target 0 keeps an extent and −1, once, takes what remains.</summary>
public sealed record Reshape(Ints Target) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        var extents = new int[Target.Count];
        long known = 1;
        int free = -1;
        for (int axis = 0; axis < extents.Length; axis++)
        {
            Require(Target[axis] >= -1 && (Target[axis] != 0 || axis < x.Rank) && (Target[axis] != -1 || free < 0), $"{x} can't become {Target}");
            extents[axis] = Target[axis] == 0 ? x[axis] : Target[axis];
            if (extents[axis] < 0) free = axis;
            else known *= extents[axis];
        }
        if (free >= 0)
        {
            Require(known > 0 && x.Elements % known == 0, $"{x} can't become {Target}");
            extents[free] = (int)(x.Elements / known);
            known *= extents[free];
        }
        Require(known == x.Elements, $"{x} can't become {Target}");
        return Kept(inputs[0], Shape.Create(extents));
    }
}

/// <summary>A matrix of the axes before Axis by those from it on.</summary>
public sealed record Flatten(int Axis = 1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        Require(Axis >= -x.Rank && Axis <= x.Rank, $"axis {Axis} lies outside {x}");
        int axis = Axis < 0 ? Axis + x.Rank : Axis;
        return Kept(inputs[0], [x.Product(0, axis), x.Product(axis, x.Rank)]);
    }
}

/// <summary>The axes in another order: output axis i is input axis Permutation[i].</summary>
public sealed record Transpose(Ints Permutation) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        Require(Permutation.Order().SequenceEqual(Enumerable.Range(0, x.Rank)), $"{Permutation} is no order of the axes of {x}");
        Quantization? quantization = inputs[0].Quantization;
        if (quantization?.Axis is { } along) quantization = quantization with { Axis = Permutation.Items.IndexOf(FromFront(along, x.Rank)) };
        return inputs[0] with { Shape = [.. Permutation.Select(axis => x[axis])], Quantization = quantization };
    }
}

/// <summary>Without the given axes, each of extent 1; with none given, without all of extent 1.</summary>
public sealed record Squeeze(Ints Axes) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        var gone = new HashSet<int>();
        foreach (int given in Axes.AsSpan())
        {
            int axis = FromFront(given, x.Rank);
            Require(x[axis] == 1 && gone.Add(axis), $"axis {axis} of {x} can't be squeezed");
        }
        return Kept(inputs[0], [.. x.Where((extent, axis) => Axes.Count == 0 ? extent != 1 : !gone.Contains(axis))]);
    }
}

/// <summary>With axes of extent 1 put in, numbered as in the output.</summary>
public sealed record Unsqueeze(Ints Axes) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        int rank = inputs[0].Shape.Rank + Axes.Count;
        var extents = new int[rank];
        foreach (int given in Axes.AsSpan())
        {
            int axis = FromFront(given, rank);
            Require(extents[axis] == 0, $"axis {axis} is put in twice");
            extents[axis] = 1;
        }
        int next = 0;
        var added = Axes.Select(axis => axis < 0 ? axis + rank : axis).ToHashSet();
        for (int axis = 0; axis < rank; axis++)
            if (!added.Contains(axis)) extents[axis] = inputs[0].Shape[next++];
        return Kept(inputs[0], Shape.Create(extents));
    }
}

/// <summary>Its input.</summary>
public sealed record Identity : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        return inputs[0];
    }
}

/// <summary>Its input at inference; in training, each element zeroed with the probability Ratio and the rest scaled by 1 / (1 − Ratio).</summary>
public sealed record Dropout(float Ratio = 0.5f) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(Ratio is >= 0 and < 1, $"the ratio {Ratio} lies outside [0, 1)");
        return inputs[0];
    }
}
