namespace Penjing.Engine;

/// <summary>What windows over pictures have in common.</summary>
internal static class Window
{
    /// <summary>The steps whose position offset + step · stride lies inside the extent.</summary>
    public static (int Begin, int End) Inside(int offset, int extent, int stride, int count)
    {
        int begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
        return (begin, extent > offset ? Math.Min(count, (extent - offset + stride - 1) / stride) : 0);
    }
}
