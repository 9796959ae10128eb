namespace Penjing;

/// <summary>
/// Convolution of x N×C×H×W with w M×(C/groups)×kh×kw and an optional bias of M, to N×M×H'×W'.
/// <see cref="Then"/> is the activation that a pass has fused in; ONNX's own Conv has none. Of 8-bit integers it yields the exact sums as Int32, whose
/// scale is x's · w's (w's by output channel or one for all); padding is x's zero point; the bias is Int32 of that same scale.
/// </summary>
public sealed record Conv(Size Stride, Padding Padding, Size Dilation, int Groups = 1, Activation? Then = null) : Op
{
    /// <summary>Stride 1, no padding, dilation 1.</summary>
    public Conv() : this(Size.One, default, Size.One) { }

    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 3);
        ElementType type = Sums(inputs);
        Shape x = inputs[0].Shape, w = inputs[1].Shape;
        Rank(inputs[0], 4, "an input");
        Rank(inputs[1], 4, "a kernel");
        Require(Groups >= 1 && x[1] == w[1] * Groups && w[0] % Groups == 0, $"the input {x} and the kernel {w} don't fit {Groups} group(s)");
        if (inputs.Length == 3) Exactly(inputs[2], [w[0]], "a bias");
        Size size = Windows.Slide(Name, new(x[2], x[3]), new(w[2], w[3]), Stride, Padding, Dilation, ceil: false);
        return Sums(inputs, type, [x[0], w[0], size.Height, size.Width], 0, 1);
    }
}

/// <summary>
/// Transposed convolution of x N×C×H×W with w C×(M/groups)×kh×kw and an optional bias of M;
/// H' = (H − 1)·stride + (kh − 1)·dilation + 1 + outputPadding − top − bottom. Integers as in <see cref="Conv"/>.
/// </summary>
public sealed record ConvTranspose(Size Stride, Padding Padding, Size Dilation, Size OutputPadding = default, int Groups = 1) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 2, 3);
        ElementType type = Sums(inputs);
        Shape x = inputs[0].Shape, w = inputs[1].Shape;
        Rank(inputs[0], 4, "an input");
        Rank(inputs[1], 4, "a kernel");
        Require(Groups >= 1 && x[1] == w[0] && w[0] % Groups == 0, $"the input {x} and the kernel {w} don't fit {Groups} group(s)");
        Require(Stride.Height > 0 && Stride.Width > 0 && Dilation.Height > 0 && Dilation.Width > 0, $"strides and dilations are positive, not {Stride}, {Dilation}");
        int channels = w[1] * Groups;
        if (inputs.Length == 3) Exactly(inputs[2], [channels], "a bias");
        Require(Math.Min(Math.Min(Padding.Top, Padding.Bottom), Math.Min(Padding.Left, Padding.Right)) >= 0 && OutputPadding is { Height: >= 0, Width: >= 0 },
            $"the padding {Padding} and output padding {OutputPadding} can't be negative");
        long height = (x[2] - 1L) * Stride.Height + (w[2] - 1L) * Dilation.Height + 1 + OutputPadding.Height, width = (x[3] - 1L) * Stride.Width + (w[3] - 1L) * Dilation.Width + 1 + OutputPadding.Width;
        Require(x[2] > 0 && x[3] > 0 && w[2] > 0 && w[3] > 0, $"the input {x} and the kernel {w} need pixels");
        Require(height <= 1 << 30 && width <= 1 << 30, $"the output would be {height}×{width}");
        (height, width) = (height - Padding.Top - Padding.Bottom, width - Padding.Left - Padding.Right);
        Require(height > 0 && width > 0, $"padding {Padding} leaves nothing of the output for {x}");
        Require(Groups == 1 || inputs[1].Quantization?.Axis is null, "in groups, the kernel has one quantization for all channels");
        return Sums(inputs, type, [x[0], channels, (int)height, (int)width], 1, 1);
    }
}
