using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>A network whose layers have other weights; one that several layers share is changed for each by itself.</summary>
public static class LayerWeights
{
    /// <summary>The graph with another kernel or matrix in a layer.</summary>
    /// <param name="graph">A graph of <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="layer">The layer's name.</param>
    /// <param name="kernel">The weights, of the shape that they have.</param>
    public static Graph WithKernel(Graph graph, string layer, Tensor kernel)
    {
        WeightNames names = new(graph);
        return graph.Map((node, inputs) => node.Name == layer ? new(layer, node.Op, [inputs[0], names.Weight(node.Inputs[1], kernel), .. inputs[2..]]) : node.With(inputs));
    }

    /// <summary>The graph with the bias of a layer moved, which gets one where it has none.</summary>
    /// <param name="graph">A graph of <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="layer">The layer's name.</param>
    /// <param name="shift">What is added to each channel that it yields.</param>
    public static Graph WithShift(Graph graph, string layer, ImmutableArray<double> shift)
    {
        WeightNames names = new(graph);
        return graph.Map((node, inputs) =>
        {
            if (node.Name != layer) return node.With(inputs);
            float[] bias = inputs is [_, _, { Value: { } given }] ? given.Floats.ToArray() : [0];
            Tensor moved = Tensor.Of<float>([shift.Length], [.. shift.Select((by, channel) => (float)(bias[bias.Length > 1 ? channel : 0] + by))]);
            return new(layer, node.Op, [inputs[0], inputs[1], inputs.Length > 2 ? names.Weight(node.Inputs[2], moved) : Node.Weight(names.Fresh($"{layer}/bias"), moved)]);
        });
    }
}
