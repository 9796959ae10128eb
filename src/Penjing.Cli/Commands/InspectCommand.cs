using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using Penjing.Interop;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing inspect: what a file holds and what it costs.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Option<string> svg = Given.Path(new Option<string>("--svg")
    {
        HelpName = "FILE",
        Description = "Draw the network: write a picture of it that browsers and viewers open.",
    });
    private static readonly Option<string> html = Given.Path(new Option<string>("--html")
    {
        HelpName = "FILE",
        Description = "Draw the network: write a page with the picture and a table, to be searched, sorted and gone through.",
    });
    private static readonly Option<bool> profile = new("--profile") { Description = "Time each node on this machine's engine; pictures show it too." };
    private static readonly Option<int?> threads = Given.Threads("With --profile: threads to run on (default: what suits the machine).");
    private static readonly Option<int> runs = Given.Runs(20);
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("inspect", "Shows the network of a file node by node, and what each tensor costs in the file; draws it, too.",
        [
            "penjing inspect model.penjing",
            "penjing inspect network.onnx --html network.html --profile",
            "penjing inspect model.penjing --svg model.svg",
            "penjing inspect model.penjing --json | jq .totals",
        ], Run, [model, svg, html, profile, threads, runs, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(model);
        if (!parsed.GetValue(profile)) Given.RefuseWithout(parsed, profile, threads, runs);
        string? picture = parsed.GetValue(svg), page = parsed.GetValue(html);
        if (picture is not null) Destination.File(picture, path, reading.Prototxt(parsed), page);
        if (page is not null) Destination.File(page, path, reading.Prototxt(parsed), picture);
        Model network = reading.Read(parsed, path);
        FileReport? file = ModelFile.FormatOf(path).Ending == ".penjing" ? PenjingFile.Inspect(path) : null;
        LayerTimes? times = parsed.GetValue(profile) ? LayerTimes.Of(network, parsed.GetValue(threads) ?? 0, parsed.GetValue(runs)) : null;
        View view = new(network, Path.GetFileName(path), new FileInfo(path).Length, file, times);
        stop.ThrowIfCancellationRequested();
        if (picture is not null || page is not null)
        {
            ImmutableArray<Box> boxes = Box.Of(network.Graph, view.Bytes, times?.Steps);
            if (picture is not null) Save(picture, GraphSvg.Draw(view.Title, view.Facts, boxes).Text);
            if (page is not null) Save(page, GraphPage.Write(view.Title, view.Facts, boxes));
        }
        screen.Show(view.Json(picture, page), () => view.Draw().Concat(new[] { picture, page }.OfType<string>().Select(Written)));
    }

    private static void Save(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private static IRenderable Written(string path) => Screen.Line($"wrote {path}: {Quantity.Exact(new FileInfo(path).Length)} bytes");

    /// <summary>A network's file, ready to be shown.</summary>
    private sealed class View(Model network, string name, long length, FileReport? file, LayerTimes? times)
    {
        private readonly Node[] nodes = [.. network.Graph.Nodes.Where(node => node.Op is not Constant)];
        private readonly Node[] weights = [.. network.Graph.Weights];
        private readonly Dictionary<string, TensorReport> stored = (file?.Tensors ?? []).ToDictionary(tensor => tensor.Name);
        private readonly long plain = network.Graph.Weights.Sum(Plain), macs = Cost.Macs(network.Graph);

        public string Title => network.Name.Length > 0 ? network.Name : name;

        public string Facts => $"{Quantity.Exact(nodes.Length)} nodes, {Quantity.Count(network.Graph.Parameters)} parameters, {Quantity.Count(macs)} MACs, "
            + $"a file of {Quantity.Bytes(length)}{(times is null ? "" : $", {Quantity.Milliseconds(times.TotalMs)} a run")}";

        /// <summary>What a weight takes in the file; in memory, where the format isn't our own.</summary>
        public long Bytes(Node weight) => stored.TryGetValue(weight.Name, out TensorReport? report) ? report.Bytes : Plain(weight);

        public object Json(string? picture, string? page) => new
        {
            network.Name,
            Inputs = network.Graph.Inputs.Select(Value),
            Outputs = network.Graph.Outputs.Select(Value),
            network.Labels,
            Colors = network.Colors.Select(color => $"#{color:x6}"),
            network.Preprocessing,
            History = StageTable.Json(network),
            Nodes = nodes.Select(node => new
            {
                node.Name, Op = node.Op.Name, Inputs = node.Inputs.Select(input => input.Name), Shape = node.Shape.Extents, Parameters =
                    Parameters(node), Macs = Cost.Macs(node),
                Ms = times?[node],
            }),
            Tensors = weights.Select(weight => (Node: weight, Report: stored.GetValueOrDefault(weight.Name))).Select(tensor => new
            {
                tensor.Node.Name, tensor.Node.Info.Type, Shape = tensor.Node.Shape.Extents, tensor.Report?.Encoding, tensor.Report?.Bytes, PlainBytes =
                    Plain(tensor.Node),
                tensor.Report?.Costs,
            }),
            Totals = new
            {
                Nodes = nodes.Length, network.Graph.Parameters, Macs = macs, Bytes = length, file?.HeaderBytes, PlainBytes = plain, Ms = times?.TotalMs,
            },
            Picture = picture,
            Page = page,
        };

        public IEnumerable<IRenderable> Draw()
        {
            Graph graph = network.Graph;
            yield return Screen.Line($"{(network.Name.Length > 0 ? network.Name : "unnamed network")}: {string.Join(", ", graph.Inputs)} → "
                + string.Join(", ", graph.Outputs.Select(node => node.Info)));
            if (network.Labels.Length > 0)
                yield return Screen.Line($"{network.Labels.Length} classes: "
                    + $"{string.Join(", ", network.Labels.Take(12))}{(network.Labels.Length > 12 ? ", …" : "")}");
            if (network.Preprocessing is { } rule) yield return Screen.Line($"pictures: {PictureRule.Words(rule)}");
            foreach (Stage stage in network.History)
                yield return Screen.Line($"{stage.Name}: {stage.Detail}{(stage.Score is { } score ? $"; {score}" : "")}; "
                    + $"{Quantity.Count(stage.Parameters)} parameters, {Quantity.Count(stage.Macs)} MACs");
            yield return Nodes();
            yield return file is null ? Tensors() : Tensors(file);
            yield return Screen.Line(file is null
                ? $"The file takes {Quantity.Exact(length)} bytes; its weights alone take {Quantity.Exact(plain)} bytes in memory. "
                    + "`penjing convert` makes a .penjing file of it."
                : $"The file takes {Quantity.Exact(file.Bytes)} bytes, {Quantity.Exact(file.HeaderBytes)} of them for all but the weights; "
                    + $"the weights alone would take {Quantity.Exact(plain)} bytes plain.");
        }

        private Table Nodes()
        {
            Table table = Screen.Table(["<Node", "Op", ">Shape", ">Parameters", ">MACs", .. times is null ? [] : (string[])[">Time"]]);
            foreach (Node node in nodes)
                table.AddRow([new Text(node.Name), new Text(node.Op.Name), new Text(node.Shape.ToString()), Figure(Parameters(node)),
                    Figure(Cost.Macs(node)), .. Time(times?[node])]);
            return table.AddRow([new Text("total"), Text.Empty, Text.Empty, Figure(network.Graph.Parameters), Figure(macs), .. Time(times?.TotalMs)]);
        }

        private Text[] Time(double? milliseconds) => times is null ? [] : [new(milliseconds is { } time ? Quantity.Milliseconds(time) : "")];

        private Table Tensors()
        {
            Table table = Screen.Table("<Tensor", "Type", ">Shape", ">Bytes in memory");
            foreach (Node weight in weights)
                table.AddRow(new Text(weight.Name), new Text(weight.Info.Type.ToString()), new Text(weight.Shape.ToString()), Figure(Plain(weight)));
            return table;
        }

        private static Table Tensors(FileReport file)
        {
            Table table = Screen.Table("<Tensor", "Type", ">Shape", "Stored as", ">Bytes", ">Plain", ">Best other");
            foreach (TensorReport tensor in file.Tensors)
                table.AddRow(new Text(tensor.Name), new Text(tensor.Type.ToString()), new Text(tensor.Shape.ToString()), new Text(tensor.Encoding.ToString()),
                    Figure(tensor.Bytes), Figure(tensor.Costs.GetValueOrDefault(TensorEncoding.Plain)), new Text(BestOther(tensor)));
            return table;
        }

        /// <summary>The cheapest encoding, but for the one that was taken and the plain one, and its bytes.</summary>
        private static string BestOther(TensorReport tensor)
        {
            KeyValuePair<TensorEncoding, long>[] others = [.. tensor.Costs.Where(cost => cost.Key != tensor.Encoding && cost.Key != TensorEncoding.Plain)];
            if (others.Length == 0) return "–";
            (TensorEncoding encoding, long bytes) = others.MinBy(cost => cost.Value);
            return $"{Quantity.Exact(bytes)} ({encoding})";
        }

        private static object Value(Node node) => new { node.Name, node.Info.Type, Shape = node.Shape.Extents };

        private static long Parameters(Node node) => node.Inputs.Where(input => input.Op is Constant).Sum(input => (long)input.Shape.Elements);

        private static long Plain(Node weight) => weight.Value!.Bytes.Length;

        private static Text Figure(long figure) => new(figure == 0 ? "" : Quantity.Exact(figure));
    }
}
