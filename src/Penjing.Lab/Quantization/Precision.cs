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

    /// <summary>The layers that stay real so that accuracy on the test pictures doesn't fall by more than so much: those that are named, and as few of the worst others as that takes.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="ranges">The ranges of its values, but for those that only <paramref name="floats"/> would read.</param>
    /// <param name="floats">Layers that stay real in any case.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="drop">How much less of the test pictures may be right, a fraction.</param>
    /// <param name="seed">Which training pictures layers are compared with.</param>
    /// <param name="tell">Is told how far it is, 0 to 1, and what was found.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">There are no test pictures.</exception>
    public static ImmutableHashSet<string> Keep(
        Model model, IReadOnlyDictionary<string, ValueRange> ranges, ImmutableHashSet<string> floats, int weightBits, DataSet data, double drop, int seed, Action<double, string>? tell = null, CancellationToken stop = default)
    {
        Evaluation.RequirePictures(data);
        ImmutableArray<LayerNoise>? order = null;
        double least = Top1(model.Graph) - drop;
        return Real(Fewest(PostTraining.Layers(model.Graph).Count(layer => !floats.Contains(layer.Name)), count =>
        {
            double top1 = Top1(PostTraining.Quantize(model.Graph, ranges, Real(count), weightBits));
            tell?.Invoke(1, string.Create(CultureInfo.InvariantCulture, $"{count} layers real: top-1 {100 * top1:F2} %, at least {100 * least:F2} % is asked for"));
            return top1 >= least;
        }));

        double Top1(Graph graph) => Evaluation.Of(model with { Graph = graph }, data, Environment.ProcessorCount, stop).Top1;

        // The named layers and so many of the worst others.
        ImmutableHashSet<string> Real(int count)
        {
            if (count == 0) return floats;
            order ??= Order(model, ranges, floats, weightBits, data.Train.Sample(Pictures, seed), model.Preprocessing ?? data.Preprocessing,
                (done, all) => tell?.Invoke((double)done / all, $"{done} of {all} layers by themselves"), stop);
            return floats.Union(order.Value.Take(count).Select(noise => noise.Layer));
        }
    }

    /// <summary>The layers of a prepared network, those first whose quantization changes its answers most.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="ranges">The ranges of its values, but for those that only <paramref name="floats"/> would read.</param>
    /// <param name="floats">Layers that stay real in any case.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="pictures">The pictures that are asked about.</param>
    /// <param name="preprocessing">How a picture becomes the input.</param>
    /// <param name="tell">Is told how many layers are done, and of how many.</param>
    /// <param name="stop">Ends the work.</param>
    public static ImmutableArray<LayerNoise> Order(
        Model model, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits, Split pictures, Preprocessing preprocessing, Action<int, int>? tell = null, CancellationToken stop = default)
    {
        ImmutableHashSet<string> layers = [.. PostTraining.Layers(model.Graph).Select(layer => layer.Name)];
        Tensor[] fed, real;
        using (Session session = new(model.Graph, new(Batch: 1)))
        {
            Shape shape = session.Inputs[0].Info.Shape;
            fed = [.. Enumerable.Range(0, pictures.Count).Select(picture => Training.Pictures.ToInput(pictures.Picture(picture), preprocessing, shape))];
            real = [.. fed.Select(input => session.Run([input], stop)[0])];
        }
        double power = real.Sum(answer => Sum(answer, Tensor.Zeros(answer.Type, answer.Shape)));
        List<LayerNoise> noise = [];
        string[] others = [.. layers.Except(floats)];
        foreach (string layer in others)
        {
            using Session session = new(PostTraining.Quantize(model.Graph, ranges, layers.Remove(layer), weightBits), new(Batch: 1));
            noise.Add(new(layer, fed.Zip(real).Sum(pair => Sum(session.Run([pair.First], stop)[0], pair.Second)) / power));
            tell?.Invoke(noise.Count, others.Length);
        }
        return [.. noise.OrderByDescending(one => one.Error).ThenBy(one => one.Layer, StringComparer.Ordinal)];
    }

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
