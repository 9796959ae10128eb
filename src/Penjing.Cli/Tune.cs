using System.CommandLine;
using System.Diagnostics;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>The option --tune, and the tuning that lies beside a MODEL: the same for every verb that runs a network.</summary>
internal sealed class Tune
{
    private readonly Option<bool> option = new("--tune")
    {
        Description = "Measure first which kernel is fastest for each layer on this machine, and keep that beside MODEL (MODEL.tuned.json) for this and later runs; what is known already isn't measured again.",
    };

    /// <summary>The option.</summary>
    public Symbol Symbol => option;

    /// <summary>The options with the tuning that lies beside the model's file, if any, after measuring what it doesn't know where the command line asks for that.</summary>
    /// <exception cref="PenjingException">The tuning is to be measured, but can't be written.</exception>
    public SessionOptions Apply(ParseResult parsed, Screen screen, string path, Model network, SessionOptions options, CancellationToken stop)
    {
        bool measure = parsed.GetValue(option);
        string file = Tuning.PathFor(path);
        if (measure) Destination.File(file, path);
        options = options with { Tuning = Tuning.Beside(path, out string? remark) };
        if (remark is not null) screen.Note(measure ? $"{remark.Split(';')[0]}; measuring anew" : remark);
        return measure ? options with { Tuning = Measure(screen, file, network, options, stop) } : options;
    }

    private static Tuning Measure(Screen screen, string file, Model network, SessionOptions options, CancellationToken stop)
    {
        int known = options.Tuning?.Layers.Length ?? 0, count = 0;
        long start = Stopwatch.GetTimestamp();
        Tuning tuning = Tuning.Empty;
        Watch.Over(screen, "tuning", watch => tuning = Tuning.Measure(network.Graph, options, progress =>
        {
            count = progress.Count;
            if (count > 0) watch.Tell(progress.Fraction, $"{progress.Done} of {count} layers{(progress.Remaining is { } left ? $"  {Quantity.Duration(left)} left" : "")}");
        }, stop));
        if (count == 0)
        {
            screen.Note($"tuned before: '{file}' knows all layers; delete it to measure anew");
            return tuning;
        }
        tuning.Write(file);
        screen.WhenStopped = $"'{file}' is written";
        int other = tuning.Layers.Skip(known).Count(layer => layer.Kernel != layer.Untuned);
        screen.Note($"tuned {count} layer{(count == 1 ? "" : "s")} in {Quantity.Duration(Stopwatch.GetElapsedTime(start))}: {other} take{(other == 1 ? "s" : "")} another kernel than the cost model chose; kept in '{file}'");
        return tuning;
    }
}
