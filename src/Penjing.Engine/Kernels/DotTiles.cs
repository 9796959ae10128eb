using System.Runtime.InteropServices;

namespace Penjing.Engine;

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

    /// <summary>What the addend's bytes are combined with (⊻), what is then added, and what the sum is multiplied by.</summary>
    public int AddendFlip;

    /// <inheritdoc cref="AddendFlip"/>
    public float AddendLess, AddendScale;

    /// <summary>What a sum with its addend is divided by.</summary>
    public float Divisor;

    /// <summary>The ends and the step of the integers that sums are rounded to before.</summary>
    public float OwnLeast, OwnMost, OwnStep;

    /// <summary>What integers and addends come to steps of the output by, with <see cref="DotEnd.Multiplies"/>: the numbers of <see cref="DotAddition"/>.</summary>
    public float OwnFactor, AddendFactor, Less;

    /// <summary>What is asked for to come into the second-level cache, how many bytes of it for each segment of a tile, and how many cache lines, at least one, these are.</summary>
    public byte* Ahead;

    /// <inheritdoc cref="Ahead"/>
    public nint Share, Lines;
}
