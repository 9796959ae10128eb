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
    private static readonly Option<string> method = Given.OneOf("--method", [QuantizeStage.Best, .. Ranges.Names],
        "How the range of a value follows from what was seen of it: the least squared error, the least divergence (Kullback-Leibler), all but a hundred-thousandth at each end, all, or whichever of these comes nearest to the network's answers on other pictures.");
    private static readonly Option<int> pictures = Given.Number("--pictures", "N", Calibration.Pictures, 1, 1_000_000, "Training pictures that values are measured with.");
    private static readonly Option<int> weightBits = Given.Number("--weight-bits", "N", PostTraining.WeightBits, 2, 8,
        "Bits of a weight. With 7 processors that have no instructions for products of bytes (x86 without VNNI) multiply faster, and the file is smaller.");
    private static readonly Option<string?> refine = Refine();
    private static readonly Option<string[]> floats = new("--float") { HelpName = "LAYER", Description = "A layer that stays as it is; may be given several times.", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<double?> maxDrop = Given.Maybe("--max-drop", "POINTS", 0.0, 99,
        "The most points that top-1, or mean IoU where pictures have masks, may fall on the test pictures: as few of the layers whose integers change the answers most stay real as that takes.");
    private static readonly Option<bool> fastest = new("--fastest") { Description = "Layers that integers slow down on this machine's engine stay real, if the network gets faster by it. Not with --epochs: give what it found by --float." };
    private static readonly Option<bool> shared = new("--shared") { Description = "Weights that share values (penjing share) go on doing so: the file has as few integers as it had values, or twice as many where normalization turns signs. Not with --epochs, or refined otherwise than by bias." };
    private static readonly TrainingFlags flags = new(epochs: 0, rate: 0.002, warmUp: 0,
        epochsAre: "Passes over the training pictures that train weights and scales under the rounding of integers; 0 for none.", fewest: 0, takesBFloat16: false);

    /// <summary>The verb.</summary>
    public static Verb Create() => new("quantize", "Turns a network's weights and values into 8-bit integers by what it answers to pictures, and trains on under their rounding where --epochs are given; measures the file on the engine.",
        [
            "penjing quantize model.penjing --data fashion-mnist -o small.penjing",
            "penjing quantize model.penjing --data ./pictures --method kl --max-drop 0.5 -o small.penjing",
            "penjing quantize model.penjing --data fashion-mnist --weight-bits 7 --fastest -o small.penjing",
            "penjing quantize shared.penjing --data fashion-mnist --shared -o small.penjing",
            "penjing quantize model.penjing --data fashion-mnist --epochs 2 --teacher model.penjing -o small.penjing",
        ], Run, [model, data, output, method, pictures, weightBits, refine, shared, floats, maxDrop, fastest, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source, beside: flags.Teacher(parsed));
        DataSet set = DataFor.Calibrating(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions training = flags.Options(parsed, set.Size, reading, source, network.Graph);
        QuantizeStage stage = new()
        {
            Method = parsed.GetValue(method)!, Pictures = Math.Min(parsed.GetValue(pictures), set.Train.Count), WeightBits = parsed.GetValue(weightBits), Refine = parsed.GetValue(refine) is { } words ? Refining(words) : null,
            Shared = parsed.GetValue(shared), Fastest = parsed.GetValue(fastest), Keep = [.. parsed.GetValue(floats) ?? []], Training = new() { Epochs = training.Epochs },
        };
        if (training.Epochs == 0) flags.RefuseUntrained(parsed);
        stage.Outline(network.Graph);
        WorkFolder? work = training.Epochs > 0 ? flags.Work(parsed, target, source, screen) : null;
        Calibrated calibrated = null!;
        Watch.Over(screen, "calibrating", watch => calibrated = stage.Calibrate(network, set, training.Seed, parsed.GetValue(maxDrop) / 100, watch.Tell, stop));
        stage = stage.Settled(calibrated);
        Model quantized = network with { Graph = calibrated.Quantized };
        Score? untrained = null;
        if (work is not null)
        {
            if (set.Test.Count > 0) Watch.Over(screen, "evaluating", watch => untrained = Evaluation.Of(quantized, set, Environment.ProcessorCount, stop, done: done => watch.Tell(done, set)).Score);
            Watch.Over(screen, "training", watch => quantized = Retrainer.Quantize(network with { Graph = calibrated.Graph }, set, calibrated.Ranges, calibrated.Floats, calibrated.WeightBits, training, work, watch.Tell, stop));
        }
        double noise = Precision.Noise(network.Graph, quantized.Graph, Calibration.Inputs(network, set, set.Test.Count > 0 ? set.Test.First(Calibration.Pictures) : set.Train.Sample(stage.Pictures, training.Seed)), stop);
        Ending.Write(screen, quantized, set, target, work, new(stage.Name, string.Create(CultureInfo.InvariantCulture,
            $"{stage.Detail}; {set.Name}, seed {training.Seed}{(work is null ? "" : TrainingFlags.Besides(training))}"), null, 0, 0), stop, (source, network), new(stage, Precision.Decibels(noise), parsed.GetValue(maxDrop) / 100, untrained));
    }

    private static Refinements Refining(string words) => words.Split(',').Aggregate(Refinements.None, (all, word) => all | Enum.Parse<Refinements>(word, ignoreCase: true));

    private static Option<string?> Refine()
    {
        string[] words = [.. Enum.GetNames<Refinements>().Select(name => name.ToLowerInvariant())];
        Option<string?> option = new("--refine")
        {
            HelpName = string.Join('|', words),
            Description = "What is done for nearer answers, one or several with commas between: equalize scales channels to fit one range, round rounds weights as suits their layer (minutes), bias brings means back, normalize deviations too. By itself: bias, and equalize where that brings the answers nearer.",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.SelectMany(token => token.Value.Split(',')).FirstOrDefault(word => !words.Contains(word)) is { } unknown) result.AddError($"--refine takes {string.Join(", ", words)}, with commas between, not '{unknown}'");
        });
        return option;
    }
}
