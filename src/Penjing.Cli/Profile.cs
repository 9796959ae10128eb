using System.Collections.Immutable;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>Where the time of a run goes, and how far from the processor's limit each part of it is.</summary>
/// <param name="Steps">The steps of a run and their times.</param>
/// <param name="Threads">The threads that shared them.</param>
/// <param name="ArenaBytes">Bytes of the memory that all values, but outputs written where the caller wants them, and all scratch memory share.</param>
/// <param name="PeakGflops">What these threads can multiply at most, in billions of floating-point operations a second.</param>
internal sealed record Profile(ImmutableArray<StepTime> Steps, int Threads, long ArenaBytes, double PeakGflops)
{
    /// <summary>The profile of a session, from some runs on seeded noise; the peak is measured by a loop of nothing but multiply-adds on one thread.</summary>
    public static Profile Of(Session session, int runs)
    {
        ImmutableArray<StepTime> steps = session.Profile(runs);
        return new(steps, session.Threads, session.ArenaBytes, FmaPeak.Gflops(Isas.Best) * session.Threads);
    }

    /// <summary>The time of a whole run: the sum of the steps', in milliseconds.</summary>
    public double TotalMs { get; } = Steps.Sum(step => step.MedianMs);

    /// <summary>Multiply-accumulates of a run.</summary>
    public long Macs { get; } = Steps.Sum(step => step.Step.Macs);

    /// <summary>Bytes of all packed weights.</summary>
    public long WeightBytes { get; } = Steps.Sum(step => step.Step.WeightBytes);

    /// <summary>The kernels, by their rows of the table, those that take longest first.</summary>
    public ImmutableArray<KernelShare> Kernels { get; } =
    [
        .. Steps.GroupBy(step => step.Step.Row)
            .Select(group => new KernelShare(group.Key, group.Count(), group.Sum(step => step.MedianMs), group.Sum(step => step.Step.Macs)))
            .OrderByDescending(kernel => kernel.Ms),
    ];

    /// <summary>A time as a fraction of the whole.</summary>
    public double Share(double ms) => TotalMs > 0 ? ms / TotalMs : 0;

    /// <summary>Billions of floating-point operations a second, two for each multiply-accumulate; null where there are none.</summary>
    public static double? Gflops(long macs, double ms) => macs > 0 && ms > 0 ? 2e-6 * macs / ms : null;

    /// <summary>The same as a fraction of the peak. Kernels that do with fewer multiplications than the layer's definition has, as Winograd's, may exceed it.</summary>
    public double? OfPeak(long macs, double ms) => Gflops(macs, ms) / PeakGflops;
}

/// <summary>What the steps of one kernel take together.</summary>
internal sealed record KernelShare(string Row, int Steps, double Ms, long Macs);
