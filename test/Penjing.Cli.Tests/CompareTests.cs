using System.Text.Json.Nodes;
using Penjing.Compression;
using Penjing.Training;

namespace Penjing.Cli.Tests;

/// <summary>Two networks side by side: equal ones agree, and a change is found where it was made.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void A_network_agrees_with_itself_in_another_format()
    {
        string model = MadeUp.Model(scratch["a.penjing"]);
        Cli.Run("convert", model, scratch["b.onnx"]).Ends(0);
        JsonObject json = Cli.Run("compare", model, scratch["b.onnx"], "--runs", "2", "--threads", "1", "--json").Json();
        Assert.True((bool)json["agree"]! && (bool)json["matchedByName"]! && json["firstDifference"] is null, json.ToJsonString());
        Assert.All(json["layers"]!.AsArray(), layer => Assert.Equal(0, (double)layer!["maxError"]!));
        Graph graph = PenjingFile.Read(model).Graph;
        Assert.Equal(graph.Nodes.Where(node => node.Op is not (Constant or Input)).Select(node => node.Name),
            json["layers"]!.AsArray().Select(layer => (string)layer!["name"]!));
        Assert.Contains(json["layers"]!.AsArray(), layer => layer!["msA"] is not null && layer["msB"] is not null);
        Assert.Contains("they agree", Cli.Run("compare", model, scratch["b.onnx"], "--runs", "1").Ends(0).Output);
    }

    [Fact]
    public void A_changed_weight_is_found_in_the_layer_that_reads_it()
    {
        Model model = PenjingFile.Read(MadeUp.Model(scratch["a.penjing"]));
        Node changed = model.Graph.Nodes.Where(node => node.Op is Conv).ElementAt(2);
        PenjingFile.Write(scratch["b.penjing"], model with { Graph = WithFirst(model.Graph, changed.Inputs[1], 9) });
        Run run = Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1", "--json").Ends(1);
        JsonObject json = JsonNode.Parse(run.Output)!.AsObject();
        Assert.Equal(changed.Name, (string)json["firstDifference"]!);
        Assert.False((bool)json["agree"]!);
        Assert.True(run.Error.StartsWith("penjing: the outputs differ", StringComparison.Ordinal) && run.Error.Contains($"'{changed.Name}'"), run.ToString());
        Tensor input = Tensor.Zeros(ElementType.Float32, model.Graph.Inputs[0].Shape);
        Npy.Write(scratch["in.npy"], input);
        Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1", "--inputs", scratch["in.npy"], "--tolerance", "1e9").Ends(0);
        Assert.Contains("◀", Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1").Ends(1).Output);
    }

    [Fact]
    public void Layers_of_other_names_are_matched_in_order()
    {
        Model model = PenjingFile.Read(MadeUp.Model(scratch["a.penjing"]));
        Graph renamed = model.Graph.Map((node, inputs) => new(node.Op is Input ? node.Name : $"other.{node.Name}", node.Op, inputs));
        PenjingFile.Write(scratch["b.penjing"], model with { Graph = renamed });
        JsonObject json = Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1", "--json").Json();
        Assert.False((bool)json["matchedByName"]!);
        Assert.All(json["layers"]!.AsArray(), layer => Assert.Equal(("other." + (string)layer!["name"]!, 0),
            ((string)layer["nameInB"]!, (double)layer["maxError"]!)));
        Assert.Equal(renamed.Nodes.Count(node => node.Op is not (Constant or Input)), json["layers"]!.AsArray().Count);
    }

    [Fact]
    public void A_pruned_network_has_layers_of_other_shapes()
    {
        Model model = PenjingFile.Read(MadeUp.Model(scratch["a.penjing"]));
        PenjingFile.Write(scratch["b.penjing"], model with { Graph = Pruner.Prune(model.Graph, new() { Ratio = 0.5 }) });
        Run run = Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1", "--json").Ends(1);
        JsonNode json = JsonNode.Parse(run.Output)!;
        JsonNode apart = json["layers"]!.AsArray().First(layer => layer!["maxError"] is null)!;
        Assert.Equal((string)apart["name"]!, (string)json["firstDifference"]!);
        (string there, string here) = (string.Join('×', apart["shape"]!.AsArray()), string.Join('×', apart["shapeInB"]!.AsArray()));
        Assert.True(run.Error.Contains($"'{apart["name"]}'") && run.Error.Contains(there) && run.Error.Contains(here), run.ToString());
        Assert.Contains("shapes or types differ", Cli.Run("compare", scratch["a.penjing"], scratch["b.penjing"], "--runs", "1").Ends(1).Output);
    }

    [Fact]
    public void What_can_not_be_compared_is_told()
    {
        string model = MadeUp.Model(scratch["a.penjing"]);
        PenjingFile.Write(scratch["wide.penjing"], Models.MobileNetV1.Small(0.25, size: 32, repeats: 0));
        PenjingFile.Write(scratch["seven.penjing"], Models.MobileNetV1.Small(0.25, classes: 7, repeats: 0));
        Npy.Write(scratch["wide.npy"], Tensor.Zeros(ElementType.Float32, [1, 1, 32, 32]));
        Cli.Run("compare", model, scratch["wide.penjing"]).Refuses(1, "1×1×28×28", "1×1×32×32");
        Run run = Cli.Run("compare", model, scratch["seven.penjing"], "--runs", "1").Ends(1);
        Assert.True(run.Error.Contains("1×10") && run.Error.Contains("1×7"), run.ToString());
        Cli.Run("compare", model, model, "--inputs", scratch["wide.npy"]).Refuses(1, "wide.npy", "1×1×28×28");
        Cli.Run("compare", model, scratch["none.onnx"]).Refuses(1, "none.onnx", "doesn't exist");
        Cli.Run("compare", model).Refuses(2, "B");
    }

    public void Dispose() => scratch.Dispose();

    /// <summary>The graph with the first element of a weight at this value.</summary>
    private static Graph WithFirst(Graph graph, Node weight, float value)
    {
        float[] values = weight.Value!.Floats.ToArray();
        values[0] = value;
        return graph.Map((node, inputs) => node == weight ? Node.Weight(node.Name, Tensor.Of(node.Shape, values)) : node.With(inputs));
    }
}
