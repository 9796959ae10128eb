namespace Penjing.Engine;

/// <summary>
/// Convolution by im2col: the window of each output pixel is copied into a row of a matrix, which is multiplied with the weights (Chellapilla, Puri, Simard,
/// High Performance Convolutional Neural Networks for Document Processing, 2006). The matrix takes oh · ow · kh · kw · channels floats for each picture.
/// </summary>
internal readonly struct F32Im2col : IKernelMaker
{
    /// <summary>The row's name.</summary>
    public const string Name = "f32-im2col";

    /// <summary>Whether the node is a plain convolution with constant weights.</summary>
    public static bool Fits(Site site) => F32Lowered<Scalar, float>.Fits(site);

    /// <summary>About how many nanoseconds it takes on one thread: those of the product, and the matrix written and read.</summary>
    public static double Cost(Site site) => F32Conv.Cost(site) + ConvSite.Of(site) switch { var conv => (double)conv!.Pixels * conv.Taps * conv.Channels * sizeof(float) / 10 };

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Lowered<S, V>(site, ConvSite.Of(site)!, Name, columnwise: false);
}
