namespace Penjing.Engine;

/// <summary>
/// Memory-efficient convolution: for each output column the input's columns under the kernel are copied from top to bottom, so that the windows of
/// pixels below each other overlap in the copy (Cho, Brand, MEC: Memory-efficient Convolution for Deep Neural Network, 2017). The copy takes
/// ow · ih · kw · channels floats for each picture, ih with its padding: of im2col's ih / (kh · oh).
/// </summary>
internal readonly struct F32Mec : IKernelMaker
{
    /// <summary>The row's name.</summary>
    public const string Name = "f32-mec";

    /// <summary>Whether the node is a plain convolution with constant weights.</summary>
    public static bool Fits(Site site) => F32Lowered<Scalar, float>.Fits(site);

    /// <summary>About how many nanoseconds it takes on one thread: those of the product, and the copy written and read.</summary>
    public static double Cost(Site site) => F32Conv.Cost(site) + ConvSite.Of(site) switch
    {
        var conv => (double)conv!.Pixels / conv.Output.Height * (conv.Input.Height + conv.Conv.Padding.Top + conv.Conv.Padding.Bottom) * conv.Kernel.Width * conv.Channels * sizeof(float) / 10,
    };

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Lowered<S, V>(site, ConvSite.Of(site)!, Name, columnwise: true);
}
