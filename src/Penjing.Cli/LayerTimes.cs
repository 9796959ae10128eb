using System.Collections.Immutable;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>What the nodes of a network take on this machine's engine, as they run there: fused, each by the last one of its kernel.</summary>
/// <param name="Steps">All steps of a run.</param>
/// <param name="Threads">The threads that ran them.</param>
internal sealed record LayerTimes(ImmutableArray<StepTime> Steps, int Threads)
{
    private readonly Dictionary<string, double> times = Steps.Where(step => step.Step.Op is not ("Input" or "Output")).GroupBy(step => step.Step.Name)
        .ToDictionary(group => group.Key, group => group.Sum(step => step.MedianMs));

    /// <summary>The times of a network, from some runs on seeded noise; of 0 threads, as many as suit the machine.</summary>
    public static LayerTimes Of(Model model, int threads, int runs)
    {
        using Session session = new(model, new SessionOptions(threads));
        return new(session.Profile(runs), session.Threads);
    }

    /// <summary>The time of a whole run, in milliseconds.</summary>
    public double TotalMs => Steps.Sum(step => step.MedianMs);

    /// <summary>The time of a node, in milliseconds; null where it is fused into another or takes none.</summary>
    public double? this[Node node] => times.TryGetValue(node.Name, out double time) ? time : null;
}
