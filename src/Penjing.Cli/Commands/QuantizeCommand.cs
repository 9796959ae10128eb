using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing quantize: 8-bit integers in place of floats, after training.</summary>
internal static class QuantizeCommand
{
    private static readonly Argument<string> model = Given.Model("The file of the trained, perhaps pruned network");
    private static readonly Reading reading = new();
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<string> method = Given.OneOf("--method", ["mse", "kl", "percentile", "min-max"],
        "How the range of a value follows from what was seen of it: the least squared error, the least divergence (Kullback-Leibler), all but a hundred-thousandth at each end, or all.");
    private static readonly Option<int> pictures = Given.Number("--pictures", "N", Calibration.Pictures, 1, 1_000_000, "Training pictures that values are measured with.");
    private static readonly Option<string[]> floats = new("--float") { HelpName = "LAYER", Description = "A layer that stays as it is; may be given several times.", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<int> seed = Given.Number("--seed", "N", 1, 0, int.MaxValue, "Which pictures are drawn.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("quantize", "Turns a network's weights and values into 8-bit integers by what it answers to pictures, without training; measures the file on the engine.",
        [
            "penjing quantize model.penjing --data fashion-mnist -o small.penjing",
            "penjing quantize model.penjing --data ./pictures --method kl --float conv1 -o small.penjing",
        ], Run, [model, data, output, method, pictures, floats, seed, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        Model network = reading.Read(parsed, source);
        DataSet set = TrainCommand.Begin(network, parsed.GetRequiredValue(data), screen, stop);
        Graph graph = PostTraining.Prepare(network.Graph);
        ImmutableHashSet<string> real = [.. parsed.GetValue(floats) ?? []];
        if (real.FirstOrDefault(name => graph.Nodes.All(node => node.Name != name)) is { } unknown) throw new PenjingException($"there is no layer '{unknown}': `penjing inspect` lists them");
        RangeMethod ranging = parsed.GetValue(method) switch
        {
            "kl" => RangeMethod.Entropy,
            "percentile" => RangeMethod.Percentile,
            "min-max" => RangeMethod.MinMax,
            _ => RangeMethod.MeanSquaredError,
        };
        Training.Split sample = set.Train.Sample(parsed.GetValue(pictures), parsed.GetValue(seed));
        ImmutableDictionary<string, Histogram> seen = ImmutableDictionary<string, Histogram>.Empty;
        Watch.Over(screen, "measuring", watch => seen = Calibration.Of(network with { Graph = graph }, PostTraining.Values(graph, real), sample, network.Preprocessing ?? set.Preprocessing,
            (done, all) => watch.Tell((double)done / all, $"{done} of {all} pictures"), stop));
        Graph quantized = PostTraining.Quantize(graph, seen.ToDictionary(value => value.Key, value => Ranges.Of(value.Value, ranging)), real);
        string detail = string.Create(CultureInfo.InvariantCulture, $"8-bit integers, ranges by {parsed.GetValue(method)} over {sample.Count} pictures of {set.Name}{(real.IsEmpty ? "" : $"; real: {string.Join(", ", real.Order())}")}");
        Ending.Write(screen, network with { Graph = quantized }, set, target, null, new("quantize", detail, null, 0, 0), stop, (source, network));
    }
}
