using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Depthwise convolution by channels: a vector of channels at a time, several output pixels of a row in registers.</summary>
internal readonly struct F32Depthwise : IKernelMaker
{
    /// <summary>Whether the node is a convolution with constant weights and one kernel for each input channel.</summary>
    public static bool Fits(Node node) => node.Op is Conv { Groups: > 1 and var groups }
        && groups == node.Shape[1] && groups == node.Inputs[0].Shape[1] && node.Inputs[0].Value is null && node.Inputs[1].Value is not null && (node.Inputs.Length < 3 || node.Inputs[2].Value is not null);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Depthwise<S, V>(site.Node);
}

/// <summary>A depthwise convolution, a row of output pixels at a time. Packed are, for each vector of channels, the biases, then each tap's weights.</summary>
internal sealed unsafe class F32Depthwise<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly Size kernel, stride, dilation;
    private readonly Padding padding;
    private readonly int height, width, channels, outputHeight, outputWidth;
    private readonly int innerFirst, innerEnd;
    private readonly F32Finish<S, V> finish;
    private readonly NativeBuffer weights;
    private readonly Split split;

    /// <summary>The kernel of a node.</summary>
    public F32Depthwise(Node node)
    {
        Conv conv = (Conv)node.Op;
        Shape input = node.Inputs[0].Shape, taps = node.Inputs[1].Shape;
        (kernel, stride, dilation, padding) = (new(taps[2], taps[3]), conv.Stride, conv.Dilation, conv.Padding);
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        finish = new(conv.Then);
        // Output pixels from innerFirst up to innerEnd see all columns of the kernel.
        innerFirst = Math.Clamp((padding.Left + stride.Width - 1) / stride.Width, 0, outputWidth);
        int reach = width + padding.Left - (kernel.Width - 1) * dilation.Width - 1;
        innerEnd = reach < 0 ? innerFirst : Math.Clamp(reach / stride.Width + 1, innerFirst, outputWidth);
        split = Split.Of(input[0] * outputHeight, (double)outputWidth * channels * (1 + kernel.Height * kernel.Width / 4.0));
        int blocks = (channels + S.Lanes - 1) / S.Lanes, size = kernel.Height * kernel.Width;
        weights = new((long)blocks * S.Lanes * (size + 1) * sizeof(float));
        ReadOnlySpan<float> source = node.Inputs[1].Value!.Floats, bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.Floats : default;
        for (int c = 0; c < channels; c++)
        {
            float* target = weights.Floats + c / S.Lanes * S.Lanes * (size + 1) + c % S.Lanes;
            target[0] = bias.IsEmpty ? 0 : bias[c];
            for (int tap = 0; tap < size; tap++) target[(tap + 1) * S.Lanes] = source[c * size + tap];
        }
    }

    /// <inheritdoc/>
    public override string Label => $"f32-depthwise-{kernel.Height}x{kernel.Width}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose() => weights.Dispose();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int row = first; row < first + count; row++)
        {
            int image = row / outputHeight, top = row % outputHeight * stride.Height - padding.Top;
            int begin = top >= 0 ? 0 : (-top + dilation.Height - 1) / dilation.Height;
            int end = height > top ? Math.Min(kernel.Height, (height - top + dilation.Height - 1) / dilation.Height) : 0;
            float* output = operands.Output + (nint)row * outputWidth * channels;
            float* line = operands.Input(0) + ((nint)image * height + top + begin * dilation.Height) * width * channels;
            for (int c = 0; c < channels; c += S.Lanes)
            {
                float* packed = weights.Floats + (nint)c * (kernel.Height * kernel.Width + 1);
                if (channels - c >= S.Lanes) Row<AllLanes>(line + c, output + c, packed, begin, end, S.Lanes);
                else Row<FirstLanes>(line + c, output + c, packed, begin, end, channels - c);
            }
            finish.Complete(output, (nint)outputWidth * channels);
        }
    }

    /// <summary>One row of output pixels of one vector of channels, under the kernel's rows from <paramref name="begin"/> to <paramref name="end"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row<L>(float* line, float* output, float* packed, int begin, int end, int count) where L : struct, ILanes
    {
        float* taps = packed + (1 + begin * kernel.Width) * S.Lanes;
        int rows = Math.Max(0, end - begin), x = 0;
        for (; x < innerFirst; x++) Pixel<L>(line, output, packed, taps, x, rows, count);
        if (innerEnd - x >= 4)
        {
            if (kernel.Width == 3 && dilation.Width == 1 && stride.Width == 1) Three<L, N1>(line, output, packed, taps, rows, count);
            else if (kernel.Width == 3 && dilation.Width == 1 && stride.Width == 2) Three<L, N2>(line, output, packed, taps, rows, count);
            else Several<L>(line, output, packed, taps, rows, count);
            x = innerEnd;
        }
        for (; x < outputWidth; x++) Pixel<L>(line, output, packed, taps, x, rows, count);
    }

    /// <summary>Four output pixels at a time under a kernel three columns wide, each input pixel loaded once a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Three<L, Stride>(float* line, float* output, float* packed, float* taps, int rows, int count)
        where L : struct, ILanes where Stride : struct, INumber
    {
        nint pitch = channels, down = (nint)dilation.Height * width * channels;
        V bias = S.Load(packed), min = S.Fill(finish.Min), max = S.Fill(finish.Max);
        for (int next = innerFirst; next < innerEnd; next += 4)
        {
            // The last four may overlap those before: their outputs are computed twice.
            int x = Math.Min(next, innerEnd - 4);
            V a = bias, b = bias, c = bias, d = bias;
            float* pixel = line + (nint)(x * stride.Width - padding.Left) * pitch, weight = taps, target = output + x * pitch;
            for (int row = rows; row > 0; row--)
            {
                V w0 = S.Load(weight), w1 = S.Load(weight + S.Lanes), w2 = S.Load(weight + 2 * S.Lanes), value;
                float* from = pixel;
                a = S.MultiplyAdd(L.Load<S, V>(from, count), w0, a);
                value = L.Load<S, V>(from += pitch, count);
                a = S.MultiplyAdd(value, w1, a);
                if (Stride.Value == 1) b = S.MultiplyAdd(value, w0, b);
                value = L.Load<S, V>(from += pitch, count);
                a = S.MultiplyAdd(value, w2, a);
                b = S.MultiplyAdd(value, Stride.Value == 1 ? w1 : w0, b);
                if (Stride.Value == 1) c = S.MultiplyAdd(value, w0, c);
                value = L.Load<S, V>(from += pitch, count);
                b = S.MultiplyAdd(value, Stride.Value == 1 ? w2 : w1, b);
                if (Stride.Value == 1)
                {
                    c = S.MultiplyAdd(value, w1, c);
                    d = S.MultiplyAdd(value, w0, d);
                }
                value = L.Load<S, V>(from += pitch, count);
                if (Stride.Value == 1)
                {
                    c = S.MultiplyAdd(value, w2, c);
                    d = S.MultiplyAdd(value, w1, d);
                    d = S.MultiplyAdd(L.Load<S, V>(from + pitch, count), w2, d);
                }
                else
                {
                    b = S.MultiplyAdd(value, w2, b);
                    c = S.MultiplyAdd(value, w0, c);
                    c = S.MultiplyAdd(L.Load<S, V>(from += pitch, count), w1, c);
                    value = L.Load<S, V>(from += pitch, count);
                    c = S.MultiplyAdd(value, w2, c);
                    d = S.MultiplyAdd(value, w0, d);
                    d = S.MultiplyAdd(L.Load<S, V>(from += pitch, count), w1, d);
                    d = S.MultiplyAdd(L.Load<S, V>(from + pitch, count), w2, d);
                }
                pixel += down;
                weight += 3 * S.Lanes;
            }
            L.Store<S, V>(target, S.AtMost(max, S.AtLeast(min, a)), count);
            L.Store<S, V>(target + pitch, S.AtMost(max, S.AtLeast(min, b)), count);
            L.Store<S, V>(target + 2 * pitch, S.AtMost(max, S.AtLeast(min, c)), count);
            L.Store<S, V>(target + 3 * pitch, S.AtMost(max, S.AtLeast(min, d)), count);
        }
    }

    /// <summary>Four output pixels at a time under any kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Several<L>(float* line, float* output, float* packed, float* taps, int rows, int count) where L : struct, ILanes
    {
        nint pitch = channels, down = (nint)dilation.Height * width * channels, step = stride.Width * pitch, across = dilation.Width * pitch;
        V bias = S.Load(packed), min = S.Fill(finish.Min), max = S.Fill(finish.Max);
        for (int next = innerFirst; next < innerEnd; next += 4)
        {
            // The last four may overlap those before: their outputs are computed twice.
            int x = Math.Min(next, innerEnd - 4);
            V a = bias, b = bias, c = bias, d = bias;
            float* pixel = line + (nint)(x * stride.Width - padding.Left) * pitch, weight = taps, target = output + x * pitch;
            for (int row = rows; row > 0; row--)
            {
                float* from = pixel;
                for (int column = kernel.Width; column > 0; column--)
                {
                    V w = S.Load(weight);
                    a = S.MultiplyAdd(L.Load<S, V>(from, count), w, a);
                    b = S.MultiplyAdd(L.Load<S, V>(from + step, count), w, b);
                    c = S.MultiplyAdd(L.Load<S, V>(from + 2 * step, count), w, c);
                    d = S.MultiplyAdd(L.Load<S, V>(from + 3 * step, count), w, d);
                    from += across;
                    weight += S.Lanes;
                }
                pixel += down;
            }
            L.Store<S, V>(target, S.AtMost(max, S.AtLeast(min, a)), count);
            L.Store<S, V>(target + pitch, S.AtMost(max, S.AtLeast(min, b)), count);
            L.Store<S, V>(target + 2 * pitch, S.AtMost(max, S.AtLeast(min, c)), count);
            L.Store<S, V>(target + 3 * pitch, S.AtMost(max, S.AtLeast(min, d)), count);
        }
    }

    /// <summary>One output pixel, wherever it lies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pixel<L>(float* line, float* output, float* packed, float* taps, int x, int rows, int count) where L : struct, ILanes
    {
        nint pitch = channels, down = (nint)dilation.Height * width * channels;
        int left = x * stride.Width - padding.Left;
        int begin = 0, end = kernel.Width;
        while (begin < end && left + begin * dilation.Width < 0) begin++;
        while (end > begin && left + (end - 1) * dilation.Width >= width) end--;
        V sum = S.Load(packed);
        for (int row = 0; row < rows; row++)
            for (int column = begin; column < end; column++)
            {
                V value = L.Load<S, V>(line + row * down + (nint)(left + column * dilation.Width) * pitch, count);
                sum = S.MultiplyAdd(value, S.Load(taps + (row * kernel.Width + column) * S.Lanes), sum);
            }
        L.Store<S, V>(output + x * pitch, S.AtMost(S.Fill(finish.Max), S.AtLeast(S.Fill(finish.Min), sum)), count);
    }
}
