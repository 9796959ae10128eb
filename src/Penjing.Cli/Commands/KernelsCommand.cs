using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Engine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing kernels: every kernel that can compute a layer, timed on this machine.</summary>
internal static class KernelsCommand
{
    private const long BetweenWithoutModel = 16 << 20;

    private static readonly Option<string> shape = Given.Path(new Option<string>("--shape") { HelpName = "LAYER", Description = $"The layer, written as {LayerText.Form}." });
    private static readonly Option<string> model = Given.Path(new Option<string>("--model") { HelpName = "MODEL", Description = $"A network's file ({Given.ReadableEndings}) that has the layer." });
    private static readonly Option<string> layer = Given.Path(new Option<string>("--layer") { HelpName = "NAME", Description = "With --model: the layer's name, as profile shows it." });
    private static readonly Reading reading = new();
    private static readonly Option<int?> threads = Given.Threads("Threads that share a run (default: 1).");
    private static readonly Option<double> seconds = Given.Number("--seconds", "S", 0.5, 0.001, 600, "About how long each kernel is measured.");
    private static readonly Option<bool> warm = new("--warm") { Description = "Leave weights and values in the caches from run to run; in a network the other layers push them out." };

    /// <summary>The verb.</summary>
    public static Verb Create() => new("kernels", "Times every kernel that can compute a layer on this machine, and marks the one that the cost model picks.",
        ["penjing kernels --shape 256x28x28-256-k3", "penjing kernels --model model.penjing --layer block3.pointwise.relu --threads 2", "penjing kernels --shape 512x14x14-512-z90 --warm --json"], Run,
        [shape, model, layer, threads, seconds, warm, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        int count = parsed.GetValue(threads) ?? 1;
        (Site site, KernelRow? tuned, long bytes) = Find(parsed, screen, new(count));
        ImmutableArray<KernelRow> rows = Trial.Candidates(site);
        if (rows.IsEmpty) throw new PenjingException($"no kernel computes {site.Node}: it falls back to the slow reference");
        long between = parsed.GetValue(warm) ? 0 : bytes, macs = Fusion.MacsOf(site.Node);
        Trial[] trials = [.. Trial.Of(rows, site, 1000 * parsed.GetValue(seconds), between, stop).OrderBy(trial => trial.Ms)];
        KernelRow pick = KernelTable.Choose(site);
        double peak = FmaPeak.Gflops(site.Isa) * count;
        screen.Show(new
        {
            Layer = LayerKey.Of(site), Threads = count, Macs = macs, PeakGflops = peak, BetweenBytes = between, Pick = pick.Name, Tuned = tuned?.Name,
            Kernels = trials.Select(trial => new
            {
                Row = trial.Row.Name, Kernel = trial.Label, trial.Ms, trial.BestMs, EstimatedMs = Estimate(trial.Row, site), Gflops = Profile.Gflops(macs, trial.Ms),
                OfPeak = Profile.Gflops(macs, trial.Ms) / peak, trial.ScratchBytes, trial.PackedBytes, IsPick = trial.Row == pick, IsTuned = trial.Row == tuned,
            }),
        }, Draw);

        IEnumerable<IRenderable> Draw()
        {
            yield return Screen.Line($"{LayerKey.Of(site)}: {(macs > 0 ? $"{Quantity.Count(macs)} multiply-accumulates, " : "")}{count} thread{(count == 1 ? "" : "s")}");
            Table table = Screen.Table("Kernel", ">Time", ">Best", ">Estimate", ">GFLOP/s", ">Peak", ">Scratch", ">Packed", "");
            foreach (Trial trial in trials)
            {
                double? gflops = Profile.Gflops(macs, trial.Ms);
                string[] marks = [.. trial.Row == pick ? ["the pick"] : Array.Empty<string>(), .. trial.Row == tuned ? ["tuned"] : Array.Empty<string>()];
                table.AddRow(new Text(trial.Label), new Text(Quantity.Milliseconds(trial.Ms)), new Text(Quantity.Milliseconds(trial.BestMs)),
                    new Text(Estimate(trial.Row, site) is { } estimate ? Quantity.Milliseconds(estimate) : ""), new Text(gflops?.ToString("F1", CultureInfo.InvariantCulture) ?? ""),
                    new Text(gflops is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{100 * rate / peak:F1} %") : ""),
                    new Text(trial.ScratchBytes > 0 ? Quantity.Bytes(trial.ScratchBytes) : ""), new Text(trial.PackedBytes > 0 ? Quantity.Bytes(trial.PackedBytes) : ""),
                    new Text(marks.Length > 0 ? $"← {string.Join(", ", marks)}" : ""));
            }
            yield return table;
            yield return Screen.Line($"Time: what a quarter of the runs don't exceed{(between > 0 ? $", each after {Quantity.Bytes(between)} of other memory were read" : "")}. Estimate: the cost model's, for one thread; none where it never takes the kernel.");
            if (macs > 0) yield return Screen.Line(ProfileCommand.Peak(peak, count));
        }
    }

    /// <summary>What the cost model says, in milliseconds; null where it says nothing, or never to take the kernel.</summary>
    private static double? Estimate(KernelRow row, Site site) => row.Cost?.Invoke(site) is { } cost && double.IsFinite(cost) ? cost / 1e6 : null;

    /// <summary>The layer that the command line names, what is known of it, and the bytes that pass through the caches between two of its runs.</summary>
    private static (Site Site, KernelRow? Tuned, long Bytes) Find(ParseResult parsed, Screen screen, SessionOptions options)
    {
        string? words = parsed.GetValue(shape), path = parsed.GetValue(model), name = parsed.GetValue(layer);
        if (words is null == path is null) throw new UsageException("say which layer: either --shape LAYER, or --model MODEL with --layer NAME");
        if (words is not null)
            return name is null ? (new(LayerText.Parse(words), Isas.Best) { Seats = options.Workers }, null, BetweenWithoutModel) : throw new UsageException("--layer names a layer of a --model, but --shape is given: leave one out");
        Model network = reading.Read(parsed, path!);
        Tuning? tuning = Tuning.Beside(path!, out string? remark);
        if (remark is not null) screen.Note(remark);
        (ImmutableArray<Site> sites, long bytes) = Tuning.Sites(network.Graph, options);
        Site site = sites.FirstOrDefault(site => site.Node.Name == name)
            ?? throw new PenjingException($"{(name is null ? "say which layer by --layer" : $"'{path}' has no layer '{name}' that a kernel computes")}; there are {string.Join(", ", sites.Select(site => site.Node.Name))}");
        return (site, tuning?.Row(site), bytes);
    }
}
