using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing sensitivity: how much a network's accuracy needs each of its parts.</summary>
internal static class SensitivityCommand
{
    private const int SampleSeed = 1;

    private static readonly Argument<string> model = Given.Model("The trained network's file");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> by = Given.OneOf("--by", ["channels", "weights", "bits"],
        "What is taken from one part at a time: the least important channels, the smallest weights, or distinct values, of which 2 to the power of the bits stay.");
    private static readonly Option<string> score = PruningFlags.ScoreOption();
    private static readonly Option<double[]> levels = new("--levels")
    {
        HelpName = "LEVEL",
        Description = "How much is taken: shares from 0 to 0.99, or bits from 8 to 1 (default: what is usual).",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result => [.. result.Tokens.Select(token =>
        {
            if (!double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double level)) result.AddError($"--levels needs numbers such as 0.5, not '{token.Value}'");
            return level;
        })],
    };
    private static readonly Option<int> sample = Given.Number("--sample", "N", 1000, 1, int.MaxValue, "How many of the test pictures are asked, always the same ones.");
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Option<string> cache = Given.Path(new Option<string>("--cache")
    {
        HelpName = "FILE",
        Description = "Where all that is measured is kept for later runs (default: MODEL.sensitivity.jsonl).",
    });
    private static readonly Option<string> html = Given.Path(new Option<string>("--html") { HelpName = "FILE", Description = "Write a page with a curve for each part." });

    /// <summary>The verb.</summary>
    public static Verb Create() => new("sensitivity", "Tells how much of its accuracy a network loses, on the engine, when something is taken from one layer alone.",
        [
            "penjing sensitivity model.penjing --data fashion-mnist --html sensitivity.html",
            "penjing sensitivity model.penjing --data fashion-mnist --by bits --sample 2000",
            "penjing sensitivity model.penjing --data ./pictures --by weights --levels 0.5 0.9 --json",
        ], Run, [model, data, by, score, levels, sample, threads, cache, html, .. reading.Symbols, Given.Json()]);

    /// <summary>The file beside a model in which its sensitivity is kept.</summary>
    public static string CacheOf(string source) => source + ".sensitivity.jsonl";

    /// <summary>The data with so many of its test pictures, always the same ones.</summary>
    public static DataSet Sample(DataSet set, int count) => set with { Test = set.Test.Sample(count, SampleSeed) };

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), kept = parsed.GetValue(cache) ?? CacheOf(source);
        string? page = parsed.GetValue(html) is { } path ? Destination.File(path, source, kept) : null;
        Destination.File(kept, source);
        SensitivityBy what = Enum.Parse<SensitivityBy>(parsed.GetValue(by)!, ignoreCase: true);
        if (what is not SensitivityBy.Channels) Given.RefuseBeside(parsed, $"--by {parsed.GetValue(by)}", score);
        ImmutableArray<double> asked = parsed.GetValue(levels) is { Length: > 0 } given
            ? [.. what is SensitivityBy.Bits ? given.Distinct().OrderDescending() : given.Distinct().Order()] : Compression.Sensitivity.Levels(what);
        Model network = reading.Read(parsed, source);
        DataSet set = DataFor.Calibrating(network, parsed.GetRequiredValue(data), screen, stop);
        set = Sample(set, parsed.GetValue(sample));
        int count = parsed.GetValue(threads) ?? Environment.ProcessorCount;
        string rule = what is SensitivityBy.Channels ? parsed.GetValue(score)! : "";
        Importance? scores = what is SensitivityBy.Channels ? Scores.Of(rule, network, set, seed: 1) : null;
        // These scores follow from the training pictures, too.
        string key = rule == "taylor" ? $"{rule} {SensitivityCache.Hash(set.Train)}" : rule;
        using SensitivityCache known = new(kept);
        screen.WhenStopped = $"what is measured is kept in '{kept}': the same command goes on from there";
        SensitivityResult? result = null;
        Watch.Over(screen, "measuring", watch => result = new SensitivityRun(network, set, count, known, stop).Measure(what, asked, key, scores, watch.Tell));
        if (page is not null)
            AtomicFile.Write(page, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(SensitivityPage.Write(result!, network.Name.Length > 0 ? network.Name : source, set.Name,
            [
                new("Network", source), new("Pictures", $"{Quantity.Exact(set.Test.Count)} test pictures of {set.Name}, drawn by the seed {SampleSeed}"),
                .. rule.Length > 0 ? [new("Score", rule)] : Array.Empty<KeyValuePair<string, string>>(), new("Machine", Machine.Description),
            ]))));
        screen.Show(new
        {
            Model = network.Name, Data = set.Name, By = what, Score = rule.Length > 0 ? rule : null, Images = set.Test.Count, Whole = Figures(result!.Whole),
            Parts = result.Curves.Select(curve => new
            {
                curve.Part.Name, curve.Part.Elements, Borne = result.Borne(curve),
                Points = curve.Points.Select(point => new { point.Level, Top1 = point.Accuracy.Fraction, point.Accuracy.Low, point.Accuracy.High, point.Accuracy.HalfWidth }),
            }),
            Cache = kept, Page = page,
        }, () => Draw(result, page));
    }

    private static object Figures(Accuracy accuracy) => new { Top1 = accuracy.Fraction, accuracy.Low, accuracy.High, accuracy.HalfWidth };

    private static IEnumerable<IRenderable> Draw(SensitivityResult result, string? page)
    {
        Table table = Screen.Table([result.By is SensitivityBy.Channels ? "Channels of" : "Kernel", ">Elements", .. result.Curves.Take(1).SelectMany(curve => curve.Points).Select(point => $">{SensitivityPage.Mark(result.By, point.Level)}"),
            ">Borne"]);
        foreach (SensitivityCurve curve in result.Curves)
            table.AddRow([new Text(curve.Part.Name), new Text(Quantity.Exact(curve.Part.Elements)), .. curve.Points.Select(point => new Text((100 * point.Accuracy.Fraction).ToString("F1", CultureInfo.InvariantCulture),
                point.Accuracy.High < result.Whole.Fraction ? new Style(Color.Red) : Style.Plain)), new Text(result.Borne(curve) is { } level ? SensitivityPage.Mark(result.By, level) : "none")]);
        yield return table;
        double widest = result.Curves.SelectMany(curve => curve.Points).Select(point => point.Accuracy.HalfWidth).DefaultIfEmpty().Max();
        yield return Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"Percent of right answers of {result.Whole.Count} pictures, at 95 % confidence ±{100 * widest:F1} at most; the whole network: {SensitivityPage.Says(result.Whole)}. Borne: up to there the whole network is in the interval."));
        if (page is not null) yield return Screen.Line($"Page: {page}");
    }
}
