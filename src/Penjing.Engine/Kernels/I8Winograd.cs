using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>
/// Convolution of 8-bit integers by 3×3 kernels of stride 1, and its requantization, by Winograd's algorithm F(2, 3) in integers: transformed inputs and weights, these times 4
/// so that no half is left, fit 16 bits, and every sum is exact. Less than half as many products as without it, and the same answer to the bit.
/// </summary>
internal readonly struct I8Winograd : IKernelMaker
{
    private const long MostSum = 1 << 29;

    /// <summary>Whether the node is such a convolution with constant weights, in one group, four times whose sums fit 32 bits.</summary>
    public static bool Fits(Site site) => site.Node is { Op: IntegerProduct { To: QuantizeLinear, Product: Conv { Groups: 1 } conv }, Inputs: [{ Value: null }, { Value: not null, Shape: var w }, .. var bias] }
        && conv.Stride == Size.One && conv.Dilation == Size.One && w[2] == 3 && w[3] == 3 && bias is [] or [{ Value: not null }, ..]
        && site.Node.Shape.Elements > 0 && site.Node.Inputs[0].Shape.Elements > 0 && IntegerProduct.LargestSum(site.Node) < MostSum;

    /// <summary>About how many nanoseconds a site takes on one thread: multiplications, transforms, and weights, which come from memory.</summary>
    public static double Cost(Site site)
    {
        (Shape output, int lanes, int points) = (site.Node.Shape, site.Isa.Lanes(), Side * Side);
        int words = (site.Node.Inputs[1].Shape[1] + 1) / 2;
        double tiles = (double)output[0] * ((output[2] + Outputs - 1) / Outputs) * ((output[3] + Outputs - 1) / Outputs), parts = Math.Ceiling(tiles / site.Isa.TileRows());
        double vectors = Math.Ceiling((double)output[1] / lanes), panels = Math.Ceiling(vectors / 2);
        double product = Math.Max(tiles * vectors * 0.67, 4 * parts * panels) * words + parts * panels * 40;
        return Pace.Nanoseconds(points * (product + 7 * tiles * (Math.Ceiling((double)words / lanes) + vectors)), 0, (double)points * output[1] * words * sizeof(int));
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Winograd<S, V>(site);

    /// <summary>Outputs in a row of a tile.</summary>
    public const int Outputs = 2;

    /// <summary>Inputs in a row of a tile.</summary>
    public const int Side = 4;
}

/// <inheritdoc cref="I8Winograd"/>
internal sealed unsafe class I8Winograd<S, V> : WinogradProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private const int Outputs = I8Winograd.Outputs, Side = I8Winograd.Side, Points = Side * Side;

    // Channels that are transformed at once.
    private const int Wide = 16;

    private readonly int height, width, channels, outputHeight, outputWidth, inputPitch, outputPitch, addendPitch;
    private readonly Padding padding;
    private readonly UnsignedBytes read;
    private readonly NativeBuffer outside;
    private readonly float min, max;
    private readonly IntegerEnd end;

    /// <summary>The kernel of a site.</summary>
    public I8Winograd(Site site) : base(site, new(site.Node, Words(site.Node), Outputs, S.Lanes, Math.Max(Wide / 2, S.Lanes)), 1, Words(site.Node), Points,
        2 * (site.Node.Shape[1] + 2 * S.Lanes), Tile<S, V, Pairs<S, V>, PlainSums<S, V>>.All())
    {
        (Node node, var op) = (site.Node, (IntegerProduct)site.Node.Op);
        Shape input = node.Inputs[0].Shape;
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        (inputPitch, outputPitch, padding) = (site.InputPitches[0], site.OutputPitch, op.Conv.Padding);
        read = new(node.Inputs[0].Info.Type, op.X.ZeroPoints[0]);
        outside = new(channels + Wide);
        new Span<byte>(outside.Pointer, (int)outside.Bytes).Fill(read.ZeroByte);
        Requantization to = new(op);
        (min, max) = (to.Then!.Min, to.Then.Max);
        float[] each = to.Scales(node.Shape[1], S.Lanes);
        end = to.End(Memory.Floats + Behind + each.Length, node);
        for (int i = 0; i < each.Length; i++) end.Scales[i] = each[i] / 4;
        addendPitch = op.Adds is null ? 0 : site.InputPitches[FusedConv.Addend];
        if (node.Inputs.Length > 2)
            for (int i = 0; i < node.Shape[1]; i++) ((int*)Memory.Floats)[Behind + i] = 4 * node.Inputs[2].Value!.AsSpan<int>()[i];
        Pack(node);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-winograd-{Outputs}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == FusedConv.Addend && addendPitch > 0 && addendPitch == outputPitch;

    /// <inheritdoc/>
    public override void Dispose()
    {
        outside.Dispose();
        base.Dispose();
    }

    private static int Words(Node node) => (node.Inputs[0].Shape[1] + 1) / 2;

    /// <inheritdoc/>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Transform(int first, int count, float* target, in Operands operands)
    {
        byte** pixels = stackalloc byte*[Points];
        byte* stage = stackalloc byte[Points * Wide];
        short* temp = stackalloc short[Points * Wide];
        int whole = channels / Wide * Wide;
        for (int tile = first; tile < first + count; tile++, target += Plan.RowPitch)
        {
            (int image, int top, int left) = Plan[tile];
            (top, left) = (top * Outputs - padding.Top, left * Outputs - padding.Left);
            byte* window = operands.Input<byte>(0) + (((nint)image * height + top) * width + left) * inputPitch;
            for (int i = 0; i < Points; i++)
                pixels[i] = (uint)(top + i / Side) < (uint)height && (uint)(left + i % Side) < (uint)width ? window + ((nint)(i / Side) * width + i % Side) * inputPitch : outside.Pointer;
            for (int c = 0; c < whole; c += Wide) Transform(pixels, c, temp, (short*)target + c);
            if (whole == channels) continue;
            for (int i = 0; i < Points; i++)
            {
                new Span<byte>(stage + i * Wide, Wide).Fill(read.ZeroByte);
                new ReadOnlySpan<byte>(pixels[i] + whole, channels - whole).CopyTo(new(stage + i * Wide, Wide));
                pixels[i] = stage + i * Wide;
            }
            Transform(pixels, 0, temp, (short*)target + whole);
        }
    }

    /// <summary>Some channels of a tile of pixels, those of each point to its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform(byte** pixels, int channel, short* temp, short* target)
    {
        Vector128<byte> sign = Vector128.Create(read.Flip);
        Vector256<short> zero = Vector256.Create((short)read.Zero);
        nint pitch = 2 * Plan.LeftPitch;
        for (int j = 0; j < Side; j++)
            Turn(Pixel(pixels[j] + channel, sign, zero), Pixel(pixels[Side + j] + channel, sign, zero), Pixel(pixels[2 * Side + j] + channel, sign, zero), Pixel(pixels[3 * Side + j] + channel, sign, zero),
                temp + j * Wide, Side * Wide);
        for (short* row = temp; row < temp + Points * Wide; row += Side * Wide, target += Side * pitch)
            Turn(Vector256.Load(row), Vector256.Load(row + Wide), Vector256.Load(row + 2 * Wide), Vector256.Load(row + 3 * Wide), target, pitch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(Vector256<short> d0, Vector256<short> d1, Vector256<short> d2, Vector256<short> d3, short* target, nint stride)
    {
        (d0 - d2).Store(target);
        (d1 + d2).Store(target + stride);
        (d2 - d1).Store(target + 2 * stride);
        (d1 - d3).Store(target + 3 * stride);
    }

    /// <summary>Channels of a pixel less the zero point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pixel(byte* source, Vector128<byte> sign, Vector256<short> zero)
    {
        Vector128<byte> bytes = Vector128.Load(source) ^ sign;
        return (Avx2.IsSupported ? Avx2.ConvertToVector256Int16(bytes) : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt16()) - zero;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Gather(in WinogradPanel panel, float* products, int firstTile, int tiles, in Operands operands)
    {
        V least = S.Fill(min), most = S.Fill(max);
        nint pitch = Plan.ProductPitch;
        for (int tile = firstTile; tile < firstTile + tiles; tile++)
        {
            (int image, int top, int left) = Plan[tile];
            (top, left) = (top * Outputs, left * Outputs);
            bool below = top + 1 < outputHeight, right = left + 1 < outputWidth;
            nint at = ((nint)image * outputHeight + top) * outputWidth + left;
            byte* pixel = operands.Out<byte>() + at * outputPitch + panel.First, addend = addendPitch > 0 ? operands.Input<byte>(FusedConv.Addend) + at * addendPitch + panel.First : null;
            for (int vector = 0; vector < panel.Vectors; vector++, products += S.Lanes, pixel += S.Lanes, addend += S.Lanes)
            {
                int first = panel.First + vector * S.Lanes, count = Math.Min(panel.Columns - vector * S.Lanes, S.Lanes);
                V bias = S.Load(Memory.Floats + Behind + first), scale = S.Load(end.Scales + first);
                (V a0, V b0) = Turn(products, 4 * pitch);
                (V a1, V b1) = Turn(products + pitch, 4 * pitch);
                (V a2, V b2) = Turn(products + 2 * pitch, 4 * pitch);
                (V a3, V b3) = Turn(products + 3 * pitch, 4 * pitch);
                (a0, a1) = (S.AddWords(S.AddWords(a0, bias), S.AddWords(a1, a2)), S.AddWords(bias, S.SubtractWords(S.SubtractWords(a1, a2), a3)));
                Store(pixel, addend, a0, a1);
                if (!below) continue;
                (b0, b1) = (S.AddWords(S.AddWords(b0, bias), S.AddWords(b1, b2)), S.AddWords(bias, S.SubtractWords(S.SubtractWords(b1, b2), b3)));
                Store(pixel + (nint)outputWidth * outputPitch, addend + (nint)outputWidth * addendPitch, b0, b1);

                [MethodImpl(MethodImplOptions.AggressiveInlining)]
                void Store(byte* target, byte* added, V one, V next)
                {
                    one = addendPitch == 0 ? S.Multiply(S.ToFloats(one), scale) : end.Steps<S, V>(one, scale, added, count);
                    next = addendPitch == 0 || !right ? S.Multiply(S.ToFloats(next), scale) : end.Steps<S, V>(next, scale, added + addendPitch, count);
                    (one, next) = (S.AtMost(most, S.AtLeast(least, one)), S.AtMost(most, S.AtLeast(least, next)));
                    if (right && count == S.Lanes) S.StoreBytes(target, target + outputPitch, one, next, end.Zero);
                    else
                    {
                        S.StoreBytes(target, one, end.Zero, count);
                        if (right) S.StoreBytes(target + outputPitch, next, end.Zero, count);
                    }
                }
            }
        }
    }

    /// <summary>Of the products of a column of points what the upper and the lower output get.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Upper, V Lower) Turn(float* products, nint step)
    {
        V m1 = S.Load(products + step), m2 = S.Load(products + 2 * step);
        return (S.AddWords(S.Load(products), S.AddWords(m1, m2)), S.SubtractWords(S.SubtractWords(m1, m2), S.Load(products + 3 * step)));
    }

    /// <summary>Transforms the weights, each direction times 2, and packs them.</summary>
    private void Pack(Node node)
    {
        ReadOnlySpan<short> source = IntegerProduct.Weights(node);
        Span<int> half = stackalloc int[3 * Side], whole = stackalloc int[Side];
        foreach (WinogradPanel panel in Panels)
        {
            int across = panel.Vectors * S.Lanes, point = across * (Words(node) + 1);
            for (int c = 0; c < channels; c++)
                for (int j = 0; j < panel.Columns; j++)
                {
                    ReadOnlySpan<short> taps = source.Slice(((panel.First + j) * channels + c) * 9, 9);
                    for (int x = 0; x < 3; x++) Turn(taps[x], taps[3 + x], taps[6 + x], half[x..], 3);
                    short* target = (short*)(Memory.Floats + panel.Offset + (c / 2 + 1) * across + j) + c % 2;
                    for (int i = 0; i < Side; i++)
                    {
                        Turn(half[3 * i], half[3 * i + 1], half[3 * i + 2], whole, 1);
                        for (int k = 0; k < Side; k++, target += 2 * point) *target = (short)whole[k];
                    }
                }
        }

        static void Turn(int w0, int w1, int w2, Span<int> target, int step)
        {
            target[0] = 2 * w0;
            target[step] = w0 + w1 + w2;
            target[2 * step] = w0 - w1 + w2;
            target[3 * step] = 2 * w2;
        }
    }
}
