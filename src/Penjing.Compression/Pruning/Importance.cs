namespace Penjing.Compression;

/// <summary>How much a network needs each group of channels: one score a group, larger for what should stay.</summary>
public delegate IReadOnlyList<double> Importance(ChannelGroups groups);

/// <summary>Scores that follow from the weights, but for those of <see cref="Taylor"/>, which ask for gradients.</summary>
public static class Importances
{
    /// <summary>Σ |w| over all weights that yield the group's channels (Li et al. 2017): convolutions', depthwise ones' and matrix products'.</summary>
    public static IReadOnlyList<double> L1(ChannelGroups groups) => ByWeights(groups, Math.Abs, sum => sum);

    /// <summary>√Σ w² over the same weights.</summary>
    public static IReadOnlyList<double> L2(ChannelGroups groups) => ByWeights(groups, w => w * w, Math.Sqrt);

    /// <summary>
    /// The mean |scale| of the BatchNormalizations that the group's channels pass (Liu et al. 2017, network slimming): where residual sums and concatenations
    /// share channels, all of theirs decide together. Infinity for a group that passes none: such a group stays.
    /// </summary>
    /// <exception cref="PenjingException">The network has no BatchNormalization.</exception>
    public static IReadOnlyList<double> BatchNormScale(ChannelGroups groups)
    {
        double[] scores = new double[groups.Count];
        int[] counts = new int[groups.Count];
        foreach (Node node in groups.Graph.Nodes.Where(node => node.Op is BatchNormalization))
        {
            if (groups.Lane(node) is not { Axis: 1 } lane || node.Inputs[1].Value is not { } scale) continue;
            for (int channel = 0; channel < lane.Count; channel++)
            {
                scores[lane.Ids[channel]] += Math.Abs(scale.Floats[channel]);
                counts[lane.Ids[channel]]++;
            }
        }
        if (Array.TrueForAll(counts, count => count == 0)) throw new PenjingException("the network has no BatchNormalization whose scales could tell which channels matter: choose another importance");
        return [.. scores.Zip(counts, (score, count) => count > 0 ? score / count : double.PositiveInfinity)];
    }

    /// <summary>
    /// The group's share of the variance of what its readers yield, on average over their outputs and summed over readers: the variance of each channel follows
    /// from the BatchNormalization it passed last, taken as normally distributed, and the activation behind. The loss of a channel without variance is
    /// made up for by the statistics of the next BatchNormalization, once these are estimated anew.
    /// </summary>
    public static IReadOnlyList<double> Contribution(ChannelGroups groups)
    {
        ChannelVariances variances = new(groups);
        double[] scores = new double[groups.Count];
        foreach (Node node in groups.Graph.Nodes)
        {
            if (Mixer.Of(node) is not { Carries: false } mixer || groups.Lane(node.Inputs[0]) is not { } read) continue;
            ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
            double[] variance = variances.Of(node.Inputs[0]), parts = new double[mixer.Fan];
            for (int output = 0; output < mixer.Outputs; output++)
            {
                int first = output / mixer.Yield * mixer.Fan;
                for (int input = 0; input < mixer.Fan; input++)
                    parts[input] = variance[first + input] * Squares(weights.Slice(mixer.Index(output, input), mixer.Taps));
                double sum = parts.Sum();
                for (int input = 0; input < mixer.Fan && sum > 0; input++) scores[read.Ids[first + input]] += parts[input] / sum / mixer.Outputs;
            }
        }
        return scores;

        static double Squares(ReadOnlySpan<float> taps)
        {
            double sum = 0;
            foreach (float tap in taps) sum += (double)tap * tap;
            return sum;
        }
    }

    /// <summary>
    /// Σ over the layers that yield the group of the distances between its kernel and all others of the layer (He et al. 2019, FPGM): least near the kernels'
    /// geometric median, where the others can stand in for it.
    /// </summary>
    public static IReadOnlyList<double> GeometricMedian(ChannelGroups groups) => GeometricMedians.Scores(groups);

    /// <summary>Scores drawn by chance: what any other importance must do better than.</summary>
    public static Importance Random(int seed) => groups =>
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, groups.Count).Select(_ => random.NextDouble())];
    };

    /// <summary>
    /// How much the loss would change, to first order, without the group's channels (Molchanov et al. 2019): (Σ weight · gradient)² over what each
    /// layer's channel is scaled by, summed over the layers that yield the group, on average over batches.
    /// </summary>
    /// <param name="gradients">
    /// The loss's gradients by the weights of a graph, by their names, a dictionary for each batch; asked for anew for each graph that is pruned.
    /// </param>
    public static Importance Taylor(Func<Graph, IEnumerable<IReadOnlyDictionary<string, Tensor>>> gradients) =>
        groups => TaylorGates.Scores(groups, gradients(groups.Graph));

    private static double[] ByWeights(ChannelGroups groups, Func<double, double> measure, Func<double, double> finish)
    {
        double[] scores = new double[groups.Count];
        foreach (Node node in groups.Graph.Nodes)
        {
            if (Mixer.Of(node) is not { } mixer || groups.Lane(node) is not { } lane) continue;
            ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
            for (int output = 0; output < mixer.Outputs; output++)
            {
                for (int input = 0; input < mixer.Fan; input++)
                    foreach (float weight in weights.Slice(mixer.Index(output, input), mixer.Taps)) scores[lane.Ids[output]] += measure(weight);
            }
        }
        return [.. scores.Select(finish)];
    }
}
