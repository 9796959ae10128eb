using System.Collections.Immutable;
using System.Globalization;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>How much an answer changes when one layer alone is quantized: the squared difference of the outputs, of their squares.</summary>
public sealed record LayerNoise(string Layer, double Error);

/// <summary>Which layers stay real, where 8-bit integers in all of them cost too much accuracy.</summary>
public static class Precision
{
    /// <summary>Pictures that layers are compared with.</summary>
    public const int Pictures = 32;

    /// <summary>The network's integers, with so many layers real that the score on the test pictures doesn't fall by more than so much: those that are named, and as few of the worst others as that takes.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="floats">Layers that stay real in any case.</param>
    /// <param name="calibrate">The integers where these layers stay real.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="drop">How much the score may fall, a fraction.</param>
    /// <param name="seed">Which training pictures layers are compared with.</param>
    /// <param name="tell">Is told how far it is, 0 to 1, and what was found.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">There are no test pictures.</exception>
    public static Calibrated Keep(
        Model model, ImmutableHashSet<string> floats, Func<ImmutableHashSet<string>, Calibrated> calibrate, DataSet data, double drop, int seed, Action<double, string>? tell = null, CancellationToken stop = default)
    {
        Evaluation.RequirePictures(data);
        ImmutableArray<LayerNoise>? order = null;
        Dictionary<int, Calibrated> tried = new() { [0] = calibrate(floats) };
        double least = Asked(model.Graph).Value - drop;
        int fewest = Fewest(PostTraining.Layers(model.Graph).Count(layer => !floats.Contains(layer.Name)), count =>
        {
            Score score = Asked(With(count).Quantized);
            tell?.Invoke(1, string.Create(CultureInfo.InvariantCulture, $"{count} layers real: {score}, at least {100 * least:F2} % is asked for"));
            return score.Value >= least;
        });
        return With(fewest);

        Score Asked(Graph graph) => Evaluation.Of(model with { Graph = graph }, data, Environment.ProcessorCount, stop).Score;

        // The named layers and so many of the worst others.
        Calibrated With(int count)
        {
            if (tried.TryGetValue(count, out Calibrated? known)) return known;
            order ??= Order(tried[0], Calibration.Inputs(model, data, data.Train.Sample(Pictures, seed)),
                (done, all) => tell?.Invoke((double)done / all, $"{done} of {all} layers by themselves"), stop);
            return tried[count] = calibrate(floats.Union(order.Value.Take(count).Select(noise => noise.Layer)));
        }
    }

    /// <summary>The layers of a network, those first whose quantization changes its answers most.</summary>
    /// <param name="calibrated">The network.</param>
    /// <param name="inputs">What it is asked.</param>
    /// <param name="tell">Is told how many layers are done, and of how many.</param>
    /// <param name="stop">Ends the work.</param>
    public static ImmutableArray<LayerNoise> Order(Calibrated calibrated, IReadOnlyCollection<Tensor> inputs, Action<int, int>? tell = null, CancellationToken stop = default)
    {
        ImmutableHashSet<string> layers = [.. PostTraining.Layers(calibrated.Graph).Select(layer => layer.Name)];
        Tensor[] real = [.. Answers(calibrated.Graph, inputs, stop)];
        List<LayerNoise> noise = [];
        string[] others = [.. layers.Except(calibrated.Floats)];
        foreach (string layer in others)
        {
            noise.Add(new(layer, Noise(real, Answers((calibrated with { Floats = layers.Remove(layer) }).Quantized, inputs, stop))));
            tell?.Invoke(noise.Count, others.Length);
        }
        return [.. noise.OrderByDescending(one => one.Error).ThenBy(one => one.Layer, StringComparer.Ordinal)];
    }

    /// <summary>How much another network's answers differ from the real one's: the squared difference of the outputs, of their squares.</summary>
    public static double Noise(Graph real, Graph other, IEnumerable<Tensor> inputs, CancellationToken stop = default) => Noise([.. Answers(real, inputs, stop)], Answers(other, inputs, stop));

    /// <summary>The same of answers that are known.</summary>
    public static double Noise(IReadOnlyCollection<Tensor> real, IEnumerable<Tensor> other) =>
        real.Zip(other, Sum).Sum() / real.Sum(answer => Sum(answer, Tensor.Zeros(answer.Type, answer.Shape)));

    /// <summary>A network's answers, each when it is asked for.</summary>
    internal static IEnumerable<Tensor> Answers(Graph graph, IEnumerable<Tensor> inputs, CancellationToken stop)
    {
        using Session session = new(graph, new(Batch: 1));
        foreach (Tensor input in inputs) yield return session.Run([input], stop)[0];
    }

    /// <summary>The same in decibels, more where less differs: the signal-to-noise ratio of the answers.</summary>
    public static double Decibels(double noise) => -10 * Math.Log10(noise);

    /// <summary>
    /// The fewest of the worst layers that stay real so that a bound holds, found by trying none, one, two, four, …, and then what lies between the last two; all
    /// where no fewer do. It is taken for granted that more real layers are never worse.
    /// </summary>
    public static int Fewest(int layers, Func<int, bool> holds)
    {
        int least = -1, most = 0;
        while (most < layers && !holds(most)) (least, most) = (most, Math.Min(layers, Math.Max(1, 2 * most)));
        while (most - least > 1)
        {
            int middle = (least + most) / 2;
            if (holds(middle)) most = middle;
            else least = middle;
        }
        return most;
    }

    private static double Sum(Tensor one, Tensor other)
    {
        double sum = 0;
        ReadOnlySpan<float> a = one.Floats, b = other.Floats;
        for (int i = 0; i < a.Length; i++) sum += Math.Pow(a[i] - (double)b[i], 2);
        return sum;
    }
}
