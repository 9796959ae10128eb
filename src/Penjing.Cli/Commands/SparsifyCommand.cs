using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing sparsify: the smallest weights made zero, in rounds, each followed by retraining.</summary>
internal static class SparsifyCommand
{
    private static readonly Argument<string> model = Given.Model("The trained network's file");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<double?> ratio = Given.Maybe("--ratio", "SHARE", 0, 0.9999, "The share of the weights that is zero in the end (default: 0.9, or all that an N:M pattern allows).");
    private static readonly Option<string[]> ratios = Given.PerLayer("--layer-ratio", "SHARE", "ip1=0.92", 0.0, 1, "Another share for one layer, 0 to leave it as it is");
    private static readonly Option<string> pattern = Given.Path(new Option<string>("--pattern")
    {
        HelpName = "unstructured|N:M|1xN",
        Description = "Where zeros stand: anywhere; so that N of M neighbouring inputs keep a weight, such as 2:4; in blocks of N outputs, such as 1x32.",
        DefaultValueFactory = _ => "unstructured",
    });
    private static readonly Option<string> scope = Given.OneOf("--scope", ["layer", "global", "lamp"],
        "Each layer gives the same share; all weights compete by their magnitudes; or by their squares' shares in what is left of their layers.");
    private static readonly Option<string> schedule = Given.OneOf("--schedule", ["cubic", "linear", "geometric", "constant"],
        "How the share rises over the rounds: fast at first (automated gradual pruning); evenly; by the same share of what is left; at once.");
    private static readonly Option<int> rounds = Given.Number("--rounds", "N", 8, 1, 1000, "In how many rounds; each is followed by --epochs of retraining; the learning rate falls over all of them.");
    private static readonly Option<bool> depthwise = new("--depthwise") { Description = "Depthwise layers take part, too." };
    private static readonly TrainingFlags flags = new(epochs: 1, rate: 0.03, warmUp: 0.1, epochsAre: "Passes over the training pictures after each round; a fraction is fine.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("sparsify", "Makes the smallest weights zero for good, retrains the others, and measures the file it writes on the engine.",
        [
            "penjing sparsify model.penjing --data fashion-mnist --ratio 0.9 --rounds 8 -o sparse.penjing",
            "penjing sparsify model.penjing --data fashion-mnist --ratio 0.8 --pattern 1x32 --scope global -o sparse.penjing",
            "penjing sparsify lenet.penjing --data fashion-mnist --layer-ratio ip1=0.92 --layer-ratio ip2=0.91 --layer-ratio ip3=0.74 -o sparse.penjing",
        ], Run, [model, data, output, ratio, ratios, pattern, scope, schedule, rounds, depthwise, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        SparsityPattern where = SparsityPattern.Parse(parsed.GetValue(pattern)!);
        int count = parsed.GetValue(rounds);
        SparsifyStage stage = new()
        {
            Ratio = parsed.GetValue(ratio) ?? (where.Kept > 0 ? where.MostRatio : 0.9),
            Ratios = Given.PerLayer<double>(parsed, ratios),
            Pattern = parsed.GetValue(pattern)!,
            Scope = Enum.Parse<SparsityScope>(parsed.GetValue(scope)!, ignoreCase: true),
            Schedule = parsed.GetValue(schedule)!,
            Rounds = count,
            Depthwise = parsed.GetValue(depthwise),
        };
        Model network = reading.Read(parsed, source, beside: flags.Teacher(parsed));
        _ = stage.Outline(network.Graph);
        (network, DataSet set) = DataFor.Training(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size, reading, source, network.Graph);
        TrainingOptions whole = options with { Epochs = options.Epochs * count };
        WorkFolder work = flags.Work(parsed, target, source, screen);
        Model sparse = network;
        Watch.Over(screen, "sparsifying", watch => sparse = Retrainer.Sparsify(network, set, stage.Options, SparsitySchedules.Named(stage.Schedule), count, round => whole.Part(round, count), work, watch.Tell, stop));
        Ending.Write(screen, sparse, set, target, work, new("sparsify", string.Create(CultureInfo.InvariantCulture,
            $"{stage.Ratio} of the weights zero, {where}, in {count} round{(count == 1 ? "" : "s")}, each with {options.Epochs} epochs of {set.Name}, learning rate {options.LearningRate}, seed {options.Seed}{TrainingFlags.Besides(options)}"), null, 0, 0), stop, (source, network));
    }
}
