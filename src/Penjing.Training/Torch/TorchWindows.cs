using TorchSharp;
using static TorchSharp.torch.nn;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>The operations whose windows slide over pictures, in torch; uneven padding and ONNX's ceil mode are made explicit where torch has no word for them.</summary>
internal static class TorchWindows
{
    /// <summary>Convolution; the output lies channels-last in memory.</summary>
    public static TorchTensor Convolve(Conv conv, TorchTensor x, TorchTensor kernel, TorchTensor? bias)
    {
        (kernel, Padding padding) = Live(conv, x, kernel);
        bool even = padding.Top == padding.Bottom && padding.Left == padding.Right && padding is { Top: >= 0, Left: >= 0 };
        if (!even) x = Padded(x, padding, 0);
        long[] amounts = even ? [padding.Top, padding.Left] : [0, 0];
        if (kernel.shape[2] == 1 && kernel.shape[3] == 1 && conv.Stride != Size.One && amounts is [0, 0])
        {
            // oneDNN writes beyond its memory, backwards, where such a kernel skips pixels of few channels.
            x = x.slice(2, 0, x.shape[2], conv.Stride.Height).slice(3, 0, x.shape[3], conv.Stride.Width);
            conv = conv with { Stride = Size.One };
        }
        int groups = conv.Groups;
        if (kernel.shape[1] == 1 && groups > 1 && kernel.shape[0] > groups)
        {
            // oneDNN answers wrongly where a depthwise kernel yields several channels for each and the picture lies channels-last.
            x = x.repeat_interleave(kernel.shape[0] / groups, dim: 1);
            groups = (int)kernel.shape[0];
        }
        // On some processors oneDNN answers wrongly, forwards and backwards, where a dense kernel meets channels that lie first and don't fill its lanes:
        // channels lie last. A picture of one channel lies both ways, which one with a second channel, of zeros, doesn't.
        if (groups == 1 && x.shape[1] == 1 && x.requires_grad)
            (x, kernel) = (functional.pad(x, [0, 0, 0, 0, 0, 1]), functional.pad(kernel, [0, 0, 0, 0, 0, 1]));
        if (x.shape[1] == 1) kernel = kernel.ChannelsLast();
        else x = x.ChannelsLast();
        // So it does where outputs don't fill its blocks of 64.
        long outputs = kernel.shape[0], missing = (64 - outputs / groups % 64) % 64;
        if (missing == 0 || outputs / groups <= 32 || groups > 1 && kernel.shape[1] == 1)
            return functional.conv2d(x, kernel, bias, Longs(conv.Stride), amounts, Longs(conv.Dilation), groups);
        if (groups > 1)
        {
            TorchTensor[] parts = x.chunk(groups, 1), kernels = kernel.chunk(groups, 0), biases = bias?.chunk(groups, 0) ?? [];
            Conv single = conv with { Groups = 1, Padding = even ? padding : default, Then = null };
            return torch.cat([.. parts.Select((part, i) => Convolve(single, part, kernels[i], bias is null ? null : biases[i]))], 1);
        }
        if (kernel.shape[2] == 1 && kernel.shape[3] == 1 && conv.Stride == Size.One && amounts is [0, 0])
            return functional.linear(x.permute(0, 2, 3, 1), kernel.flatten(1), bias).permute(0, 3, 1, 2);
        TorchTensor filled = functional.pad(kernel, [0, 0, 0, 0, 0, 0, 0, missing]);
        return functional.conv2d(x, filled, bias is null ? null : functional.pad(bias, [0, missing]), Longs(conv.Stride), amounts, Longs(conv.Dilation))
            .narrow(1, 0, outputs).ChannelsLast();
    }

    /// <summary>
    /// The kernel without the rows and columns at its edges that read nothing but padding, as two in three of 3×3 do on pictures of one pixel, and the padding
    /// that is left: less work for the same answers.
    /// </summary>
    private static (TorchTensor Kernel, Padding Padding) Live(Conv conv, TorchTensor x, TorchTensor kernel)
    {
        Padding padding = conv.Padding;
        (int top, int bottom) = Dead((int)x.shape[2], (int)kernel.shape[2], conv.Stride.Height, conv.Dilation.Height, padding.Top, padding.Bottom);
        (int left, int right) = Dead((int)x.shape[3], (int)kernel.shape[3], conv.Stride.Width, conv.Dilation.Width, padding.Left, padding.Right);
        if ((top, bottom, left, right) == default) return (kernel, padding);
        return (kernel.narrow(2, top, kernel.shape[2] - top - bottom).narrow(3, left, kernel.shape[3] - left - right).contiguous(),
            new(padding.Top - top * conv.Dilation.Height, padding.Left - left * conv.Dilation.Width, padding.Bottom - bottom * conv.Dilation.Height, padding.Right - right * conv.Dilation.Width));
    }

    /// <summary>How many taps at either end of a kernel read nothing but padding; none where all do.</summary>
    private static (int First, int Last) Dead(int size, int taps, int stride, int dilation, int before, int after)
    {
        int outputs = (before + size + after - (taps - 1) * dilation - 1) / stride + 1;
        int[] live = [.. Enumerable.Range(0, taps).Where(Reads)];
        return live is [int first, ..] ? (first, taps - 1 - live[^1]) : (0, 0);

        bool Reads(int tap) => Enumerable.Range(0, outputs).Any(output => output * stride - before + tap * dilation is var row && row >= 0 && row < size);
    }

    /// <summary>Transposed convolution.</summary>
    public static TorchTensor ConvolveTransposed(ConvTranspose conv, TorchTensor x, TorchTensor kernel, TorchTensor? bias)
    {
        Padding padding = conv.Padding;
        Size extra = conv.OutputPadding;
        bool native = padding.Top == padding.Bottom && padding.Left == padding.Right && padding is { Top: >= 0, Left: >= 0 }
            && extra.Height < Math.Max(conv.Stride.Height, conv.Dilation.Height) && extra.Width < Math.Max(conv.Stride.Width, conv.Dilation.Width);
        if (native)
            return functional.conv_transpose2d(x, kernel, bias, Longs(conv.Stride), [padding.Top, padding.Left], Longs(extra), Longs(conv.Dilation), conv.Groups);
        TorchTensor full = functional.conv_transpose2d(x, kernel, null, Longs(conv.Stride), dilation: Longs(conv.Dilation), groups: conv.Groups);
        TorchTensor cut = Padded(full, new(-padding.Top, -padding.Left, extra.Height - padding.Bottom, extra.Width - padding.Right), 0);
        return bias is null ? cut : cut.Plus(bias.reshape(1, -1, 1, 1));
    }

    /// <summary>The largest element of each window.</summary>
    public static TorchTensor Pool(MaxPool pool, TorchTensor x, Shape output) =>
        functional.max_pool2d(Covering(x, pool.Kernel, pool.Stride, pool.Padding, pool.Dilation, output, float.NegativeInfinity),
            Longs(pool.Kernel), Longs(pool.Stride), [0, 0], Longs(pool.Dilation));

    /// <summary>The mean of each window.</summary>
    public static TorchTensor Pool(AveragePool pool, TorchTensor x, Shape output)
    {
        if (pool.Padding == default && !pool.CeilMode) return functional.avg_pool2d(x, Longs(pool.Kernel), Longs(pool.Stride));
        TorchTensor ones = torch.ones(1, 1, x.shape[2], x.shape[3]);
        Padding rest = pool.Padding;
        if (pool.CountIncludePad)
        {
            ones = Padded(ones, pool.Padding, 1);
            rest = default;
        }
        TorchTensor counts = Sums(Covering(ones, pool.Kernel, pool.Stride, rest, Size.One, output, 0));
        return Sums(Covering(x, pool.Kernel, pool.Stride, pool.Padding, Size.One, output, 0)) / counts;

        TorchTensor Sums(TorchTensor value) => functional.avg_pool2d(value, Longs(pool.Kernel), Longs(pool.Stride), divisor_override: 1);
    }

    /// <summary>The picture in another size: first by rows, then by columns.</summary>
    public static TorchTensor Resize(Resize resize, TorchTensor x)
    {
        if (resize is { Mode: ResizeMode.Linear, Coordinates: CoordinateMode.HalfPixel, ScaleHeight: 0, ScaleWidth: 0 })
            return functional.interpolate(x, Longs(resize.Output), mode: torch.InterpolationMode.Bilinear, align_corners: false);
        if (resize.Extrapolates) throw new PenjingException("training doesn't know the Resize by tf_crop_and_resize");
        return Resize(resize, Resize(resize, x, 2, resize.Rows((int)x.shape[2])), 3, resize.Columns((int)x.shape[3]));
    }

    private static TorchTensor Resize(Resize resize, TorchTensor x, int axis, double[] coordinates)
    {
        (int Pixel, double Weight)[][] taps = [.. coordinates.Select(at => resize.Taps(at, (int)x.shape[axis]))];
        if (taps[0].Length == 1) return Select(0);
        return Enumerable.Range(0, taps[0].Length).Select(tap => Select(tap) * Weights(tap)).Aggregate((sum, term) => sum.Plus(term));

        TorchTensor Select(int tap) => x.index_select(axis, torch.tensor([.. taps.Select(pixel => (long)pixel[tap].Pixel)]));
        TorchTensor Weights(int tap) => torch.tensor([.. taps.Select(pixel => (float)pixel[tap].Weight)]).reshape(axis == 2 ? [-1, 1] : [-1]);
    }

    /// <summary>Padded at the start as asked, and at the end as far as the windows of the output reach, or cut where they end sooner.</summary>
    private static TorchTensor Covering(TorchTensor x, Size kernel, Size stride, Padding padding, Size dilation, Shape output, double value)
    {
        int height = (output[2] - 1) * stride.Height + (kernel.Height - 1) * dilation.Height + 1, width = (output[3] - 1) * stride.Width + (kernel.Width - 1) * dilation.Width + 1;
        return Padded(x, new(padding.Top, padding.Left, height - (int)x.shape[2] - padding.Top, width - (int)x.shape[3] - padding.Left), value);
    }

    private static TorchTensor Padded(TorchTensor x, Padding padding, double value) =>
        padding == default ? x : functional.pad(x, [padding.Left, padding.Right, padding.Top, padding.Bottom], value: value);

    private static long[] Longs(Size size) => [size.Height, size.Width];
}
