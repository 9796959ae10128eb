using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;

namespace Penjing.Lab;

/// <summary>Layers that integers don't make faster: which these are hangs on the processor, so it is measured, on this machine's engine.</summary>
public static class SlowLayers
{
    private const int Runs = 30;
    private const double Worth = 0.98;

    /// <summary>
    /// The layers that should stay real for the network's sake: those that do, and of the others that take longer in integers, those first that lose most, so many as give the
    /// fastest network; none of these where that gains less than 2 %. One thread, one picture.
    /// </summary>
    /// <param name="calibrated">The network's integers.</param>
    /// <param name="tell">Is told how far it is, 0 to 1, and what was found.</param>
    /// <param name="stop">Ends the work.</param>
    public static ImmutableHashSet<string> Of(Calibrated calibrated, Action<double, string>? tell = null, CancellationToken stop = default)
    {
        ImmutableArray<string> slow = Order(calibrated);
        ImmutableHashSet<string>[] tried = [.. Counts(slow.Length).Select(count => calibrated.Floats.Union(slow.Take(count)))];
        Session[] sessions = [.. tried.Select(floats => new Session((calibrated with { Floats = floats }).Quantized, new(1, Batch: 1)))];
        try
        {
            tell?.Invoke(0.5, $"{slow.Length} layers are slower in integers by themselves");
            double[] times = [.. Latency.Of(sessions, Runs, stop).Select(latency => latency.MedianMs)];
            int best = Array.IndexOf(times, times.Min());
            return times[best] < Worth * times[0] ? tried[best] : calibrated.Floats;
        }
        finally
        {
            foreach (Session session in sessions) session.Dispose();
        }
    }

    /// <summary>The layers whose steps take longer in integers than in reals, those first that lose most.</summary>
    private static ImmutableArray<string> Order(Calibrated calibrated)
    {
        Graph real = calibrated.Graph;
        Dictionary<string, double> before = Times(real), after = Times(calibrated.Quantized);
        ILookup<Node, Node> readers = real.Consumers();
        return
        [
            .. from layer in PostTraining.Layers(real)
               where !calibrated.Floats.Contains(layer.Name)
               let loss = Step(layer, after, "/quantized") - Step(layer, before, "")
               where loss > 0
               orderby loss descending, layer.Name
               select layer.Name,
        ];

        // A layer's time is that of the step that ends with it, or with what reads it alone.
        double? Step(Node node, Dictionary<string, double> times, string suffix) =>
            times.TryGetValue(node.Name + suffix, out double ms) || times.TryGetValue(node.Name, out ms) ? ms : readers[node].ToArray() is [var reader] ? Step(reader, times, suffix) : null;
    }

    private static Dictionary<string, double> Times(Graph graph)
    {
        using Session session = new(graph, new(1, Batch: 1));
        return session.Profile(Runs).GroupBy(step => step.Step.Name).ToDictionary(steps => steps.Key, steps => steps.Sum(step => step.MedianMs));
    }

    /// <summary>None, one, two, four, …, all.</summary>
    private static IEnumerable<int> Counts(int all)
    {
        yield return 0;
        for (int count = 1; count < all; count *= 2) yield return count;
        if (all > 0) yield return all;
    }
}
