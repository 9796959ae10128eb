using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// Conv of x with w and a bias, where x's channels are first put in another order and something is added to the result before the activation:
/// inputs are x, w, the bias and, where something is added, the addend, of the output's shape.
/// </summary>
/// <param name="Conv">The convolution; its activation comes last.</param>
/// <param name="Order">Which channel of x stands at each place of the convolution's input; empty for x as it is.</param>
/// <param name="Adds">Whether there is an addend.</param>
internal sealed record FusedConv(Conv Conv, Ints Order, bool Adds) : Fusion
{
    /// <summary>A node's convolution, whether it is a plain or a fused one; null for all others.</summary>
    public static FusedConv? Of(Node node) => node.Op switch
    {
        Conv conv => new(conv, [], Adds: false),
        FusedConv fused => fused,
        _ => null,
    };

    /// <summary>The place of the addend among the node's inputs.</summary>
    public const int Addend = 3;

    /// <summary>The bias of a convolution, or zeros where it has none: fusions always have one.</summary>
    public static Node Bias(Node conv) => conv.Inputs.Length > 2 ? conv.Inputs[2] : Node.Weight($"{conv.Name}/zeros", Tensor.Zeros(ElementType.Float32, [conv.Shape[1]]));

    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node x = Order.Count == 0 ? inputs[0] : new("ordered", new Gather(1, Order), inputs[0]);
        Node product = new("product", Conv with { Then = Adds ? null : Conv.Then }, x, inputs[1], inputs[2]);
        return Adds ? new("sum", new Add(Conv.Then), product, inputs[Addend]) : product;
    }
}
