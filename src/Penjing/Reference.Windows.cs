namespace Penjing;

/// <content>Operations whose windows slide over pictures.</content>
public static partial class Reference
{
    /// <summary>Sums by input channel, then kernel row, then kernel column; the bias comes last, so that a channel of zeros changes no bit.</summary>
    private static Tensor Convolve(Conv conv, Tensor input, Tensor kernel, Tensor? bias, ValueInfo result)
    {
        Shape shape = result.Shape;
        var output = new double[shape.Elements];
        double[] b = bias is null ? [] : Reals(bias);
        ReadOnlySpan<float> x = input.Floats, w = kernel.Floats;
        int channels = kernel.Shape[1], kh = kernel.Shape[2], kw = kernel.Shape[3], perGroup = shape[1] / conv.Groups;
        int height = input.Shape[2], width = input.Shape[3], rows = shape[2], columns = shape[3];
        var sums = new double[rows * columns];
        for (int image = 0; image < shape[0]; image++)
            for (int to = 0; to < shape[1]; to++)
            {
                Array.Clear(sums);
                for (int c = 0; c < channels; c++)
                {
                    ReadOnlySpan<float> plane = x.Slice((image * input.Shape[1] + to / perGroup * channels + c) * height * width, height * width);
                    for (int i = 0; i < kh; i++)
                        for (int j = 0; j < kw; j++)
                        {
                            double weight = w[((to * channels + c) * kh + i) * kw + j];
                            int top = i * conv.Dilation.Height - conv.Padding.Top, left = j * conv.Dilation.Width - conv.Padding.Left;
                            (int first, int end) = Inside(left, width, conv.Stride.Width, columns);
                            (int firstRow, int endRow) = Inside(top, height, conv.Stride.Height, rows);
                            for (int row = firstRow; row < endRow; row++)
                            {
                                ReadOnlySpan<float> line = plane.Slice((row * conv.Stride.Height + top) * width, width);
                                Span<double> sum = sums.AsSpan(row * columns, columns);
                                for (int column = first, from = first * conv.Stride.Width + left; column < end; column++, from += conv.Stride.Width)
                                    sum[column] += weight * line[from];
                            }
                        }
                }
                Finish(sums, b.Length == 0 ? 0 : b[to], conv.Then, output.AsSpan((image * shape[1] + to) * sums.Length, sums.Length));
            }
        return Stored(result, output);
    }

    private static Tensor ConvolveTransposed(ConvTranspose conv, Tensor input, Tensor kernel, Tensor? bias, ValueInfo result)
    {
        Shape shape = result.Shape;
        var output = new double[shape.Elements];
        double[] b = bias is null ? [] : Reals(bias);
        ReadOnlySpan<float> x = input.Floats, w = kernel.Floats;
        int channels = input.Shape[1] / conv.Groups, perGroup = kernel.Shape[1], kh = kernel.Shape[2], kw = kernel.Shape[3];
        int height = input.Shape[2], width = input.Shape[3], rows = shape[2], columns = shape[3];
        var sums = new double[rows * columns];
        for (int image = 0; image < shape[0]; image++)
            for (int to = 0; to < shape[1]; to++)
            {
                Array.Clear(sums);
                for (int c = to / perGroup * channels; c < (to / perGroup + 1) * channels; c++)
                {
                    ReadOnlySpan<float> plane = x.Slice((image * input.Shape[1] + c) * height * width, height * width);
                    for (int i = 0; i < kh; i++)
                        for (int j = 0; j < kw; j++)
                        {
                            double weight = w[((c * perGroup + to % perGroup) * kh + i) * kw + j];
                            int top = i * conv.Dilation.Height - conv.Padding.Top, left = j * conv.Dilation.Width - conv.Padding.Left;
                            (int first, int end) = Inside(left, columns, conv.Stride.Width, width);
                            (int firstRow, int endRow) = Inside(top, rows, conv.Stride.Height, height);
                            for (int row = firstRow; row < endRow; row++)
                                for (int column = first; column < end; column++)
                                    sums[(row * conv.Stride.Height + top) * columns + column * conv.Stride.Width + left] += weight * plane[row * width + column];
                        }
                }
                Finish(sums, b.Length == 0 ? 0 : b[to], null, output.AsSpan((image * shape[1] + to) * sums.Length, sums.Length));
            }
        return Stored(result, output);
    }

    /// <summary>The steps s of 0 ≤ s &lt; count for which s · stride + offset lies in [0, extent): a range.</summary>
    private static (int First, int End) Inside(int offset, int extent, int stride, int count)
    {
        int first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
        int end = extent > offset ? Math.Min(count, (extent - offset + stride - 1) / stride) : 0;
        return (first, end);
    }

    private static void Finish(double[] sums, double bias, Activation? then, Span<double> output)
    {
        for (int i = 0; i < output.Length; i++) output[i] = then is null ? sums[i] + bias : then.Apply(sums[i] + bias);
    }

    /// <summary>Of integers beyond 2⁵³ those are taken for equal that are equal as doubles.</summary>
    private static Tensor Pool(MaxPool pool, Tensor input, Shape shape)
    {
        double[] x = Reals(input);
        var from = new int[shape.Elements];
        int height = input.Shape[2], width = input.Shape[3], next = 0;
        for (int plane = 0; plane < shape[0] * shape[1]; plane++)
            for (int row = 0; row < shape[2]; row++)
                for (int column = 0; column < shape[3]; column++)
                {
                    int top = row * pool.Stride.Height - pool.Padding.Top, left = column * pool.Stride.Width - pool.Padding.Left;
                    (int i, int endRow) = Inside(top, height, pool.Dilation.Height, pool.Kernel.Height);
                    (int first, int end) = Inside(left, width, pool.Dilation.Width, pool.Kernel.Width);
                    int best = -1;
                    for (; i < endRow; i++)
                        for (int j = first; j < end; j++)
                        {
                            int at = (plane * height + top + i * pool.Dilation.Height) * width + left + j * pool.Dilation.Width;
                            if (best < 0 || x[at] > x[best] || (double.IsNaN(x[at]) && !double.IsNaN(x[best]))) best = at;
                        }
                    from[next++] = best;
                }
        return Moved(input, shape, from);
    }

    private static Tensor Pool(AveragePool pool, Tensor input, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        int height = input.Shape[2], width = input.Shape[3], next = 0;
        for (int plane = 0; plane < shape[0] * shape[1]; plane++)
            for (int row = 0; row < shape[2]; row++)
                for (int column = 0; column < shape[3]; column++)
                {
                    int top = row * pool.Stride.Height - pool.Padding.Top, left = column * pool.Stride.Width - pool.Padding.Left;
                    int bottom = Math.Min(top + pool.Kernel.Height, height + pool.Padding.Bottom), right = Math.Min(left + pool.Kernel.Width, width + pool.Padding.Right);
                    double sum = 0;
                    for (int i = Math.Max(0, top); i < Math.Min(bottom, height); i++)
                        for (int j = Math.Max(0, left); j < Math.Min(right, width); j++) sum += x[(plane * height + i) * width + j];
                    int inside = (Math.Min(bottom, height) - Math.Max(0, top)) * (Math.Min(right, width) - Math.Max(0, left));
                    output[next++] = (float)(sum / (pool.CountIncludePad ? (bottom - top) * (right - left) : inside));
                }
    });
}
