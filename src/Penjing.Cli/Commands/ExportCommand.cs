using System.CommandLine;
using Penjing.Interop;

namespace Penjing.Cli;

/// <summary>penjing export: a network as a file of another format.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Argument<string> target = Given.Path(new Argument<string>("OUT") { Description = "The file to write; its ending says the format: .onnx." });

    /// <summary>The verb.</summary>
    public static Verb Create() => new("export", "Writes the network as an ONNX file, for other runtimes and viewers.",
        ["penjing export model.penjing model.onnx"], Run, model, target, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(target);
        if (!string.Equals(Path.GetExtension(path), ".onnx", StringComparison.OrdinalIgnoreCase)) throw new PenjingException($"'{path}' has no ending that says a known format: give a name that ends in .onnx");
        Destination.File(path);
        OnnxWriter.Write(path, PenjingFile.Read(parsed.GetRequiredValue(model)));
        long bytes = new FileInfo(path).Length;
        screen.Show(new { Output = path, Bytes = bytes }, () => [Screen.Line($"wrote {path}: {Quantity.Exact(bytes)} bytes")]);
    }
}
