using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Interop;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing train: a network from its architecture's name, or a file's network trained on.</summary>
internal static class TrainCommand
{
    private static readonly Argument<string> what = Given.Path(new Argument<string>("NETWORK")
    {
        Description = $"A network of the zoo, such as mobilenet-v1-small-0.5 (`penjing models` lists them), or a file to train on: {Given.ReadableEndings}.",
    });
    private static readonly Option<double?> width = Given.Maybe("--width", "FACTOR", 0.01, 16.0, "For a network of the zoo: the factor on every layer's channels (default: what its name says, else 1).");
    private static readonly Option<Size?> size = Given.Pixels("For a network of the zoo: height and width of its input, such as 160 or, where a network takes it, 384x256 (default: what its name says, else that of the data set's pictures, or, where these are files of any size, the network's usual one).");
    private static readonly Option<string> foundation = Given.Path(new Option<string>("--base")
    {
        HelpName = "MODEL",
        Description = "For a network of the zoo: a trained network whose first convolutions are the same, such as a MobileNet v1 under parsenet: training begins with their weights.",
    });
    private static readonly Option<bool> head = new("--new-head") { Description = "For a file: its last layer begins anew, for as many classes as the data set has; all before it keeps its weights." };
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly Option<double> slimming = Given.GammaL1("The weight of the L1 norm of BatchNormalization's scales in the loss, such as 1e-4: scales of needless channels go to 0, as `prune --score batchnorm --ranking global` wants them.");
    private static readonly Option<int?> pictures = Given.Maybe("--pictures", "N", 1, int.MaxValue, "Training pictures to learn from, drawn by the seed (default: all): how much more would help is seen by how much fewer hurt.");
    private static readonly TrainingFlags flags = new(epochs: 10, rate: 0.1, warmUp: 0.5);
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("train", "Trains a network on a data set, and measures the file it writes on the engine.",
        [
            "penjing train mobilenet-v1-small --width 0.5 --data fashion-mnist --epochs 10 -o model.penjing",
            "penjing train model.penjing --data ./pictures --lr 0.01 --augment all -o better.penjing",
            "penjing train imagenet.onnx --new-head --data ./pictures --lr 0.01 -o mine.penjing",
            "penjing train mobilenet-v1-small-0.25 --data fashion-mnist --teacher model.penjing --average 0.999 -o small.penjing",
            "penjing train mobilenet-v1 --size 128 --data ./pictures --epochs 90 -o model.penjing --resume",
            "penjing train parsenet-0.75 --base mobilenet.penjing --data ./clothes --batch 8 --augment flip --zoom 1.5 --region lovasz -o parser.penjing",
        ], Run, [what, data, output, width, size, foundation, head, pictures, slimming, .. flags.Symbols, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string name = parsed.GetRequiredValue(what), target = Destination.Trained(parsed.GetRequiredValue(output)), source = parsed.GetRequiredValue(data);
        (Model model, DataSet set, bool isFile) = Begin(parsed, name, source, screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size, reading, name, model.Graph) with { GammaL1 = parsed.GetValue(slimming) };
        WorkFolder work = flags.Work(parsed, target, isFile ? name : null, screen);
        Model trained = model;
        Watch.Over(screen, "training", watch => trained = Retrainer.Train(model, set, options, work, watch.Tell, stop));
        Ending.Write(screen, trained, set, target, work, new("train", string.Create(CultureInfo.InvariantCulture,
            $"{options.Epochs} epochs of {set.Name}, batch {options.Batch}, learning rate {options.LearningRate}, seed {options.Seed}{(parsed.GetValue(pictures) is null ? "" : $", {set.Train.Count} pictures")}{(parsed.GetValue(foundation) is { } path ? $", begun with {Path.GetFileName(path)}" : "")}{(parsed.GetValue(head) ? ", its last layer anew" : "")}{TrainingFlags.Besides(options)}"), null, 0, 0), stop, isFile && !parsed.GetValue(head) ? (name, model) : null);
    }

    private static (Model Model, DataSet Data, bool IsFile) Begin(ParseResult parsed, string name, string source, Screen screen, CancellationToken stop)
    {
        (double? factor, Size? side) = (parsed.GetValue(width), parsed.GetValue(size));
        if (File.Exists(name) || ModelFile.IsKnown(name))
        {
            Model read = reading.Read(parsed, name, beside: flags.Teacher(parsed));
            if (factor is not null || side is not null || parsed.GetValue(foundation) is not null)
                throw new UsageException($"'{name}' is a file, whose width, size and weights stand fast: leave --width, --size and --base out, or name a network of the zoo");
            (Model known, DataSet meant) = DataFor.Training(read, source, screen, stop, parsed.GetValue(head) ? flags.Seed(parsed) : null);
            return (known, Sampled(parsed, meant), true);
        }
        if (parsed.GetValue(head)) throw new UsageException($"--new-head is for a file: '{name}' of the zoo is built for the data set's classes anyway");
        ZooEntry entry = Zoo.Find(name);
        if (name.EndsWith($"-{Architecture.Pixels(entry.Size)}", StringComparison.Ordinal)) side ??= entry.Size;
        DataSet set = Sampled(parsed, DataFor.WithTraining(DataSets.Open(source, side ?? entry.Size, report: screen.Note, cancellation: stop)));
        Model model = entry.Build(new()
        {
            Width = factor, Size = side ?? set.Size, Channels = set.Channels is Channels.Gray ? 1 : 3, Classes = set.Labels.Length, Seed = flags.Seed(parsed),
        });
        model = model with { Preprocessing = set.HasMasks ? model.Preprocessing : set.Preprocessing, Labels = set.Labels, Colors = set.Colors };
        if (parsed.GetValue(foundation) is not { } path) return (model, set, false);
        (Model founded, ImmutableArray<string> normalizations) = Transplant.Into(model, reading.Read(parsed, path));
        screen.Note($"{normalizations.Length} convolutions begin with the weights of '{path}'");
        return (BatchNormStatistics.Renormalize(founded, normalizations, set), set, false);
    }

    /// <summary>The data set with as many training pictures as are asked for.</summary>
    private static DataSet Sampled(ParseResult parsed, DataSet data) => parsed.GetValue(pictures) is { } count ? data with { Train = data.Train.Sample(count, flags.Seed(parsed)) } : data;
}
