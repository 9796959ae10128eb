namespace Penjing.Compression;

/// <summary>How much a network needs each group of channels: one score a group, larger for what should stay.</summary>
public delegate IReadOnlyList<double> Importance(ChannelGroups groups);

/// <summary>Scores that need nothing but the weights.</summary>
public static class Importances
{
    /// <summary>Σ |w| over all weights that yield the group's channels (Li et al. 2017): convolutions', depthwise ones' and matrix products'.</summary>
    public static IReadOnlyList<double> L1(ChannelGroups groups) => ByWeights(groups, Math.Abs, sum => sum, normalized: false);

    /// <summary>√Σ w² over all weights that yield the group's channels.</summary>
    public static IReadOnlyList<double> L2(ChannelGroups groups) => ByWeights(groups, w => w * w, Math.Sqrt, normalized: false);

    /// <summary>As <see cref="L1"/>, each layer's share divided by its mean over the layer's channels, so that coupled layers of different size speak alike.</summary>
    public static IReadOnlyList<double> NormalizedL1(ChannelGroups groups) => ByWeights(groups, Math.Abs, sum => sum, normalized: true);

    /// <summary>Σ |scale| of the BatchNormalizations that the group's channels pass (Liu et al. 2017, network slimming).</summary>
    public static IReadOnlyList<double> BatchNormScale(ChannelGroups groups)
    {
        double[] scores = new double[groups.Count];
        foreach (Node node in groups.Graph.Nodes.Where(node => node.Op is BatchNormalization))
        {
            if (groups.Lane(node) is not { Axis: 1 } lane || node.Inputs[1].Value is not { } scale) continue;
            for (int channel = 0; channel < lane.Count; channel++) scores[lane.Ids[channel]] += Math.Abs(scale.Floats[channel]);
        }
        return scores;
    }

    private static double[] ByWeights(ChannelGroups groups, Func<double, double> measure, Func<double, double> finish, bool normalized)
    {
        double[] scores = new double[groups.Count];
        foreach (Node node in groups.Graph.Nodes)
        {
            if (Mixer.Of(node) is not { } mixer || groups.Lane(node) is not { } lane) continue;
            ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
            double[] layer = new double[mixer.Outputs];
            for (int output = 0; output < mixer.Outputs; output++)
            {
                for (int input = 0; input < mixer.Fan; input++)
                    foreach (float weight in weights.Slice(mixer.Index(output, input), mixer.Taps)) layer[output] += measure(weight);
            }
            double unit = normalized ? layer.Average() : 1;
            for (int output = 0; output < mixer.Outputs && unit > 0; output++) scores[lane.Ids[output]] += layer[output] / unit;
        }
        return [.. scores.Select(finish)];
    }
}
