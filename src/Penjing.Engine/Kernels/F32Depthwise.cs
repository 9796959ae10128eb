namespace Penjing.Engine;

/// <summary>Depthwise convolution by channels: a vector of channels at a time, several output rows in registers.</summary>
internal readonly struct F32Depthwise : IKernelMaker
{
    /// <summary>Whether the node is a convolution with constant weights and one kernel for each input channel.</summary>
    public static bool Fits(Site site) => site.Node is { Op: Conv { Groups: > 1 } conv, Inputs: [{ Value: null } x, { Value: not null }, .. var bias] }
        && conv.Groups == site.Node.Shape[1] && conv.Groups == x.Shape[1] && bias.All(constant => constant.Value is not null);

    /// <summary>About how many nanoseconds the kernel takes: its multiply-adds, and its way through memory.</summary>
    public static double Cost(Site site)
    {
        (Node node, Shape kernel) = (site.Node, site.Node.Inputs[1].Shape);
        double macs = (double)node.Shape.Elements * kernel.Product(2, 4) * (kernel[2] == kernel[3] && kernel[2] is 3 or 5 ? 1 : 2);
        return Pace.Nanoseconds(macs / (2 * site.Isa.Lanes()), (node.Inputs[0].Shape.Elements + (double)node.Shape.Elements) * sizeof(float));
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged =>
        Narrower(site, S.Lanes, site.Node.Shape[1]) is { } narrower ? Simd.Make<F32Depthwise>(narrower)
            : new Depthwise<S, V, float, float, FloatPixels<S, V>>(site, Rows<S, V>(site.Node, site.InputPitches[0], site.OutputPitch), "f32");

    /// <summary>The site with vectors that hold no more lanes than there are channels, where those of so many lanes hold more.</summary>
    public static Site? Narrower(Site site, int lanes, int channels) =>
        channels < lanes ? site with { Isa = channels switch { < 4 => Isa.None, < 8 => Isa.Vector128, _ => Isa.Vector256 } } : null;

    /// <summary>The rows of a depthwise convolution of floats.</summary>
    public static DepthwiseRows<S, V, float, float, FloatPixels<S, V>> Rows<S, V>(Node node, int inputPitch, int outputPitch) where S : struct, ISimd<V> where V : unmanaged =>
        new(node, (Conv)node.Op, inputPitch, outputPitch, node.Inputs[1].Value!.Floats, node.Inputs.Length > 2 ? node.Inputs[2].Value!.Floats : default, new());
}
