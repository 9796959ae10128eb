using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What values a network has inside, seen over pictures on the engine: what their integers must stand for.</summary>
public static class Calibration
{
    /// <summary>Pictures that are asked about by default.</summary>
    public const int Pictures = 256;

    /// <summary>The ranges of the values that become integers, measured with some of the training pictures.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="floats">Layers that stay real, by their names.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="method">How a range follows from what was seen.</param>
    /// <param name="pictures">How many are asked about.</param>
    /// <param name="seed">Which.</param>
    /// <param name="tell">Is told how many pictures are done, and of how many.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">The network has no such layer, or a value is not finite.</exception>
    public static ImmutableDictionary<string, ValueRange> Ranges(
        Model model, IReadOnlySet<string> floats, DataSet data, RangeMethod method, int pictures = Pictures, int seed = 1, Action<int, int>? tell = null, CancellationToken stop = default)
    {
        PostTraining.Check(model.Graph, floats);
        return Of(model, PostTraining.Values(model.Graph, floats), data.Train.Sample(pictures, seed), model.Preprocessing ?? data.Preprocessing, tell, stop)
            .ToImmutableDictionary(value => value.Key, value => Compression.Ranges.Of(value.Value, method));
    }

    /// <summary>The histogram of each of some values.</summary>
    /// <param name="model">The network, its graph prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="values">The values, of that graph.</param>
    /// <param name="pictures">The pictures, of the training split as a rule.</param>
    /// <param name="preprocessing">How a picture becomes the input.</param>
    /// <param name="tell">Is told how many pictures are done, and of how many.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">A value is not finite; the message names it.</exception>
    public static ImmutableDictionary<string, Histogram> Of(
        Model model, ImmutableArray<Node> values, Split pictures, Preprocessing preprocessing, Action<int, int>? tell = null, CancellationToken stop = default)
    {
        if (values.IsEmpty) return ImmutableDictionary<string, Histogram>.Empty;
        using Session session = new(new Graph(values, model.Graph.Inputs), new(Batch: 1));
        Shape shape = session.Inputs[0].Info.Shape;
        return Histogram.Of(values, Enumerable.Range(0, pictures.Count).Select(picture =>
        {
            tell?.Invoke(picture, pictures.Count);
            return session.Run([Training.Pictures.ToInput(pictures.Picture(picture), preprocessing, shape)], stop);
        }));
    }
}
