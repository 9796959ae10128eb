namespace Penjing.Engine;

/// <summary>
/// Depthwise convolution of 8-bit integers and its requantization, or the floats that its sums stand for: <see cref="DepthwiseRows{S, V, E, O, P}"/> with bytes, in floats, which hold sums below 2²⁴ exactly.
/// </summary>
internal readonly struct I8Depthwise : IKernelMaker
{
    private const int Exact = 1 << 24;

    /// <summary>Whether the node is a quantized convolution of each channel by itself whose sums floats hold.</summary>
    public static bool Fits(Site site) => site.Node is { Op: IntegerProduct { Product: Conv { Groups: var groups }, Adds: null }, Inputs: [{ Value: null, Shape: var x }, { Value: not null, Shape: var w }, .. var bias] }
        && groups == x[1] && w[0] == groups && site.Node.Shape.Elements > 0 && x.Elements > 0 && bias is [] or [{ Value: not null }]
        && IntegerProduct.LargestSum(site.Node) < Exact;

    /// <summary>About how many nanoseconds a site takes on one thread: what one of floats takes, two thirds more, and a quarter of its way through memory.</summary>
    public static double Cost(Site site)
    {
        (Node node, Shape kernel) = (site.Node, site.Node.Inputs[1].Shape);
        double macs = (double)node.Shape.Elements * kernel.Product(2, 4) * (kernel[2] == kernel[3] && kernel[2] is 3 or 5 ? 1 : 2);
        return Pace.Nanoseconds(macs / (1.2 * site.Isa.Lanes()), node.Inputs[0].Shape.Elements + node.Shape.Elements);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged
    {
        if (F32Depthwise.Narrower(site, S.Lanes, site.Node.Shape[1]) is { } narrower) return Simd.Make<I8Depthwise>(narrower);
        (Node node, var op) = (site.Node, (IntegerProduct)site.Node.Op);
        Requantization to = new(op);
        float[] biases = node.Inputs.Length > 2 ? [.. node.Inputs[2].Value!.AsSpan<int>().ToArray().Select(bias => (float)bias)] : [];
        DepthwiseIntegers integers = new(new(node.Inputs[0].Info.Type, op.X.ZeroPoints[0]), to.Zero, to.Scales(node.Shape[1], S.Lanes));
        (Conv conv, float[] weights) = (op.Conv with { Then = to.Then }, [.. IntegerProduct.Weights(node).Select(weight => (float)weight)]);
        return op.To is QuantizeLinear
            ? new Depthwise<S, V, byte, byte, BytePixels<S, V>>(site, new(node, conv, site.InputPitches[0], site.OutputPitch, weights, biases, integers), "i8")
            : new Depthwise<S, V, byte, float, ByteToFloatPixels<S, V>>(site, new(node, conv, site.InputPitches[0], site.OutputPitch, weights, biases, integers), "i8");
    }
}
