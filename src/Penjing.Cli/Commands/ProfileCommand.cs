using System.CommandLine;
using System.Globalization;
using System.Text;
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
    private static readonly Tune tune = new();
    private static readonly Option<string> svg = Given.Path(new Option<string>("--svg")
    {
        HelpName = "FILE",
        Description = "Draw the profile: write a picture with a bar for each step, coloured by kernel.",
    });

    /// <summary>The verb.</summary>
    public static Verb Create() => new("profile",
        "Times each step of a run on the engine: which kernel, how long, how fast and how far from this machine's peak, what it reads and writes; fallbacks to the slow reference are marked.",
        ["penjing profile model.penjing --threads 1", "penjing profile model.penjing --svg profile.svg", "penjing profile model.penjing --json | jq '.steps[] | select(.isFallback)'"], Run,
        [model, threads, runs, batch, tune.Symbol, svg, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        int count = parsed.GetValue(runs), pictures = parsed.GetValue(batch);
        string path = parsed.GetRequiredValue(model);
        string? picture = parsed.GetValue(svg);
        if (picture is not null) Destination.File(picture, path, reading.Prototxt(parsed), Tuning.PathFor(path));
        Model network = reading.Read(parsed, path, pictures);
        SessionOptions options = tune.Apply(parsed, screen, path, network, new(parsed.GetValue(threads) ?? 0, pictures), stop);
        using Session session = new(network, options);
        Profile profile = Profile.Of(session, count);
        stop.ThrowIfCancellationRequested();
        if (picture is not null)
        {
            string title = network.Name.Length > 0 ? network.Name : Path.GetFileName(path);
            AtomicFile.Write(picture, stream => stream.Write(Encoding.UTF8.GetBytes(ProfileSvg.Draw(title, Totals(profile), Machine.Description, profile).Text)));
        }
        screen.Show(new
        {
            Model = network.Name, profile.TotalMs, profile.Macs, Gflops = Profile.Gflops(profile.Macs, profile.TotalMs), OfPeak = profile.OfPeak(profile.Macs, profile.TotalMs), profile.PeakGflops,
            profile.ArenaBytes, profile.WeightBytes, profile.Threads, Runs = count, Batch = pictures, IsTuned = options.Tuning is not null, Picture = picture,
            Steps = profile.Steps.Select(time => new
            {
                time.Step.Name, time.Step.Op, time.Step.Kernel, time.Step.Row, time.MedianMs, Share = profile.Share(time.MedianMs), time.Step.Macs,
                Gflops = Profile.Gflops(time.Step.Macs, time.MedianMs), OfPeak = profile.OfPeak(time.Step.Macs, time.MedianMs),
                time.Step.InputBytes, time.Step.WeightBytes, time.Step.OutputBytes, time.Step.ScratchBytes, time.Step.IsFallback,
            }),
            Kernels = profile.Kernels.Select(kernel => new
            {
                kernel.Row, kernel.Steps, kernel.Ms, Share = profile.Share(kernel.Ms), kernel.Macs, Gflops = Profile.Gflops(kernel.Macs, kernel.Ms), OfPeak = profile.OfPeak(kernel.Macs, kernel.Ms),
            }),
        }, () => Draw(profile, picture));
    }

    private static IEnumerable<IRenderable> Draw(Profile profile, string? picture)
    {
        Table steps = Screen.Table("Node", "Op", "Kernel", ">Time", ">Share", ">GFLOP/s", ">Peak", ">Read", ">Weights", ">Written", ">Scratch");
        foreach (StepTime time in profile.Steps)
        {
            Step step = time.Step;
            steps.AddRow(new Text(step.Name), new Text(step.Op), new Text(step.IsFallback ? $"{step.Kernel} (fallback)" : step.Kernel, step.IsFallback ? new Style(Color.Red) : Style.Plain),
                new Text(Quantity.Milliseconds(time.MedianMs)), Share(profile.Share(time.MedianMs)), Gflops(step.Macs, time.MedianMs), Share(profile.OfPeak(step.Macs, time.MedianMs)),
                Bytes(step.InputBytes), Bytes(step.WeightBytes), Bytes(step.OutputBytes), Bytes(step.ScratchBytes));
        }
        yield return steps;
        Table kernels = Screen.Table("By kernel", ">Steps", ">Time", ">Share", ">GFLOP/s", ">Peak");
        foreach (KernelShare kernel in profile.Kernels)
            kernels.AddRow(new Text(kernel.Row), new Text(Quantity.Exact(kernel.Steps)), new Text(Quantity.Milliseconds(kernel.Ms)), Share(profile.Share(kernel.Ms)),
                Gflops(kernel.Macs, kernel.Ms), Share(profile.OfPeak(kernel.Macs, kernel.Ms)));
        yield return kernels;
        int slow = profile.Steps.Count(step => step.Step.IsFallback);
        yield return Screen.Line($"{Totals(profile)}.");
        yield return Screen.Line($"Arena {Quantity.Exact(profile.ArenaBytes)} bytes, packed weights {Quantity.Exact(profile.WeightBytes)} bytes; "
            + (slow == 0 ? "no fallback." : $"{slow} step{(slow == 1 ? " falls" : "s fall")} back to the reference."));
        yield return Screen.Line(Peak(profile.PeakGflops, profile.Threads));
        if (picture is not null) yield return Screen.Line($"wrote {picture}: {Quantity.Exact(new FileInfo(picture).Length)} bytes");
    }

    /// <summary>What the percentages of the peak mean.</summary>
    internal static string Peak(double gflops, int threads) => string.Create(CultureInfo.InvariantCulture,
        $"Peak: {gflops:F0} GFLOP/s, by a loop of nothing but multiply-adds in registers{(threads > 1 ? $", {threads} times one thread's" : "")}; GFLOP/s count two for each multiply-accumulate of the layer's definition.");

    private static string Totals(Profile profile) => string.Create(CultureInfo.InvariantCulture,
        $"{Quantity.Milliseconds(profile.TotalMs)} in {profile.Steps.Length} steps on {profile.Threads} thread{(profile.Threads == 1 ? "" : "s")}")
        + (Profile.Gflops(profile.Macs, profile.TotalMs) is { } gflops ? string.Create(CultureInfo.InvariantCulture, $", {gflops:F1} GFLOP/s, {100 * gflops / profile.PeakGflops:F1} % of the peak") : "");

    private static Text Share(double? fraction) => new(fraction is { } share ? string.Create(CultureInfo.InvariantCulture, $"{100 * share:F1} %") : "");

    private static Text Gflops(long macs, double ms) => new(Profile.Gflops(macs, ms)?.ToString("F1", CultureInfo.InvariantCulture) ?? "");

    private static Text Bytes(long bytes) => new(bytes > 0 ? Quantity.Bytes(bytes) : "");
}
