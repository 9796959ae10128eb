using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// MaxPool and GlobalMaxPool of 8-bit integers: first the largest of a window's rows, for a stretch of a line whatever pixels and channels it has, then of its columns. Signed
/// ones are compared as unsigned ones, their highest bit flipped.
/// </summary>
internal sealed unsafe class I8MaxPool : Kernel
{
    private const int LineBytes = 1 << 15;

    private readonly int channels, height, width, outputHeight, outputWidth, across, stretch;
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
        across = (kernel.Width - 1) * dilation.Width + 1;
        // Windows side by side whose pixels fit the line; none where not even one's do.
        stretch = across * inputPitch > LineBytes ? 0 : (int)Math.Min(outputWidth, (LineBytes / inputPitch - across) / stride.Width + 1);
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
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        byte* largest = stackalloc byte[LineBytes];
        (int first, int count) = split[task];
        for (int line = first; line < first + count; line++)
        {
            int image = line / outputHeight, top = (line - image * outputHeight) * stride.Height - padding.Top;
            (int begin, int end) = Window.Inside(top, height, dilation.Height, kernel.Height);
            byte* row = operands.Input<byte>(0) + ((nint)image * height + top + begin * dilation.Height) * width * inputPitch, output = operands.Out<byte>() + (nint)line * outputWidth * outputPitch;
            for (int column = 0, next; column < outputWidth; column = next)
            {
                next = Math.Min(outputWidth, column + Math.Max(1, stretch));
                // The pixels that these windows see: those of the picture, or the largest of its rows.
                int seen = Math.Max(0, column * stride.Width - padding.Left), pixels = Math.Min(width, (next - 1) * stride.Width - padding.Left + across) - seen, rows = end - begin;
                byte* from = row + seen * inputPitch;
                if (rows > 1 && pixels > 0 && stretch > 0)
                {
                    Rows(from, rows, largest, (int)((pixels - 1) * inputPitch) + channels);
                    from = largest;
                    rows = 1;
                }
                for (; column < next; column++, output += outputPitch)
                {
                    int left = column * stride.Width - padding.Left;
                    (int least, int most) = left >= 0 && left + across <= width ? (0, kernel.Width) : Window.Inside(left, width, dilation.Width, kernel.Width);
                    Columns(from + (left + least * dilation.Width - seen) * inputPitch, rows, most - least, output);
                }
            }
        }
    }

    /// <summary>The largest of so many rows, byte by byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rows(byte* from, int rows, byte* to, int bytes)
    {
        nint down = dilation.Height * width * inputPitch;
        int i = 0;
        for (; Vector256.IsHardwareAccelerated && i <= bytes - 32; i += 32)
        {
            Vector256<byte> flips = Vector256.Create(flip), most = Vector256.Load(from + i) ^ flips;
            for (int row = 1; row < rows; row++) most = Vector256.Max(most, Vector256.Load(from + i + row * down) ^ flips);
            (most ^ flips).Store(to + i);
        }
        for (; i <= bytes - 16; i += 16)
        {
            Vector128<byte> flips = Vector128.Create(flip), most = Vector128.Load(from + i) ^ flips;
            for (int row = 1; row < rows; row++) most = Vector128.Max(most, Vector128.Load(from + i + row * down) ^ flips);
            (most ^ flips).Store(to + i);
        }
        for (; i < bytes; i++)
        {
            byte most = 0;
            for (int row = 0; row < rows; row++) most = Math.Max(most, (byte)(from[i + row * down] ^ flip));
            to[i] = (byte)(most ^ flip);
        }
    }

    /// <summary>The largest of a window of so many rows and columns, channel by channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Columns(byte* window, int rows, int columns, byte* output)
    {
        nint down = dilation.Height * width * inputPitch, next = dilation.Width * inputPitch;
        int channel = 0;
        for (; Vector256.IsHardwareAccelerated && channel <= channels - 32; channel += 32)
        {
            Vector256<byte> flips = Vector256.Create(flip), most = default;
            byte* row = window + channel;
            for (int y = 0; y < rows; y++, row += down)
            {
                byte* pixel = row;
                for (int x = 0; x < columns; x++, pixel += next) most = Vector256.Max(most, Vector256.Load(pixel) ^ flips);
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
                for (int x = 0; x < columns; x++, pixel += next) most = Vector128.Max(most, Vector128.Load(pixel) ^ flips);
            }
            (most ^ flips).Store(output + channel);
        }
        for (; channel < channels; channel++)
        {
            byte most = 0;
            for (int y = 0; y < rows; y++)
                for (int x = 0; x < columns; x++) most = Math.Max(most, (byte)(window[channel + y * down + x * next] ^ flip));
            output[channel] = (byte)(most ^ flip);
        }
    }
}
