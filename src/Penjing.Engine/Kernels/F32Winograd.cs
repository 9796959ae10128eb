using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolution by 3×3 kernels of stride 1 by Winograd's algorithm: tiles of input pixels are transformed, multiplied point by point with the
/// transformed weights, and transformed back.
/// </summary>
internal readonly struct F32Winograd<W> : IKernelMaker where W : struct, IWinograd
{
    /// <summary>Whether the node is such a convolution, with constant weights, and an addend that is not constant where it has one.</summary>
    public static bool Fits(Site site) => FusedConv.Of(site.Node) is { Order.Count: 0, Conv: var conv }
        && conv.Stride == Size.One && conv.Dilation == Size.One
        && site.Node.Inputs is [{ Value: null }, { Value: { } weights }, .. var rest] && weights.Shape[2] == 3 && weights.Shape[3] == 3
        && rest is [] or [{ Value: not null }] or [{ Value: not null }, { Value: null }];

    /// <summary>About how many nanoseconds a site takes on one thread: multiplications, transforms, and weights, which come from memory.</summary>
    public static double Cost(Site site)
    {
        (Shape output, Shape weights, int lanes, int side) = (site.Node.Shape, site.Node.Inputs[1].Shape, site.Isa.Lanes(), W.Tile + 2);
        int groups = FusedConv.Of(site.Node)!.Conv.Groups, depth = weights[1], height = site.Isa.TileRows();
        double tiles = (double)output[0] * ((output[2] + W.Tile - 1) / W.Tile) * ((output[3] + W.Tile - 1) / W.Tile), parts = Math.Ceiling(tiles / (double)height);
        double vectors = Math.Ceiling((double)weights[0] / groups / lanes), panels = Math.Ceiling(vectors / 2);
        // Two fused multiply-adds a cycle, four cycles long: fewer than eight sums wait for each other.
        double product = Math.Max(tiles * vectors / 2, 4 * parts * panels) * depth + parts * panels * 40;
        double transforms = 7 * tiles * (Math.Ceiling((double)depth * groups / lanes) / groups + vectors);
        return Pace.Nanoseconds(side * side * groups * (product + transforms), 0, (double)side * side * weights[0] * depth * sizeof(float));
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Winograd<S, V, W>(site);
}

/// <summary>A convolution of floats by Winograd's algorithm.</summary>
internal sealed unsafe class F32Winograd<S, V, W> : WinogradProduct<S, V> where S : struct, ISimd<V> where V : unmanaged where W : struct, IWinograd
{
    private readonly int height, width, channels, outputHeight, outputWidth, inputPitch, outputPitch, addendPitch, depth;
    private readonly Padding padding;
    private readonly F32Finish<S, V> finish;
    private readonly bool adds;

    /// <summary>The kernel of a site.</summary>
    public F32Winograd(Site site) : this(site, FusedConv.Of(site.Node)!) { }

    private F32Winograd(Site site, FusedConv fused) : base(site, new(site.Node, site.Node.Inputs[0].Shape[1], Tile, S.Lanes, S.Lanes), fused.Conv.Groups,
        site.Node.Inputs[0].Shape[1] / fused.Conv.Groups, Points, site.Node.Shape[1] + Math.Max(S.Lanes, site.OutputPitch), Tile<S, V, Floats<S, V>, BoundedFloats<S, V>>.All())
    {
        Node node = site.Node;
        Conv conv = fused.Conv;
        Shape input = node.Inputs[0].Shape;
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        (inputPitch, outputPitch, padding, adds, depth) = (site.InputPitches[0], site.OutputPitch, conv.Padding, fused.Adds, channels / conv.Groups);
        addendPitch = adds ? site.InputPitches[FusedConv.Addend] : 0;
        finish = new(conv.Then);
        Pack(node);
    }

    private static int Tile => W.Tile;

    private static int Side => W.Tile + 2;

    private static int Points => Side * Side;

    /// <inheritdoc/>
    public override string Label => $"f32-winograd-{Tile}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override bool Overwrites(int input) => adds && input == FusedConv.Addend && addendPitch == outputPitch;

    /// <inheritdoc/>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Transform(int first, int count, float* target, in Operands operands)
    {
        float* picture = operands.Input(0);
        float* room = stackalloc float[(Points + Side) * S.Lanes + 16], temp = (float*)(((nint)room + 63) & -64), line = temp + Points * S.Lanes;
        for (int tile = first; tile < first + count; tile++, target += Plan.RowPitch)
        {
            (int image, int top, int left) = Plan[tile];
            (top, left) = (top * Tile - padding.Top, left * Tile - padding.Left);
            float* window = picture + (((nint)image * height + top) * width + left) * inputPitch;
            int begin = Math.Clamp(-left, 0, Side), end = Math.Clamp(width - left, 0, Side);
            for (int c = 0; c < channels; c += S.Lanes)
            {
                bool whole = begin == 0 && end == Side && channels - c >= S.Lanes;
                float* pixel = window + c, to = temp;
                for (int i = 0; i < Side; i++, pixel += (nint)width * inputPitch, to += Side * S.Lanes)
                {
                    if (whole && (uint)(top + i) < (uint)height)
                    {
                        W.Input<S, V>(pixel, inputPitch, to, S.Lanes);
                        continue;
                    }
                    bool inside = (uint)(top + i) < (uint)height;
                    int some = Math.Min(channels - c, S.Lanes);
                    for (int j = 0; j < Side; j++)
                        S.Store(line + j * S.Lanes, inside && j >= begin && j < end ? S.LoadPart(pixel + (nint)j * inputPitch, some) : S.Fill(0));
                    W.Input<S, V>(line, S.Lanes, to, S.Lanes);
                }
                for (int j = 0; j < Side; j++) W.Input<S, V>(temp + j * S.Lanes, Side * S.Lanes, target + c + j * Plan.LeftPitch, Side * Plan.LeftPitch);
            }
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Gather(in WinogradPanel panel, float* products, int firstTile, int tiles, in Operands operands)
    {
        float* room = stackalloc float[(Tile * Side + Tile) * S.Lanes + 16], temp = (float*)(((nint)room + 63) & -64), line = temp + Tile * Side * S.Lanes;
        float* addends = adds ? operands.Input(FusedConv.Addend) : Memory.Floats + Behind + Panels[^1].First + Panels[^1].Columns;
        V min = S.Fill(finish.Min), max = S.Fill(finish.Max);
        for (int tile = firstTile; tile < firstTile + tiles; tile++)
        {
            (int image, int top, int left) = Plan[tile];
            (top, left) = (top * Tile, left * Tile);
            int rows = Math.Min(Tile, outputHeight - top), columns = Math.Min(Tile, outputWidth - left);
            nint pixel = ((nint)image * outputHeight + top) * outputWidth + left;
            for (int vector = 0; vector < panel.Vectors; vector++, products += S.Lanes)
            {
                for (int j = 0; j < Side; j++)
                    W.Output<S, V, Ending>(products + j * Plan.ProductPitch, Side * Plan.ProductPitch, new(temp + j * S.Lanes, Side * S.Lanes));
                int first = panel.First + vector * S.Lanes, count = Math.Min(panel.Columns - vector * S.Lanes, S.Lanes);
                bool whole = count == S.Lanes && columns == Tile && finish.Bounds;
                float* bias = Memory.Floats + Behind + first;
                V shift = S.LoadPart(bias, count);
                float* output = operands.Output + pixel * outputPitch + first, addend = adds ? addends + pixel * addendPitch + first : addends;
                for (int i = 0; i < rows; i++, output += (nint)outputWidth * outputPitch, addend += (nint)outputWidth * addendPitch)
                {
                    if (whole)
                    {
                        W.Output<S, V, Finishing>(temp + i * Side * S.Lanes, S.Lanes, new(output, outputPitch, addend, addendPitch, shift, min, max));
                        continue;
                    }
                    W.Output<S, V, Ending>(temp + i * Side * S.Lanes, S.Lanes, new(line, S.Lanes));
                    for (int j = 0; j < columns; j++)
                    {
                        V value = S.Add(S.Add(S.Load(line + j * S.Lanes), shift), S.LoadPart(addend + j * addendPitch, count));
                        S.StorePart(output + (nint)j * outputPitch, S.AtMost(max, S.AtLeast(min, value)), count);
                        finish.Complete(output + (nint)j * outputPitch, count);
                    }
                }
            }
        }
    }

    /// <summary>Transforms the weights and packs them: for each panel and point a row of zeros, then for each channel its columns.</summary>
    private void Pack(Node node)
    {
        ReadOnlySpan<float> source = node.Inputs[1].Value!.Floats;
        if (node.Inputs.Length > 2) node.Inputs[2].Value!.Floats.CopyTo(new(Memory.Floats + Behind, node.Shape[1]));
        double[] g = new double[3 * Side], half = new double[3 * Side];
        for (int i = 0; i < Side; i++)
        {
            double scale = 1;
            for (int j = 0; j < Side - 1; j++)
                if (i < Side - 1 && i != j) scale *= W.Points[i] - W.Points[j];
            for (int k = 0; k < 3; k++) g[3 * i + k] = i == Side - 1 ? k / 2 : Math.Pow(W.Points[i], k) / scale;
        }
        foreach (WinogradPanel panel in Panels)
        {
            int columns = panel.Vectors * S.Lanes, point = columns * (depth + 1);
            for (int c = 0; c < depth; c++)
                for (int j = 0; j < panel.Columns; j++)
                {
                    ReadOnlySpan<float> w = source.Slice(((panel.First + j) * depth + c) * 9, 9);
                    for (int i = 0; i < Side; i++)
                        for (int x = 0; x < 3; x++) half[3 * i + x] = g[3 * i] * w[x] + g[3 * i + 1] * w[3 + x] + g[3 * i + 2] * w[6 + x];
                    float* target = Memory.Floats + panel.Offset + (c + 1) * columns + j;
                    for (int i = 0; i < 3 * Side; i += 3)
                        for (int k = 0; k < 3 * Side; k += 3, target += point)
                            *target = (float)(half[i] * g[k] + half[i + 1] * g[k + 1] + half[i + 2] * g[k + 2]);
                }
        }
    }

    /// <summary>Outputs are stored as they are.</summary>
    private readonly struct Ending(float* target, nint stride) : IWinogradEnd<V>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Put(int index, V value) => S.Store(target + index * stride, value);
    }

    /// <summary>Outputs get bias and addend, are bounded and stored.</summary>
    private readonly struct Finishing(float* target, nint stride, float* addend, nint addendStride, V bias, V min, V max) : IWinogradEnd<V>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Put(int index, V value)
        {
            value = S.Add(S.Add(value, bias), S.Load(addend + index * addendStride));
            S.Store(target + index * stride, S.AtMost(max, S.AtLeast(min, value)));
        }
    }
}
