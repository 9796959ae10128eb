using System.CommandLine;
using System.Globalization;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>penjing train: a network from its architecture's name, or a file's network trained on.</summary>
internal static class TrainCommand
{
    /// <summary>The architectures by name: from width, size, channels, classes and seed.</summary>
    private static readonly (string Name, Func<double, int, int, int, int, Model> Build)[] architectures =
    [
        ("mobilenet-v1", (width, size, channels, classes, seed) => MobileNetV1.Build(width, size, channels, classes, seed)),
        ("mobilenet-v1-small", (width, size, channels, classes, seed) => MobileNetV1.Small(width, size, channels, classes, seed)),
    ];

    private static readonly Argument<string> what = Given.Path(new Argument<string>("NETWORK")
    {
        Description = $"An architecture, {string.Join(" or ", architectures.Select(architecture => architecture.Name))} (for pictures of 28 to 64 pixels), or a .penjing file to train on.",
    });
    private static readonly Option<double?> width = Given.Maybe("--width", "FACTOR", 0.01, 16.0, "For an architecture: the factor on every layer's channels (default: 1).");
    private static readonly Option<int?> size = Given.Maybe("--size", "PIXELS", 1, 4096, "For an architecture: height and width of its input (default: that of the data set's pictures).");
    private static readonly Option<string> data = Given.Data();
    private static readonly Option<string> output = Given.Out();
    private static readonly TrainingFlags flags = new(epochs: 10, rate: 0.1, warmUp: 0.5);

    /// <summary>The verb.</summary>
    public static Verb Create() => new("train", "Trains a network on a data set, and measures the file it writes on the engine.",
        [
            "penjing train mobilenet-v1-small --width 0.5 --data fashion-mnist --epochs 10 -o model.penjing",
            "penjing train model.penjing --data ./pictures --lr 0.01 --augment all -o better.penjing",
            "penjing train mobilenet-v1 --size 128 --data ./pictures --epochs 90 -o model.penjing --resume",
        ], Run, [what, data, output, width, size, .. flags.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string name = parsed.GetRequiredValue(what), target = Destination.File(parsed.GetRequiredValue(output)), source = parsed.GetRequiredValue(data);
        (Model model, DataSet set, bool isFile) = Begin(parsed, name, source, screen, stop);
        TrainingOptions options = flags.Options(parsed, set.Size);
        WorkFolder work = flags.Work(parsed, target, isFile ? name : null, screen);
        Model trained = model;
        Watch.Over(screen, "training", watch => trained = Retrainer.Train(model, set, options, work, watch.Tell, stop));
        Ending.Write(screen, trained, set, target, work, new("train", string.Create(CultureInfo.InvariantCulture,
            $"{options.Epochs} epochs of {set.Name}, batch {options.Batch}, learning rate {options.LearningRate}, seed {options.Seed}"), null, 0, 0), stop);
    }

    private static (Model Model, DataSet Data, bool IsFile) Begin(ParseResult parsed, string name, string source, Screen screen, CancellationToken stop)
    {
        if (architectures.FirstOrDefault(architecture => architecture.Name == name).Build is { } build)
        {
            int? side = parsed.GetValue(size);
            DataSet set = DataSets.Open(source, side is { } given ? Size.Square(given) : null, report: screen.Note, cancellation: stop);
            Model model = build(parsed.GetValue(width) ?? 1, side ?? set.Size.Height, set.Channels is Channels.Gray ? 1 : 3, set.Labels.Length, flags.Seed(parsed));
            return (model with { Preprocessing = set.Preprocessing, Labels = set.Labels }, set, false);
        }
        if (parsed.GetValue(width) is not null || parsed.GetValue(size) is not null || !File.Exists(name))
        {
            string known = string.Join(", ", architectures.Select(architecture => architecture.Name));
            throw new PenjingException(File.Exists(name) ? $"'{name}' is a file, whose width and size stand fast: leave --width and --size out, or name an architecture ({known})"
                : $"'{name}' is neither an architecture ({known}) nor a file");
        }
        Model read = PenjingFile.Read(name);
        return (read, Begin(read, source, screen, stop), true);
    }

    /// <summary>The data set, its pictures fitted to the network's input.</summary>
    internal static DataSet Begin(Model model, string source, Screen screen, CancellationToken stop) =>
        DataSets.Open(source, model.Graph.Inputs is [{ Shape: { Rank: 4 } shape }] ? new Size(shape[2], shape[3]) : null, model.Preprocessing, screen.Note, stop);
}
