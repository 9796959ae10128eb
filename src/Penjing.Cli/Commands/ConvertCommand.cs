using System.CommandLine;
using System.Globalization;
using Penjing.Interop;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing convert: a network from one format to another, and what it is told about its pictures and classes.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> source = Given.Path(new Argument<string>("IN") { Description = $"The file to read: {Given.ReadableEndings}." });
    private static readonly Argument<string> target = Given.Path(new Argument<string>("OUT")
    {
        Description = $"The file to write; its ending says the format: {Given.WritableEndings}.",
    });
    private static readonly Option<bool> fold = new("--fold")
    {
        Description = "Fold for inference first: BatchNormalizations and activations go into the layers before them, copies and constant "
            + "arithmetic vanish. The answers stay, but the network can be trained no further; without it the network "
            + "stays as it is (the engine folds by itself when it loads a file).",
    };
    private static readonly Option<bool> floats = new("--floats")
    {
        Description = "A network of 8-bit integers as one of floats, such as a .tflite file holds, to be trained on: values are "
            + "rounded no more, and weights are the reals that their integers stand for.",
    };
    private static readonly Option<bool> plain = new("--plain")
    {
        Description = "For .penjing: weights as they lie in memory, mapped when the file is read and open to any safetensors "
            + "reader, in place of the fewest bytes.",
    };
    private static readonly Option<Size?> size = Given.Pixels("Height and width of the pictures that the network shall take, such as 224 or 384x256: for networks whose matrices don't fix it, such as behind a global pool.");
    private static readonly Option<string> labels = Given.Path(new Option<string>("--labels")
    {
        HelpName = "FILE",
        Description = "Note the classes' names in the file: a text file with one a line.",
    });
    private static readonly Option<string> preprocessing = PictureRule.Option();
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("convert", "Writes a network in another format, keeping its names, weights, classes and preprocessing.",
        [
            "penjing convert model.penjing model.onnx",
            "penjing convert network.onnx network.penjing --labels classes.txt --preprocessing bgr,mean=104/117/123,fit=stretch",
            "penjing convert compressed_SqueezeNet.net squeezenet.penjing --prototxt SqueezeNet_deploy.prototxt",
            "penjing convert model.onnx folded.onnx --fold",
            "penjing convert model.penjing large.penjing --size 224",
            "penjing convert mobilenet_quant.tflite backbone.penjing --floats",
            "penjing convert model.penjing model.tflite",
        ], Run, [source, target, fold, floats, plain, size, labels, preprocessing, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string from = parsed.GetRequiredValue(source);
        string to = Destination.Model(parsed.GetRequiredValue(target), parsed.GetValue(labels), reading.Prototxt(parsed));
        ModelFormat format = ModelFile.Writable(to);
        bool isPlain = parsed.GetValue(plain);
        if (isPlain && format.Ending != ".penjing")
            throw new UsageException($"--plain is for .penjing files, but '{to}' will be {format.Name}: leave it out");
        Model read = reading.Read(parsed, from), model = Described(parsed, read);
        if (parsed.GetValue(size) is { } pixels) model = model with { Graph = Resized(model.Graph, pixels, from) };
        if (parsed.GetValue(floats)) model = model with { Graph = Real(model.Graph, from) };
        if (parsed.GetValue(fold)) model = model with { Graph = model.Graph.Rewrite(Passes.ForInference) };
        model = WithHistory(model, from, format, parsed.GetValue(fold));
        stop.ThrowIfCancellationRequested();
        long before = new FileInfo(from).Length, after = ModelFile.Write(to, model, isPlain ? Storage.Plain : Storage.Smallest);
        Model kept = ModelFile.Read(to);
        string[] lost = [.. Lost(model, kept)];
        int nodes = Count(read.Graph), left = Count(model.Graph);
        Dictionary<string, int> gone = Gone(read.Graph, model.Graph);
        screen.Show(new
        {
            Input = from, Output = to, Model = model.Name, BytesIn = before, BytesOut = after, Ratio = (double)before / after, NodesIn = nodes, NodesOut = left,
            Folded = gone, model.Graph.Parameters, Macs = Cost.Macs(model.Graph), Labels = kept.Labels.Length, kept.Preprocessing, History = StageTable.Json(kept), NotKept = lost,
        }, Draw);

        IEnumerable<IRenderable> Draw()
        {
            yield return Screen.Facts([
                ("read", $"{from}, {ModelFile.FormatOf(from).Name}: {Quantity.Exact(before)} bytes"),
                ("written", $"{to}, {format.Name}: {Quantity.Exact(after)} bytes, {Compared(before, after)}"),
                ("nodes", nodes == left ? Quantity.Exact(nodes) : $"{Quantity.Exact(nodes)} → {Quantity.Exact(left)}"),
                .. gone.Count > 0 ? [("folded", string.Join(", ", gone.Select(op => $"{op.Value} {op.Key}")))] : Array.Empty<(string, string)>(),
                ("parameters", Quantity.Exact(model.Graph.Parameters)),
                ("multiply-accumulates", Quantity.Exact(Cost.Macs(model.Graph))),
                ("classes", kept.Labels.Length > 0 ? $"{Quantity.Exact(kept.Labels.Length)} names" : "no names (--labels gives some)"),
                ("preprocessing", kept.Preprocessing is { } rule ? PictureRule.Words(rule) : "unknown (--preprocessing sets it)"),
                ("history", kept.History.Length > 0 ? string.Join("; ", kept.History.Select(stage => stage.Name)) : "none"),
                .. lost.Length > 0 ? [("not kept", $"{string.Join(", ", lost)}: {format.Name} has no place for it")] : Array.Empty<(string, string)>()]);
        }
    }

    /// <summary>The model with the labels and preprocessing that were given.</summary>
    private static Model Described(ParseResult parsed, Model model)
    {
        if (parsed.GetValue(labels) is { } file)
        {
            string[] names = Lines(file);
            Shape output = model.Graph.Outputs[0].Shape;
            if (!output.Contains(names.Length))
                throw new PenjingException($"'{file}' names {names.Length} classes, one a line, but "
                    + $"the network's output '{model.Graph.Outputs[0].Name}' is {output}: give as many as it tells apart");
            model = model with { Labels = [.. names] };
        }
        if (parsed.GetValue(preprocessing) is { } text)
        {
            Preprocessing rule = PictureRule.Parse(text);
            if (model.Graph.Inputs is not [{ Shape: { Rank: 4 } shape }] || shape[1] != rule.Mean.Length)
                throw new PenjingException($"--preprocessing makes pictures of {rule.Mean.Length} channel{(rule.Mean.Length == 1 ? "" : "s")}, "
                    + $"but the network takes {string.Join(", ", model.Graph.Inputs.Select(input => input.Info))}");
            model = model with { Preprocessing = rule };
        }
        return model;
    }

    private static Graph Resized(Graph graph, Size pixels, string from)
    {
        if (!graph.Inputs.Any(input => input.Shape.Rank == 4)) throw new PenjingException($"--size: '{from}' takes no pictures");
        try
        {
            return graph.WithSize(pixels.Height, pixels.Width);
        }
        catch (ShapeException error)
        {
            throw new PenjingException($"'{from}' can't take pictures of {pixels.Height}×{pixels.Width}: {error.Message}", error);
        }
    }

    private static Graph Real(Graph graph, string from)
    {
        Graph real = graph.Rewrite(Passes.ToFloats);
        return real.Nodes.FirstOrDefault(node => node.Info.Quantization is not null) is { } integer
            ? throw new PenjingException($"--floats: '{integer.Name}' of '{from}' computes with integers alone: convert the network that it was quantized from") : real;
    }

    private static string[] Lines(string path)
    {
        try
        {
            string[] lines = File.ReadAllLines(path);
            int end = lines.Length;
            while (end > 0 && string.IsNullOrWhiteSpace(lines[end - 1])) end--;
            return [.. lines.Take(end).Select(line => line.Trim())];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"'{path}' can't be read: {error.Message}", error);
        }
    }

    /// <summary>The model with a note of where it came from, or that it was folded; from one .penjing file to another there is nothing to note.</summary>
    private static Model WithHistory(Model model, string from, ModelFormat to, bool folded)
    {
        string detail = string.Join("; ", new[]
        {
            ModelFile.FormatOf(from) is { Ending: not ".penjing" } format && to.Ending == ".penjing" ? $"from {Path.GetFileName(from)}, {format.Name}" : null,
            folded ? "folded for inference" : null,
        }.OfType<string>());
        return detail.Length == 0 ? model
            : model with { History = model.History.Add(new("convert", detail, null, model.Graph.Parameters, Cost.Macs(model.Graph))) };
    }

    private static IEnumerable<string> Lost(Model model, Model kept)
    {
        if (!model.Labels.SequenceEqual(kept.Labels)) yield return "labels";
        if (!model.Colors.SequenceEqual(kept.Colors)) yield return "colours";
        if (model.Preprocessing != kept.Preprocessing) yield return "preprocessing";
        if (!model.History.SequenceEqual(kept.History)) yield return "history";
    }

    private static int Count(Graph graph) => graph.Nodes.Count(node => node.Op is not Constant);

    /// <summary>How many nodes of each operation went.</summary>
    private static Dictionary<string, int> Gone(Graph before, Graph after)
    {
        Dictionary<string, int> left = Counts(after);
        return Counts(before).Select(op => (op.Key, Count: op.Value - left.GetValueOrDefault(op.Key))).Where(op => op.Count > 0)
            .OrderByDescending(op => op.Count).ToDictionary(op => op.Key, op => op.Count);

        static Dictionary<string, int> Counts(Graph graph) =>
            graph.Nodes.Where(node => node.Op is not (Constant or Input)).CountBy(node => node.Op.Name).ToDictionary();
    }

    private static string Compared(long before, long after) => string.Create(CultureInfo.InvariantCulture,
        $"{(after <= before ? $"{Quantity.Times((double)before / after)} smaller" : $"{Quantity.Times((double)after / before)} larger")}");
}
