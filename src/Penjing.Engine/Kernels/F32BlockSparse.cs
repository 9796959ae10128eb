using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// 1×1 convolutions and products by weights whose zeros stand in blocks of 1 × N: the dense register tile, which leaves out the depths at which a whole panel of
/// output channels has zeros.
/// </summary>
internal readonly struct F32BlockSparse : IKernelMaker
{
    /// <summary>Whether the node is a 1×1 convolution or a product by constant weights.</summary>
    public static bool Fits(Site site) => ConvSite.Of(site) is { Taps: 1 };

    /// <summary>About how many nanoseconds it takes on one thread: the depths that are left in each panel, the tiles' ends, and bytes that come and go.</summary>
    public static double Cost(Site site)
    {
        if (F32SparseMatrix.Count(site.Node) > F32Sparse.MostWeights * site.Node.Inputs[1].Shape.Elements) return double.PositiveInfinity;
        (ConvSite conv, int lanes) = (ConvSite.Of(site)!, site.Isa.Lanes());
        F32SparsePanel[] panels = F32SparsePanel.Of(F32SparseMatrix.Of(site.Node, conv), conv, lanes);
        double tiles = Math.Ceiling(conv.Pixels / (double)site.Isa.TileRows()), kept = panels.Sum(panel => (double)panel.Depths.Length * panel.Vectors);
        double weights = sizeof(float) * kept * lanes, values = sizeof(float) * (double)conv.Pixels * (conv.Channels + 2 * conv.Columns);
        return Pace.Nanoseconds(tiles * (Math.Max(conv.Pixels / tiles, 4) * kept / 2 * 1.1 + panels.Length * 40), values, weights);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32BlockSparse<S, V>(site.Node, ConvSite.Of(site)!);
}

/// <summary>Up to two vectors of output channels of a group, and the depths at which any of them has a weight.</summary>
internal sealed record F32SparsePanel(int First, int Columns, int Vectors, int[] Depths)
{
    /// <summary>The panels of all groups.</summary>
    public static F32SparsePanel[] Of(F32SparseMatrix matrix, ConvSite conv, int lanes)
    {
        int columns = conv.Columns / conv.Conv.Groups;
        PanelLayout layout = new(columns, 1, lanes);
        return
        [
            .. from part in Enumerable.Range(0, conv.Conv.Groups)
               from panel in Enumerable.Range(0, layout.Count)
               let first = part * columns + layout[panel].First
               let count = layout[panel].Columns
               select new F32SparsePanel(first, count, layout.Vectors(panel), [.. matrix.Depths[matrix.Starts[first]..matrix.Starts[first + count]].Distinct().Order()]),
        ];
    }
}

/// <summary>A block-sparse product, some rows and some panels a task. Packed is for each panel its biases, then the weights of each depth that is left.</summary>
internal sealed unsafe class F32BlockSparse<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private const int Block = 16, MostTasks = 16;

    private readonly ConvSite conv;
    private readonly F32Finish<S, V> finish;
    private readonly F32SparsePanel[] panels;
    private readonly int[] depths, weights;
    private readonly NativeBuffer order, packed, zeros;
    private readonly int tiles;
    private readonly Split down, across;
    private readonly delegate*<float**, nint, float*, nint, int, in TileShape, void>[] pick;

    /// <summary>The kernel of a node.</summary>
    public F32BlockSparse(Node node, ConvSite conv)
    {
        this.conv = conv;
        finish = new(conv.Conv.Then);
        F32SparseMatrix matrix = F32SparseMatrix.Of(node, conv);
        panels = F32SparsePanel.Of(matrix, conv, S.Lanes);
        tiles = (conv.Pixels + S.TileRows - 1) / S.TileRows;
        double macs = panels.Sum(panel => (double)panel.Depths.Length * panel.Columns) * conv.Pixels;
        int tasks = (int)Math.Clamp(macs / 200_000, 1, MostTasks);
        down = new(tiles, Math.Min(tasks, Math.Max(1, tiles / 4)));
        across = new(panels.Length, Math.Clamp(tasks / down.Tasks, 1, panels.Length));
        pick = Tile<S, V, Floats<S, V>, BoundedFloats<S, V>>.All();

        (depths, weights, zeros) = (new int[panels.Length], new int[panels.Length], new(conv.Channels * sizeof(float)));
        for (int i = 1; i < panels.Length; i++)
            (depths[i], weights[i]) = (depths[i - 1] + panels[i - 1].Depths.Length, weights[i - 1] + (panels[i - 1].Depths.Length + 1) * panels[i - 1].Vectors * S.Lanes);
        order = NativeBuffer.Of<int>([.. panels.SelectMany(panel => panel.Depths)]);
        packed = new((weights[^1] + (panels[^1].Depths.Length + 1L) * panels[^1].Vectors * S.Lanes) * sizeof(float));
        float[] biases = ConvSite.Biases(node);
        for (int i = 0; i < panels.Length; i++)
            for (int j = 0; j < panels[i].Columns; j++)
            {
                (int column, int width) = (panels[i].First + j, panels[i].Vectors * S.Lanes);
                float* target = packed.Floats + weights[i] + j;
                *target = biases[column];
                for (int at = matrix.Starts[column]; at < matrix.Starts[column + 1]; at++)
                    target[(Array.BinarySearch(panels[i].Depths, matrix.Depths[at]) + 1) * width] += matrix.Values[at];
            }
    }

    /// <inheritdoc/>
    public override string Label => $"f32-block-sparse-{S.TileRows}x{2 * S.Lanes}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => down.Tasks * across.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == FusedConv.Addend && conv.AddendPitch == conv.OutputPitch;

    /// <inheritdoc/>
    public override void Dispose()
    {
        order.Dispose();
        packed.Dispose();
        zeros.Dispose();
    }

    /// <inheritdoc/>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = down[task / across.Tasks];
        (int panel, int panels) = across[task % across.Tasks];
        int entries = 3 * S.TileRows;
        float** table = stackalloc float*[Block * entries];
        for (int from = first, end = first + count; from < end; from += Block)
        {
            int to = Math.Min(end, from + Block);
            for (int tile = from; tile < to; tile++) Point(Begin(tile), Begin(tile + 1) - Begin(tile), table + (tile - from) * entries, operands);
            for (int i = panel; i < panel + panels; i++)
            {
                F32SparsePanel one = this.panels[i];
                TileShape shape = new(1, one.Depths.Length, (int*)order.Pointer + depths[i], finish.Min, finish.Max, conv.AddendPitch > 0);
                for (int tile = from; tile < to; tile++)
                {
                    float** pointed = table + (tile - from) * entries;
                    int rows = Begin(tile + 1) - Begin(tile);
                    pick[2 * rows + one.Vectors - 1](pointed, 0, packed.Floats + weights[i], one.First, one.Columns, in shape);
                    if (finish.Bounds) continue;
                    for (int row = 0; row < rows; row++) finish.Complete(pointed[row] + one.First, one.Columns);
                }
            }
        }
    }

    /// <summary>Where a tile's rows begin.</summary>
    private int Begin(int tile) => (int)((long)conv.Pixels * tile / tiles);

    private void Point(int first, int rows, float** table, in Operands operands)
    {
        conv.Point(operands.Input(0), zeros.Floats, 0, first, rows, table + rows);
        for (int row = 0; row < rows; row++)
        {
            table[row] = operands.Output + (nint)(first + row) * conv.OutputPitch;
            if (conv.AddendPitch > 0) table[2 * rows + row] = operands.Input(FusedConv.Addend) + (nint)(first + row) * conv.AddendPitch;
        }
    }
}
