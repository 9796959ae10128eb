using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing demo: the whole way from training to a compressed file that the engine runs, with a report.</summary>
internal static class DemoCommand
{
    private const int AgreeingSamples = 10, DifferingSamples = 12;
    private static readonly Option<string> output = Given.Path(new Option<string>("--out", "-o")
    {
        HelpName = "FOLDER",
        Description = "Where the three files and report.html are written.",
        DefaultValueFactory = _ => "penjing-demo",
    });
    private static readonly Option<string> data = Given.Data("fashion-mnist");
    private static readonly Option<int> seed = Given.Seed();
    private static readonly Option<int?> threads = Given.Threads("Threads to train on (default: 2); the result depends on this count, but not on the machine's speed.");
    private static readonly Option<bool> quick = new("--quick") { Description = "A tiny network and little training, to try the way with little data." };

    /// <summary>The verb.</summary>
    public static Verb Create() => new("demo", "Trains a MobileNet on Fashion-MNIST, prunes it, shares its weights, codes it, and measures every file on the engine: at most 8 minutes on two cores.",
        ["penjing demo", "penjing demo --out /tmp/demo --seed 2 --json"], Run, output, data, seed, threads, quick, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        string folder = Destination.Folder(parsed.GetRequiredValue(output));
        DataSet set = DataSets.Open(parsed.GetRequiredValue(data), report: screen.Note, cancellation: stop);
        Evaluation.RequirePictures(set);
        int count = parsed.GetValue(threads) ?? 2;
        DemoPlan plan = parsed.GetValue(quick) ? DemoPlan.Quick(parsed.GetValue(seed), count) : DemoPlan.Full(parsed.GetValue(seed), count);
        DemoOutcome outcome = new DemoRun(screen, plan, set, folder, stop).Run();
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        string report = Path.Combine(folder, "report.html");
        string network = string.Create(CultureInfo.InvariantCulture, $"A MobileNet v1 of width {plan.Width}");
        Findings findings = new("demo", network, $"{network}, trained on {set.Name}, then pruned, its weights shared and entropy-coded.", set.Name, set.Test.Count, outcome.Stages, Samples.Agreeing(set, outcome.Before, outcome.After, AgreeingSamples),
            Samples.Differing(set, outcome.Before, outcome.After, DifferingSamples), Samples.Differences(outcome.Before, outcome.After), outcome.LastFile, Made(plan, set, time));
        AtomicFile.Write(report, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(HtmlReport.Write(findings))));
        screen.Show(new
        {
            findings.Network, Data = set.Name, Images = set.Test.Count, plan.Train.Seed, plan.Train.Threads, Seconds = time.TotalSeconds, Report = report,
            Stages = StageTable.Json(outcome.Stages, folder),
        }, () => [.. StageTable.Draw(outcome.Stages), Screen.Line($"Report: {report}; {Quantity.Duration(time)} in this run.")]);
    }

    private static KeyValuePair<string, string>[] Made(DemoPlan plan, DataSet set, TimeSpan time) =>
    [
        new("Command", $"penjing {string.Join(' ', Environment.GetCommandLineArgs().Skip(1))}"),
        new("Training", string.Create(CultureInfo.InvariantCulture,
            $"{plan.Train.Epochs} epochs, then {plan.Retrain.Length} rounds of pruning with {string.Join(" + ", plan.Retrain.Select(round => round.Epochs))} epochs, then {plan.Reshare.Epochs} epochs on the shared values")),
        new("Pictures", $"{Quantity.Exact(set.Train.Count)} to train on, {Quantity.Exact(set.Test.Count)} to test with, from {set.Source}"),
        new("Latency", $"one picture at a time, one thread, the three files in turns, {DemoRun.TimedRuns} timed runs each"),
        new("Seed", string.Create(CultureInfo.InvariantCulture, $"{plan.Train.Seed}; {plan.Train.Threads} training threads")),
        new("Machine", Machine.Description),
        new("Date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        new("Time of this run", Quantity.Duration(time)),
        new("Penjing", typeof(DemoCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion),
    ];
}
