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

/// <summary>
/// A convolution by Winograd's algorithm. Where the weights are small, a task takes a block of tiles through all steps, so that nothing but pictures
/// leaves the cache; where they are large, a task takes a panel of output channels, so that weights are read once, and each thread transforms all
/// tiles for itself before its first: that takes less time than to fetch them from another processor's cache. A panel's products at all points
/// are transformed back before the next panel's begin.
/// </summary>
internal sealed unsafe class F32Winograd<S, V, W> : Kernel where S : struct, ISimd<V> where V : unmanaged where W : struct, IWinograd
{
    private readonly F32WinogradPlan plan;
    private readonly int height, width, channels, outputHeight, outputWidth, inputPitch, outputPitch, addendPitch, depth;
    private readonly Padding padding;
    private readonly F32Finish<S, V> finish;
    private readonly Panel[] panels;
    private readonly NativeBuffer memory, order;
    private readonly long biases;
    private readonly bool adds;
    // For each seat the run whose transformed tiles its part of the scratch memory holds.
    private readonly int[] runs;
    private int run;

    /// <summary>The kernel of a site.</summary>
    public F32Winograd(Site site)
    {
        Node node = site.Node;
        FusedConv fused = FusedConv.Of(node)!;
        Conv conv = fused.Conv;
        Shape input = node.Inputs[0].Shape;
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        (inputPitch, outputPitch, padding, adds, depth) = (site.InputPitches[0], site.OutputPitch, conv.Padding, fused.Adds, channels / conv.Groups);
        addendPitch = adds ? site.InputPitches[FusedConv.Addend] : 0;
        finish = new(conv.Then);
        plan = new(node, Tile, S.Lanes);
        var all = new List<Panel>();
        int columns = node.Shape[1] / conv.Groups;
        for (int group = 0; group < conv.Groups; group++)
            for (int first = 0; first < columns; first += 2 * S.Lanes)
            {
                int count = Math.Min(columns - first, 2 * S.Lanes), vectors = count > S.Lanes ? 2 : 1;
                all.Add(new(group * depth, group * columns + first, count, vectors, biases));
                biases += (long)Points * vectors * S.Lanes * (depth + 1);
            }
        panels = [.. all];
        runs = new int[Tasks(Phases - 1) == 1 ? 1 : site.Seats];
        memory = new((biases + node.Shape[1] + Math.Max(S.Lanes, outputPitch)) * sizeof(float));
        order = TileShape.Plain(depth);
        Pack(node);
    }

    private static int Tile => W.Tile;

    private static int Side => W.Tile + 2;

    private static int Points => Side * Side;

    /// <inheritdoc/>
    public override string Label => $"f32-winograd-{Tile}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override long ScratchBytes => Split.ScratchBytes(runs.Length, plan.Floats);

    /// <inheritdoc/>
    public override int Phases => plan.Shares ? 2 : 1;

    /// <inheritdoc/>
    public override int Tasks(int phase) => !plan.Shares ? plan.Blocks : phase == 0 ? 1 : panels.Length;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => adds && input == FusedConv.Addend && addendPitch == outputPitch;

    /// <inheritdoc/>
    public override void Dispose()
    {
        memory.Dispose();
        order.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (plan.Shares && phase == 0)
        {
            run++;
            return;
        }
        int seat = operands.Seat;
        float* left = (float*)operands.Scratch + seat * Split.Seat(plan.Floats), products = left + Points * plan.LeftPitch;
        int block = plan.Shares ? 0 : task, first = (int)((long)plan.Tiles * block / plan.Blocks), end = (int)((long)plan.Tiles * (block + 1) / plan.Blocks);
        if (!plan.Shares || runs[seat] != run) Transform(operands.Input(0), first, end - first, left);
        runs[seat] = run;
        (int from, int to) = plan.Shares ? (task, task + 1) : (0, panels.Length);
        Multiply(left, products, first, end - first, from, to, operands);
    }

    /// <summary>Transforms the inputs of some tiles; the values of the first at the first point go to <paramref name="target"/>.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform(float* picture, int first, int count, float* target)
    {
        float* room = stackalloc float[(Points + Side) * S.Lanes + 16], temp = (float*)(((nint)room + 63) & -64), line = temp + Points * S.Lanes;
        for (int tile = first; tile < first + count; tile++, target += plan.RowPitch)
        {
            (int image, int top, int left) = plan[tile];
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
                for (int j = 0; j < Side; j++) W.Input<S, V>(temp + j * S.Lanes, Side * S.Lanes, target + c + j * plan.LeftPitch, Side * plan.LeftPitch);
            }
        }
    }

    /// <summary>Multiplies some tiles by the weights of some panels, and transforms the products back.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(float* left, float* products, int firstTile, int tiles, int firstPanel, int endPanel, in Operands operands)
    {
        float** table = stackalloc float*[2 * tiles];
        int parts = (tiles + S.TileRows - 1) / S.TileRows;
        TileShape shape = new(1, depth, (int*)order.Pointer, float.NegativeInfinity, float.PositiveInfinity);
        for (int index = firstPanel; index < endPanel; index++)
        {
            Panel panel = panels[index];
            int columns = panel.Vectors * S.Lanes;
            for (int part = 0; part < parts; part++)
            {
                int first = tiles * part / parts, end = tiles * (part + 1) / parts;
                for (int row = first; row < end; row++)
                {
                    table[first + row] = products + row * columns;
                    table[end + row] = left + (nint)row * plan.RowPitch;
                }
            }
            float* packed = memory.Floats + panel.Offset;
            for (int point = 0; point < Points; point++, packed += columns * (depth + 1))
                for (int part = 0; part < parts; part++)
                {
                    int first = tiles * part / parts, end = tiles * (part + 1) / parts;
                    nint from = point * plan.LeftPitch + panel.Left, share = (nint)columns * (depth + 1) * sizeof(float) / parts;
                    shape.Ask((byte*)packed + (parts + part) * share, share);
                    Tile<S, V, Floats<S, V>>.Pick(end - first, panel.Vectors)(table + 2 * first, from, packed, point * plan.ProductPitch, columns, in shape);
                }
            Gather(in panel, products, firstTile, tiles, operands);
        }
    }

    /// <summary>Transforms the products of a panel back, and finishes the outputs.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gather(in Panel panel, float* products, int firstTile, int tiles, in Operands operands)
    {
        float* room = stackalloc float[(Tile * Side + Tile) * S.Lanes + 16], temp = (float*)(((nint)room + 63) & -64), line = temp + Tile * Side * S.Lanes;
        float* addends = adds ? operands.Input(FusedConv.Addend) : memory.Floats + biases + panels[^1].First + panels[^1].Columns;
        V min = S.Fill(finish.Min), max = S.Fill(finish.Max);
        for (int tile = firstTile; tile < firstTile + tiles; tile++)
        {
            (int image, int top, int left) = plan[tile];
            (top, left) = (top * Tile, left * Tile);
            int rows = Math.Min(Tile, outputHeight - top), columns = Math.Min(Tile, outputWidth - left);
            nint pixel = ((nint)image * outputHeight + top) * outputWidth + left;
            for (int vector = 0; vector < panel.Vectors; vector++, products += S.Lanes)
            {
                for (int j = 0; j < Side; j++)
                    W.Output<S, V, Ending>(products + j * plan.ProductPitch, Side * plan.ProductPitch, new(temp + j * S.Lanes, Side * S.Lanes));
                int first = panel.First + vector * S.Lanes, count = Math.Min(panel.Columns - vector * S.Lanes, S.Lanes);
                bool whole = count == S.Lanes && columns == Tile && finish.Bounds;
                float* bias = memory.Floats + biases + first;
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
        if (node.Inputs.Length > 2) node.Inputs[2].Value!.Floats.CopyTo(new(memory.Floats + biases, node.Shape[1]));
        double[] g = new double[3 * Side], half = new double[3 * Side];
        for (int i = 0; i < Side; i++)
        {
            double scale = 1;
            for (int j = 0; j < Side - 1; j++)
                if (i < Side - 1 && i != j) scale *= W.Points[i] - W.Points[j];
            for (int k = 0; k < 3; k++) g[3 * i + k] = i == Side - 1 ? k / 2 : Math.Pow(W.Points[i], k) / scale;
        }
        foreach (Panel panel in panels)
        {
            int columns = panel.Vectors * S.Lanes, point = columns * (depth + 1);
            for (int c = 0; c < depth; c++)
                for (int j = 0; j < panel.Columns; j++)
                {
                    ReadOnlySpan<float> w = source.Slice(((panel.First + j) * depth + c) * 9, 9);
                    for (int i = 0; i < Side; i++)
                        for (int x = 0; x < 3; x++) half[3 * i + x] = g[3 * i] * w[x] + g[3 * i + 1] * w[3 + x] + g[3 * i + 2] * w[6 + x];
                    float* target = memory.Floats + panel.Offset + (c + 1) * columns + j;
                    for (int i = 0; i < 3 * Side; i += 3)
                        for (int k = 0; k < 3 * Side; k += 3, target += point)
                            *target = (float)(half[i] * g[k] + half[i + 1] * g[k + 1] + half[i + 2] * g[k + 2]);
                }
        }
    }

    /// <summary>Output channels that are computed together: where their inputs begin, which they are, and where their weights lie.</summary>
    private readonly record struct Panel(int Left, int First, int Columns, int Vectors, long Offset);

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
