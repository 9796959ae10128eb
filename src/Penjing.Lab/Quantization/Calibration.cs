using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What a network's values are over some pictures, seen on the engine, and which integers follow from that.</summary>
/// <param name="graph">The network, prepared by <see cref="PostTraining.Prepare"/>.</param>
/// <param name="inputs">Its inputs; enumerated many times.</param>
/// <param name="tell">Is told how far a part of the work is, 0 to 1, and which.</param>
/// <param name="stop">Ends the work.</param>
public sealed class Calibration(Graph graph, IReadOnlyCollection<Tensor> inputs, Action<double, string>? tell = null, CancellationToken stop = default)
{
    /// <summary>Pictures that are asked about by default.</summary>
    public const int Pictures = 256;

    /// <summary>How far a channel may be scaled at most: what is off by more has next to no deviation.</summary>
    private const double MostFactor = 2;

    /// <summary>What is done by default.</summary>
    public const Refinements Usual = Refinements.Bias;

    /// <summary>Some of a data set's training pictures, and a network whose graph is prepared.</summary>
    public static Calibration Of(Model model, DataSet data, int pictures, int seed, Action<double, string>? tell = null, CancellationToken stop = default) =>
        new(model.Graph, Inputs(model, data, data.Train.Sample(pictures, seed)), tell, stop);

    /// <summary>Some of a data set's pictures as a network's inputs, each made whenever it is asked for.</summary>
    public static IReadOnlyCollection<Tensor> Inputs(Model model, DataSet data, Split pictures) => new Fed(model, pictures, model.Preprocessing ?? data.Preprocessing);

    /// <summary>The network's integers.</summary>
    /// <param name="method">How a range follows from what was seen.</param>
    /// <param name="refinements">What is done besides.</param>
    /// <param name="floats">Layers that stay real, by their names.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="scales">The scales of layers whose weights share values: <see cref="SharedScales"/>; of refinements only that of biases leaves these what they are.</param>
    /// <exception cref="PenjingException">The network has no such layer, a value is not finite, or scales don't go with the refinements.</exception>
    public Calibrated Run(
        RangeMethod method, Refinements refinements, ImmutableHashSet<string> floats, int weightBits = PostTraining.WeightBits, ImmutableDictionary<string, ImmutableArray<float>>? scales = null)
    {
        PostTraining.Check(graph, floats);
        if (scales is not null && (refinements & ~Refinements.Bias) is not Refinements.None) throw new PenjingException("equalization, rounding that is learnt and normalization part weights that share a value");
        Graph real = refinements.HasFlag(Refinements.Equalize) ? Equalized(floats) : graph;
        Calibrated calibrated = Ranged(real, Seen(real, PostTraining.Values(real, floats)), method, refinements, floats, weightBits, scales);
        if (refinements.HasFlag(Refinements.Round)) calibrated = Rounded(calibrated);
        bool deviations = refinements.HasFlag(Refinements.Normalize);
        return deviations || refinements.HasFlag(Refinements.Bias) ? Corrected(real, calibrated, deviations) : calibrated;
    }

    /// <summary>
    /// The integers that answer other inputs most nearly as reals do, of some methods with some refinements. All ways are compared without any refinement but equalization, which takes
    /// little; the two that come nearest then with theirs, since these don't help all alike.
    /// </summary>
    /// <param name="methods">The methods, one at least; where these and the refinements leave no choice, nothing is compared.</param>
    /// <param name="refinements">The refinements, one at least.</param>
    /// <param name="floats">Layers that stay real, by their names.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="scales">The scales of layers whose weights share values.</param>
    /// <param name="others">The inputs.</param>
    /// <inheritdoc cref="Run" path="/exception"/>
    public Calibrated Nearest(
        ImmutableArray<RangeMethod> methods, ImmutableArray<Refinements> refinements, ImmutableHashSet<string> floats, int weightBits, ImmutableDictionary<string, ImmutableArray<float>>? scales,
        IReadOnlyCollection<Tensor> others)
    {
        int ways = methods.Length * refinements.Length;
        if (ways == 1) return Run(methods[0], refinements[0], floats, weightBits, scales);
        PostTraining.Check(graph, floats);
        Tensor[] real = [.. Precision.Answers(graph, others, stop)];
        List<(double Noise, RangeMethod Method, Refinements Refinements)> tried = [];
        foreach (Refinements some in refinements)
        {
            Graph equal = some.HasFlag(Refinements.Equalize) ? Equalized(floats) : graph;
            ImmutableDictionary<string, Histogram> seen = Seen(equal, PostTraining.Values(equal, floats));
            foreach (RangeMethod method in methods)
            {
                tell?.Invoke((double)tried.Count / ways, $"comparing {tried.Count + 1} of {ways} ways");
                tried.Add((Noise(Ranged(equal, seen, method, some, floats, weightBits, scales)), method, some));
            }
        }
        return tried.OrderBy(way => way.Noise).Take(2).Select(way => Run(way.Method, way.Refinements, floats, weightBits, scales)).MinBy(Noise)!;

        double Noise(Calibrated calibrated) => Precision.Noise(real, Precision.Answers(calibrated.Quantized, others, stop));
    }

    private static Calibrated Ranged(
        Graph real, ImmutableDictionary<string, Histogram> seen, RangeMethod method, Refinements refinements, ImmutableHashSet<string> floats, int weightBits, ImmutableDictionary<string, ImmutableArray<float>>? scales) =>
        new(real, seen.ToImmutableDictionary(value => value.Key, value => Ranges.Of(value.Value, method)), floats, weightBits)
        {
            Method = method, Refinements = refinements, Scales = scales ?? ImmutableDictionary<string, ImmutableArray<float>>.Empty,
        };

    /// <summary>The histogram of each of some values of the network.</summary>
    /// <exception cref="PenjingException">A value is not finite; the message names it.</exception>
    public ImmutableDictionary<string, Histogram> Seen(ImmutableArray<Node> values) => Seen(graph, values);

    private ImmutableDictionary<string, Histogram> Seen(Graph of, ImmutableArray<Node> values) => Histogram.Of(values, Answers(of, values, "measuring"));

    private Graph Equalized(IReadOnlySet<string> floats)
    {
        ImmutableArray<Node> values = PostTraining.Values(graph, floats);
        return Equalization.Equalize(graph, values, Answers(graph, values, "equalizing"));
    }

    /// <summary>Weights rounded layer after layer, each by what those before it yield now.</summary>
    private Calibrated Rounded(Calibrated start)
    {
        Calibrated now = start;
        string[] layers = Layers(start);
        for (int i = 0; i < layers.Length; i++)
        {
            Node real = start.Graph[layers[i]], rounded = now.Simulated[layers[i]];
            if (rounded.Inputs[1] is not { Op: DequantizeLinear, Inputs: [{ Info.Quantization: { } quantization }] }) continue;
            using AdaptiveRounding rounding = new(real);
            foreach ((Tensor[] one, Tensor[] other) in Answers(start.Graph, [real.Inputs[0]], "rounding", i, layers.Length).Zip(Answers(start.Graph, [rounded.Inputs[0]], "rounding", i, layers.Length)))
                rounding.Add(one[0], other[0]);
            now = now with { Graph = LayerWeights.WithKernel(now.Graph, layers[i], rounding.Round(quantization)) };
        }
        return now;
    }

    /// <summary>
    /// Each channel of each layer gets the bias that its product of integers lacks to the mean of the real network, layer after layer, since what is put right in one moves those
    /// behind it; and, where asked for, the scale that it lacks to the deviation. What the bias was doesn't matter, unless it holds a channel's steps up that has next to no weights: so
    /// only one rounding to whole steps is left.
    /// </summary>
    private Calibrated Corrected(Graph real, Calibrated start, bool deviations)
    {
        Calibrated now = start;
        string[] layers = Layers(start);
        Moments[][] wanted = MomentsOf(real, [.. layers.Select(layer => real[layer])], deviations, 0, 1);
        for (int i = 0; i < layers.Length; i++)
        {
            Graph rounded = now.Simulated;
            Node layer = rounded[layers[i]];
            Moments[] unbiased = MomentsOf(rounded, [new($"{layer.Name}/unbiased", layer.Op, layer.Inputs[..2])], deviations, i, layers.Length)[0];
            double[] factors = [.. wanted[i].Zip(unbiased, (all, product) => deviations ? Math.Clamp(all.Deviation / product.Deviation, 1 / MostFactor, MostFactor) is var factor && double.IsFinite(factor) ? factor : 1 : 1)];
            if (deviations) now = now with { Graph = LayerWeights.WithKernel(now.Graph, layers[i], LayerWeights.Scaled(now.Graph[layers[i]], factors)) };
            now = now with { Graph = LayerWeights.WithBias(now.Graph, layers[i], [.. wanted[i].Select((all, channel) => all.Mean - factors[channel] * unbiased[channel].Mean)]) };
        }
        return now;
    }

    private static string[] Layers(Calibrated calibrated) => [.. PostTraining.Layers(calibrated.Graph).Select(layer => layer.Name).Where(layer => !calibrated.Floats.Contains(layer))];

    /// <summary>The mean and, where asked for, the deviation of each channel that each layer yields, over pixels and pictures.</summary>
    private Moments[][] MomentsOf(Graph of, ImmutableArray<Node> layers, bool deviations, int part, int parts)
    {
        ImmutableArray<Node> powers = [.. layers, .. deviations ? layers.Select(layer => new Node($"{layer.Name}/square", new Mul(), layer, layer)) : []];
        ImmutableArray<Node> means = [.. powers.Select(power => power.Shape.Rank == 4 ? new Node($"{power.Name}/mean", new GlobalAveragePool(), power) : power)];
        double[][] sums = [.. means.Select(mean => new double[mean.Shape[1]])];
        foreach (Tensor[] answer in Answers(of, means, "correcting", part, parts))
            for (int power = 0; power < sums.Length; power++)
                for (int channel = 0; channel < sums[power].Length; channel++) sums[power][channel] += answer[power].Floats[channel] / (double)inputs.Count;
        return [.. layers.Select((_, i) => sums[i].Select((mean, channel) => new Moments(mean, deviations ? Math.Sqrt(Math.Max(0, sums[layers.Length + i][channel] - mean * mean)) : 0)).ToArray())];
    }

    /// <summary>What values are, again and again.</summary>
    private IEnumerable<Tensor[]> Answers(Graph of, ImmutableArray<Node> values, string what, int part = 0, int parts = 1)
    {
        if (values.IsEmpty) yield break;
        using Session session = new(new Graph(values, of.Inputs), new(Batch: 1));
        int done = 0;
        foreach (Tensor input in inputs)
        {
            tell?.Invoke((part + (double)done++ / inputs.Count) / parts, parts > 1 ? $"{what} layer {part + 1} of {parts}" : $"{what} by {done} of {inputs.Count} pictures");
            yield return session.Run([input], stop);
        }
    }

    private readonly record struct Moments(double Mean, double Deviation);

    /// <summary>Pictures as a network's inputs, made when they are asked for.</summary>
    private sealed class Fed(Model model, Split pictures, Preprocessing preprocessing) : IReadOnlyCollection<Tensor>
    {
        private readonly Shape shape = model.Graph.WithBatch(1).Inputs[0].Shape;

        /// <inheritdoc/>
        public int Count => pictures.Count;

        /// <inheritdoc/>
        public IEnumerator<Tensor> GetEnumerator() => Enumerable.Range(0, Count).Select(picture => pictures.Picture(picture).ToInput(preprocessing, shape)).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
