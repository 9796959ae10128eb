using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Weight sharing: tensors whose elements take few distinct values, which a file keeps as a codebook and short codes (Han et al. 2016).</summary>
public static class Sharing
{
    /// <summary>The graph with the chosen tensors quantized; a weight that several layers read is quantized once, as the first of them asks.</summary>
    /// <exception cref="PenjingException">A setting is out of its range, or a weight is not finite.</exception>
    public static Graph Share(Graph graph, SharingOptions options)
    {
        Dictionary<Node, (Mixer Mixer, Clustering Clustering)> chosen = [];
        foreach (Node node in graph.Nodes)
        {
            if (Mixer.Of(node) is not { } mixer) continue;
            Clustering? kind = mixer.Carries ? options.Depthwise : options.Dense;
            if ((options.Layer is { } layer ? layer(node, kind) : kind) is { } clustering) chosen.TryAdd(node.Inputs[1], (mixer, clustering));
        }
        return graph.Map((node, inputs) =>
            chosen.TryGetValue(node, out (Mixer Mixer, Clustering Clustering) how) ? Node.Weight(node.Name, Share(node, how.Mixer, how.Clustering)) : node.With(inputs));
    }

    /// <summary>
    /// The last step before a network is shipped, behind all training: BatchNormalizations reduced to two vectors; every float weight rounded to Float16,
    /// trained codebooks among them; and vectors (biases, scales) rounded further, to so many bits behind the leading one, which is what a file needs fewer
    /// bytes for.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="vectorBits">10 for Float16 itself; 5 keeps relative errors below 1.6 %.</param>
    /// <exception cref="PenjingException">The bits are not from 1 to 10.</exception>
    public static Graph Finish(Graph graph, int vectorBits = 10)
    {
        if (vectorBits is < 1 or > 10) throw new PenjingException($"vectors can't be rounded to {vectorBits} bits: give 1 to 10");
        return BatchNorms.Reduce(graph).Map((node, inputs) => node.Op is Constant { Quantization: null, Value.Type: ElementType.Float32 }
            ? Node.Weight(node.Name, Rounded(node.Value!, node.Shape.Rank == 1 ? vectorBits : 10)) : node.With(inputs));
    }

    /// <summary>What sharing did to each tensor that it changed.</summary>
    public static ImmutableArray<SharedTensor> Describe(Graph before, Graph after) =>
    [
        .. after.Weights.Where(weight => weight.Info.Type == ElementType.Float32)
            .Join(before.Weights, weight => weight.Name, weight => weight.Name, (now, then) => (now, then))
            .Where(pair => pair.now.Shape == pair.then.Shape && !pair.now.Value!.BitsEqual(pair.then.Value!))
            .Select(pair => Describe(pair.then, pair.now)),
    ];

    private static SharedTensor Describe(Node before, Node after)
    {
        float[] values = after.Value!.Floats.ToArray(), originals = before.Value!.Floats.ToArray();
        double signal = originals.Sum(value => (double)value * value), noise = values.Zip(originals, (now, then) => (double)(now - then) * (now - then)).Sum();
        int[] counts = [.. values.CountBy(value => value).Select(entry => entry.Value)];
        return new(after.Name, values.Length, counts.Length, Entropy(counts) / values.Length, 10 * Math.Log10(signal / noise));
    }

    private static Tensor Share(Node weight, Mixer mixer, Clustering clustering)
    {
        if (clustering.Clusters < 1 || clustering.Groups < 1 || !(clustering.Rate >= 0))
            throw new PenjingException($"'{weight.Name}' can't share {clustering.Clusters} values in {clustering.Groups} groups at rate {clustering.Rate}: give 1 or more of both, a rate from 0");
        float[] old = weight.Value!.Floats.ToArray();
        if (old.Any(value => !float.IsFinite(value)))
            throw new PenjingException($"the weight '{weight.Name}' holds values that are not finite: train again from a sound checkpoint");
        int groups = Math.Min(clustering.Groups, mixer.Outputs);
        return Tensor.Build<float>(weight.Shape, values =>
        {
            foreach (IGrouping<long, int> free in Enumerable.Range(0, old.Length).Where(i => old[i] != 0 || !clustering.KeepZeros).GroupBy(i => (long)mixer.Output(i) * groups / mixer.Outputs))
            {
                Quantizer quantizer = Quantizer.Of(new([.. free.Select(i => old[i])]), clustering);
                if (clustering.Halves && quantizer.Levels.All(level => Math.Abs(level) <= (double)Half.MaxValue)) quantizer = quantizer.Rounded();
                float[] levels = [.. quantizer.Levels.Select(level => (float)level)];
                foreach (int i in free) values[i] = levels[quantizer.Level(old[i])];
            }
        });
    }

    /// <summary>The elements rounded to Float16s of so many bits behind the leading one; those beyond its range stay.</summary>
    private static Tensor Rounded(Tensor tensor, int bits) => Tensor.Build<float>(tensor.Shape, values =>
    {
        ReadOnlySpan<float> old = tensor.Floats;
        for (int i = 0; i < values.Length; i++)
        {
            // Rounding to even on the bits of a float carries into the exponent, as it should.
            uint pattern = BitConverter.SingleToUInt32Bits(old[i]), dropped = (1u << (23 - bits)) - 1;
            float rounded = BitConverter.UInt32BitsToSingle((pattern + (dropped >> 1) + (pattern >> (23 - bits) & 1)) & ~dropped);
            values[i] = (Half)rounded is var half && Half.IsFinite(half) ? (float)half : old[i];
        }
    });

    /// <summary>The bits of an ideal code for symbols that occur so often.</summary>
    private static double Entropy(IReadOnlyList<int> counts)
    {
        double total = counts.Sum();
        return counts.Sum(count => -count * Math.Log2(count / total));
    }
}
