using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing prune: channels cut for good, in rounds, each followed by retraining.</summary>
internal static class PruneCommand
{
    private static readonly Argument<string> model = Given.Model("The trained network's file");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<double> ratio = Given.Number("--ratio", "SHARE", 0.5, 0, 0.99, "The share of every layer's channels, with --gamma-l1 or another --ranking of all channels, that is cut in the end.");
    private static readonly Option<int> rounds = Given.Number("--rounds", "N", 4, 1, 1000, "In how many rounds; each is followed by --epochs of retraining.");
    private static readonly PruningFlags choice = new();
    private static readonly Option<double> slimming = Given.GammaL1("Network slimming: each round first trains with this weight of the L1 norm of BatchNormalization's scales, such as 1e-4, then cuts the channels of the smallest scales of all layers.");
    private static readonly TrainingFlags flags = new(epochs: 2, rate: 0.03, warmUp: 0.1, epochsAre: "Passes over the training pictures after each round; a fraction is fine.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("prune", "Cuts the least important channels of every layer for good, retrains, and measures the file it writes on the engine.",
        [
            "penjing prune model.penjing --data fashion-mnist --ratio 0.5 --rounds 4 --epochs 2 -o pruned.penjing",
            "penjing prune model.penjing --data fashion-mnist --ratio 0.7 --teacher model.penjing -o pruned.penjing",
            "penjing prune model.penjing --data fashion-mnist --ratio 0.7 --rounds 2 --gamma-l1 1e-4 -o slim.penjing",
            "penjing prune model.penjing --data ./pictures --score taylor --ranking isomorphic --cap conv1=0.25 -o pruned.penjing",
            "penjing prune model.penjing --data ./pictures --ratio 0.6 --round time -o pruned.penjing",
        ], Run, [model, data, output, ratio, rounds, .. choice.Symbols, slimming, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        double strength = parsed.GetValue(slimming);
        choice.Check(parsed, slims: strength > 0);
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source, beside: flags.Teacher(parsed));
        (network, DataSet set) = DataFor.Training(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size, reading, source, network.Graph);
        (double share, int count) = (parsed.GetValue(ratio), parsed.GetValue(rounds));
        PruneStage stage = choice.Stage(parsed, share, count, slims: strength > 0);
        _ = stage.Outline(network.Graph);
        PruningOptions pruning = stage.Options(network, set, options.Seed, stop);
        WorkFolder work = flags.Work(parsed, target, source, screen);
        IReadOnlyList<double> ratios = PruningSchedule.Geometric(share, count);
        TrainingOptions sparsifying = options with { GammaL1 = strength };
        Model pruned = network;
        Watch.Over(screen, "pruning", watch => pruned = strength > 0
            ? Retrainer.Slim(network, set, pruning, ratios, _ => sparsifying, _ => options, work, watch.Tell, stop)
            : Retrainer.Prune(network, set, pruning, ratios, _ => options, work, watch.Tell, stop));
        string rule = strength > 0 ? "batchnorm, global" : choice.Words(parsed);
        Ending.Write(screen, pruned with { History = network.History }, set, target, work, new("prune", string.Create(CultureInfo.InvariantCulture,
            $"{share} of the channels ({rule}) in {count} round{(count == 1 ? "" : "s")}, each with {options.Epochs} epochs of {set.Name}, learning rate {options.LearningRate}, seed {options.Seed}{TrainingFlags.Besides(strength > 0 ? sparsifying : options)}"), null, 0, 0)
        {
            Cuts = pruned.History[^1].Cuts,
        }, stop, (source, network));
    }
}
