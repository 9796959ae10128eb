using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Penjing.Compression;
using Penjing.Interop;
using Penjing.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing compress: a recipe's stages one after another, or a search for what meets a budget; each file measured on the engine.</summary>
internal static class CompressCommand
{
    private const double ScratchRate = 0.1;

    private static readonly Argument<string> model = Given.Model("The trained network's file");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<string?> recipe = Given.Path(new Option<string?>("--recipe")
    {
        HelpName = "NAME|FILE",
        Description = $"What is done: {string.Join(", ", Recipe.Names)}, or a JSON file such as `penjing recipes NAME` prints.",
    });
    private static readonly Option<double> effort = Given.Number("--effort", "FACTOR", 1.0, 0.001, 1000, "With a recipe: a factor on the epochs of every training.");
    private static readonly Option<double?> maxDrop = Given.Maybe("--max-drop", "POINTS", 0.0, 99, "In place of --recipe: the most points that top-1 may fall.");
    private static readonly Option<string?> maxBytes = Given.Path(new Option<string?>("--max-bytes") { HelpName = "SIZE", Description = "In place of --recipe: the largest file, such as 400000, 500kB or 4MB." });
    private static readonly Option<string?> maxLatency = Given.Path(new Option<string?>("--max-latency") { HelpName = "FACTORx", Description = "In place of --recipe: the longest median run as a share of the network's now, such as 0.5x." });
    private static readonly Option<double> epochs = Given.Number("--epochs", "N", 6.0, 0.01, 10_000, "With a budget: passes over the training pictures after each method; later attempts may take up to four times as many.");
    private static readonly Option<int> sample = Given.Number("--sample", "N", 1000, 10, int.MaxValue, "With a budget: test pictures that each layer's sensitivity is measured with.");
    private static readonly Option<bool> floats = new("--floats") { Description = "With a budget: weights and values stay reals; without it they become 8-bit integers where the engine is faster with them." };
    private static readonly Option<string?> teacher = Given.Teacher("The file of the network that teaches where a stage is taught, such as a larger one (default: the network that is compressed)");
    private static readonly Option<double?> scratch = Given.Maybe("--scratch", "EPOCHS", 0.01, 100_000.0, "Train the pruned architecture from scratch, too, for so many epochs: give those of the network's first training and of its retraining together.");
    private static readonly Option<string?> report = Given.Path(new Option<string?>("--html") { HelpName = "FILE", Description = "Write a report as one HTML page." });
    private static readonly WorkFlags flags = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("compress", "Compresses a trained network by a recipe, or until it keeps a budget, and measures the file of every stage on the engine.",
        [
            "penjing compress model.penjing --recipe pruned-q --data fashion-mnist -o small.penjing --html report.html",
            "penjing compress model.penjing --recipe deep-compression --data ./pictures --effort 0.5 -o small.penjing",
            "penjing compress model.penjing --max-drop 1 --max-bytes 400kB --max-latency 0.5x --data fashion-mnist -o small.penjing --html report.html",
            "penjing compress model.penjing --recipe ./mine.json --scratch 20 --data fashion-mnist -o small.penjing",
        ], Run, [model, data, output, recipe, effort, maxDrop, maxBytes, maxLatency, epochs, sample, floats, teacher, scratch, report, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        Budget budget = BudgetOf(parsed);
        bool searches = budget != new Budget();
        if (searches == parsed.GetValue(recipe) is not null)
            throw new UsageException($"say what is to be done: either --recipe with {string.Join(", ", Recipe.Names)} or a file, or a budget of --max-drop, --max-bytes and --max-latency");
        if (searches) Given.RefuseBeside(parsed, "a budget", effort);
        else Given.RefuseBeside(parsed, "--recipe", epochs, sample, floats);
        Recipe? asked = searches ? null : RecipeOf(parsed.GetValue(recipe)!).WithEffort(parsed.GetValue(effort));
        double? baselined = parsed.GetValue(scratch);
        if (baselined is not null && asked is not null && !asked.Stages.Any(Cuts)) throw new PenjingException($"--scratch trains a pruned architecture from scratch, but '{asked.Name}' cuts no channels: leave it out");
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        string? page = parsed.GetValue(report) is { } path ? Destination.File(path, source, target) : null;
        Model network = reading.Read(parsed, source, beside: parsed.GetValue(teacher));
        (network, DataSet set) = DataFor.Training(network, parsed.GetRequiredValue(data), screen, stop);
        _ = asked?.Outline(network.Graph);
        TrainingOptions common = flags.Options(parsed, set.Size);
        if (parsed.GetValue(teacher) is { } other)
        {
            if (asked is not null && !asked.Stages.Any(stage => stage.IsTaught)) throw new PenjingException($"no stage of '{asked.Name}' is taught: leave --teacher out, or give a stage's training a share such as \"soft\": 0.5");
            common = common with { Distillation = new(reading.Read(parsed, other, beside: source)) };
        }
        WorkFolder work = flags.Folder(parsed, target, source, screen, parsed.GetValue(teacher));
        SearchResult? found = null;
        ImmutableArray<Milestone> way = [];
        if (asked is null)
        {
            BudgetSearch search = new(network, set, common, Path.Combine(work.Path, "search")) { Epochs = parsed.GetValue(epochs), Sample = parsed.GetValue(sample), Integers = !parsed.GetValue(floats) };
            Watch.Over(screen, "searching", watch => found = (search with { Told = (words, fraction, left) => watch.Tell(fraction, left is { } time ? $"{words}  {Quantity.Duration(time)} left" : words) }).Run(budget, stop));
            way = found!.Best.Way;
        }
        else Watch.Over(screen, asked.Name, watch => way = RecipeRun.Run(network, asked, set, common, Path.Combine(work.Path, "stages"), (stage, told) => watch.Tell(told, asked, stage, set), stop));
        Recipe done = asked ?? found!.Best.Recipe;
        Baseline? baseline = baselined is { } budgeted ? FromScratch(way, budgeted, common, set, work, screen, stop) : null;
        if (baselined is not null && baseline is null) screen.Note("--scratch: the search cut no channels, so that there is no pruned architecture to train");
        ImmutableArray<Finding> findings = [.. way.Select(Finding)];
        if (page is not null) AtomicFile.Write(page, stream => stream.Write(Encoding.UTF8.GetBytes(Report(way, findings, done, found, baseline, set, network.Name.Length > 0 ? network.Name : Path.GetFileName(source), stop))));
        // Last of all, since the result may take the place of the network that the unfinished work belongs to.
        AtomicFile.Write(target, stream => stream.Write(File.ReadAllBytes(way[^1].File.Path)));
        work.Delete();
        screen.WhenStopped = $"'{target}' is written";
        screen.HasMissed = found is { Met: false };
        screen.Show(new
        {
            Output = target, Recipe = JsonNode.Parse(done.ToJson()), found?.Met, found?.Verdict, Data = set.Name, Images = set.Test.Count, Report = page, Stages = StageTable.Json(findings), Scratch = baseline is null ? null : new { baseline.Epochs, baseline.Score.Top1, baseline.Score.MeanIoU, baseline.Score.PixelAccuracy },
            Attempts = found?.Attempts.Select(attempt => new { attempt.Recipe.Name, attempt.Result.Score.Top1, attempt.Result.Score.MeanIoU, attempt.Result.Bytes, attempt.Result.MedianMs }),
        }, () => Draw(findings, found, baseline, target, page));
    }

    private static bool Cuts(RecipeStage stage) => stage is PruneStage or SlimStage;

    /// <summary>The channels that the last cut left, trained from scratch; null where a search cut none.</summary>
    private static Baseline? FromScratch(ImmutableArray<Milestone> way, double epochs, TrainingOptions common, DataSet set, WorkFolder work, Screen screen, CancellationToken stop)
    {
        if (way.LastOrDefault(stone => stone.Stage is { } stage && Cuts(stage)) is not { } pruned) return null;
        TrainingOptions options = common with { Epochs = epochs, LearningRate = ScratchRate, WarmUp = Math.Min(0.5, epochs / 2), Distillation = null };
        WorkFolder own = WorkFolder.Open(Path.Combine(work.Path, "scratch"), [("epochs", epochs)]);
        Model fresh = pruned.File.Model;
        Watch.Over(screen, "from scratch", watch => fresh = Lab.Scratch.Train(fresh, set, options, own, watch.Tell, stop));
        return new(epochs, Evaluation.Of(fresh, set, Environment.ProcessorCount, stop).Score, pruned.Result.Score);
    }

    private static Budget BudgetOf(ParseResult parsed) => new()
    {
        MaxDrop = parsed.GetValue(maxDrop) / 100,
        MaxBytes = parsed.GetValue(maxBytes) is { } size ? Bytes(size) : null,
        MaxLatency = parsed.GetValue(maxLatency) is not { } factor ? null
            : factor.EndsWith('x') && double.TryParse(factor.AsSpan(0, factor.Length - 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share > 0 ? share
            : throw new UsageException($"--max-latency needs a factor such as 0.5x, not '{factor}'"),
    };

    private static long Bytes(string text)
    {
        (string unit, double scale) = new[] { ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1), ("", 1) }.First(one => text.EndsWith(one.Item1, StringComparison.OrdinalIgnoreCase));
        return double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out double count) && count * scale is >= 1 and < 1e15
            ? (long)(count * scale) : throw new UsageException($"--max-bytes needs a size such as 400000, 500kB or 4MB, not '{text}'");
    }

    private static Recipe RecipeOf(string name) => Recipe.Names.Contains(name) ? Recipe.Named(name) : Recipe.Read(name);

    private static string Title(Milestone stone) => stone.Stage?.Name switch
    {
        null => "Original",
        "train" => "Trained",
        "sparsify" => "Sparse",
        "prune" => "Pruned",
        "slim" => "Slimmed",
        "quantize" => "In 8-bit integers",
        _ => "Shared and coded",
    };

    private static Finding Finding(Milestone stone) =>
        new(Title(stone), stone.Stage is null ? "The network as it was." : $"{stone.Stage.Detail}.", Path.GetFileName(stone.File.Path), stone.Result, stone.Worse);

    private static IEnumerable<IRenderable> Draw(IReadOnlyList<Finding> findings, SearchResult? found, Baseline? baseline, string target, string? page)
    {
        foreach (IRenderable part in StageTable.Draw(findings)) yield return part;
        if (baseline is not null) yield return Screen.Line($"{baseline.Words}.");
        if (found is not null)
        {
            Table tried = Screen.Table("Attempt", $">{Quantity.Title(found.Best.Result.Score.Metric)}", ">Bytes", ">Latency", "Stages");
            foreach (Attempt attempt in found.Attempts)
                tried.AddRow(attempt.Recipe.Name, Quantity.Percent(attempt.Result.Score.Value), Quantity.Exact(attempt.Result.Bytes), Quantity.Times(attempt.Result.MedianMs / attempt.Original.MedianMs),
                    string.Join(", ", attempt.Recipe.Stages.Select(stage => stage.Name)));
            yield return tried;
            yield return Screen.Line($"{char.ToUpperInvariant(found.Verdict[0])}{found.Verdict[1..]}.");
        }
        yield return Screen.Line(page is null ? $"Written: {target}" : $"Written: {target}; report: {page}");
    }

    private static string Report(
        ImmutableArray<Milestone> way, ImmutableArray<Finding> findings, Recipe recipe, SearchResult? found, Baseline? baseline, DataSet set, string network, CancellationToken stop)
    {
        const int samples = 10;
        Evaluation before = way[0].File.Evaluation!, after = way[^1].File.Evaluation!;
        string about = found is null ? recipe.About : $"Compressed until it keeps a budget, in {found.Attempts.Length} attempts: {found.Verdict}.";
        return HtmlReport.Write(new("compression", network, about, set.Name, set.Test.Count, findings,
            Samples.Agreeing(set, before, after, samples), Samples.Differing(set, before, after, samples), Samples.Differences(before, after), PenjingFile.Inspect(way[^1].File.Path),
            [
                new("Command", $"penjing {string.Join(' ', Environment.GetCommandLineArgs().Skip(1))}"), new("Recipe", recipe.ToJson()),
                new("Pictures", $"{Quantity.Exact(set.Train.Count)} to train on, {Quantity.Exact(set.Test.Count)} to test with, from {set.Source}"),
                .. after.Score.Top1 is { } top1 ? [new("Accuracy", string.Create(CultureInfo.InvariantCulture, $"one standard deviation of top-1 on so many pictures is {100 * Math.Sqrt(top1 * (1 - top1) / set.Test.Count):F2} points"))]
                    : Array.Empty<KeyValuePair<string, string>>(),
                .. baseline is null ? Array.Empty<KeyValuePair<string, string>>() : [new("From scratch", baseline.Words)],
                new("Latency", $"one picture at a time, one thread, all files in turns, {RecipeRun.TimedRuns} timed runs each"), new("Machine", Machine.Description),
                new("Date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
            ])
        {
            Measured = found?.Measured ?? [.. way.Select(stone => stone.Result)],
            Sheet = set.HasMasks ? Overlay.Draw(ParseSheet.Of(set, [way[0].File.Model, way[^1].File.Model], samples, masksOnly: false, stop), set.Labels) : null,
        });
    }

    /// <summary>What a pruned architecture learns from scratch, beside what pruning left of it.</summary>
    private sealed record Baseline(double Epochs, Score Score, Score Pruned)
    {
        public string Words => string.Create(CultureInfo.InvariantCulture,
            $"The same architecture trained from scratch for {Epochs:0.##} epochs: {Score}, {100 * (Pruned.Value - Score.Value):+0.00;-0.00;0.00} points by pruning");
    }
}
