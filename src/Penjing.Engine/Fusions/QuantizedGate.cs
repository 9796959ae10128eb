using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>The reals that a picture's integers stand for, each channel times a real of its own (Hu et al. 2018, squeeze and excitation), and the products' integers: inputs are the picture and the reals.</summary>
/// <param name="From">What the integers stand for.</param>
/// <param name="To">What the products become.</param>
internal sealed record QuantizedGate(Quantization From, QuantizeLinear To) : Fusion
{
    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs) =>
        new("quantized", To, new Node("product", new Mul(), new Node("reals", new DequantizeLinear(), new Node("x", new Reinterpret(From), inputs[0])), inputs[1]));

    /// <summary>DequantizeLinear, Mul by a real of each channel, QuantizeLinear => QuantizedGate, where nothing else reads the product and a kernel computes all.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear to, Inputs: [{ Op: Mul, Inputs: [var one, var other] } product] } || readers(product) != 1) return null;
        (Node reals, Node gate) = one.Op is DequantizeLinear && one.Shape == product.Shape ? (one, other) : (other, one);
        if (reals.Op is not DequantizeLinear) return null;
        Node x = reals.Inputs[0], fused = new(node.Name, new QuantizedGate(x.Info.Quantization!, to), x, gate);
        return selection.HasKernel(fused) ? fused : null;
    }
}
