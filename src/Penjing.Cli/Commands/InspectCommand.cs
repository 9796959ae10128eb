using System.Collections.Immutable;
using System.CommandLine;
using Penjing.Engine;
using Penjing.Interop;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing inspect: what a file holds and what it costs.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Option<string> svg = Given.Path(new Option<string>("--svg") { HelpName = "FILE", Description = "Draw the network: write a picture of it that browsers and viewers open." });
    private static readonly Option<string> html = Given.Path(new Option<string>("--html") { HelpName = "FILE", Description = "Draw the network: write a page with the picture and a table, to be searched, sorted and gone through." });
    private static readonly Option<bool> profile = new("--profile") { Description = "Time each node on this machine's engine; pictures show it too." };
    private static readonly Option<int?> threads = Given.Threads("With --profile: threads to run on (default: what suits the machine).");
    private static readonly Option<int> runs = Given.Runs(20);
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("inspect", "Shows the network of a file node by node, and what each tensor costs in the file.",
        ["penjing inspect model.penjing", "penjing inspect network.onnx --html network.html --profile", "penjing inspect model.penjing --svg model.svg", "penjing inspect model.penjing --json | jq .totals"],
        Run, [model, svg, html, profile, threads, runs, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(model);
        (string? picture, string? page) = (parsed.GetValue(svg) is { } first ? Destination.File(first) : null, parsed.GetValue(html) is { } second ? Destination.File(second) : null);
        Model network = reading.Read(parsed, path);
        FileReport? file = ModelFile.FormatOf(path).Ending == ".penjing" ? PenjingFile.Inspect(path) : null;
        long length = new FileInfo(path).Length;
        Node[] nodes = [.. network.Graph.Nodes.Where(node => node.Op is not Constant)];
        Node[] weights = [.. network.Graph.Weights];
        long plain = weights.Sum(Plain), macs = Cost.Macs(network.Graph);
        Dictionary<string, TensorReport> stored = (file?.Tensors ?? []).ToDictionary(tensor => tensor.Name);
        ImmutableArray<StepTime> steps = parsed.GetValue(profile) ? Profile(network, parsed.GetValue(threads) ?? 0, parsed.GetValue(runs)) : default;
        string title = network.Name.Length > 0 ? network.Name : Path.GetFileName(path), facts = Facts(network, nodes, macs, length, steps);
        ImmutableArray<Box> boxes = picture is null && page is null ? [] : Box.Of(network.Graph, node => stored.TryGetValue(node.Name, out TensorReport? report) ? report.Bytes : Plain(node), steps.IsDefault ? null : steps);
        if (picture is not null) AtomicFile.Write(picture, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(GraphSvg.Draw(title, facts, boxes).Text)));
        if (page is not null) AtomicFile.Write(page, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(GraphPage.Write(title, facts, boxes))));
        Dictionary<string, double> times = (steps.IsDefault ? [] : steps).Where(step => step.Step.Op is not ("Input" or "Output")).GroupBy(step => step.Step.Name).ToDictionary(group => group.Key, group => group.Sum(step => step.MedianMs));
        screen.Show(new
        {
            network.Name,
            Inputs = network.Graph.Inputs.Select(Value),
            Outputs = network.Graph.Outputs.Select(Value),
            network.Labels,
            network.Preprocessing,
            network.History,
            Nodes = nodes.Select(node => new { node.Name, Op = node.Op.Name, Inputs = node.Inputs.Select(input => input.Name), Shape = node.Shape.Extents, Parameters = Parameters(node), Macs = Cost.Macs(node), Ms = Ms(node) }),
            Tensors = weights.Select(weight => (Node: weight, Report: stored.GetValueOrDefault(weight.Name))).Select(tensor => new
            {
                tensor.Node.Name, tensor.Node.Info.Type, Shape = tensor.Node.Shape.Extents, tensor.Report?.Encoding, tensor.Report?.Bytes, PlainBytes = Plain(tensor.Node), tensor.Report?.Costs,
            }),
            Totals = new { Nodes = nodes.Length, network.Graph.Parameters, Macs = macs, Bytes = length, file?.HeaderBytes, PlainBytes = plain, Ms = steps.IsDefault ? null : (double?)steps.Sum(step => step.MedianMs) },
        Picture = picture, Page = page,
        }, () => Draw(network, file, nodes, weights, macs, plain, length, steps.IsDefault ? null : Ms).Concat(Written(picture, page)));

        double? Ms(Node node) => times.TryGetValue(node.Name, out double ms) ? ms : null;

        static object Value(Node node) => new { node.Name, node.Info.Type, Shape = node.Shape.Extents };
    }

    private static ImmutableArray<StepTime> Profile(Model network, int threads, int runs)
    {
        using Session session = new(network, new SessionOptions(threads));
        return session.Profile(runs);
    }

    private static string Facts(Model network, Node[] nodes, long macs, long length, ImmutableArray<StepTime> steps) =>
        $"{Quantity.Exact(nodes.Length)} nodes, {Quantity.Count(network.Graph.Parameters)} parameters, {Quantity.Count(macs)} MACs, a file of {Quantity.Bytes(length)}"
        + (steps.IsDefault ? "" : $", {Quantity.Milliseconds(steps.Sum(step => step.MedianMs))} a run");

    private static IEnumerable<IRenderable> Written(params string?[] paths) => paths.OfType<string>().Select(path => Screen.Line($"wrote {path}: {Quantity.Exact(new FileInfo(path).Length)} bytes"));

    private static IEnumerable<IRenderable> Draw(Model network, FileReport? file, Node[] nodes, Node[] weights, long macs, long plain, long length, Func<Node, double?>? ms)
    {
        yield return Screen.Line($"{(network.Name.Length > 0 ? network.Name : "unnamed network")}: {string.Join(", ", network.Graph.Inputs)} → {string.Join(", ", network.Graph.Outputs.Select(node => node.Info))}");
        if (network.Labels.Length > 0) yield return Screen.Line($"{network.Labels.Length} classes: {string.Join(", ", network.Labels.Take(12))}{(network.Labels.Length > 12 ? ", …" : "")}");
        if (network.Preprocessing is { } rule) yield return Screen.Line($"pictures: {PictureRule.Words(rule)}");
        foreach (Stage stage in network.History)
            yield return Screen.Line($"{stage.Name}: {stage.Detail}{(stage.Top1 is { } top1 ? $"; top-1 {Quantity.Percent(top1)}" : "")}; {Quantity.Count(stage.Parameters)} parameters, {Quantity.Count(stage.Macs)} MACs");

        Table graph = Screen.Table(["Node", "Op", ">Shape", ">Parameters", ">MACs", .. ms is null ? [] : (string[])[">Time"]]);
        foreach (Node node in nodes)
            graph.AddRow([new Text(node.Name), new Text(node.Op.Name), new Text(node.Shape.ToString()), Figure(Parameters(node)), Figure(Cost.Macs(node)),
                .. ms is null ? [] : (Text[])[new Text(ms(node) is { } time ? Quantity.Milliseconds(time) : "")]]);
        graph.AddRow([new Text("total"), Text.Empty, Text.Empty, Figure(network.Graph.Parameters), Figure(macs), .. ms is null ? [] : (Text[])[new Text(Quantity.Milliseconds(nodes.Sum(node => ms(node) ?? 0)))]]);
        yield return graph;
        yield return file is null ? Plainly(weights) : Stored(file);
        yield return Screen.Line(file is null
            ? $"The file takes {Quantity.Exact(length)} bytes; its weights alone take {Quantity.Exact(plain)} bytes in memory. `penjing convert` makes a .penjing file of it."
            : $"The file takes {Quantity.Exact(file.Bytes)} bytes, {Quantity.Exact(file.HeaderBytes)} of them for all but the weights; the weights alone would take {Quantity.Exact(plain)} bytes plain.");
    }

    private static Table Plainly(Node[] weights)
    {
        Table tensors = Screen.Table("Tensor", "Type", ">Shape", ">Bytes in memory");
        foreach (Node weight in weights) tensors.AddRow(new Text(weight.Name), new Text(weight.Info.Type.ToString()), new Text(weight.Shape.ToString()), Figure(Plain(weight)));
        return tensors;
    }

    private static Table Stored(FileReport file)
    {
        TensorEncoding[] encodings = [.. file.Tensors.SelectMany(tensor => tensor.Costs.Keys).Distinct().Order()];
        Table tensors = Screen.Table(["Tensor", "Type", ">Shape", "Stored as", ">Bytes", .. encodings.Select(encoding => $">{encoding}")]);
        foreach (TensorReport tensor in file.Tensors)
            tensors.AddRow([new Text(tensor.Name), new Text(tensor.Type.ToString()), new Text(tensor.Shape.ToString()), new Text(tensor.Encoding.ToString()), Figure(tensor.Bytes),
                .. encodings.Select(encoding => tensor.Costs.TryGetValue(encoding, out long cost) ? Figure(cost) : new Text("–"))]);
        return tensors;
    }

    private static long Parameters(Node node) => node.Inputs.Where(input => input.Op is Constant).Sum(input => (long)input.Shape.Elements);

    private static long Plain(Node weight) => weight.Value!.Bytes.Length;

    private static Text Figure(long figure) => new(figure == 0 ? "" : Quantity.Exact(figure));
}
