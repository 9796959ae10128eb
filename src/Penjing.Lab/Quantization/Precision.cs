using System.Collections.Immutable;
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

    /// <summary>The layers of a prepared network, those first whose quantization changes its answers most.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="ranges">The ranges of its values, but for those that only <paramref name="floats"/> would read.</param>
    /// <param name="floats">Layers that stay real in any case.</param>
    /// <param name="pictures">The pictures that are asked about.</param>
    /// <param name="preprocessing">How a picture becomes the input.</param>
    /// <param name="tell">Is told how many layers are done, and of how many.</param>
    /// <param name="stop">Ends the work.</param>
    public static ImmutableArray<LayerNoise> Order(
        Model model, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, Split pictures, Preprocessing preprocessing, Action<int, int>? tell = null, CancellationToken stop = default)
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
            using Session session = new(PostTraining.Quantize(model.Graph, ranges, layers.Remove(layer)), new(Batch: 1));
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
