using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>MaxPool and GlobalMaxPool of 8-bit integers, 32 or sixteen channels of an output pixel at a time. Signed ones are compared as unsigned ones, their highest bit flipped.</summary>
internal sealed unsafe class I8MaxPool : Kernel
{
    private readonly int channels, height, width, outputHeight, outputWidth;
    private readonly nint inputPitch, outputPitch;
    private readonly Size kernel, stride, dilation;
    private readonly Padding padding;
    private readonly Split split;
    private readonly byte flip;

    private I8MaxPool(Site site, Size kernel, Size stride, Padding padding, Size dilation)
    {
        (this.kernel, this.stride, this.padding, this.dilation) = (kernel, stride, padding, dilation);
        (Shape input, Shape output) = (site.Node.Inputs[0].Shape, site.Node.Shape);
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], output[2], output[3]);
        (inputPitch, outputPitch) = (site.InputPitches[0], site.OutputPitch);
        split = Split.Of(output[0] * outputHeight, (double)outputWidth * channels * (1 + kernel.Height * kernel.Width) / 4);
        flip = new UnsignedBytes(site.Node.Info.Type, 0).Flip;
    }

    /// <summary>Whether the node is such a pool.</summary>
    public static bool Fits(Site site) => site.Node is { Op: MaxPool or GlobalMaxPool, Info.Type: ElementType.Int8 or ElementType.UInt8, Inputs: [{ Value: null, Shape.Elements: > 0 }], Shape.Elements: > 0 };

    /// <summary>The kernel of a site.</summary>
    public static Kernel Of(Site site) => site.Node.Op is MaxPool pool ? new I8MaxPool(site, pool.Kernel, pool.Stride, pool.Padding, pool.Dilation)
        : new I8MaxPool(site, new(site.Node.Inputs[0].Shape[2], site.Node.Inputs[0].Shape[3]), Size.One, default, Size.One);

    /// <inheritdoc/>
    public override string Label => $"i8-max-pool-{kernel.Height}x{kernel.Width}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int line = first; line < first + count; line++)
        {
            int image = line / outputHeight, top = (line - image * outputHeight) * stride.Height - padding.Top;
            byte* picture = operands.Input<byte>(0) + (nint)image * height * width * inputPitch, output = operands.Out<byte>() + (nint)line * outputWidth * outputPitch;
            (int begin, int end) = Window.Inside(top, height, dilation.Height, kernel.Height);
            for (int column = 0; column < outputWidth; column++, output += outputPitch)
            {
                int left = column * stride.Width - padding.Left;
                (int from, int to) = left >= 0 && left + (kernel.Width - 1) * dilation.Width < width ? (0, kernel.Width) : Window.Inside(left, width, dilation.Width, kernel.Width);
                byte* window = picture + ((nint)(top + begin * dilation.Height) * width + left + from * dilation.Width) * inputPitch;
                Largest(window, end - begin, to - from, output);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Largest(byte* window, int rows, int columns, byte* output)
    {
        nint down = dilation.Height * width * inputPitch, across = dilation.Width * inputPitch;
        int channel = 0;
        for (; Vector256.IsHardwareAccelerated && channel <= channels - 32; channel += 32)
        {
            Vector256<byte> flips = Vector256.Create(flip), most = default;
            byte* row = window + channel;
            for (int y = 0; y < rows; y++, row += down)
            {
                byte* pixel = row;
                for (int x = 0; x < columns; x++, pixel += across) most = Vector256.Max(most, Vector256.Load(pixel) ^ flips);
            }
            (most ^ flips).Store(output + channel);
        }
        for (; channels >= 16 && channel < channels; channel += 16)
        {
            // The last sixteen overlap those before them.
            channel = Math.Min(channel, channels - 16);
            Vector128<byte> flips = Vector128.Create(flip), most = default;
            byte* row = window + channel;
            for (int y = 0; y < rows; y++, row += down)
            {
                byte* pixel = row;
                for (int x = 0; x < columns; x++, pixel += across) most = Vector128.Max(most, Vector128.Load(pixel) ^ flips);
            }
            (most ^ flips).Store(output + channel);
        }
        for (; channel < channels; channel++)
        {
            byte most = 0;
            for (int y = 0; y < rows; y++)
                for (int x = 0; x < columns; x++) most = Math.Max(most, (byte)(window[channel + y * down + x * across] ^ flip));
            output[channel] = (byte)(most ^ flip);
        }
    }
}
