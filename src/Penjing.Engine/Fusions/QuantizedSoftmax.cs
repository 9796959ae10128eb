using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>The softmax of what integers stand for, along one axis, and its integers.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="From">What the integers stand for.</param>
/// <param name="To">What the shares become.</param>
internal sealed record QuantizedSoftmax(int Axis, Quantization From, QuantizeLinear To) : Fusion
{
    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs) =>
        new("quantized", To, new Node("shares", new Softmax(Axis), new Node("reals", new DequantizeLinear(), new Node("integers", new Reinterpret(From), inputs[0]))));

    /// <summary>DequantizeLinear, Softmax, QuantizeLinear => QuantizedSoftmax, where nothing else reads the shares.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear to, Inputs: [{ Op: Softmax softmax, Inputs: [{ Op: DequantizeLinear, Inputs: [{ Info.Quantization: { } from } x] }] } shares] } || readers(shares) != 1) return null;
        Node fused = new(node.Name, new QuantizedSoftmax(softmax.Axis, from, to), x);
        return selection.HasKernel(fused) ? fused : null;
    }
}
