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
    private static readonly Option<string?> sheet = Given.Path(new Option<string?>("--sheet") { HelpName = "FILE", Description = "Where pictures have masks: draw some test pictures, their truth and the answer side by side (.png)." });
    private static readonly Option<string?> beside = Given.Path(new Option<string?>("--beside") { HelpName = "MODEL", Description = "With --sheet: show this network's answers, too, before the others; such as the network before compression." });
    private static readonly Option<int> shown = Given.Number("--shown", "N", 12, 1, 100, "With --sheet: how many test pictures are drawn, evenly spread over their names.");
    private static readonly Option<bool> masksOnly = new("--masks-only") { Description = "With --sheet: draw truth and answers, but not the pictures, such as where they may not be passed on." };

    /// <summary>The verb.</summary>
    public static Verb Create() => new("evaluate", "Runs all test pictures of a data set on the engine, and tells how many of the answers are right; where the pictures have masks, by class and pixel.",
        ["penjing evaluate model.penjing --data fashion-mnist", "penjing evaluate model.penjing --data ./pictures --json", "penjing evaluate small.penjing --data ./clothes --sheet sheet.png --beside parser.penjing"],
        Run, [model, data, threads, sheet, beside, shown, masksOnly, tune.Symbol, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model);
        string? second = parsed.GetValue(beside), drawn = parsed.GetValue(sheet) is { } path ? Destination.Drawn(path, source, second) : null;
        if (drawn is null) Given.RefuseWithout(parsed, sheet, beside, shown, masksOnly);
        Model network = reading.Read(parsed, source, beside: second);
        Model[] answering = second is null ? [network] : [reading.Read(parsed, second, beside: source), network];
        DataSet set = DataFor.Measuring(network, parsed.GetRequiredValue(data), screen, stop);
        if (drawn is not null) ParseSheet.Check(set, answering);
        int count = parsed.GetValue(threads) ?? Environment.ProcessorCount;
        SessionOptions options = tune.Apply(parsed, screen, source, network, Evaluation.Options, stop);
        Evaluation? result = null;
        Watch.Over(screen, "evaluating", watch => result = Evaluation.Of(network, set, count, stop, options.Tuning,
            done => watch.Tell(done, set)));
        if (drawn is not null)
        {
            byte[] png = Overlay.Draw(ParseSheet.Of(set, answering, parsed.GetValue(shown), parsed.GetValue(masksOnly), stop), set.Labels);
            AtomicFile.Write(drawn, stream => stream.Write(png));
        }
        (Score score, double? top5, double meanMs) = (result!.Score, result.Top5, result.MeanMs);
        ClassScore[] classes = result.Confusion is { } confusion ? [.. set.Labels.Select((name, label) => ClassScore.Of(name, label, confusion))] : [];
        screen.Show(new
        {
            Model = network.Name, Data = set.Name, score.Top1, Top5 = top5, score.MeanIoU, score.PixelAccuracy, Images = set.Test.Count, MeanMs = meanMs, Threads = count, Seconds = result.Elapsed.TotalSeconds,
            Classes = classes.Length > 0 ? classes : null, Sheet = drawn,
        }, () => [.. classes.Length > 0 ? [ClassScore.Table(classes)] : Array.Empty<IRenderable>(), Screen.Facts([
                .. score.Top1 is { } top1 ? [("top-1", Quantity.Percent(top1))] : new[] { ("mean IoU", Quantity.Percent(score.Value)), ("pixel accuracy", Quantity.Percent(score.Accuracy)) },
                .. top5 is { } five ? [("top-5", Quantity.Percent(five))] : Array.Empty<(string, string)>(),
                ("test pictures", $"{Quantity.Exact(set.Test.Count)} of {set.Name}"),
                ("mean time of a run", $"{Quantity.Milliseconds(meanMs)}, {count} side by side"),
                ("whole time", Quantity.Duration(result.Elapsed)),
                .. drawn is null ? Array.Empty<(string, string)>() : [("sheet", drawn)]])]);
    }
}
