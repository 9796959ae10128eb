using System.CommandLine;
using Penjing.Engine;
using Penjing.Training;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing evaluate: how often a network is right on the test pictures of a data set, or on their pixels, on the engine.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Tune tune = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("evaluate", "Runs all test pictures of a data set on the engine, and tells how many of the answers are right; where the pictures have masks, by class and pixel.",
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
        (Score score, double? top5, double meanMs) = (result!.Score, result.Top5, result.MeanMs);
        ClassScore[] classes = result.Confusion is { } confusion ? [.. set.Labels.Select((name, label) => ClassScore.Of(name, label, confusion))] : [];
        screen.Show(new
        {
            Model = network.Name, Data = set.Name, score.Top1, Top5 = top5, score.MeanIoU, score.PixelAccuracy, Images = set.Test.Count, MeanMs = meanMs, Threads = count, Seconds = result.Elapsed.TotalSeconds,
            Classes = classes.Length > 0 ? classes : null,
        }, () => [.. classes.Length > 0 ? [ClassScore.Table(classes)] : Array.Empty<IRenderable>(), Screen.Facts([
                .. score.Top1 is { } top1 ? [("top-1", Quantity.Percent(top1))] : new[] { ("mean IoU", Quantity.Percent(score.Value)), ("pixel accuracy", Quantity.Percent(score.Accuracy)) },
                .. top5 is { } five ? [("top-5", Quantity.Percent(five))] : Array.Empty<(string, string)>(),
                ("test pictures", $"{Quantity.Exact(set.Test.Count)} of {set.Name}"),
                ("mean time of a run", $"{Quantity.Milliseconds(meanMs)}, {count} side by side"),
                ("whole time", Quantity.Duration(result.Elapsed))])]);
    }
}
