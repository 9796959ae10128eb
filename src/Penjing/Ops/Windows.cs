namespace Penjing;

/// <summary>Height and width: of a kernel, a stride, a dilation, a picture.</summary>
public readonly record struct Size(int Height, int Width)
{
    /// <summary>1×1.</summary>
    public static Size One => new(1, 1);

    /// <summary>The same in both directions.</summary>
    public static Size Square(int side) => new(side, side);

    /// <inheritdoc/>
    public override string ToString() => $"{Height}×{Width}";
}

/// <summary>Rows and columns added (or, if negative, cut) at each side of a picture.</summary>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    /// <summary>The same at all four sides.</summary>
    public static Padding All(int amount) => new(amount, amount, amount, amount);

    /// <summary>One number where all sides have the same, else those of top, left, bottom and right: 1 or 0,0,1,1.</summary>
    public override string ToString() => this == All(Top) ? $"{Top}" : $"{Top},{Left},{Bottom},{Right}";

    /// <summary>Whether nothing is cut and, as pooling asks, less than the kernel's reach is added at each side.</summary>
    internal bool Below(Size kernel, Size dilation) =>
        Math.Min(Math.Min(Top, Bottom), Math.Min(Left, Right)) >= 0
        && Math.Max(Top, Bottom) <= (kernel.Height - 1L) * dilation.Height && Math.Max(Left, Right) <= (kernel.Width - 1L) * dilation.Width;

    /// <summary>ONNX's SAME_UPPER: the output is ⌈input / stride⌉, and the odd row goes to the end.</summary>
    public static Padding Same(Size input, Size kernel, Size stride, Size dilation)
    {
        int height = Total(input.Height, kernel.Height, stride.Height, dilation.Height), width = Total(input.Width, kernel.Width, stride.Width, dilation.Width);
        return new(height / 2, width / 2, height - height / 2, width - width / 2);

        static int Total(int input, int kernel, int stride, int dilation) =>
            Math.Max(0, ((input + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - input);
    }
}

/// <summary>The window arithmetic that convolution and pooling share.</summary>
internal static class Windows
{
    private const int Limit = 1 << 30;

    /// <summary>Output extent of a window that slides over <paramref name="input"/> padded elements' extent.</summary>
    /// <remarks>In ceil mode a last window that would start beyond the input and its left padding is dropped, as in ONNX since opset 19 and in Caffe and PyTorch.</remarks>
    public static int Slide(int input, int before, int after, int kernel, int stride, int dilation, bool ceil)
    {
        long free = (long)input + before + after - ((kernel - 1L) * dilation + 1);
        if (free < 0) return 0;
        long output = (free + (ceil ? stride - 1 : 0)) / stride + 1;
        return (int)(ceil && (output - 1) * stride >= (long)input + before ? output - 1 : output);
    }

    /// <summary>Whether no position within the padded extent overflows the arithmetic of those who compute on it.</summary>
    public static bool Fits(int input, int before, int after) =>
        Math.Max(Math.Abs((long)before), Math.Abs((long)after)) <= Limit && (long)input + before + after <= Limit;

    /// <summary>The output size of a window over a picture, or a <see cref="ShapeException"/> where it doesn't fit even once.</summary>
    public static Size Slide(string op, Size input, Size kernel, Size stride, Padding padding, Size dilation, bool ceil)
    {
        if (kernel.Height < 1 || kernel.Width < 1 || stride.Height < 1 || stride.Width < 1 || dilation.Height < 1 || dilation.Width < 1)
            throw new ShapeException($"{op} takes positive kernels, strides and dilations, not {kernel}, {stride}, {dilation}");
        if (!Fits(input.Height, padding.Top, padding.Bottom) || !Fits(input.Width, padding.Left, padding.Right))
            throw new ShapeException($"{op}'s padding {padding} of {input} is beyond all measure");
        Size output = new(
            Slide(input.Height, padding.Top, padding.Bottom, kernel.Height, stride.Height, dilation.Height, ceil),
            Slide(input.Width, padding.Left, padding.Right, kernel.Width, stride.Width, dilation.Width, ceil));
        if (output.Height < 1 || output.Width < 1) throw new ShapeException($"{op}'s kernel {kernel} (dilation {dilation}) doesn't fit into {input} with padding {padding}");
        return output;
    }
}
