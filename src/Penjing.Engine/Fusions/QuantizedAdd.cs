using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>The sum of the reals that two values' integers stand for, its activation, and its integers: inputs are the two values, of one shape.</summary>
/// <param name="Left">What the integers of the first stand for.</param>
/// <param name="Right">What those of the second stand for.</param>
/// <param name="Then">The activation, or none.</param>
/// <param name="To">What the sums become.</param>
internal sealed record QuantizedAdd(Quantization Left, Quantization Right, Activation? Then, QuantizeLinear To) : Fusion
{
    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node left = new("left", new DequantizeLinear(), new Node("a", new Reinterpret(Left), inputs[0])), right = new("right", new DequantizeLinear(), new Node("b", new Reinterpret(Right), inputs[1]));
        return new("quantized", To, new Node("sum", new Add(Then), left, right));
    }

    /// <summary>DequantizeLinear, DequantizeLinear, Add, QuantizeLinear => QuantizedAdd, where nothing else reads the sum and a kernel computes all.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { Quantization.Axis: null } to, Inputs: [{ Op: Add add, Inputs: [{ Op: DequantizeLinear } left, { Op: DequantizeLinear } right] } sum] }) return null;
        if (readers(sum) != 1 || left.Shape != right.Shape) return null;
        (Node a, Node b) = (left.Inputs[0], right.Inputs[0]);
        Node fused = new(node.Name, new QuantizedAdd(a.Info.Quantization!, b.Info.Quantization!, add.Then, to), a, b);
        return selection.HasKernel(fused) ? fused : null;
    }
}
