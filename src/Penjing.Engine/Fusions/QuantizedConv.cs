using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A convolution of integers and the requantization of its sums: inputs are x, w and, where there is one, the bias of Int32.</summary>
/// <param name="Conv">The convolution.</param>
/// <param name="X">What the integers of x stand for.</param>
/// <param name="W">What those of w stand for.</param>
/// <param name="To">What the sums become.</param>
internal sealed record QuantizedConv(Conv Conv, Quantization X, Quantization W, QuantizeLinear To) : Fusion
{
    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node x = new("x", new Reinterpret(X), inputs[0]), w = new("w", new Reinterpret(W), inputs[1]);
        return new("quantized", To, new Node("sums", Conv, [x, w, .. inputs[2..]]));
    }

    /// <summary>Conv of integers, QuantizeLinear => QuantizedConv, where nothing else reads the sums and a kernel computes both.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { To: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null } to, Inputs: [{ Op: Conv { Then: null } conv } sums] }) return null;
        if (readers(sums) != 1 || sums.Inputs[0].Info.Quantization is not { } x || sums.Inputs[1].Info.Quantization is not { } w) return null;
        Node fused = new(node.Name, new QuantizedConv(conv, x, w, to), sums.Inputs);
        return selection.HasKernel(fused) ? fused : null;
    }
}
