using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>What becomes of the sums of a tile of <see cref="DotTiles"/>.</summary>
internal enum DotEnd
{
    /// <summary>Integers: <see cref="RequantizedSums{S, V}"/>.</summary>
    Bytes,
    /// <summary>Integers, after an addend: <see cref="RequantizedSumsWithAddend{S, V}"/>.</summary>
    Added,
    /// <summary>The same, where the sums are rounded to integers of their own before.</summary>
    RoundedAndAdded,
    /// <summary>The reals that they stand for: <see cref="RealSums{S, V}"/>.</summary>
    Reals,
}

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

    /// <summary>Which columns of each vector there are, a bit each.</summary>
    public ulong First, Second;

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

    /// <summary>What is asked for to come into the second-level cache, and how many bytes of it for each segment of a tile.</summary>
    public byte* Ahead;

    /// <inheritdoc cref="Ahead"/>
    public nint Share;
}

/// <summary>Makes machine code for <see cref="DotTiles"/>, by instructions that .NET doesn't have.</summary>
internal unsafe interface IDotAssembler
{
    /// <summary>The code of tiles of so many rows, at most 14, and vectors, one or two; <paramref name="whole"/>: of panels that have all columns. It stays for the life of the process.</summary>
    delegate* unmanaged<DotTiles*, void> Assemble(int rows, int vectors, DotEnd end, bool whole);
}
