using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Weight sharing: tensors whose elements take few distinct values, which a file keeps as a codebook and short codes (Han et al. 2016).</summary>
public static class Sharing
{
    /// <summary>The graph with the chosen tensors quantized; a weight that several layers read is quantized once, as the first of them asks.</summary>
    /// <exception cref="PenjingException">A setting is out of its range, or a weight is not finite.</exception>
    public static Graph Share(Graph graph, SharingOptions options)
    {
        Dictionary<Node, Clustering> chosen = [];
        foreach (Node node in graph.Nodes)
        {
            if (Mixer.Of(node) is { } mixer)
            {
                if ((options.Layer?.Invoke(node) ?? (mixer.Carries ? options.Depthwise : options.Dense)) is { } clustering) chosen.TryAdd(node.Inputs[1], clustering);
            }
            if (options.Vectors is { } vectors)
                foreach (Node vector in Vectors(node)) chosen.TryAdd(vector, vectors);
        }
        return graph.Map((node, inputs) => chosen.TryGetValue(node, out Clustering? clustering) ? Node.Weight(node.Name, Share(node, clustering)) : node.With(inputs));
    }

    /// <summary>
    /// The last step before a network is shipped, behind all training: BatchNormalizations reduced to two vectors, vectors shared where asked, and every other
    /// float weight rounded to Float16, trained codebooks among them.
    /// </summary>
    /// <exception cref="PenjingException">A setting is out of its range, or a weight is not finite.</exception>
    public static Graph Finish(Graph graph, Clustering? vectors = null)
    {
        Graph shared = Share(BatchNorms.Reduce(graph), new() { Dense = null, Depthwise = null, Vectors = vectors });
        return shared.Map((node, inputs) => IsFloat(node) ? Node.Weight(node.Name, Halved(node.Value!)) : node.With(inputs));
    }

    /// <summary>What sharing did to each tensor that it changed.</summary>
    public static ImmutableArray<SharedTensor> Describe(Graph before, Graph after) =>
        [.. after.Weights.Where(weight => weight.Info.Type == ElementType.Float32).Join(before.Weights, weight => weight.Name, weight => weight.Name,
            (now, then) => (now, then)).Where(pair => pair.now.Shape == pair.then.Shape && !pair.now.Value!.BitsEqual(pair.then.Value!)).Select(pair => Describe(pair.then, pair.now))];

    private static SharedTensor Describe(Node before, Node after)
    {
        float[] values = after.Value!.Floats.ToArray(), originals = before.Value!.Floats.ToArray();
        double signal = originals.Sum(value => (double)value * value), noise = values.Zip(originals, (now, then) => (double)(now - then) * (now - then)).Sum();
        int[] counts = [.. values.CountBy(value => value).Select(entry => entry.Value)];
        return new(after.Name, values.Length, counts.Length, Entropy(counts) / values.Length, 10 * Math.Log10(signal / noise));
    }

    /// <summary>The vectors that are worth sharing: what a layer adds, and what a BatchNormalization scales by and adds.</summary>
    private static IEnumerable<Node> Vectors(Node node) => node.Op switch
    {
        BatchNormalization => node.Inputs[1..3].Where(IsFloat),
        _ when Mixer.Of(node) is not null => node.Inputs[2..].Where(IsFloat),
        _ => [],
    };

    private static bool IsFloat(Node node) => node.Op is Constant { Quantization: null, Value.Type: ElementType.Float32 };

    private static Tensor Share(Node weight, Clustering clustering)
    {
        if (clustering.Clusters < 1 || !(clustering.Rate >= 0))
            throw new PenjingException($"'{weight.Name}' can't share {clustering.Clusters} values at rate {clustering.Rate}: give at least one value and a rate of at least 0");
        Tensor tensor = weight.Value!;
        float[] free = [.. tensor.Floats.ToArray().Where(value => value != 0 || !clustering.KeepZeros)];
        if (free.Any(value => !float.IsFinite(value))) throw new PenjingException($"the weight '{weight.Name}' holds values that are not finite: train again from a sound checkpoint");
        if (free.Length == 0) return tensor;
        Quantizer quantizer = Quantizer.Of(new(free), clustering);
        if (clustering.Halves && quantizer.Levels.All(level => Math.Abs(level) <= (double)Half.MaxValue)) quantizer = quantizer.Rounded();
        if (tensor.Shape.Rank == 1 && !Gains(free, quantizer)) return Halved(tensor);
        float[] levels = [.. quantizer.Levels.Select(level => (float)level)];
        return Tensor.Build<float>(tensor.Shape, values => Fill(values, value => value == 0 && clustering.KeepZeros ? 0 : levels[quantizer.Level(value)]));

        void Fill(Span<float> values, Func<float, float> map)
        {
            ReadOnlySpan<float> old = tensor.Floats;
            for (int i = 0; i < values.Length; i++) values[i] = map(old[i]);
        }
    }

    /// <summary>The elements rounded to Float16, but for those beyond its range.</summary>
    private static Tensor Halved(Tensor tensor) => Tensor.Build<float>(tensor.Shape, values =>
    {
        ReadOnlySpan<float> old = tensor.Floats;
        for (int i = 0; i < values.Length; i++) values[i] = (Half)old[i] is var half && Half.IsFinite(half) ? (float)half : old[i];
    });

    /// <summary>Whether codebook and codes take fewer bits than a Float16 for each value.</summary>
    private static bool Gains(float[] values, Quantizer quantizer) =>
        quantizer.Levels.Length * 16 + Entropy([.. values.CountBy(value => quantizer.Level(value)).Select(entry => entry.Value)]) < values.Length * 16;

    /// <summary>The bits of an ideal code for symbols that occur so often.</summary>
    private static double Entropy(IReadOnlyList<int> counts)
    {
        double total = counts.Sum();
        return counts.Sum(count => -count * Math.Log2(count / total));
    }
}
