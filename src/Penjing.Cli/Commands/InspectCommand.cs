using System.CommandLine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing inspect: what a file holds and what it costs.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> model = Given.Model();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("inspect", "Shows the network of a file node by node, and what each tensor costs in the file.",
        ["penjing inspect model.penjing", "penjing inspect model.penjing --json | jq .totals"], Run, model, Given.Json());

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(model);
        Model network = PenjingFile.Read(path);
        FileReport file = PenjingFile.Inspect(path);
        Node[] nodes = [.. network.Graph.Nodes.Where(node => node.Op is not Constant)];
        long plain = file.Tensors.Sum(Plain), macs = Cost.Macs(network.Graph);
        screen.Show(new
        {
            network.Name,
            Inputs = network.Graph.Inputs.Select(Value),
            Outputs = network.Graph.Outputs.Select(Value),
            network.Labels,
            network.Preprocessing,
            network.History,
            Nodes = nodes.Select(node => new { node.Name, Op = node.Op.Name, Inputs = node.Inputs.Select(input => input.Name), Shape = node.Shape.Extents, Parameters = Parameters(node), Macs = Cost.Macs(node) }),
            Tensors = file.Tensors.Select(tensor => new { tensor.Name, tensor.Type, Shape = tensor.Shape.Extents, tensor.Encoding, tensor.Bytes, Costs = tensor.Costs }),
            Totals = new { Nodes = nodes.Length, network.Graph.Parameters, Macs = macs, file.Bytes, file.HeaderBytes, PlainBytes = plain },
        }, () => Draw(network, file, nodes, macs, plain));

        static object Value(Node node) => new { node.Name, node.Info.Type, Shape = node.Shape.Extents };
    }

    private static IEnumerable<IRenderable> Draw(Model network, FileReport file, Node[] nodes, long macs, long plain)
    {
        yield return Screen.Line($"{(network.Name.Length > 0 ? network.Name : "unnamed network")}: {string.Join(", ", network.Graph.Inputs)} → {string.Join(", ", network.Graph.Outputs.Select(node => node.Info))}");
        if (network.Labels.Length > 0) yield return Screen.Line($"{network.Labels.Length} classes: {string.Join(", ", network.Labels.Take(12))}{(network.Labels.Length > 12 ? ", …" : "")}");
        foreach (Stage stage in network.History)
            yield return Screen.Line($"{stage.Name}: {stage.Detail}{(stage.Top1 is { } top1 ? $"; top-1 {Quantity.Percent(top1)}" : "")}; {Quantity.Count(stage.Parameters)} parameters, {Quantity.Count(stage.Macs)} MACs");

        Table graph = Screen.Table("Node", "Op", ">Shape", ">Parameters", ">MACs");
        foreach (Node node in nodes)
            graph.AddRow(new Text(node.Name), new Text(node.Op.Name), new Text(node.Shape.ToString()), Figure(Parameters(node)), Figure(Cost.Macs(node)));
        graph.AddRow(new Text("total"), Text.Empty, Text.Empty, Figure(network.Graph.Parameters), Figure(macs));
        yield return graph;

        TensorEncoding[] encodings = [.. file.Tensors.SelectMany(tensor => tensor.Costs.Keys).Distinct().Order()];
        Table tensors = Screen.Table(["Tensor", "Type", ">Shape", "Stored as", ">Bytes", .. encodings.Select(encoding => $">{encoding}")]);
        foreach (TensorReport tensor in file.Tensors)
            tensors.AddRow([new Text(tensor.Name), new Text(tensor.Type.ToString()), new Text(tensor.Shape.ToString()), new Text(tensor.Encoding.ToString()), Figure(tensor.Bytes),
                .. encodings.Select(encoding => tensor.Costs.TryGetValue(encoding, out long cost) ? Figure(cost) : new Text("–"))]);
        yield return tensors;
        yield return Screen.Line($"The file takes {Quantity.Exact(file.Bytes)} bytes, {Quantity.Exact(file.HeaderBytes)} of them for all but the weights; the weights alone would take {Quantity.Exact(plain)} bytes plain.");
    }

    private static long Parameters(Node node) => node.Inputs.Where(input => input.Op is Constant).Sum(input => (long)input.Shape.Elements);

    private static long Plain(TensorReport tensor) => (long)tensor.Shape.Elements * tensor.Type.Size();

    private static Text Figure(long figure) => new(figure == 0 ? "" : Quantity.Exact(figure));
}
