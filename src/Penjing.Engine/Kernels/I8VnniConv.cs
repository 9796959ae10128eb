using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// The product of <see cref="I8DotConv"/> by the 512-bit instruction that adds four products to a sum exactly (AVX-512 VNNI), which .NET doesn't have: its tiles are machine code that is
/// assembled at run time, where an application asks for it.
/// </summary>
internal sealed unsafe class I8VnniConv : I8DotConv<Simd512, Vector512<float>>
{
    private readonly delegate* unmanaged<DotTiles*, void>[] code;
    private readonly nint outputSize;
    private readonly DotAddition addition;

    /// <summary>Whether there is an assembler, and the node is a product of integers by Int8 weights without zero point.</summary>
    public static bool Fits(Site site) => DotAssembly.Assembler is not null && site.Isa is Isa.Vector512 && I8DotConv.FitsWords(site);

    /// <summary>About how many nanoseconds a site takes on one thread.</summary>
    public static double Cost(Site site) => I8Product.Cost(site, 4, 0.5, copied: I8DotConv.Copies(site, signed: false) ? 3 : 0);

    /// <summary>The kernel of a site.</summary>
    /// <exception cref="PenjingException">The system gives no memory for its code.</exception>
    public I8VnniConv(Site site) : base(site)
    {
        outputSize = site.Node.Info.Type.Size();
        Requantization to = new((IntegerProduct)site.Node.Op);
        DotEnd end = to.DotEnd(site.Node);
        if (end.HasFlag(DotEnd.Rounds) && DotAddition.Of(End, to.Then!) is { } numbers) (addition, end) = (numbers, end | DotEnd.Multiplies);
        code = new delegate* unmanaged<DotTiles*, void>[4 * (Simd512.TileRows + 1)];
        PanelLayout panels = Packed(0);
        (int least, int most) = Heights(0);
        try
        {
            for (int panel = 0; panel < panels.Count; panel++)
                for (int rows = least; rows <= most; rows++)
                {
                    (int columns, int vectors) = (panels[panel].Columns, panels.Vectors(panel));
                    ref var tile = ref code[Place(rows, vectors, columns)];
                    if (tile is null) tile = DotAssembly.Assembler!.Assemble(new DotTile(rows, vectors, end, IsWhole(vectors, columns)));
                }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Label => $"i8-vnni-conv-{Tile}";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Multiply(in TileRun run, ref TileShape shape)
    {
        ref readonly IntegerEnd end = ref shape.End;
        nint share = run.Share / shape.Segments;
        DotTiles tiles = new()
        {
            Table = run.Table,
            Panel = run.Panel,
            Apart = (nint)run.Apart * sizeof(float*),
            Count = run.Count,
            Segments = shape.Segments,
            Bytes = (nint)shape.Length * sizeof(int),
            Left = run.Left * sizeof(int),
            Output = run.Column * outputSize,
            Addend = run.Column,
            Scales = end.Scales + run.Column,
            Columns = (1UL << run.Columns) - 1,
            Least = shape.Min,
            Most = shape.Max,
            Zero = end.Zero,
            AddendFlip = end.Addend.Flip,
            AddendLess = end.Addend.Less,
            AddendScale = end.Addend.Scale,
            Divisor = end.Divisor,
            OwnLeast = end.OwnLeast,
            OwnMost = end.OwnMost,
            OwnStep = end.OwnStep,
            OwnFactor = addition.Own,
            AddendFactor = addition.Addend,
            Less = addition.Less,
            Ahead = run.Ahead,
            Share = share,
            Lines = share / NativeBuffer.Alignment + 1,
        };
        code[Place(run.Rows, run.Vectors, run.Columns)](&tiles);
    }

    private static bool IsWhole(int vectors, int columns) => columns == vectors * Simd512.Lanes;

    private static int Place(int rows, int vectors, int columns) => 4 * rows + 2 * (vectors - 1) + (IsWhole(vectors, columns) ? 1 : 0);
}
