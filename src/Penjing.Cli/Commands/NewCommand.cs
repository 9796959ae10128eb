using System.CommandLine;
using Penjing.Interop;
using Penjing.Models;

namespace Penjing.Cli;

/// <summary>penjing new: a network of the zoo with initial weights.</summary>
internal static class NewCommand
{
    private static readonly Argument<string> name = Given.Path(new Argument<string>("NAME")
    {
        Description = "A network of the zoo, such as resnet-18 or mobilenet-v1-0.5-160; `penjing models` lists them.",
    });
    private static readonly Option<string> output = Given.Out("FILE", $"Where the network is written; the ending says the format: {Given.WritableEndings}.");
    private static readonly Option<double?> width = Given.Maybe("--width", "FACTOR", 0.01, 16.0,
        "The factor on every layer's channels (default: what the name says, else 1).");
    private static readonly Option<Size?> size = Given.Pixels("Height and width of the input picture, such as 160 or, where a network takes it, 384x256 (default: the paper's).");
    private static readonly Option<int?> channels = Given.Maybe("--channels", "N", 1, 4096, "Channels of the input picture (default: the paper's).");
    private static readonly Option<int?> classes = Given.Maybe("--classes", "N", 1, 1_000_000, "Classes to tell apart (default: the paper's).");
    private static readonly Option<bool> softmax = new("--softmax") { Description = "Let the network yield probabilities in place of logits." };
    private static readonly Option<int> seed = Given.Number("--seed", "N", 1, 0, int.MaxValue,
        "What the initial weights follow from: the same seed gives the same weights to the bit.");

    /// <summary>The verb.</summary>
    public static Verb Create() => new("new", "Makes a file of a network of the zoo, untrained, with seeded initial weights.",
        ["penjing new squeezenet-1.1 -o squeezenet.onnx", "penjing new mobilenet-v2-0.5 --classes 18 --size 160 --seed 7 -o mobilenet.penjing"],
        Run, name, output, width, size, channels, classes, softmax, seed, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        ZooEntry entry = Zoo.Find(parsed.GetRequiredValue(name));
        string path = Destination.Model(parsed.GetRequiredValue(output));
        ModelFormat format = ModelFile.Writable(path);
        Model model = entry.Build(new()
        {
            Width = parsed.GetValue(width), Size = parsed.GetValue(size), Channels = parsed.GetValue(channels), Classes = parsed.GetValue(classes),
            Softmax = parsed.GetValue(softmax), Seed = parsed.GetValue(seed),
        });
        stop.ThrowIfCancellationRequested();
        long bytes = ModelFile.Write(path, model), parameters = Cost.Trainable(model.Graph), macs = Cost.Macs(model.Graph);
        screen.Show(new
        {
            Output = path, Model = model.Name, Bytes = bytes, Parameters = parameters, Macs = macs, Seed = parsed.GetValue(seed),
            Input = model.Graph.Inputs[0].Shape.Extents, OutputShape = model.Graph.Outputs[0].Shape.Extents,
        }, () => [Screen.Facts(
            ("written", $"{path}, {format.Name}: {Quantity.Exact(bytes)} bytes"),
            ("network", $"{model.Name}, {model.Graph.Inputs[0].Shape} → {model.Graph.Outputs[0].Shape}"),
            ("paper", entry.Paper),
            ("parameters", Quantity.Exact(parameters)),
            ("multiply-accumulates", Quantity.Exact(macs)))]);
    }
}
