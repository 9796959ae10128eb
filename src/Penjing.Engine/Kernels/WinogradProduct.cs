using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Output channels that are computed together: where their inputs begin, which they are, and where their weights lie.</summary>
internal readonly record struct WinogradPanel(int Left, int First, int Columns, int Vectors, long Offset);

/// <summary>
/// A convolution by Winograd's algorithm. Where the weights are small, a task takes a block of tiles through all steps, so that nothing but pictures
/// leaves the cache; where they are large, a task takes a panel of output channels, so that weights are read once, and each thread transforms all
/// tiles for itself before its first: that takes less time than to fetch them from another processor's cache. A panel's products at all points
/// are transformed back before the next panel's begin.
/// </summary>
internal abstract unsafe class WinogradProduct<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int points, depth;
    private readonly delegate*<float**, nint, float*, nint, int, in TileShape, void>[] tile;
    private readonly NativeBuffer order;
    // For each seat the run whose transformed tiles its part of the scratch memory holds.
    private readonly int[] runs;
    private int run;

    /// <summary>
    /// The product of a site whose groups read so many words of each pixel, at so many points; behind the weights there are so many floats more for what the kernel keeps.
    /// </summary>
    protected WinogradProduct(Site site, WinogradPlan plan, int groups, int depth, int points, long more, delegate*<float**, nint, float*, nint, int, in TileShape, void>[] tile)
    {
        (Plan, this.depth, this.points, this.tile) = (plan, depth, points, tile);
        var all = new List<WinogradPanel>();
        int columns = site.Node.Shape[1] / groups;
        for (int group = 0; group < groups; group++)
            for (int first = 0; first < columns; first += 2 * S.Lanes)
            {
                int count = Math.Min(columns - first, 2 * S.Lanes), vectors = count > S.Lanes ? 2 : 1;
                all.Add(new(group * depth, group * columns + first, count, vectors, Behind));
                Behind += (long)points * vectors * S.Lanes * (depth + 1);
            }
        Panels = [.. all];
        runs = new int[Tasks(Phases - 1) == 1 ? 1 : site.Seats];
        Memory = new((Behind + more) * sizeof(float));
        order = TileShape.Plain(depth);
    }

    /// <summary>How the convolution is cut.</summary>
    protected WinogradPlan Plan { get; }

    /// <summary>The groups of output channels.</summary>
    protected WinogradPanel[] Panels { get; }

    /// <summary>The packed weights: for each panel and point a row of zeros, then for each word its columns; behind them what the kernel keeps.</summary>
    protected NativeBuffer Memory { get; }

    /// <summary>Floats of packed weights.</summary>
    protected long Behind { get; }

    /// <inheritdoc/>
    public override long ScratchBytes => Split.ScratchBytes(runs.Length, Plan.Floats);

    /// <inheritdoc/>
    public override int Phases => Plan.Shares ? 2 : 1;

    /// <inheritdoc/>
    public override int Tasks(int phase) => !Plan.Shares ? Plan.Blocks : phase == 0 ? 1 : Panels.Length;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Memory.Dispose();
        order.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (Plan.Shares && phase == 0)
        {
            run++;
            return;
        }
        int seat = operands.Seat;
        float* left = (float*)operands.Scratch + seat * Split.Seat(Plan.Floats), products = left + points * Plan.LeftPitch;
        int block = Plan.Shares ? 0 : task, first = (int)((long)Plan.Tiles * block / Plan.Blocks), end = (int)((long)Plan.Tiles * (block + 1) / Plan.Blocks);
        if (!Plan.Shares || runs[seat] != run) Transform(first, end - first, left, operands);
        runs[seat] = run;
        (int from, int to) = Plan.Shares ? (task, task + 1) : (0, Panels.Length);
        Multiply(left, products, first, end - first, from, to, operands);
    }

    /// <summary>Transforms the inputs of some tiles; the words of the first at the first point go to <paramref name="target"/>.</summary>
    protected abstract void Transform(int first, int count, float* target, in Operands operands);

    /// <summary>Transforms the products of a panel back, and finishes the outputs.</summary>
    protected abstract void Gather(in WinogradPanel panel, float* products, int firstTile, int tiles, in Operands operands);

    /// <summary>Multiplies some tiles by the weights of some panels, and transforms the products back.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(float* left, float* products, int firstTile, int tiles, int firstPanel, int endPanel, in Operands operands)
    {
        float** table = stackalloc float*[2 * tiles];
        int parts = (tiles + S.TileRows - 1) / S.TileRows;
        TileShape shape = new(1, depth, (int*)order.Pointer, float.NegativeInfinity, float.PositiveInfinity);
        for (int index = firstPanel; index < endPanel; index++)
        {
            WinogradPanel panel = Panels[index];
            int columns = panel.Vectors * S.Lanes;
            for (int part = 0; part < parts; part++)
            {
                int first = tiles * part / parts, end = tiles * (part + 1) / parts;
                for (int row = first; row < end; row++)
                {
                    table[first + row] = products + row * columns;
                    table[end + row] = left + (nint)row * Plan.RowPitch;
                }
            }
            float* packed = Memory.Floats + panel.Offset;
            for (int point = 0; point < points; point++, packed += columns * (depth + 1))
                for (int part = 0; part < parts; part++)
                {
                    int first = tiles * part / parts, end = tiles * (part + 1) / parts;
                    nint from = point * Plan.LeftPitch + panel.Left, share = (nint)columns * (depth + 1) * sizeof(float) / parts;
                    shape.Ask((byte*)packed + (parts + part) * share, share);
                    tile[2 * (end - first) + panel.Vectors - 1](table + 2 * first, from, packed, point * Plan.ProductPitch, columns, in shape);
                }
            Gather(in panel, products, firstTile, tiles, operands);
        }
    }
}
