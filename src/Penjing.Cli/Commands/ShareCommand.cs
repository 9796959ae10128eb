using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing share: weights drawn to few shared values, which are trained.</summary>
internal static class ShareCommand
{
    private static readonly Argument<string> model = Given.Model("The file of the trained, perhaps pruned network");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<int> bits = Given.Number("--bits", "N", 5, 1, 12, "The shared values of a layer: 2 to the power of this many.");
    private static readonly Option<int> depthwise = Given.Number("--depthwise-bits", "N", 5, 1, 12, "The same for depthwise layers, whose few weights each see a channel alone.");
    private static readonly Option<double> rate = Given.Number("--rate", "PRICE", 0.03, 0, 10, "How much error a bit of the file is worth: 0 is plain k-means; 0.01 is mild, 0.1 strong; a third of it holds for depthwise layers.");
    private static readonly Option<int> vectors = Given.Number("--vector-bits", "N", 5, 1, 10, "To how many bits behind the leading one biases and scales are rounded; 10 is Float16.");
    private static readonly TrainingFlags flags = new(epochs: 2, rate: 0.005, warmUp: 0, epochsAre: "Passes over the training pictures that train the shared values; a fraction is fine.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("share", "Lets the weights of each layer share few values, trains these, and writes them entropy-coded; measures the file on the engine.",
        ["penjing share pruned.penjing --data fashion-mnist --bits 5 --epochs 2 -o small.penjing", "penjing share pruned.penjing --data fashion-mnist --teacher model.penjing -o small.penjing"], Run, [model, data, output, bits, depthwise, rate, vectors, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source);
        DataSet set = TrainCommand.Begin(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size);
        SharingOptions sharing = new()
        {
            Dense = new(1 << parsed.GetValue(bits), parsed.GetValue(rate), KeepZeros: true),
            Depthwise = new(1 << parsed.GetValue(depthwise), parsed.GetValue(rate) / 3, KeepZeros: true),
        };
        WorkFolder work = flags.Work(parsed, target, source, screen);
        Model shared = network;
        Watch.Over(screen, "sharing", watch => shared = Retrainer.Share(network, set, sharing, options, parsed.GetValue(vectors), work, watch.Tell, stop));
        Ending.Write(screen, shared, set, target, work, new("share", string.Create(CultureInfo.InvariantCulture,
            $"{sharing.Dense!.Clusters} values a layer, {sharing.Depthwise!.Clusters} a depthwise layer, trained for {options.Epochs} epochs of {set.Name}, seed {options.Seed}{TrainingFlags.Besides(options)}"), null, 0, 0), stop, (source, network));
    }
}
