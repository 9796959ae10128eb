using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// A depthwise convolution and the pointwise one that alone reads it, with something added to the result before the activation: inputs are x, the
/// depthwise weights and bias, the pointwise weights and bias and, where something is added, the addend, of the output's shape.
/// </summary>
/// <param name="Depthwise">The convolution of each channel, with its activation.</param>
/// <param name="Pointwise">The convolution across the channels; its activation comes last.</param>
/// <param name="Adds">Whether there is an addend.</param>
internal sealed record SeparableConv(Conv Depthwise, Conv Pointwise, bool Adds) : Fusion
{
    /// <summary>The place of the addend among the node's inputs.</summary>
    public const int Addend = 5;

    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node spread = new("depthwise", Depthwise, inputs[..3]);
        return new FusedConv(Pointwise, [], Adds).Meaning([spread, .. inputs[3..]]);
    }

    /// <summary>
    /// Conv (depthwise), Conv (1×1) => SeparableConv, where nothing else reads the first and a kernel computes both at less than the two steps' cost.
    /// </summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (FusedConv.Of(node) is not { Order.Count: 0, Conv: { Groups: 1 } pointwise } fused) return null;
        if (pointwise.Stride != Size.One || pointwise.Padding != default) return null;
        if (node.Inputs[1] is not { Value: not null } weights || weights.Shape.Product(2, 4) != 1) return null;
        if (node.Inputs[0] is not { Op: Conv depthwise } first || readers(first) != 1) return null;
        if (!F32Depthwise.Fits(new(first, selection.Isa)) || (node.Inputs.Length > 2 && node.Inputs[2].Value is null)) return null;
        Node separable = new(node.Name, new SeparableConv(depthwise, pointwise, fused.Adds),
            [first.Inputs[0], first.Inputs[1], FusedConv.Bias(first), node.Inputs[1], FusedConv.Bias(node), .. node.Inputs.Skip(FusedConv.Addend)]);
        return selection.Cost(separable) < selection.Cost(first) + selection.Cost(node) ? separable : null;
    }
}
