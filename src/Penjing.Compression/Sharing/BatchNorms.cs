using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Rewrites of BatchNormalization that keep what a network computes and make it cheaper to store.</summary>
public static class BatchNorms
{
    /// <summary>
    /// Every BatchNormalization with mean 0, variance 1 and ε 0: scale' = scale / √(variance + ε), bias' = bias − mean · scale', so that a file carries two
    /// vectors in place of four. Computed in double precision, rounded once; for networks that train no further.
    /// </summary>
    public static Graph Reduce(Graph graph)
    {
        WeightNames names = new(graph);
        return graph.Map((node, inputs) =>
        {
            if (node.Op is not BatchNormalization normalization || !HasConstants(node)) return node.With(inputs);
            (double[] scale, double[] shift) = Affine(node, normalization);
            double[] mean = new double[scale.Length], variance = [.. scale.Select(_ => 1.0)];
            return new(node.Name, new BatchNormalization(0), [inputs[0], .. Vectors(names, node, scale, shift, mean, variance)]);
        });
    }

    /// <summary>
    /// Every convolution that only a BatchNormalization reads gets kernels of root mean square 1 for each output channel, and the BatchNormalization makes up
    /// for it: shared values then fit every channel alike. What the network computes, and how it trains, stays the same but for rounding.
    /// </summary>
    public static Graph Equalize(Graph graph)
    {
        ILookup<Node, Node> readers = graph.Consumers();
        WeightNames names = new(graph);
        Dictionary<Node, double[]> factors = [];
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is not BatchNormalization || !HasConstants(node) || node.Inputs[0] is not { Op: Conv { Then: null } } conv) continue;
            if (Mixer.Of(conv) is not { } mixer || readers[conv].Count() != 1 || graph.Outputs.Contains(conv)) continue;
            if (conv.Inputs.Skip(1).Any(weight => readers[weight].Count() != 1)) continue;
            factors.Add(conv, Factors(conv.Inputs[1].Value!, mixer));
        }
        return graph.Map((node, inputs) =>
        {
            if (factors.TryGetValue(node, out double[]? own))
                return new(node.Name, node.Op, [inputs[0], .. node.Inputs.Skip(1).Select(weight => Scaled(weight, own))]);
            return node.Op is BatchNormalization normalization && factors.TryGetValue(node.Inputs[0], out double[]? kernel)
                ? new(node.Name, node.Op, [inputs[0], .. Rescaled(names, node, normalization.Epsilon, kernel)]) : node.With(inputs);
        });
    }

    /// <summary>One over the root mean square of each output channel's kernel; 1 for a kernel of zeros.</summary>
    private static double[] Factors(Tensor weights, Mixer mixer)
    {
        float[] values = weights.Floats.ToArray();
        int size = values.Length / mixer.Outputs;
        return [.. values.Chunk(size).Select(kernel => Math.Sqrt(kernel.Average(value => (double)value * value)) is > 0 and var deviation ? 1 / deviation : 1)];
    }

    private static Node Scaled(Node weight, double[] factors)
    {
        float[] values = weight.Value!.Floats.ToArray();
        int size = values.Length / factors.Length;
        return Node.Weight(weight.Name, Tensor.Of(weight.Shape, [.. values.Select((value, i) => (float)(value * factors[i / size]))]));
    }

    /// <summary>The parameters that give the same for an input that was multiplied by the factors.</summary>
    private static IEnumerable<Node> Rescaled(WeightNames names, Node node, double epsilon, double[] factors)
    {
        double[] scale = Doubles(node, 1), mean = Doubles(node, 3), variance = Doubles(node, 4);
        double[] newMean = [.. mean.Select((value, i) => value * factors[i])];
        double[] newVariance = [.. variance.Select((value, i) => value * factors[i] * factors[i])];
        double[] newScale = [.. scale.Select((value, i) => value / factors[i] * Math.Sqrt((newVariance[i] + epsilon) / (variance[i] + epsilon)))];
        return Vectors(names, node, newScale, Doubles(node, 2), newMean, newVariance);
    }

    private static (double[] Scale, double[] Shift) Affine(Node node, BatchNormalization normalization)
    {
        double[] scale = Doubles(node, 1), bias = Doubles(node, 2), mean = Doubles(node, 3), variance = Doubles(node, 4);
        double[] factor = [.. scale.Select((value, i) => value / Math.Sqrt(variance[i] + (double)normalization.Epsilon))];
        return (factor, [.. bias.Select((value, i) => value - mean[i] * factor[i])]);
    }

    private static bool HasConstants(Node node) => node.Inputs.Skip(1).All(input => input.Op is Constant { Quantization: null });

    private static double[] Doubles(Node node, int input) => [.. node.Inputs[input].Value!.Floats.ToArray().Select(value => (double)value)];

    private static IEnumerable<Node> Vectors(WeightNames names, Node node, params ImmutableArray<double[]> vectors) =>
        vectors.Select((vector, i) => names.Weight(node.Inputs[i + 1], Tensor.Of([vector.Length], [.. vector.Select(value => (float)value)])));
}
