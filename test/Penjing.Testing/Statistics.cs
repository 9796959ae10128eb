namespace Penjing.Testing;

/// <summary>Networks whose normalizations are no longer those of a fresh network.</summary>
public static class Statistics
{
    /// <summary>The same network with its BatchNormalizations' parameters drawn at random, as if it had been trained.</summary>
    public static Graph Drawn(Graph graph, int seed = 1) => graph.Map((node, inputs) => node.Op is not BatchNormalization
        ? node.With(inputs)
        : node.With([
            inputs[0], Uniform(inputs[1], seed++), Normal(inputs[2], seed++), Normal(inputs[3], seed++), Uniform(inputs[4], seed++),
        ]));

    private static Node Uniform(Node weight, int seed) => Node.Weight(weight.Name, RandomTensors.Uniform(weight.Shape, seed, 0.5, 1.5));

    private static Node Normal(Node weight, int seed) => Node.Weight(weight.Name, RandomTensors.Normal(weight.Shape, seed, 0.2));
}
