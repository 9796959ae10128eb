using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>What becomes of the sums of <see cref="DotTiles"/>: rounded to unsigned integers, unless it is said otherwise.</summary>
[Flags]
internal enum DotEnd
{
    /// <summary>Rounded to unsigned integers, of which all may come.</summary>
    None,
    /// <summary>They are the reals that they stand for.</summary>
    Reals = 1,
    /// <summary>An addend is added to the reals.</summary>
    Adds = 2,
    /// <summary>The reals are rounded to integers of their own before that.</summary>
    Rounds = 4,
    /// <summary>The integers are signed.</summary>
    Signed = 8,
    /// <summary>The reals are bounded before they are rounded: not all integers may come, or some reals are too large to be rounded.</summary>
    Bounds = 16,
}

/// <summary>One height and width of tiles.</summary>
/// <param name="Rows">Rows, at most 14.</param>
/// <param name="Vectors">Vectors across, one or two.</param>
/// <param name="End">What becomes of the sums.</param>
/// <param name="Whole">Whether the panel has all columns.</param>
internal readonly record struct DotTile(int Rows, int Vectors, DotEnd End, bool Whole);

/// <summary>
/// Tiles of equal height by one panel, as machine code reads them: words of four bytes, the left ones unsigned and the right ones signed, 16 columns a vector. A tile's
/// table, the panel and the sums are those of <see cref="Tile{S, V, W, E}"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DotTiles
{
    /// <summary>The first tile's table.</summary>
    public float** Table;

    /// <summary>The packed weights, biases first.</summary>
    public float* Panel;

    /// <summary>Bytes from one tile's table to the next one's.</summary>
    public nint Apart;

    /// <summary>How many tiles there are, at least one.</summary>
    public nint Count;

    /// <summary>How many segments a row has, at least one.</summary>
    public nint Segments;

    /// <summary>Bytes of a segment that are read, at least one word.</summary>
    public nint Bytes;

    /// <summary>What is added to the rows' pointers, in bytes.</summary>
    public nint Left;

    /// <summary>Bytes from where a row's outputs begin to those of the panel's first column.</summary>
    public nint Output;

    /// <summary>Bytes from where a row's addends begin to those of the panel's first column.</summary>
    public nint Addend;

    /// <summary>What the sums of each column are multiplied by, the panel's first column's first.</summary>
    public float* Scales;

    /// <summary>Which columns there are, a bit each.</summary>
    public ulong Columns;

    /// <summary>The ends of the outputs, less their zero point.</summary>
    public float Least, Most;

    /// <summary>The output's zero point.</summary>
    public int Zero;

    /// <summary>What the addend's bytes are combined with (⊻), which makes floats of them, what is then added, and what the sum is multiplied by.</summary>
    public int AddendFlip;

    /// <inheritdoc cref="AddendFlip"/>
    public float AddendLess, AddendScale;

    /// <summary>What a sum with its addend is divided by.</summary>
    public float Divisor;

    /// <summary>The ends and the step of the integers that sums are rounded to before.</summary>
    public float OwnLeast, OwnMost, OwnStep;

    /// <summary>What is asked for to come into the second-level cache, how many bytes of it for each segment of a tile, and how many cache lines, at least one, these are.</summary>
    public byte* Ahead;

    /// <inheritdoc cref="Ahead"/>
    public nint Share, Lines;
}

/// <summary>A way to compute rows of a depthwise convolution by 3×3 kernels.</summary>
/// <param name="Stride">From output to output, 1 or 2.</param>
/// <param name="Rows">Output rows that are computed at once: 1, or of stride 1 also 2.</param>
/// <param name="End">What becomes of sums: integers.</param>
/// <param name="Flips">Whether input bytes are signed.</param>
internal readonly record struct DotDepthwise(int Stride, int Rows, DotEnd End, bool Flips);

/// <summary>The columns of one output row, or two, of 32 channels, as machine code reads them.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DotColumns
{
    /// <summary>The first channel of the first column of the input rows; where there is none, of bytes that stand for zero.</summary>
    public byte* Row0, Row1, Row2, Row3;

    /// <summary>Bytes from the first to each input column that an output needs, in their order; negative where there is none.</summary>
    public long* Columns;

    /// <summary>The first channel of the first output, and of the output below.</summary>
    public byte* Output, Below;

    /// <summary>Bytes from output to output.</summary>
    public nint OutputPitch;

    /// <summary>How many outputs there are in a row, at least one.</summary>
    public nint Count;

    /// <summary>For each channel the bias, then for each the scale, then for each output row and kernel column of each channel a word of four weights.</summary>
    public float* Packed;

    /// <summary>The ends of the outputs, less their zero point.</summary>
    public float Least, Most;

    /// <summary>The output's zero point.</summary>
    public int Zero;

    /// <summary>Four bytes that stand for zero, unsigned.</summary>
    public uint Outside;

    /// <summary>What four bytes are combined with (⊻) to be unsigned.</summary>
    public uint Flip;
}

/// <summary>Makes machine code by instructions that .NET doesn't have; it stays for the life of the process.</summary>
internal unsafe interface IDotAssembler
{
    /// <summary>The code of a tile.</summary>
    delegate* unmanaged<DotTiles*, void> Assemble(DotTile tile);

    /// <summary>The code of rows of a depthwise convolution.</summary>
    delegate* unmanaged<DotColumns*, void> Assemble(DotDepthwise shape);
}
