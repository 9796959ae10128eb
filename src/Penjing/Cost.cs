namespace Penjing;

/// <summary>What a network costs on paper.</summary>
public static class Cost
{
    /// <summary>Multiply-accumulates of one run of a node: of convolutions and matrix products, as papers count them; 0 for all else.</summary>
    public static long Macs(Node node) => node.Op switch
    {
        Conv => (long)node.Shape.Elements * node.Inputs[1].Shape.Product(1, 4),
        ConvTranspose => (long)node.Inputs[0].Shape.Elements * node.Inputs[1].Shape.Product(1, 4),
        Gemm gemm => (long)node.Shape.Elements * node.Inputs[0].Shape[gemm.TransposeA ? 0 : 1],
        MatMul => (long)node.Shape.Elements * node.Inputs[0].Shape[-1],
        _ => 0,
    };

    /// <summary>Multiply-accumulates of one run of the network, at its own batch size.</summary>
    public static long Macs(Graph graph) => graph.Nodes.Sum(Macs);

    /// <summary>
    /// Weight elements that training moves, which is what papers count: all (<see cref="Graph.Parameters"/>) but the means and variances of
    /// BatchNormalizations, which are statistics.
    /// </summary>
    public static long Trainable(Graph graph)
    {
        HashSet<Node> statistics = [.. graph.Nodes.Where(node => node.Op is BatchNormalization).SelectMany(node => node.Inputs.Skip(3))];
        return graph.Weights.Where(weight => !statistics.Contains(weight)).Sum(weight => (long)weight.Shape.Elements);
    }
}
