using System.Collections.Immutable;
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
    private static readonly Option<string[]> bitsOf = Given.PerLayer("--layer-bits", "BITS", "conv1=7", 1, 12, "Other bits for one layer");
    private static readonly Option<double?> within = Given.Maybe("--within", "POINTS", 0.0, 99, "Choose each layer's bits, from --bits down, by its sensitivity: the fewest with which it alone loses no more of top-1, measured on the engine.");
    private static readonly Option<int> sample = Given.Number("--sample", "N", 1000, 10, int.MaxValue, "With --within: how many of the test pictures are asked.");
    private static readonly Option<string> seeding = Given.OneOf("--init", ["linear", "density", "plus-plus", "optimal"], "Where k-means begins: evenly over the range, at even quantiles, by k-means++, or at the optimum. With a --rate above 0, linear.");
    private static readonly Option<int> groups = Given.Number("--groups", "N", 1, 1, 65_536, "Into how many groups of output channels a layer falls, each with values of its own.");
    private static readonly Option<double> rate = Given.Number("--rate", "PRICE", 0.03, 0, 10, "How much error a bit of the file is worth: 0 is plain k-means; 0.01 is mild, 0.1 strong; a third of it holds for depthwise layers.");
    private static readonly Option<int> vectors = Given.Number("--vector-bits", "N", 5, 1, 10, "To how many bits behind the leading one biases and scales are rounded; 10 is Float16.");
    private static readonly TrainingFlags flags = new(epochs: 2, rate: 0.005, warmUp: 0, epochsAre: "Passes over the training pictures that train the shared values; a fraction is fine.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("share", "Lets the weights of each layer share few values, trains these, and writes them entropy-coded; measures the file on the engine.",
        [
            "penjing share pruned.penjing --data fashion-mnist --bits 5 --epochs 2 -o small.penjing",
            "penjing share pruned.penjing --data fashion-mnist --bits 6 --within 0.5 -o small.penjing",
            "penjing share pruned.penjing --data fashion-mnist --teacher model.penjing --layer-bits conv1=7 -o small.penjing",
        ], Run, [model, data, output, bits, depthwise, bitsOf, within, sample, rate, seeding, groups, vectors, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), target = Destination.Trained(parsed.GetRequiredValue(output));
        if (parsed.GetValue(within) is null) Given.RefuseWithout(parsed, within, sample);
        if (parsed.GetValue(rate) > 0 && parsed.GetValue(seeding) != "linear") throw new UsageException($"{seeding.Name} {parsed.GetValue(seeding)} is for plain k-means: give --rate 0 too, or leave it out");
        Model network = reading.Read(parsed, source, beside: flags.Teacher(parsed));
        (network, DataSet set) = DataFor.Training(network, parsed.GetRequiredValue(data), screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size, reading, source, network.Graph);
        ShareStage stage = new()
        {
            Bits = parsed.GetValue(bits),
            DepthwiseBits = parsed.GetValue(depthwise),
            BitsOf = Given.PerLayer<int>(parsed, bitsOf).ToImmutableSortedDictionary(),
            Rate = parsed.GetValue(rate),
            Seeding = Enum.Parse<Seeding>(parsed.GetValue(seeding)!.Replace("-", "", StringComparison.Ordinal), ignoreCase: true),
            Groups = parsed.GetValue(groups),
            VectorBits = parsed.GetValue(vectors),
            Training = new() { Epochs = options.Epochs },
        };
        _ = stage.Options(network.Graph);
        if (parsed.GetValue(within) is not null) Destination.File(SensitivityCommand.CacheOf(source), source);
        WorkFolder work = flags.Work(parsed, target, source, screen);
        if (parsed.GetValue(within) is { } points)
            Watch.Over(screen, "measuring", watch => stage = stage.Within(points / 100, network, SensitivityCommand.Sample(set, parsed.GetValue(sample)), SensitivityCommand.CacheOf(source), watch.Tell, stop));
        Model shared = network;
        Watch.Over(screen, "sharing", watch => shared = Retrainer.Share(network, set, stage.Options(network.Graph), options, stage.VectorBits, work, watch.Tell, stop));
        Ending.Write(screen, shared, set, target, work, new(stage.Name, string.Create(CultureInfo.InvariantCulture,
            $"{stage.Detail}; {set.Name}, seed {options.Seed}{TrainingFlags.Besides(options)}"), null, 0, 0), stop, (source, network));
    }
}
