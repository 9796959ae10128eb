using System.Text.Json.Nodes;
using Penjing.Interop;
using Penjing.Models;

namespace Penjing.Cli.Tests;

/// <summary>The zoo from the command line: its list, and files of its networks.</summary>
public sealed class ZooTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void The_zoo_is_listed_with_its_costs()
    {
        JsonArray models = Cli.Run("models", "net-5", "--json").Json()["models"]!.AsArray();
        Assert.Equal(Zoo.All.Where(entry => entry.Name.Contains("net-5")).Select(entry => entry.Name), models.Select(model => (string)model!["name"]!));
        foreach (JsonNode? model in models)
        {
            Graph graph = Zoo.Find((string)model!["name"]!).Build().Graph;
            Assert.Equal((Cost.Trainable(graph), Cost.Macs(graph)), ((long)model["parameters"]!, (long)model["macs"]!));
            Assert.Equal(4 * graph.Parameters, (long)model["bytes"]!);
            Assert.NotEmpty((string)model["paper"]!);
        }
        Assert.Contains("431,080", Cli.Run("models", "lenet-5").Ends(0).Output);
        Cli.Run("models", "alexnet").Refuses(1, "alexnet", "penjing models");
    }

    [Fact]
    public void A_new_network_has_the_weights_of_its_seed()
    {
        JsonObject json = Cli.Run("new", "mobilenet-v1-small-0.25", "--classes", "7", "--channels", "3", "--size", "32", "--seed", "5", "-o",
            scratch["a.penjing"], "--json").Json();
        Cli.Run("new", "mobilenet-v1-small-0.25", "--classes", "7", "--channels", "3", "--size", "32", "--seed", "5", "-o", scratch["b.penjing"]).Ends(0);
        Cli.Run("new", "mobilenet-v1-small-0.25", "--classes", "7", "--channels", "3", "--size", "32", "--seed", "6", "-o", scratch["c.penjing"]).Ends(0);
        Assert.Equal(File.ReadAllBytes(scratch["a.penjing"]), File.ReadAllBytes(scratch["b.penjing"]));
        Assert.NotEqual(File.ReadAllBytes(scratch["a.penjing"]), File.ReadAllBytes(scratch["c.penjing"]));
        Model model = PenjingFile.Read(scratch["a.penjing"]);
        Assert.Equal([1, 3, 32, 32], model.Graph.Inputs[0].Shape);
        Assert.Equal([1, 7], model.Graph.Outputs[0].Shape);
        Assert.Equal((new FileInfo(scratch["a.penjing"]).Length, Cost.Trainable(model.Graph)), ((long)json["bytes"]!, (long)json["parameters"]!));
    }

    [Fact]
    public void A_new_network_may_be_onnx()
    {
        Cli.Run("new", "lenet-5", "--softmax", "-o", scratch["lenet.onnx"]).Ends(0);
        Model read = ModelFile.Read(scratch["lenet.onnx"]), built = Zoo.Find("lenet-5").Build(new() { Softmax = true });
        Assert.Equal(built.Graph.Parameters, read.Graph.Parameters);
        foreach (Node weight in built.Graph.Weights) Assert.True(weight.Value!.BitsEqual(read.Graph[weight.Name].Value!), weight.Name);
    }

    [Fact]
    public void What_the_zoo_has_not_is_answered_with_one_message()
    {
        Cli.Run("new", "alexnet", "-o", scratch["out.penjing"]).Refuses(1, "alexnet", "squeezenet-1.0");
        Cli.Run("new", "lenet-5").Refuses(2, "--out");
        Cli.Run("new", "lenet-5", "-o", scratch["out.txt"]).Refuses(1, "out.txt", ".onnx");
        Cli.Run("new", "lenet-5", "-o", scratch["none/out.onnx"]).Refuses(1, "none", "folder");
        Cli.Run("new", "lenet-5", "--width", "0.5", "-o", scratch["out.onnx"]).Refuses(1, "lenet-5", "width");
        Cli.Run("new", "lenet-5", "--size", "1", "-o", scratch["out.onnx"]).Ends(1);
        Cli.Run("new", "lenet-5", "--classes", "0", "-o", scratch["out.onnx"]).Refuses(2, "--classes");
        Assert.Empty(Directory.GetFileSystemEntries(scratch.Folder));
    }

    public void Dispose() => scratch.Dispose();
}
