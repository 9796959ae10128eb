namespace Penjing;

/// <summary>The largest element of each window, N×C×H×W to N×C×H'×W'; padding never wins.</summary>
public sealed record MaxPool(Size Kernel, Size Stride, Padding Padding, Size Dilation, bool CeilMode = false) : Op
{
    /// <summary>A pool without dilation.</summary>
    public MaxPool(Size kernel, Size stride, Padding padding = default) : this(kernel, stride, padding, Size.One) { }

    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(inputs[0].Type is not ElementType.Bool, $"it doesn't compare {inputs[0]}");
        Rank(inputs[0], 4, "an input");
        Shape x = inputs[0].Shape;
        Require(Padding.Below(Kernel, Dilation), $"the padding {Padding} is negative or not smaller than the kernel {Kernel}");
        Size size = Windows.Slide(Name, new(x[2], x[3]), Kernel, Stride, Padding, Dilation, CeilMode);
        return Kept(inputs[0], [x[0], x[1], size.Height, size.Width]);
    }
}

/// <summary>The mean of each window, N×C×H×W to N×C×H'×W'; <see cref="CountIncludePad"/> says whether padding counts in the divisor.</summary>
public sealed record AveragePool(Size Kernel, Size Stride, Padding Padding = default, bool CeilMode = false, bool CountIncludePad = false) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Rank(inputs[0], 4, "an input");
        Shape x = inputs[0].Shape;
        Require(Padding.Below(Kernel, Size.One), $"the padding {Padding} is negative or not smaller than the kernel {Kernel}");
        Size size = Windows.Slide(Name, new(x[2], x[3]), Kernel, Stride, Padding, Size.One, CeilMode);
        return inputs[0] with { Shape = [x[0], x[1], size.Height, size.Width] };
    }
}

/// <summary>The mean of each channel's picture, N×C×H×W to N×C×1×1.</summary>
public sealed record GlobalAveragePool : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Floats(inputs);
        Rank(inputs[0], 4, "an input");
        return inputs[0] with { Shape = [inputs[0].Shape[0], inputs[0].Shape[1], 1, 1] };
    }
}

/// <summary>The largest element of each channel's picture, N×C×H×W to N×C×1×1.</summary>
public sealed record GlobalMaxPool : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(inputs[0].Type is not ElementType.Bool, $"it doesn't compare {inputs[0]}");
        Rank(inputs[0], 4, "an input");
        Shape x = inputs[0].Shape;
        Require(x[2] > 0 && x[3] > 0, $"the pictures of {x} have no largest element");
        return Kept(inputs[0], [x[0], x[1], 1, 1]);
    }
}
