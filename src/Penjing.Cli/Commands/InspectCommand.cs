using System.CommandLine;
using Penjing.Interop;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing inspect: what a file holds and what it costs.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("inspect", "Shows the network of a file node by node, and what each tensor costs in the file.",
        ["penjing inspect model.penjing", "penjing inspect network.onnx", "penjing inspect model.penjing --json | jq .totals"], Run, [model, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(model);
        Model network = reading.Read(parsed, path);
        FileReport? file = ModelFile.FormatOf(path).Ending == ".penjing" ? PenjingFile.Inspect(path) : null;
        long length = new FileInfo(path).Length;
        Node[] nodes = [.. network.Graph.Nodes.Where(node => node.Op is not Constant)];
        Node[] weights = [.. network.Graph.Weights];
        long plain = weights.Sum(Plain), macs = Cost.Macs(network.Graph);
        Dictionary<string, TensorReport> stored = (file?.Tensors ?? []).ToDictionary(tensor => tensor.Name);
        screen.Show(new
        {
            network.Name,
            Inputs = network.Graph.Inputs.Select(Value),
            Outputs = network.Graph.Outputs.Select(Value),
            network.Labels,
            network.Preprocessing,
            network.History,
            Nodes = nodes.Select(node => new { node.Name, Op = node.Op.Name, Inputs = node.Inputs.Select(input => input.Name), Shape = node.Shape.Extents, Parameters = Parameters(node), Macs = Cost.Macs(node) }),
            Tensors = weights.Select(weight => (Node: weight, Report: stored.GetValueOrDefault(weight.Name))).Select(tensor => new
            {
                tensor.Node.Name, tensor.Node.Info.Type, Shape = tensor.Node.Shape.Extents, tensor.Report?.Encoding, tensor.Report?.Bytes, PlainBytes = Plain(tensor.Node), tensor.Report?.Costs,
            }),
            Totals = new { Nodes = nodes.Length, network.Graph.Parameters, Macs = macs, Bytes = length, file?.HeaderBytes, PlainBytes = plain },
        }, () => Draw(network, file, nodes, weights, macs, plain, length));

        static object Value(Node node) => new { node.Name, node.Info.Type, Shape = node.Shape.Extents };
    }

    private static IEnumerable<IRenderable> Draw(Model network, FileReport? file, Node[] nodes, Node[] weights, long macs, long plain, long length)
    {
        yield return Screen.Line($"{(network.Name.Length > 0 ? network.Name : "unnamed network")}: {string.Join(", ", network.Graph.Inputs)} → {string.Join(", ", network.Graph.Outputs.Select(node => node.Info))}");
        if (network.Labels.Length > 0) yield return Screen.Line($"{network.Labels.Length} classes: {string.Join(", ", network.Labels.Take(12))}{(network.Labels.Length > 12 ? ", …" : "")}");
        if (network.Preprocessing is { } rule) yield return Screen.Line($"pictures: {PictureRule.Words(rule)}");
        foreach (Stage stage in network.History)
            yield return Screen.Line($"{stage.Name}: {stage.Detail}{(stage.Top1 is { } top1 ? $"; top-1 {Quantity.Percent(top1)}" : "")}; {Quantity.Count(stage.Parameters)} parameters, {Quantity.Count(stage.Macs)} MACs");

        Table graph = Screen.Table("Node", "Op", ">Shape", ">Parameters", ">MACs");
        foreach (Node node in nodes)
            graph.AddRow(new Text(node.Name), new Text(node.Op.Name), new Text(node.Shape.ToString()), Figure(Parameters(node)), Figure(Cost.Macs(node)));
        graph.AddRow(new Text("total"), Text.Empty, Text.Empty, Figure(network.Graph.Parameters), Figure(macs));
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
