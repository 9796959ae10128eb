using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Cross-layer equalization (Nagel et al. 2019) for weights with a scale for each output channel and values with one for all: channels are scaled on their way through
/// ReLUs, pools, joins and sums, and the weights that yield and read them make up for it. As in SmoothQuant (Xiao et al. 2023), a channel is balanced between its
/// own range and what the weights that read it take of theirs.
/// </summary>
public static class Equalization
{
    private const double LeastShare = 1.0 / 16;

    /// <summary>The graph with channels scaled so that one quantization fits all channels of a value; it answers the same up to rounding.</summary>
    /// <param name="graph">A graph of <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="values">The values that become integers.</param>
    /// <param name="answers">What they were, again and again, in this order.</param>
    public static Graph Equalize(Graph graph, ImmutableArray<Node> values, IEnumerable<Tensor[]> answers)
    {
        ChannelWalk walk = new(graph, scaling: true);
        double[] ranges = Ranges(walk, values, answers), shares = Shares(graph, walk), factors = [.. ranges.Zip(shares, Factor)];
        foreach (int id in walk.Pinned) factors[walk.Identities.Find(id)] = 1;
        WeightNames names = new(graph);
        return graph.Map((node, inputs) =>
        {
            if (Mixer.Of(node) is not { } mixer) return node.With(inputs);
            double[] read = Along(node.Inputs[0], mixer.InputAxis, mixer.Inputs), yielded = Along(node, mixer.OutputAxis, mixer.Outputs);
            var scaled = new float[node.Inputs[1].Shape.Elements];
            Each(node, mixer, (output, input, values, at) =>
            {
                for (int tap = 0; tap < values.Length; tap++) scaled[at + tap] = (float)(values[tap] * (read[input] / yielded[output]));
            });
            return new(node.Name, node.Op, [inputs[0], Same(node.Inputs[1], Tensor.Of(node.Inputs[1].Shape, scaled)), .. node.Inputs.Skip(2).Select(bias => Same(bias, yielded.All(factor => factor == 1) ? bias.Value!
                : Tensor.Of<float>(bias.Shape, [.. bias.Value!.Floats.ToArray().Zip(yielded, (value, factor) => (float)(value / factor))])))]);
        });

        double[] Along(Node value, int axis, int channels) => walk.Lanes.TryGetValue(value, out Lane? lane) && lane.Axis == axis
            ? [.. lane.Ids.Select(id => factors[walk.Identities.Find(id)])] : [.. Enumerable.Repeat(1.0, channels)];

        Node Same(Node weight, Tensor value) => value.BitsEqual(weight.Value!) ? weight : names.Weight(weight, value);
    }

    /// <summary>The factor by which a channel shrinks and the weights that read it grow, so that its range and their share are one. A channel that is nothing, or is never read, stays.</summary>
    private static double Factor(double range, double share) => Math.Sqrt(range / share) is var factor && double.IsNormal(factor) ? factor : 1;

    /// <summary>The largest magnitude of each identity, over all values that have it, and no less than a share of those beside it: a channel that few pictures woke may be more on others.</summary>
    private static double[] Ranges(ChannelWalk walk, ImmutableArray<Node> values, IEnumerable<Tensor[]> answers)
    {
        var ranges = new double[walk.Identities.Count];
        foreach (Tensor[] answer in answers)
            for (int i = 0; i < answer.Length; i++)
            {
                if (!walk.Lanes.TryGetValue(values[i], out Lane? lane)) continue;
                ReadOnlySpan<float> floats = answer[i].Floats;
                for (int inner = answer[i].Shape.Product(lane.Axis + 1, answer[i].Shape.Rank), run = 0; run * inner < floats.Length; run++)
                {
                    ref double range = ref ranges[walk.Identities.Find(lane.Ids[run % lane.Count])];
                    foreach (float value in floats.Slice(run * inner, inner)) range = Math.Max(range, Math.Abs(value));
                }
            }
        double[] seen = [.. ranges];
        foreach (Lane lane in values.Select(walk.Lanes.GetValueOrDefault).OfType<Lane>().Where(lane => lane.Count > 0))
        {
            int[] ids = [.. lane.Ids.Select(walk.Identities.Find)];
            double least = LeastShare * ids.Max(id => seen[id]);
            foreach (int id in ids) ranges[id] = Math.Max(ranges[id], least);
        }
        return ranges;
    }

    /// <summary>The largest share, of an output's largest weight, that the weights have which read an identity; 1 where a depthwise layer does.</summary>
    private static double[] Shares(Graph graph, ChannelWalk walk)
    {
        var shares = new double[walk.Identities.Count];
        foreach (Node node in graph.Nodes)
        {
            if (Mixer.Of(node) is not { } mixer || !walk.Lanes.TryGetValue(node.Inputs[0], out Lane? lane) || lane.Axis != mixer.InputAxis) continue;
            var largest = new double[mixer.Outputs];
            Each(node, mixer, (output, _, values, _) => largest[output] = Math.Max(largest[output], Largest(values)));
            Each(node, mixer, (output, input, values, _) =>
            {
                ref double share = ref shares[walk.Identities.Find(lane.Ids[input])];
                if (largest[output] > 0) share = Math.Max(share, Largest(values) / largest[output]);
            });
        }
        return shares;
    }

    private static double Largest(ReadOnlySpan<float> values)
    {
        double largest = 0;
        foreach (float value in values) largest = Math.Max(largest, Math.Abs(value));
        return largest;
    }

    private delegate void Visit(int output, int input, ReadOnlySpan<float> values, int at);

    /// <summary>Visits the weights between each output and each input that it reads, and where they lie.</summary>
    private static void Each(Node node, Mixer mixer, Visit visit)
    {
        ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
        for (int output = 0; output < mixer.Outputs; output++)
            for (int input = 0; input < mixer.Fan; input++)
            {
                int at = mixer.Index(output, input);
                visit(output, output / mixer.Yield * mixer.Fan + input, weights.Slice(at, mixer.Taps), at);
            }
    }
}
