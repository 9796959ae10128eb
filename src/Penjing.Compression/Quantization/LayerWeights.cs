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

    /// <summary>A layer's kernel or matrix with each output channel times a factor.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="factors">A factor for each channel that it yields.</param>
    public static Tensor Scaled(Node layer, IReadOnlyList<double> factors)
    {
        Mixer mixer = Mixer.Of(layer)!.Value;
        Tensor kernel = layer.Inputs[1].Value!;
        return Tensor.Of<float>(kernel.Shape, [.. kernel.Floats.ToArray().Select((value, i) => (float)(value * factors[mixer.Output(i)]))]);
    }

    /// <summary>The graph with another bias in a layer, which gets one where it has none.</summary>
    /// <param name="graph">A graph of <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="layer">The layer's name.</param>
    /// <param name="bias">What is added to each channel that it yields.</param>
    public static Graph WithBias(Graph graph, string layer, ImmutableArray<double> bias)
    {
        WeightNames names = new(graph);
        Tensor values = Tensor.Of<float>([bias.Length], [.. bias.Select(value => (float)value)]);
        return graph.Map((node, inputs) => node.Name != layer ? node.With(inputs)
            : new(layer, node.Op, [inputs[0], inputs[1], inputs.Length > 2 ? names.Weight(node.Inputs[2], values) : Node.Weight(names.Fresh($"{layer}/bias"), values)]));
    }
}
