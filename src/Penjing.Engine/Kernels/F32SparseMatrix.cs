namespace Penjing.Engine;

/// <summary>
/// The weights of a convolution or product that are not zero, by output channel, rising in depth: the depth of a weight is its tap, then its channel of the input.
/// Groups and shuffles are but zeros and places in it.
/// </summary>
internal sealed class F32SparseMatrix
{
    private F32SparseMatrix(int[] starts, int[] depths, float[] values) => (Starts, Depths, Values) = (starts, depths, values);

    /// <summary>Where each output channel's weights begin, and where the last one's end.</summary>
    public int[] Starts { get; }

    /// <summary>The weights' depths.</summary>
    public int[] Depths { get; }

    /// <summary>The weights.</summary>
    public float[] Values { get; }

    /// <summary>The weights of a node that are not zero.</summary>
    public static F32SparseMatrix Of(Node node, ConvSite conv)
    {
        ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
        int count = weights.Length - weights.Count(0f), taps = conv.Taps, inner = weights.Length / conv.Columns / taps, columns = conv.Columns / conv.Conv.Groups;
        (int row, int step, float scale) = node.Op is Gemm gemm ? (gemm.TransposeB ? inner : 1, gemm.TransposeB ? 1 : conv.Columns, gemm.Alpha) : (inner * taps, 1, 1);
        var (starts, depths, values) = (new int[conv.Columns + 1], new int[count], new float[count]);
        for (int m = 0, at = 0; m < conv.Columns; starts[++m] = at)
        {
            for (int i = 0; i < inner * taps; i++)
            {
                float weight = weights[m * row + i * step];
                if (weight == 0) continue;
                int place = m / columns * inner + i / taps;
                depths[at] = i % taps * conv.Channels + (conv.Order.Count > 0 ? conv.Order[place] : place);
                values[at++] = weight * scale;
            }
            if (taps > 1 || conv.Order.Count > 0) Array.Sort(depths, values, starts[m], at - starts[m]);
        }
        return new(starts, depths, values);
    }

    /// <summary>About how many weights of a node are not zero.</summary>
    public static int Count(Node node) => node.Inputs[1].Shape.Elements - node.Inputs[1].Value!.ZeroFloats;
}
