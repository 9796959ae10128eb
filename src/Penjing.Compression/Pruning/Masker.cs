namespace Penjing.Compression;

/// <summary>Zeroes the weights that read doomed channels.</summary>
internal static class Masker
{
    /// <summary>The graph with those weights zero; nothing else differs, not even the shapes.</summary>
    public static Graph Mask(ChannelGroups groups, IReadOnlySet<int> doomed)
    {
        // Shared weights are masked for each reader by itself.
        WeightNames names = new(groups.Graph);
        return groups.Graph.Map((node, inputs) =>
        {
            if (Mixer.Of(node) is not { Carries: false } mixer) return node.With(inputs);
            if (groups.Lane(node.Inputs[0]) is not { } lane || !lane.Ids.Any(doomed.Contains)) return node.With(inputs);
            Node weights = node.Inputs[1];
            Tensor masked = Tensor.Build<float>(weights.Shape, values =>
            {
                weights.Value!.Floats.CopyTo(values);
                for (int output = 0; output < mixer.Outputs; output++)
                {
                    for (int input = 0; input < mixer.Fan; input++)
                        if (doomed.Contains(lane.Ids[output / mixer.Yield * mixer.Fan + input])) values.Slice(mixer.Index(output, input), mixer.Taps).Clear();
                }
            });
            return new(node.Name, node.Op, inputs.SetItem(1, names.Weight(weights, masked)));
        });
    }
}
