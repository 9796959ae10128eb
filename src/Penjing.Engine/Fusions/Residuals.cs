namespace Penjing.Engine;

/// <summary>Sums that the convolution computes which yields one of their sides: the result goes over the other side's memory where nobody else reads that.</summary>
internal static class Residuals
{
    /// <summary>
    /// Conv, Add => FusedConv(Adds), where nothing else reads the convolution and a kernel computes both at no more than the two steps' cost. Of two
    /// convolutions that one sums which saves most, else the second, which as a rule is computed last.
    /// </summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: Add { Then: var then }, Inputs: [var left, var right] } || left.Shape != right.Shape || left.Value is not null || right.Value is not null) return null;
        (Node? first, double gain) = Fused(right, left);
        (Node? second, double other) = Fused(left, right);
        return other > gain ? second : first ?? second;

        (Node?, double) Fused(Node side, Node addend)
        {
            if (readers(side) != 1 || FusedConv.Of(side) is not { Adds: false, Conv.Then: null } conv || addend == side) return default;
            if (!side.Inputs.Skip(1).All(input => input.Value is not null)) return default;
            Node fused = new(node.Name, conv with { Conv = conv.Conv with { Then = then }, Adds = true }, side.Inputs[0], side.Inputs[1], FusedConv.Bias(side), addend);
            double saved = selection.Cost(side) + Selection.Moving(3L * node.Shape.Elements) - selection.Cost(fused);
            return saved >= 0 ? (fused, saved) : default;
        }
    }
}
