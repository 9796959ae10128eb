using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// The layout of a packed right matrix: panels two vectors wide (the last may be one), each the biases of its columns and then, for each depth,
/// the weights of its columns; columns that don't exist are 0.
/// </summary>
internal readonly unsafe struct PanelLayout(int columns, int depth, int lanes)
{
    /// <summary>How many panels there are.</summary>
    public int Count => (columns + 2 * lanes - 1) / (2 * lanes);

    /// <summary>Floats in all panels, a multiple of a cache line.</summary>
    public long Floats => ((columns + lanes - 1) / lanes * (long)lanes * (depth + 1) + 15) / 16 * 16;

    /// <summary>The first column of a panel, and how many it has.</summary>
    public (int First, int Columns) this[int panel] => (panel * 2 * lanes, Math.Min(columns - panel * 2 * lanes, 2 * lanes));

    /// <summary>Vectors across a panel.</summary>
    public int Vectors(int panel) => columns - panel * 2 * lanes > lanes ? 2 : 1;

    /// <summary>Floats before a panel.</summary>
    public nint Offset(int panel) => (nint)panel * 2 * lanes * (depth + 1);

    /// <summary>Fills one panel: the weight at depth k of a column is at offsets[k] + column · stride of the source, and is scaled.</summary>
    /// <param name="panels">The first float of all panels.</param>
    /// <param name="panel">Which panel is filled.</param>
    /// <param name="source">The unpacked matrix.</param>
    /// <param name="offsets">Where each depth begins in the source.</param>
    /// <param name="stride">Elements between columns in the source.</param>
    /// <param name="scale">What each weight is multiplied by.</param>
    /// <param name="bias">The biases of all columns, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(float* panels, int panel, float* source, ReadOnlySpan<int> offsets, nint stride, float scale, float* bias)
    {
        float* target = panels + Offset(panel);
        (int first, int count) = this[panel];
        int width = Vectors(panel) * lanes;
        for (int j = 0; j < width; j++) target[j] = bias is not null && j < count ? bias[first + j] : 0;
        foreach (int offset in offsets)
        {
            target += width;
            float* from = source + offset + first * stride;
            for (int j = 0; j < count; j++) target[j] = from[j * stride] * scale;
            for (int j = count; j < width; j++) target[j] = 0;
        }
    }
}
