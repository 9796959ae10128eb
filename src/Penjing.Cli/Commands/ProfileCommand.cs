using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Engine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing profile: where the time of a run goes.</summary>
internal static class ProfileCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Option<int> runs = Given.Runs(50);
    private static readonly Option<int> batch = Given.Batch(1);

    /// <summary>The verb.</summary>
    public static Verb Create() => new("profile", "Times each step of a run on the engine: which kernel, how long, how fast; fallbacks to the slow reference are marked.",
        ["penjing profile model.penjing --threads 1", "penjing profile model.penjing --json | jq '.steps[] | select(.isFallback)'"], Run, [model, threads, runs, batch, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        int count = parsed.GetValue(runs), pictures = parsed.GetValue(batch);
        Model network = reading.Read(parsed, parsed.GetRequiredValue(model), pictures);
        using Session session = new(network, new SessionOptions(parsed.GetValue(threads) ?? 0, pictures));
        ImmutableArray<StepTime> steps = session.Profile(count);
        double total = steps.Sum(step => step.MedianMs);
        screen.Show(new
        {
            Model = network.Name, TotalMs = total, session.ArenaBytes, session.Threads, Runs = count, Batch = pictures,
            Steps = steps.Select(step => new
            {
                step.Step.Name, step.Step.Op, step.Step.Kernel, step.MedianMs, Share = total > 0 ? step.MedianMs / total : 0, step.Step.Macs, step.Gflops,
                step.Step.OutputBytes, step.Step.ScratchBytes, step.Step.IsFallback,
            }),
        }, () => Draw(steps, total, session));
    }

    private static IEnumerable<IRenderable> Draw(ImmutableArray<StepTime> steps, double total, Session session)
    {
        Table table = Screen.Table("Node", "Op", "Kernel", ">Time", ">Share", ">MACs", ">GFLOP/s", ">Scratch");
        foreach (StepTime time in steps)
        {
            Step step = time.Step;
            table.AddRow(new Text(step.Name), new Text(step.Op), new Text(step.IsFallback ? $"{step.Kernel} (fallback)" : step.Kernel, step.IsFallback ? new Style(Color.Red) : Style.Plain),
                new Text(Quantity.Milliseconds(time.MedianMs)), new Text(string.Create(CultureInfo.InvariantCulture, $"{(total > 0 ? 100 * time.MedianMs / total : 0):F1} %")),
                new Text(step.Macs > 0 ? Quantity.Count(step.Macs) : ""), new Text(step.Macs > 0 ? time.Gflops.ToString("F1", CultureInfo.InvariantCulture) : ""),
                new Text(step.ScratchBytes > 0 ? Quantity.Bytes(step.ScratchBytes) : ""));
        }
        yield return table;
        int slow = steps.Count(step => step.Step.IsFallback);
        yield return Screen.Line($"{Quantity.Milliseconds(total)} in {steps.Length} steps on {session.Threads} thread{(session.Threads == 1 ? "" : "s")}; arena {Quantity.Exact(session.ArenaBytes)} bytes; "
            + (slow == 0 ? "no fallback." : $"{slow} step{(slow == 1 ? " falls" : "s fall")} back to the reference."));
    }
}
