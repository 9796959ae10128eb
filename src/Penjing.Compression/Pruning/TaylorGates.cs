namespace Penjing.Compression;

/// <summary>
/// Gates on channels: a factor of 1 that every layer's channels pass behind its bias, or, where only BatchNormalizations read them, behind theirs. The loss's
/// derivative by a gate is Σ weight · gradient over what the gate scales.
/// </summary>
internal static class TaylorGates
{
    /// <summary>The scores of <see cref="Importances.Taylor"/>.</summary>
    public static double[] Scores(ChannelGroups groups, IEnumerable<IReadOnlyDictionary<string, Tensor>> gradients)
    {
        ILookup<Node, Node> readers = groups.Graph.Consumers();
        Node[] gated = [.. groups.Graph.Nodes.Where(node => groups.Lane(node) is not null && (node.Op is BatchNormalization
            || Mixer.Of(node) is not null && !(readers[node].Any() && readers[node].All(reader => reader.Op is BatchNormalization))))];
        double[] scores = new double[groups.Count];
        int batches = 0;
        foreach (IReadOnlyDictionary<string, Tensor> gradient in gradients)
        {
            batches++;
            foreach (Node node in gated)
            {
                Lane lane = groups.Lane(node)!;
                double[] slopes = Slopes(node, lane.Count, gradient);
                for (int channel = 0; channel < lane.Count; channel++) scores[lane.Ids[channel]] += slopes[channel] * slopes[channel];
            }
        }
        if (batches == 0) throw new PenjingException("a first-order importance needs the gradients of at least one batch");
        return [.. scores.Select(score => score / batches)];
    }

    private static double[] Slopes(Node node, int channels, IReadOnlyDictionary<string, Tensor> gradient)
    {
        double[] slopes = new double[channels];
        if (Mixer.Of(node) is { } mixer)
        {
            ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats, slope = Of(node.Inputs[1]);
            for (int output = 0; output < mixer.Outputs; output++)
            {
                for (int input = 0; input < mixer.Fan; input++)
                    for (int tap = mixer.Index(output, input), end = tap + mixer.Taps; tap < end; tap++) slopes[output] += (double)weights[tap] * slope[tap];
            }
        }
        // A BatchNormalization's scale and bias; a layer's bias where it has one for each channel.
        foreach (Node vector in node.Op is BatchNormalization ? node.Inputs.Slice(1, 2) : node.Inputs[2..])
        {
            if (vector.Shape.Elements != channels) continue;
            ReadOnlySpan<float> values = vector.Value!.Floats, slope = Of(vector);
            for (int channel = 0; channel < channels; channel++) slopes[channel] += (double)values[channel] * slope[channel];
        }
        return slopes;

        ReadOnlySpan<float> Of(Node weight) => gradient.TryGetValue(weight.Name, out Tensor? found) && found.Shape == weight.Shape ? found.Floats
            : throw new PenjingException($"the gradients have none of the weight '{weight.Name}' ({weight.Shape})");
    }
}
