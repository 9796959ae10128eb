using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// Convolution of 8-bit integers and its requantization as a product: first every integer less its zero point becomes one of 16 bits, two channels a word, so that padding is
/// zero and the products of words are exact; then rows are read as in <see cref="F32Conv"/>.
/// </summary>
internal readonly struct I8Conv : IKernelMaker
{
    private const int MostTaps = 4096;

    /// <summary>Whether the node is a product of integers by constant weights whose sums fit 32 bits.</summary>
    public static bool Fits(Site site) => site.Node is { Op: IntegerProduct, Inputs: [{ Value: null }, { Value: not null, Shape: var w }, .. var bias] }
        && (bias is [] || bias is [{ Value: not null, Shape: { Rank: 1 } each }, ..] && each[0] == site.Node.Shape[1]) && Taps(w) <= MostTaps
        && site.Node.Shape.Elements > 0 && site.Node.Inputs[0].Shape.Elements > 0 && IntegerProduct.LargestSum(site.Node) <= int.MaxValue;

    /// <summary>About how many nanoseconds a site takes on one thread: a step multiplies twice as much as one of floats, but adds by itself.</summary>
    public static double Cost(Site site)
    {
        var op = (IntegerProduct)site.Node.Op;
        Shape output = site.Node.Shape, weights = site.Node.Inputs[1].Shape;
        (int lanes, int groups, int taps) = (site.Isa.Lanes(), op.Conv.Groups, Taps(weights));
        int words = (Channels(site.Node, op) + 1) / 2, segments = Joins(site.Node, op) ? Layout.Pictures(weights)[2] : taps;
        double rows = (double)output.Elements / output[1], vectors = Math.Ceiling((double)output[1] / groups / lanes), height = site.Isa.TileRows();
        double tiles = Math.Ceiling(rows / height) * groups, panels = Math.Ceiling(vectors / 2), step = Math.Max(rows * groups / tiles * vectors * 0.7, 4 * panels);
        double cycles = tiles * (step * words * taps + panels * (120 + 16 * segments) + height * segments * 8);
        return Pace.Nanoseconds(cycles, 5.0 * site.Node.Inputs[0].Shape.Elements + output.Elements, 2.0 * weights.Elements);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged
    {
        var op = (IntegerProduct)site.Node.Op;
        int words = (Channels(site.Node, op) + 1) / 2, across = Layout.Pictures(site.Node.Inputs[1].Shape)[3];
        return new I8Conv<S, V>(site, op, PixelGrid.Of(site.Node, op.Conv, Joins(site.Node, op) ? across : 1), words);
    }

    /// <summary>Channels of a group of the input.</summary>
    private static int Channels(Node node, IntegerProduct op) => node.Inputs[0].Shape[1] / op.Conv.Groups;

    private static int Taps(Shape weights) => Layout.Pictures(weights).Product(2, 4);

    /// <summary>Whether the taps of a kernel's row make one segment, where they are few words and neighbours.</summary>
    private static bool Joins(Node node, IntegerProduct op) =>
        op.Conv.Groups == 1 && op.Conv.Dilation.Width == 1 && (Channels(node, op) + 1) / 2 * Layout.Pictures(node.Inputs[1].Shape)[3] <= 64;
}

/// <inheritdoc cref="I8Conv"/>
internal sealed unsafe class I8Conv<S, V> : ConvProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int pixels, pitch, groups, channels, words;
    private readonly UnsignedBytes read;
    private readonly Split widening;
    private readonly NativeBuffer scales;

    /// <summary>The kernel of a site whose groups have so many words a pixel.</summary>
    public I8Conv(Site site, IntegerProduct op, PixelGrid grid, int words)
        : base(site, [grid], new(op.Conv with { Then = new Requantization(op).Then }, [], op.Adds is not null), words, op.Conv.Groups * words,
            Math.Max(site.OutputPitch, site.Node.Shape[1]) * site.Node.Info.Type.Size(),
            op switch
            {
                { To: DequantizeLinear } => Tile<S, V, PairsToFloats<S, V>>.All(),
                { Adds: null } => Tile<S, V, Pairs<S, V>>.All(),
                _ => Tile<S, V, PairsWithAddend<S, V>>.All(),
            })
    {
        (Node node, this.words, groups) = (site.Node, words, op.Conv.Groups);
        Node x = node.Inputs[0];
        (pixels, pitch, channels) = (x.Shape.Elements / x.Shape[1], Math.Max(site.InputPitches[0], x.Shape[1]), x.Shape[1] / groups);
        Requantization to = new(op);
        read = new(x.Info.Type, op.X.ZeroPoints[0]);
        widening = Split.Of(pixels, groups * words);
        scales = NativeBuffer.Of<float>(to.Scales(node.Shape[1], S.Lanes));
        End = to.End(scales.Floats, node);
        Pack(node, op, grid);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-gemm-conv-{Tile}";

    /// <inheritdoc/>
    public override long ScratchBytes => (long)pixels * groups * words * sizeof(int);

    /// <inheritdoc/>
    public override int Phases => 2;

    /// <inheritdoc/>
    protected override IntegerEnd End { get; }

    /// <inheritdoc/>
    public override int Tasks(int phase) => phase == 0 ? widening.Tasks : ProductTasks;

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (phase > 0) Multiply(task, operands);
        else Widen(task, operands.Input<byte>(0), (short*)operands.Scratch);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        scales.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override float* Left(in Operands operands) => (float*)operands.Scratch;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Widen(int task, byte* input, short* output)
    {
        (int first, int count) = widening[task];
        if (groups == 1 && channels == pitch && channels % 2 == 0)
        {
            Widen(input + (nint)first * pitch, output + (nint)first * channels, count * channels);
            return;
        }
        int pixel = first;
        if (groups == 1 && channels == 3 && pitch == 3)
        {
            // Four pixels of three bytes, of the sixteen that are read.
            Vector128<byte> places = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255), last = Vector128.Create(0xFF000000u).AsByte() & Vector128.Create(read.ZeroByte);
            for (; pixel < Math.Min(first + count, pixels - 5); pixel += 4)
                Widen(Vector128.Shuffle(Vector128.Load(input + (nint)pixel * pitch), places) | last, output + (nint)pixel * 2 * words);
        }
        for (; pixel < first + count; pixel++)
            for (int group = 0; group < groups; group++)
            {
                short* target = output + ((nint)pixel * groups + group) * 2 * words;
                Widen(input + (nint)pixel * pitch + group * channels, target, channels);
                if (channels % 2 > 0) target[channels] = 0;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Widen(byte* input, short* output, int count)
    {
        int i = 0;
        for (; i <= count - 16; i += 16) Widen(Vector128.Load(input + i), output + i);
        for (; i < count; i++) output[i] = (short)((input[i] ^ read.Flip) - read.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Widen(Vector128<byte> bytes, short* output)
    {
        Vector128<short> less = Vector128.Create((short)read.Zero);
        bytes ^= Vector128.Create(read.Flip);
        (Vector128.WidenLower(bytes).AsInt16() - less).Store(output);
        (Vector128.WidenUpper(bytes).AsInt16() - less).Store(output + 8);
    }

    private void Pack(Node node, IntegerProduct op, PixelGrid grid)
    {
        bool turned = op.Product is Gemm { TransposeB: false };
        short[] weights = IntegerProduct.Weights(node);
        ReadOnlySpan<int> bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.AsSpan<int>() : default;
        int taps = grid.Taps.Length, columns = node.Shape[1] / groups;
        PanelLayout layout = Packed(0);
        for (int group = 0; group < groups; group++)
            for (int panel = 0; panel < layout.Count; panel++)
            {
                int* target = (int*)Panels(0, group) + layout.Offset(panel);
                (int first, int count) = layout[panel];
                int across = layout.Vectors(panel) * S.Lanes;
                for (int j = 0; j < across; j++) target[j] = !bias.IsEmpty && j < count ? bias[group * columns + first + j] : 0;
                foreach (KernelTap tap in grid.Taps)
                    for (int word = 0; word < words; word++)
                    {
                        target += across;
                        for (int j = 0; j < across; j++)
                        {
                            int column = group * columns + first + j;
                            target[j] = j < count ? (ushort)Weight(column, 2 * word, tap.Index) | Weight(column, 2 * word + 1, tap.Index) << 16 : 0;
                        }
                    }
            }

        int Weight(int column, int channel, int tap) =>
            channel >= channels ? 0 : weights[turned ? channel * node.Shape[1] + column : (column * channels + channel) * taps + tap];
    }
}
