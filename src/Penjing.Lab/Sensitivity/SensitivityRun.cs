using System.Collections.Immutable;
using System.Diagnostics;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Lab;

/// <summary>What was measured of one part.</summary>
/// <param name="Part">The part.</param>
/// <param name="Points">The accuracy at each level.</param>
public sealed record SensitivityCurve(SensitivityPart Part, ImmutableArray<(double Level, Accuracy Accuracy)> Points);

/// <summary>Measured curves, and the accuracy of the whole network on the same pictures.</summary>
public sealed record SensitivityResult(SensitivityBy By, Accuracy Whole, ImmutableArray<SensitivityCurve> Curves)
{
    /// <summary>
    /// The last level, counted from the mildest, up to which the network does no worse than the whole one by more than its own interval; null where the first one
    /// is too much.
    /// </summary>
    public double? Borne(SensitivityCurve curve) =>
        curve.Points.TakeWhile(point => point.Accuracy.High >= Whole.Fraction).Select(point => (double?)point.Level).LastOrDefault();
}

/// <summary>Measures a network's sensitivity on the engine, as far as a cache doesn't know it.</summary>
public sealed class SensitivityRun(Model model, DataSet data, int threads, SensitivityCache cache, CancellationToken stop)
{
    private readonly string network = SensitivityCache.Hash(model), pictures = SensitivityCache.Hash(data);

    /// <summary>Measures all parts at all levels.</summary>
    /// <param name="by">What is taken.</param>
    /// <param name="levels">How much, mildest first.</param>
    /// <param name="rule">What the cache knows the rule by; empty where there is only one.</param>
    /// <param name="importance">That rule, for channels.</param>
    /// <param name="tell">Is told how many probes are done, of how many, and how long the others take.</param>
    public SensitivityResult Measure(SensitivityBy by, ImmutableArray<double> levels, string rule, Importance? importance, Action<int, int, TimeSpan?> tell)
    {
        if (data.HasMasks)
            throw new PenjingException($"sensitivity is told by how many pictures are right, but the data set '{data.Name}' has a class for each pixel: compress by a recipe, or by prune, share and quantize with figures of your own");
        Compression.Sensitivity sensitivity = new(model.Graph, by, importance);
        string what = $"{by} {rule}".TrimEnd();
        Accuracy whole = Ask(new(network, pictures, "Whole", "", 0), () => model.Graph);
        Probe[] open = [.. sensitivity.Parts.SelectMany(part => levels.Select(level => At(part, level))).Where(probe => cache[probe] is null)];
        int done = 0;
        long start = Stopwatch.GetTimestamp();
        tell(0, open.Length, null);
        var curves = ImmutableArray.CreateBuilder<SensitivityCurve>();
        foreach (SensitivityPart part in sensitivity.Parts)
        {
            var points = ImmutableArray.CreateBuilder<(double, Accuracy)>();
            foreach (double level in levels)
            {
                bool isOpen = cache[At(part, level)] is null;
                points.Add((level, Ask(At(part, level), () => sensitivity.At(part, level))));
                if (isOpen) tell(++done, open.Length, Stopwatch.GetElapsedTime(start) * ((double)(open.Length - done) / done));
            }
            curves.Add(new(part, points.ToImmutable()));
        }
        return new(by, whole, curves.ToImmutable());

        Probe At(SensitivityPart part, double level) => new(network, pictures, what, part.Name, level);
    }

    private Accuracy Ask(Probe probe, Func<Graph> make)
    {
        if (cache[probe] is { } known) return known;
        stop.ThrowIfCancellationRequested();
        double top1 = Evaluation.Of(model with { Graph = make() }, data, threads, stop).Score.Accuracy;
        Accuracy accuracy = new((int)Math.Round(top1 * data.Test.Count), data.Test.Count);
        cache.Add(probe, accuracy);
        return accuracy;
    }
}
