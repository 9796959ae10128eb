using System.Runtime.InteropServices;

namespace Penjing.Engine;

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
    /// <summary>The first channel of the first column of the input rows; where there is none, of bytes that stand for zero. The last is not multiplied where one output row is computed.</summary>
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
}
