using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Weight pruning by magnitude (Han et al. 2015): kernels and matrices keep their shapes and get zeros, which the file doesn't store and sparse kernels skip.</summary>
public static class Sparsifier
{
    // A share such as 1 − 2/3 is a little more than 1/3.
    private const double Rounding = 1e-12;

    /// <summary>
    /// The graph with the smallest weights of its layers zero, so many as the options ask for. What is zero stays zero and counts; no layer loses its largest weight. A weight
    /// that several layers read is treated once, as the first of them reads it.
    /// </summary>
    /// <exception cref="PenjingException">An option is out of its range or names what the graph hasn't, or a weight is not finite.</exception>
    public static Graph Sparsify(Graph graph, SparsityOptions options)
    {
        List<SparseLayer> competing = [];
        Dictionary<Node, Tensor> changed = [];
        foreach (SparseLayer layer in Layers(graph, options))
        {
            if (Named(layer, options.Ratios) is { } ratio) Clear([layer], ratio, false, changed);
            else if (options.Scope is not SparsityScope.Layer) competing.Add(layer);
            else Clear([layer], options.Ratio, false, changed);
        }
        Clear(competing, options.Ratio, options.Scope is SparsityScope.Lamp, changed);
        return graph.Map((node, inputs) => changed.TryGetValue(node, out Tensor? value) ? Node.Weight(node.Name, value) : node.With(inputs));
    }

    /// <summary>How many weights of each kernel and matrix are zero, of floats or of 8-bit integers, whose zero stands for it.</summary>
    public static ImmutableArray<SparseTensor> Describe(Graph graph) =>
    [
        .. graph.Nodes.Where(node => Mixer.Of(node) is not null || node is { Op: Conv or ConvTranspose or Gemm or MatMul, Inputs: [_, { Value.Type: ElementType.Int8 }, ..] })
            .Select(node => node.Inputs[1]).Distinct()
            .Select(weight => new SparseTensor(weight.Name, weight.Shape.Elements, weight.Value!.Type is ElementType.Int8 ? weight.Value.AsSpan<sbyte>().Count((sbyte)0) : weight.Value.Floats.Count(0f))),
    ];

    /// <summary>The layers that take part.</summary>
    private static ImmutableArray<SparseLayer> Layers(Graph graph, SparsityOptions options)
    {
        Check(options.Ratio);
        foreach (double ratio in options.Ratios.Values) Check(ratio);
        ImmutableArray<SparseLayer> layers = [.. graph.Nodes.Select(node => (node, mixer: Mixer.Of(node))).Where(pair => pair.mixer is not null)
            .Select(pair => new SparseLayer(pair.node, pair.mixer!.Value, options.Pattern)).DistinctBy(layer => layer.Weight)];
        HashSet<string> known = [.. layers.SelectMany(layer => new[] { layer.Node.Name, layer.Weight.Name })];
        if (options.Ratios.Keys.Concat(options.Keep).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new PenjingException($"the network has no layer '{unknown}' with weights: its layers are {string.Join(", ", layers.Select(layer => layer.Node.Name))}");
        return [.. layers.Where(layer => !options.Keep.Contains(layer.Node.Name) && !options.Keep.Contains(layer.Weight.Name)
            && (options.Depthwise || !layer.Mixer.Carries || Named(layer, options.Ratios) is not null))];

        void Check(double ratio)
        {
            if (!(ratio is >= 0 and < 1)) throw new PenjingException($"a share of {ratio} of the weights can't be zero: give one from 0 to below 1");
            if (ratio > options.Pattern.MostRatio + Rounding) throw new PenjingException($"the pattern {options.Pattern} allows at most {options.Pattern.MostRatio} of the weights to be zero, not {ratio}");
        }
    }

    private static double? Named(SparseLayer layer, IReadOnlyDictionary<string, double> ratios) =>
        ratios.TryGetValue(layer.Node.Name, out double ratio) || ratios.TryGetValue(layer.Weight.Name, out ratio) ? ratio : null;

    /// <summary>Zeroes the smallest units of layers that compete, until so many weights are zero. Equal ones go in the order in which they lie.</summary>
    private static void Clear(IReadOnlyList<SparseLayer> layers, double ratio, bool lamp, Dictionary<Node, Tensor> changed)
    {
        if (ratio == 0) return;
        // A score that is not negative sorts as its bits do: above the unit's number, they make one key.
        List<ulong> ranked = new(layers.Sum(layer => layer.Units));
        uint[] starts = new uint[layers.Count];
        uint all = 0;
        for (int i = 0; i < layers.Count; i++)
        {
            float[] scores = layers[i].Scores();
            bool[] free = layers[i].Free(scores);
            if (lamp) scores = SparseLayer.Lamp(scores);
            starts[i] = all;
            for (int unit = 0; unit < scores.Length; unit++)
                if (free[unit]) ranked.Add((ulong)BitConverter.SingleToUInt32Bits(scores[unit]) << 32 | all + (uint)unit);
            all = checked(all + (uint)scores.Length);
        }
        ranked.Sort();
        long rest = (long)Math.Round(ratio * layers.Sum(layer => (long)layer.Weight.Shape.Elements), MidpointRounding.AwayFromZero);
        float[][] values = [.. layers.Select(layer => layer.Weight.Value!.Floats.ToArray())];
        foreach (ulong key in ranked)
        {
            int at = Array.BinarySearch(starts, (uint)key);
            if (at < 0) at = ~at - 1;
            (int first, int stride, int count) = layers[at][(int)((uint)key - starts[at])];
            if (count > rest) break;
            rest -= count;
            for (int i = 0; i < count; i++) values[at][first + i * stride] = 0;
        }
        for (int i = 0; i < layers.Count; i++)
            if (Tensor.Of<float>(layers[i].Weight.Shape, values[i]) is var value && !value.BitsEqual(layers[i].Weight.Value!)) changed[layers[i].Weight] = value;
    }
}

/// <summary>How many weights of a layer are zero.</summary>
/// <param name="Name">The weight's name.</param>
/// <param name="Elements">How many weights there are.</param>
/// <param name="Zeros">How many of them are zero.</param>
public sealed record SparseTensor(string Name, int Elements, int Zeros);
