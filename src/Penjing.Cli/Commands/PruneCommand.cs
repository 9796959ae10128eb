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
    private static readonly Option<double> ratio = Given.Number("--ratio", "SHARE", 0.5, 0, 0.99, "The share of every layer's channels that is cut in the end.");
    private static readonly Option<int> rounds = Given.Number("--rounds", "N", 4, 1, 1000, "In how many rounds; each is followed by --epochs of retraining.");
    private static readonly Option<int> multiple = Given.Number("--multiple", "N", 16, 1, 1024, "What the channels that stay are rounded to a multiple of, less where a layer has few; 16 suits the kernels.");
    private static readonly TrainingFlags flags = new(epochs: 2, rate: 0.03, warmUp: 0.1, epochsAre: "Passes over the training pictures after each round; a fraction is fine.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("prune", "Cuts the least important channels of every layer for good, retrains, and measures the file it writes on the engine.",
        ["penjing prune model.penjing --data fashion-mnist --ratio 0.5 --rounds 4 --epochs 2 -o pruned.penjing"], Run, [model, data, output, ratio, rounds, multiple, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source);
        DataSet set = TrainCommand.Begin(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size);
        (double share, int count) = (parsed.GetValue(ratio), parsed.GetValue(rounds));
        WorkFolder work = flags.Work(parsed, target, source, screen);
        PruningOptions pruning = new() { Multiple = parsed.GetValue(multiple) };
        Model pruned = network;
        Watch.Over(screen, "pruning", watch => pruned = Retrainer.Prune(network, set, pruning, PruningSchedule.Geometric(share, count), _ => options, work, watch.Tell, stop));
        Ending.Write(screen, pruned, set, target, work, new("prune", string.Create(CultureInfo.InvariantCulture,
            $"{share} of the channels in {count} rounds, each with {options.Epochs} epochs of {set.Name}, learning rate {options.LearningRate}, seed {options.Seed}"), null, 0, 0), stop, (source, network));
    }
}
