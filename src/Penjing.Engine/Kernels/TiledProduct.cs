using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>One product of a kernel that does several: rows by columns over a depth in segments of equal length, for each group.</summary>
/// <param name="Rows">Rows of the left matrix and of the output.</param>
/// <param name="Columns">Columns of a group's right matrix; those of the groups follow each other in the output.</param>
/// <param name="Segments">Pieces that a row of the left matrix lies in.</param>
/// <param name="Length">Words in a segment, each a float or a pair of integers; those of the groups follow each other in the left matrix.</param>
/// <param name="Groups">How many groups there are, one packed right matrix after another.</param>
internal readonly record struct ProductPart(int Rows, int Columns, int Segments, int Length, int Groups = 1)
{
    /// <summary>Multiply-accumulates of the part.</summary>
    public double Macs => (double)Rows * Columns * Segments * Length * Groups;

    /// <summary>The layout of a group's right matrix.</summary>
    public PanelLayout Panels(int lanes) => new(Columns, Segments * Length, lanes);
}

/// <summary>Tiles of equal height by one panel.</summary>
/// <param name="table">The first tile's table.</param>
/// <param name="apart">Pointers from one tile's table to the next one's.</param>
/// <param name="count">How many tiles there are.</param>
/// <param name="rows">Rows of each.</param>
/// <param name="vectors">Vectors across each.</param>
/// <param name="left">What is added to the rows' pointers, in words.</param>
/// <param name="panel">The packed weights, biases first.</param>
/// <param name="column">The first column of the panel.</param>
/// <param name="columns">How many columns it has.</param>
/// <param name="ahead">What the first tile asks for, to come into the second-level cache.</param>
/// <param name="share">How many bytes of that are one tile's.</param>
internal readonly unsafe struct TileRun(float** table, int apart, int count, int rows, int vectors, nint left, float* panel, nint column, int columns, byte* ahead, nint share)
{
    public readonly float** Table = table;
    public readonly float* Panel = panel;
    public readonly byte* Ahead = ahead;
    public readonly nint Left = left, Column = column, Share = share;
    public readonly int Apart = apart, Count = count, Rows = rows, Vectors = vectors, Columns = columns;
}

/// <summary>
/// Products of a left matrix, whose rows are read where they lie, with packed right matrices: a kernel says where the rows are, and this cuts
/// the work into register tiles, cache blocks and tasks. No row is copied and no column is summed in another order than that of the depth.
/// </summary>
internal abstract unsafe class TiledProduct<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private const int TableBytes = 32768, BlockFloats = 131072, SeatTasks = 4;
    private const double LeastMacs = 400_000;

    private readonly ProductPart[] parts;
    private readonly F32Finish<S, V> finish;
    private readonly Piece[] pieces;
    private readonly int[] firstPieces;
    private readonly NativeBuffer order;
    private readonly bool ordered, adds;
    private readonly delegate*<float**, nint, float*, nint, int, in TileShape, void>[] tiles;

    /// <summary>
    /// Products, whose outputs all get the activation; the floats of a segment, those of all groups, are read in this order where it is given, and
    /// the table of each tile ends with the rows of an addend if <paramref name="adds"/>. By themselves words are floats.
    /// </summary>
    protected TiledProduct(ProductPart[] parts, int seats, Activation? then, Ints order = default, bool adds = false, delegate*<float**, nint, float*, nint, int, in TileShape, void>[]? tiles = null)
    {
        (this.parts, this.adds, ordered) = (parts, adds, order.Count > 0);
        this.order = ordered ? NativeBuffer.Of<int>([.. order]) : TileShape.Plain(parts.Max(part => part.Length));
        finish = new(then);
        this.tiles = tiles ?? Tile<S, V, Floats<S, V>, BoundedFloats<S, V>>.All();
        // Few rows use a weight but a few times: they wait for memory, and less work is worth sharing.
        double all = parts.Sum(part => part.Macs), least = LeastMacs * Math.Min(1, parts.Max(part => part.Rows) / 8.0);
        double target = seats == 1 ? all : Math.Max(all / (SeatTasks * seats), least);
        pieces = [.. Enumerable.Range(0, parts.Length).SelectMany(part => Cut(part, target, seats))];
        var starts = new List<int> { 0 };
        double open = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            if (open >= target * 0.75)
            {
                starts.Add(i);
                open = 0;
            }
            open += pieces[i].Macs;
        }
        firstPieces = [.. starts, pieces.Length];
    }

    /// <summary>The tile and width in the label, as in 14x32-512.</summary>
    protected static string Tile => $"{S.TileRows}x{2 * S.Lanes}-{Split.Name<S, V>()}";

    /// <summary>Floats of scratch on the stack that a tile needs for <see cref="Point"/>.</summary>
    protected virtual int PatchFloats => 0;

    /// <summary>
    /// Fills the table of a tile: where the outputs of <paramref name="rows"/> rows begin, then for each segment where that of each row begins,
    /// then where each row of the addend begins, if there is one.
    /// </summary>
    protected abstract void Point(int part, int first, int rows, float** table, float* patches, in Operands operands);

    /// <summary>What becomes of sums of integers.</summary>
    protected virtual IntegerEnd End => default;

    /// <summary>The packed right matrix of a part.</summary>
    protected abstract float* Panels(int part, in Operands operands);

    /// <summary>The tasks of the phase that multiplies.</summary>
    protected int ProductTasks => firstPieces.Length - 1;

    /// <inheritdoc/>
    public override int Tasks(int phase) => ProductTasks;

    /// <inheritdoc/>
    public override void Dispose() => order.Dispose();

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands) => Multiply(task, operands);

    /// <summary>Runs a task of the phase that multiplies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected void Multiply(int task, in Operands operands)
    {
        for (int i = firstPieces[task]; i < firstPieces[task + 1]; i++) Multiply(in pieces[i], operands);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(in Piece piece, in Operands operands)
    {
        ProductPart part = parts[piece.Part];
        PanelLayout panels = part.Panels(S.Lanes);
        float* right = Panels(piece.Part, operands);
        Rows rows = new(part.Rows, S.TileRows);
        TileShape shape = new(part.Segments, part.Length, (int*)order.Pointer, finish.Min, finish.Max, adds) { End = End };
        int pointers = S.TileRows * (part.Segments + (adds ? 2 : 1)), patchFloats = PatchFloats;
        int bytes = pointers * sizeof(float*) + patchFloats * sizeof(float);
        int block = Math.Clamp(Math.Min(TableBytes / bytes, BlockFloats / (S.TileRows * part.Length)), 1, piece.Tiles);
        byte* stack = stackalloc byte[block * bytes + S.TileRows * 2 * S.Lanes * sizeof(float) + 64];
        shape.Spare = (float*)(((nint)stack + 63) & -64);
        var table = (float**)(shape.Spare + S.TileRows * 2 * S.Lanes);
        var patches = (float*)(table + block * pointers);
        for (int from = piece.FirstTile, end = piece.FirstTile + piece.Tiles; from < end; from += block)
        {
            int to = Math.Min(from + block, end);
            for (int tile = from; tile < to; tile++)
                Point(piece.Part, rows.First(tile), rows.Count(tile), table + (tile - from) * pointers, patches + (tile - from) * patchFloats, operands);
            for (int index = piece.FirstPanel; index < piece.FirstPanel + piece.Panels; index++)
            {
                int group = index / panels.Count, panel = index - group * panels.Count, vectors = panels.Vectors(panel);
                (int first, int columns) = panels[panel];
                float* packed = right + group * panels.Floats + panels.Offset(panel);
                nint left = group * part.Length;
                if (ordered)
                {
                    shape.Order = (int*)order.Pointer + left;
                    left = 0;
                }
                nint weights = (nint)vectors * S.Lanes * (part.Segments * part.Length + 1) * sizeof(float), share = weights / (to - from);
                byte* next = (byte*)(index + 1 < piece.FirstPanel + piece.Panels ? packed + weights / sizeof(float) : right);
                for (int tile = from, equal; tile < to; tile += equal)
                {
                    equal = rows.Equal(tile, to);
                    Multiply(new(table + (tile - from) * pointers, pointers, equal, rows.Count(tile), vectors, left, packed, group * part.Columns + first, columns, next + share * (tile - from), share), ref shape);
                }
            }
            if (!finish.Bounds) Complete(piece, part, panels, rows, from, to, table, pointers);
        }
    }

    /// <summary>Computes tiles of equal height by one panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected virtual void Multiply(in TileRun run, ref TileShape shape)
    {
        var tile = tiles[2 * run.Rows + run.Vectors - 1];
        float** table = run.Table;
        for (int i = 0; i < run.Count; i++, table += run.Apart)
        {
            shape.Ask(run.Ahead + run.Share * i, run.Share);
            tile(table, run.Left, run.Panel, run.Column, run.Columns, in shape);
        }
    }

    /// <summary>The least and the most rows of a part's tiles.</summary>
    protected (int Least, int Most) Heights(int part)
    {
        Rows rows = new(parts[part].Rows, S.TileRows);
        return (rows.Count(rows.Tiles - 1), rows.Count(0));
    }

    /// <summary>Applies what the bounds don't express to the outputs of some tiles, rows that follow each other in memory at once.</summary>
    private void Complete(in Piece piece, in ProductPart part, in PanelLayout panels, in Rows rows, int from, int to, float** table, int pointers)
    {
        int first = Column(piece.FirstPanel, part, panels), columns = Column(piece.FirstPanel + piece.Panels, part, panels) - first;
        float* start = null, end = null;
        for (int tile = from; tile < to; tile++)
            for (int row = 0; row < rows.Count(tile); row++)
            {
                float* output = table[(tile - from) * pointers + row] + first;
                if (output != end)
                {
                    if (start is not null) finish.Complete(start, (nint)(end - start));
                    start = output;
                }
                end = output + columns;
            }
        finish.Complete(start, (nint)(end - start));
    }

    private static int Column(int panel, in ProductPart part, in PanelLayout panels) =>
        panel / panels.Count * part.Columns + (panel % panels.Count is var rest and > 0 ? panels[rest].First : 0);

    private IEnumerable<Piece> Cut(int index, double target, int seats)
    {
        ProductPart part = parts[index];
        int panels = part.Panels(S.Lanes).Count * part.Groups, tiles = new Rows(part.Rows, S.TileRows).Tiles;
        int wanted = Math.Max(1, (int)Math.Ceiling(part.Macs / target));
        // Each seat has rows of its own where they are enough for a tile's weights to be worth reading; more cuts are across what is larger, so that the other is read once.
        double left = (double)part.Rows * part.Segments * part.Length * part.Groups, right = part.Macs / part.Rows;
        int most = Math.Min(wanted, tiles / 4), down = most < seats ? 1 : left > seats * right ? most / seats * seats : seats;
        int across = Math.Clamp((wanted + down - 1) / down, 1, panels);
        down = Math.Clamp((wanted + across - 1) / across, 1, tiles);
        for (int i = 0; i < down; i++)
            for (int j = 0; j < across; j++)
            {
                int firstTile = tiles * i / down, firstPanel = panels * j / across;
                int endTile = tiles * (i + 1) / down, endPanel = panels * (j + 1) / across;
                yield return new(index, firstTile, endTile - firstTile, firstPanel, endPanel - firstPanel, part.Macs / (down * across));
            }
    }

    /// <summary>Tiles by panels of one part.</summary>
    private readonly record struct Piece(int Part, int FirstTile, int Tiles, int FirstPanel, int Panels, double Macs);

    /// <summary>Rows shared out evenly among as few tiles as hold them.</summary>
    private readonly struct Rows
    {
        private readonly int least, rest;

        public Rows(int rows, int most)
        {
            Tiles = (rows + most - 1) / most;
            (least, rest) = (rows / Tiles, rows % Tiles);
        }

        public int Tiles { get; }

        public int First(int tile) => least * tile + Math.Min(tile, rest);

        public int Count(int tile) => tile < rest ? least + 1 : least;

        /// <summary>How many tiles from one on, before an end, have as many rows as it.</summary>
        public int Equal(int tile, int end) => (tile < rest ? Math.Min(rest, end) : end) - tile;
    }
}
