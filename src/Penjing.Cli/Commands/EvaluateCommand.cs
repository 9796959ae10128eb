using System.CommandLine;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing evaluate: how often a network is right on the test pictures of a data set, on the engine.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Tune tune = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("evaluate", "Runs all test pictures of a data set on the engine, and tells how many of the answers are right.",
        ["penjing evaluate model.penjing --data fashion-mnist", "penjing evaluate model.penjing --data ./pictures --json"], Run, [model, data, threads, tune.Symbol, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        Model network = reading.Read(parsed, parsed.GetRequiredValue(model));
        DataSet set = TrainCommand.Begin(network, parsed.GetRequiredValue(data), screen, stop);
        int count = parsed.GetValue(threads) ?? Environment.ProcessorCount;
        SessionOptions options = tune.Apply(parsed, screen, parsed.GetRequiredValue(model), network, Evaluation.Options, stop);
        Evaluation? result = null;
        Watch.Over(screen, "evaluating", watch => result = Evaluation.Of(network, set, count, stop, options.Tuning,
            done => watch.Tell((double)done / set.Test.Count, $"{Quantity.Exact(done)} of {Quantity.Exact(set.Test.Count)} pictures")));
        (double top1, double? top5, double meanMs) = (result!.Top1, result.Top5, result.MeanMs);
        screen.Show(new { Model = network.Name, Data = set.Name, Top1 = top1, Top5 = top5, Images = set.Test.Count, MeanMs = meanMs, Threads = count, Seconds = result.Elapsed.TotalSeconds },
            () => [Screen.Facts([
                ("top-1", Quantity.Percent(top1)),
                .. top5 is { } five ? [("top-5", Quantity.Percent(five))] : Array.Empty<(string, string)>(),
                ("test pictures", $"{Quantity.Exact(set.Test.Count)} of {set.Name}"),
                ("mean time of a run", $"{Quantity.Milliseconds(meanMs)}, {count} side by side"),
                ("whole time", Quantity.Duration(result.Elapsed))])]);
    }
}
