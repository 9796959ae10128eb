using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing quantize: 8-bit integers in place of floats, after training or with more of it.</summary>
internal static class QuantizeCommand
{
    private static readonly Argument<string> model = Given.Model("The file of the trained, perhaps pruned network");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<string> method = Given.OneOf("--method", [.. Ranges.Names],
        "How the range of a value follows from what was seen of it: the least squared error, the least divergence (Kullback-Leibler), all but a hundred-thousandth at each end, or all.");
    private static readonly Option<int> pictures = Given.Number("--pictures", "N", Calibration.Pictures, 1, 1_000_000, "Training pictures that values are measured with.");
    private static readonly Option<int> weightBits = Given.Number("--weight-bits", "N", PostTraining.WeightBits, 2, 8,
        "Bits of a weight. With 7 processors that have no instructions for products of bytes (x86 without VNNI) multiply faster, and the file is smaller.");
    private static readonly Option<string[]> floats = new("--float") { HelpName = "LAYER", Description = "A layer that stays as it is; may be given several times.", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<double?> maxDrop = Given.Maybe("--max-drop", "POINTS", 0.0, 99,
        "The most points that top-1 on the test pictures may fall: as few of the layers whose integers change the answers most stay real as that takes.");
    private static readonly TrainingFlags flags = new(epochs: 0, rate: 0.002, warmUp: 0,
        epochsAre: "Passes over the training pictures that train weights and scales under the rounding of integers; 0 for none.", fewest: 0);

    /// <summary>The verb.</summary>
    public static Verb Create() => new("quantize", "Turns a network's weights and values into 8-bit integers by what it answers to pictures, and trains on under their rounding where --epochs are given; measures the file on the engine.",
        [
            "penjing quantize model.penjing --data fashion-mnist -o small.penjing",
            "penjing quantize model.penjing --data ./pictures --method kl --max-drop 0.5 -o small.penjing",
            "penjing quantize model.penjing --data fashion-mnist --epochs 2 --teacher model.penjing -o small.penjing",
        ], Run, [model, data, output, method, pictures, weightBits, floats, maxDrop, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source);
        DataSet set = TrainCommand.Begin(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions training = flags.Options(parsed, set.Size);
        WorkFolder? work = training.Epochs > 0 ? flags.Work(parsed, target, source, screen) : null;
        Graph graph = PostTraining.Prepare(network.Graph);
        int bits = parsed.GetValue(weightBits);
        ImmutableHashSet<string> real = [.. parsed.GetValue(floats) ?? []];
        ImmutableDictionary<string, ValueRange> ranges = ImmutableDictionary<string, ValueRange>.Empty;
        Watch.Over(screen, "measuring", watch => ranges = Calibration.Ranges(network with { Graph = graph }, real, set, Ranges.Named(parsed.GetValue(method)!), parsed.GetValue(pictures), training.Seed,
            (done, all) => watch.Tell((double)done / all, $"{done} of {all} pictures"), stop));
        if (parsed.GetValue(maxDrop) is { } points)
            Watch.Over(screen, "trying", watch => real = Precision.Keep(network with { Graph = graph }, ranges, real, bits, set, points / 100, training.Seed, watch.Tell, stop));
        QuantizeStage stage = new() { Method = parsed.GetValue(method)!, Pictures = Math.Min(parsed.GetValue(pictures), set.Train.Count), WeightBits = bits, Keep = [.. real], Training = new() { Epochs = training.Epochs } };
        Model quantized = network with { Graph = graph };
        if (work is null) quantized = network with { Graph = PostTraining.Quantize(graph, ranges, real, bits) };
        else Watch.Over(screen, "training", watch => quantized = Retrainer.Quantize(quantized, set, ranges, real, bits, training, work, watch.Tell, stop));
        Ending.Write(screen, quantized, set, target, work, new(stage.Name, string.Create(CultureInfo.InvariantCulture,
            $"{stage.Detail}; {set.Name}, seed {training.Seed}{(work is null ? "" : TrainingFlags.Besides(training))}"), null, 0, 0), stop, (source, network));
    }
}
