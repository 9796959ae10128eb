using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>
/// Depthwise convolution of 8-bit integers by 3×3 kernels and its requantization, by code that is assembled at run time: a word has a channel's bytes of four rows, and one instruction multiplies
/// them by a column of the kernel (AVX-512 VNNI). Thirty-two channels are computed at once, the last overlapping those before them.
/// </summary>
internal sealed unsafe class I8VnniDepthwise : Kernel
{
    private const int Side = 3, Wide = 32;

    private readonly int channels, chunks, blocks, height, width, outputHeight, outputWidth, inputPitch, outputPitch, stride, top, zero;
    private readonly UnsignedBytes read;
    private readonly Clip ends;
    private readonly Split split;
    private readonly NativeBuffer packed, columns, outside;
    private readonly delegate* unmanaged<DotColumns*, void>[] code;

    /// <summary>Whether there is an assembler, and the node is such a convolution with Int8 weights without zero point.</summary>
    public static bool Fits(Site site) => DotAssembly.Assembler is not null && site.Isa is Isa.Vector512 && Avx512Vbmi.IsSupported
        && site.Node is { Op: IntegerProduct { Product: Conv { Groups: >= Wide } conv, Adds: null, To: QuantizeLinear }, Inputs: [_, { Shape: { Rank: 4 } w }, ..] }
        && w[0] == conv.Groups && w[2] == Side && w[3] == Side && conv.Groups == site.Node.Inputs[0].Shape[1] && conv.Dilation == Size.One && (conv.Stride == Size.One || conv.Stride == new Size(2, 2)) && I8DotConv.FitsWords(site);

    /// <summary>About how many nanoseconds a site takes on one thread.</summary>
    public static double Cost(Site site) => Pace.Nanoseconds(site.Node.Shape.Elements / 16.0 * (((IntegerProduct)site.Node.Op).Conv.Stride == Size.One ? 3.5 : 5),
        site.Node.Inputs[0].Shape.Elements + site.Node.Shape.Elements);

    /// <summary>The kernel of a site.</summary>
    /// <exception cref="PenjingException">The system gives no memory for its code.</exception>
    public I8VnniDepthwise(Site site)
    {
        (Node node, var op) = (site.Node, (IntegerProduct)site.Node.Op);
        Shape input = node.Inputs[0].Shape;
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        (inputPitch, outputPitch, stride, top) = (site.InputPitches[0], site.OutputPitch, op.Conv.Stride.Height, op.Conv.Padding.Top);
        (chunks, int rows) = ((channels + Wide - 1) / Wide, stride == 1 ? 2 : 1);
        blocks = (outputHeight + rows - 1) / rows;
        read = new(node.Inputs[0].Info.Type, op.X.ZeroPoints[0]);
        Requantization to = new(op);
        (ends, zero) = (to.Then!, to.Zero);
        split = Split.Of(input[0] * blocks * chunks, (double)rows * outputWidth * Wide / 4);
        DotEnd end = to.DotEnd(node);
        code = new delegate* unmanaged<DotColumns*, void>[rows + 1];
        for (int i = 1; i <= rows; i++) code[i] = DotAssembly.Assembler!.Assemble(new DotDepthwise(stride, i, end, read.Flip != 0));
        outside = new((long)width * inputPitch + Wide);
        new Span<byte>(outside.Pointer, (int)outside.Bytes).Fill(read.ZeroByte);
        columns = NativeBuffer.Of<long>([.. Enumerable.Range(-op.Conv.Padding.Left, (outputWidth - 1) * stride + Side).Select(x => (uint)x < (uint)width ? (long)x * inputPitch : -1)]);
        packed = new((long)chunks * Packed(rows) * sizeof(float));
        Pack(node, to, rows);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-vnni-depthwise-{Side}x{Side}-{code.Length - 1}-512";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        packed.Dispose();
        columns.Dispose();
        outside.Dispose();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int from, int count) = split[task];
        int most = code.Length - 1;
        byte* input = operands.Input<byte>(0), output = operands.Out<byte>();
        DotColumns run = new()
        {
            Columns = (long*)columns.Pointer,
            OutputPitch = outputPitch,
            Count = outputWidth,
            Least = ends.Min,
            Most = ends.Max,
            Zero = zero,
            Outside = (uint)read.Zero * 0x01010101,
        };
        for (int i = from; i < from + count; i++)
        {
            int block = i / chunks, chunk = i - block * chunks, image = block / blocks, first = (block - image * blocks) * most, channel = Math.Min(chunk * Wide, channels - Wide);
            byte* picture = input + (nint)image * height * width * inputPitch;
            int y = first * stride - top;
            run.Row0 = Row(y);
            run.Row1 = Row(y + 1);
            run.Row2 = Row(y + 2);
            run.Row3 = most > 1 ? Row(y + 3) : run.Row2;
            run.Output = output + (((nint)image * outputHeight + first) * outputWidth) * outputPitch + channel;
            run.Below = run.Output + (nint)outputWidth * outputPitch;
            run.Packed = packed.Floats + (nint)chunk * Packed(most);
            code[Math.Min(most, outputHeight - first)](&run);

            byte* Row(int row) => ((uint)row < (uint)height ? picture + (nint)row * width * inputPitch : outside.Pointer) + channel;
        }
    }

    /// <summary>Words of what is packed for a chunk of channels.</summary>
    private static int Packed(int rows) => Wide * (2 + Side * rows);

    private void Pack(Node node, Requantization to, int rows)
    {
        short[] weights = IntegerProduct.Weights(node);
        float[] scales = to.Scales(channels, 0);
        ReadOnlySpan<int> bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.AsSpan<int>() : default;
        for (int chunk = 0; chunk < chunks; chunk++)
            for (int i = 0; i < Wide; i++)
            {
                int channel = Math.Min(chunk * Wide, channels - Wide) + i;
                float* target = packed.Floats + (nint)chunk * Packed(rows) + i;
                ReadOnlySpan<short> kernel = weights.AsSpan(channel * Side * Side, Side * Side);
                int sum = 0;
                foreach (short weight in kernel) sum += weight;
                *(int*)target = (bias.IsEmpty ? 0 : bias[channel]) - read.Zero * sum;
                target[Wide] = scales[channel];
                for (int row = 0; row < rows; row++)
                    for (int column = 0; column < Side; column++)
                    {
                        uint word = 0;
                        for (int down = 0; down < Side; down++) word |= (uint)(byte)kernel[down * Side + column] << 8 * (row + down);
                        *(uint*)(target + Wide * (2 + row * Side + column)) = word;
                    }
            }
    }
}
