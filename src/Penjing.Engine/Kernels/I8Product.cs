using System.Numerics;
using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolution of 8-bit integers and what becomes of its sums, as a product of words of several integers, channels that lie side by side; rows are read as in
/// <see cref="F32Conv"/>, where the integers lie, from a copy in scratch memory, or from windows that are written for each tile.
/// </summary>
internal abstract unsafe class I8Product<S, V> : ConvProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly NativeBuffer scales;
    private readonly Split copying;
    private readonly bool copies;
    private readonly ByteWindows? windows;

    /// <summary>The product of a site in words of so many integers, of a copy or of the input itself, which then has whole words, or of its windows.</summary>
    protected I8Product(Site site, int each, bool copies, delegate*<float**, nint, float*, nint, int, in TileShape, void>[] tiles, ByteWindows? windows = null)
        : base(site, [windows?.Grid ?? Grid(site, each)], new(Op(site).Conv with { Then = new Requantization(Op(site)).Then }, [], Op(site).Adds is not null),
            windows?.Words ?? I8Product.Words(site.Node, each), copies ? I8Product.Words(site.Node, each) * Op(site).Conv.Groups : I8Product.Pitch(site) / each, Math.Max(site.OutputPitch, site.Node.Shape[1]) * site.Node.Info.Type.Size(), tiles)
    {
        (Node x, this.copies, this.windows) = (site.Node.Inputs[0], copies, windows);
        (Groups, Words, Channels) = (Op(site).Conv.Groups, I8Product.Words(site.Node, each), x.Shape[1] / Op(site).Conv.Groups);
        (Pixels, Pitch) = (x.Shape.Elements / x.Shape[1], I8Product.Pitch(site));
        Read = new(x.Info.Type, Op(site).X.ZeroPoints[0]);
        copying = Split.Of(Pixels, Groups * Words);
        Requantization to = new(Op(site));
        scales = NativeBuffer.Of<float>(to.Scales(site.Node.Shape[1], S.Lanes));
        End = to.End(scales.Floats, site.Node);
    }

    /// <inheritdoc/>
    public sealed override long ScratchBytes => copies ? (long)Pixels * Groups * Words * sizeof(int) : 0;

    /// <inheritdoc/>
    public sealed override int Phases => copies ? 2 : 1;

    /// <inheritdoc/>
    protected sealed override int PatchFloats => windows is null ? base.PatchFloats : S.TileRows * windows.PatchFloats;

    /// <inheritdoc/>
    protected sealed override IntegerEnd End { get; }

    /// <summary>Pixels of the input.</summary>
    protected int Pixels { get; }

    /// <summary>Bytes from pixel to pixel of the input.</summary>
    protected int Pitch { get; }

    /// <summary>Groups of channels.</summary>
    protected int Groups { get; }

    /// <summary>Channels of a group of the input.</summary>
    protected int Channels { get; }

    /// <summary>Words of a group of a pixel.</summary>
    protected int Words { get; }

    /// <summary>How the input's bytes are read.</summary>
    protected UnsignedBytes Read { get; }

    /// <inheritdoc/>
    public sealed override int Tasks(int phase) => phase < Phases - 1 ? copying.Tasks : ProductTasks;

    /// <inheritdoc/>
    public sealed override void Run(int phase, int task, in Operands operands)
    {
        if (phase == Phases - 1)
        {
            Multiply(task, operands);
            return;
        }
        (int first, int count) = copying[task];
        Copy(first, count, operands.Input<byte>(0), operands.Scratch);
    }

    /// <inheritdoc/>
    public sealed override void Dispose()
    {
        scales.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected sealed override float* Left(in Operands operands) => copies ? (float*)operands.Scratch : operands.Input(0);

    /// <inheritdoc/>
    protected sealed override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        if (windows is null) base.Point(part, first, rows, table, patches, operands);
        else windows.Point(first, rows, table, patches, operands.Input<byte>(0), operands.Out<byte>());
    }

    /// <summary>Writes the words of some pixels to their places.</summary>
    protected abstract void Copy(int first, int count, byte* input, byte* output);

    /// <summary>Packs weights so many a word; each bias first, less what the weights of its channel make of <paramref name="zero"/>, which words have in place of 0.</summary>
    protected void Pack(Site site, int each, int zero)
    {
        if (IntegerProduct.ArePlain(site.Node)) Pack(site, each, zero, site.Node.Inputs[1].Value!.AsSpan<sbyte>());
        else Pack<short>(site, each, zero, IntegerProduct.Weights(site.Node));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pack<T>(Site site, int each, int zero, ReadOnlySpan<T> weights) where T : unmanaged, IBinaryInteger<T>
    {
        Node node = site.Node;
        bool turned = Op(site).Product is Gemm { TransposeB: false };
        ReadOnlySpan<int> bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.AsSpan<int>() : default;
        (int taps, int columns, int bits, PanelLayout layout) = (Layout.Pictures(node.Inputs[1].Shape).Product(2, 4), node.Shape[1] / Groups, 32 / each, Packed(0));
        int depth = windows?.Words ?? taps * Words;
        // From channel to channel, and from output to output.
        (nint step, nint next) = turned ? (node.Shape[1], 1) : (taps, (nint)Channels * taps);
        uint low = uint.MaxValue >> 32 - bits;
        fixed (T* all = weights)
            for (int group = 0; group < Groups; group++)
                for (int panel = 0; panel < layout.Count; panel++)
                {
                    (int first, int count) = layout[panel];
                    int across = layout.Vectors(panel) * S.Lanes;
                    int* target = (int*)Panels(0, group) + layout.Offset(panel);
                    for (int j = 0; j < count; j++, target++)
                    {
                        int column = group * columns + first + j, sum = 0;
                        int* words = target + across;
                        T* weight = all + column * next;
                        for (int word = 0, tap = 0, channel = 0; word < depth; word++, words += across)
                        {
                            uint packed = 0;
                            for (int i = 0; i < each && tap < taps; i++)
                            {
                                int value = int.CreateTruncating(*weight);
                                sum += value;
                                packed |= ((uint)value & low) << i * bits;
                                weight += step;
                                if (++channel < Channels) continue;
                                channel = 0;
                                weight = all + column * next + ++tap;
                                // Another tap begins another word, unless windows have no gaps.
                                if (windows is null) break;
                            }
                            *words = (int)packed;
                        }
                        *target = (bias.IsEmpty ? 0 : bias[column]) - zero * sum;
                    }
                }
    }

    private static IntegerProduct Op(Site site) => (IntegerProduct)site.Node.Op;

    /// <summary>The grid of a site's outputs; the taps of a kernel's row make one segment where they are few words and neighbours.</summary>
    private static PixelGrid Grid(Site site, int each)
    {
        (Conv conv, int across) = (Op(site).Conv, Layout.Pictures(site.Node.Inputs[1].Shape)[3]);
        return PixelGrid.Of(site.Node, conv, I8Product.Joins(site, each) ? across : 1);
    }
}

/// <summary>What products of 8-bit integers have in common before there is a kernel.</summary>
internal static class I8Product
{
    private const int MostTaps = 4096;

    /// <summary>Whether the node is a product of integers by constant weights whose sums fit 32 bits and whose scales are numbers.</summary>
    public static bool Fits(Site site) => site.Node is { Op: IntegerProduct, Inputs: [{ Value: null }, { Value: not null, Shape: var w }, .. var bias] }
        && (bias is [] || bias is [{ Value: not null, Shape: { Rank: 1 } each }, ..] && each[0] == site.Node.Shape[1]) && Layout.Pictures(w).Product(2, 4) <= MostTaps
        && site.Node.Shape.Elements > 0 && site.Node.Inputs[0].Shape.Elements > 0 && IntegerProduct.LargestSum(site.Node) <= int.MaxValue
        && !new Requantization((IntegerProduct)site.Node.Op).Scales(site.Node.Shape[1], 0).ContainsAnyExceptInRange(0, float.MaxValue);

    /// <summary>About how many nanoseconds a site takes on one thread in words of so many integers, when a step of a vector takes so many cycles and so many bytes are copied for each of the input.</summary>
    public static double Cost(Site site, int each, double cyclesPerStep, double copied)
    {
        var op = (IntegerProduct)site.Node.Op;
        Shape output = site.Node.Shape, weights = site.Node.Inputs[1].Shape;
        (int lanes, int groups, int taps) = (site.Isa.Lanes(), op.Conv.Groups, Layout.Pictures(weights).Product(2, 4));
        bool windows = each == sizeof(int) && ByteWindows.Fits(site);
        int depth = windows ? ByteWindows.WordsOf(site) : Words(site.Node, each) * taps, rowsOfTaps = Layout.Pictures(weights)[2], segments = windows ? 1 : Joins(site, each) ? rowsOfTaps : taps;
        double rows = (double)output.Elements / output[1], vectors = Math.Ceiling((double)output[1] / groups / lanes), height = site.Isa.TileRows();
        double tiles = Math.Ceiling(rows / height) * groups, panels = Math.Ceiling(vectors / 2), step = Math.Max(rows * groups / tiles * vectors * cyclesPerStep, 4 * panels);
        double cycles = tiles * (step * depth + panels * (120 + 16 * segments) + height * (windows ? 8 + 4 * rowsOfTaps : 8 * segments));
        return Pace.Nanoseconds(cycles, copied * site.Node.Inputs[0].Shape.Elements + output.Elements, 4.0 / each * weights.Elements);
    }

    /// <summary>Words of so many integers in a group of a pixel.</summary>
    public static int Words(Node node, int each) => (node.Inputs[0].Shape[1] / ((IntegerProduct)node.Op).Conv.Groups + each - 1) / each;

    /// <summary>Bytes from pixel to pixel of the input.</summary>
    public static int Pitch(Site site) => Math.Max(site.InputPitches[0], site.Node.Inputs[0].Shape[1]);

    /// <summary>Whether the taps of a kernel's row make one segment.</summary>
    public static bool Joins(Site site, int each)
    {
        Conv conv = ((IntegerProduct)site.Node.Op).Conv;
        return conv.Groups == 1 && conv.Dilation.Width == 1 && Words(site.Node, each) * Layout.Pictures(site.Node.Inputs[1].Shape)[3] <= 64;
    }

    /// <summary>The register tiles of a product's words.</summary>
    public static unsafe delegate*<float**, nint, float*, nint, int, in TileShape, void>[] Tiles<S, V, W>(Node node) where S : struct, ISimd<V> where V : unmanaged where W : struct, IWords<S, V> =>
        (IntegerProduct)node.Op switch
        {
            { To: DequantizeLinear } => Tile<S, V, W, RealSums<S, V>>.All(),
            { Adds: null } => Tile<S, V, W, RequantizedSums<S, V>>.All(),
            _ => Tile<S, V, W, RequantizedSumsWithAddend<S, V>>.All(),
        };
}
