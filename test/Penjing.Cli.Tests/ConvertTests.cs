using System.Text.Json.Nodes;
using Penjing.Interop;

namespace Penjing.Cli.Tests;

/// <summary>From one format to another: what is kept, what is told, and what is refused without a trace.</summary>
public sealed class ConvertTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void A_network_comes_back_from_onnx_as_it_was()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), onnx = scratch["small.onnx"], back = scratch["back.penjing"];
        JsonObject json = Cli.Run("convert", model, onnx, "--json").Json();
        Assert.Equal((new FileInfo(model).Length, new FileInfo(onnx).Length), ((long)json["bytesIn"]!, (long)json["bytesOut"]!));
        Cli.Run("convert", onnx, back).Ends(0);
        Model first = PenjingFile.Read(model), last = PenjingFile.Read(back);
        Assert.Equal((first.Name, first.Preprocessing), (last.Name, last.Preprocessing));
        Assert.Equal(first.Labels.AsEnumerable(), last.Labels);
        Assert.Contains("small.onnx", last.History[^1].Detail);
        Assert.Equal(first.Graph.Nodes.Where(node => node.Op is not Constant).Select(node => node.ToString()),
            last.Graph.Nodes.Where(node => node.Op is not Constant).Select(node => node.ToString()));
        foreach (Node weight in first.Graph.Weights) Assert.True(weight.Value!.BitsEqual(last.Graph[weight.Name].Value!), weight.Name);
    }

    [Fact]
    public void Folding_is_told_and_keeps_the_answers()
    {
        string model = MadeUp.Model(scratch["small.penjing"]);
        JsonObject json = Cli.Run("convert", model, scratch["folded.penjing"], "--fold", "--plain", "--json").Json();
        Model first = PenjingFile.Read(model), folded = PenjingFile.Read(scratch["folded.penjing"]);
        Assert.True((int)json["folded"]!["BatchNormalization"]! > 0 && (int)json["nodesOut"]! < (int)json["nodesIn"]!, json.ToJsonString());
        Assert.DoesNotContain(folded.Graph.Nodes, node => node.Op is BatchNormalization);
        Tensor input = Testing.RandomTensors.Normal(first.Graph.Inputs[0].Shape, 1);
        Testing.Closeness.Check(Reference.Run(first.Graph, input)[0], Reference.Run(folded.Graph, input)[0], 1e-5, "folded");
        Assert.All(PenjingFile.Inspect(scratch["folded.penjing"]).Tensors, tensor => Assert.Equal(TensorEncoding.Plain, tensor.Encoding));
        Assert.Contains("BatchNormalization", Cli.Run("convert", model, scratch["folded.penjing"], "--fold").Ends(0).Output);
    }

    [Fact]
    public void A_network_takes_pictures_of_another_size()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), fixedSize = scratch["lenet.penjing"];
        Cli.Run("convert", model, scratch["large.penjing"], "--size", "56").Ends(0);
        Assert.Equal([1, 1, 56, 56], PenjingFile.Read(scratch["large.penjing"]).Graph.Inputs[0].Shape);
        PenjingFile.Write(fixedSize, Models.LeNet5.Build());
        Cli.Run("convert", fixedSize, scratch["wrong.penjing"], "--size", "56").Refuses(1, "lenet.penjing", "56×56", "ip1");
        Assert.False(File.Exists(scratch["wrong.penjing"]));
    }

    [Fact]
    public void Integers_become_floats_where_they_stand_between_floats()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 5, 5]));
        Node w = Node.Weight("w", Testing.RandomTensors.Kernel([4, 3, 3, 3], 1));
        Node conv = new("y", new Conv(), Rounded(x), Rounded(w));
        PenjingFile.Write(scratch["integers.penjing"], new Model(new(conv)));
        Cli.Run("convert", scratch["integers.penjing"], scratch["floats.penjing"], "--floats").Ends(0);
        Graph floats = PenjingFile.Read(scratch["floats.penjing"]).Graph;
        Assert.Equal(["Constant", "Conv", "Input"], floats.Nodes.Select(node => node.Op.Name).Order());
        PenjingFile.Write(scratch["alone.penjing"], new Model(new Graph(conv).Rewrite(Passes.ToIntegers)));
        Cli.Run("convert", scratch["alone.penjing"], scratch["wrong.penjing"], "--floats").Refuses(1, "--floats", "alone.penjing");
        Assert.False(File.Exists(scratch["wrong.penjing"]));

        static Node Rounded(Node value) => new($"{value.Name}/real", new DequantizeLinear(), new Node($"{value.Name}/quantized", new QuantizeLinear(ElementType.Int8, new(0.02f, 0)), value));
    }

    [Fact]
    public void Classes_and_preprocessing_are_noted()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), labels = scratch["labels.txt"];
        File.WriteAllLines(labels, [.. Enumerable.Range(0, 10).Select(i => $"thing {i}"), ""]);
        Cli.Run("convert", model, scratch["told.onnx"], "--labels", labels, "--preprocessing", "gray,mean=10.5,deviation=2,fit=stretch").Ends(0);
        JsonObject json = Cli.Run("inspect", scratch["told.onnx"], "--json").Json();
        Assert.Equal("thing 3", (string)json["labels"]![3]!);
        Model told = ModelFile.Read(scratch["told.onnx"]);
        Assert.Equal(new Preprocessing(Channels.Gray, [10.5f], [2], Fit.Stretch), told.Preprocessing);
        File.WriteAllLines(labels, ["one", "two"]);
        Cli.Run("convert", model, scratch["wrong.onnx"], "--labels", labels).Refuses(1, "labels.txt", "2 classes", "1×10");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--labels", scratch["none.txt"]).Refuses(1, "none.txt");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--preprocessing", "bgr,mean=104/117/123").Refuses(1, "3 channels", "1×1×28×28");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--preprocessing", "cmyk").Refuses(2, "cmyk", "gray");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--preprocessing", "rgb,mean=1/2").Refuses(2, "2 numbers", "3 channels");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--preprocessing", "rgb,std=1").Refuses(2, "std=1", "deviation=D");
        Cli.Run("convert", model, scratch["wrong.onnx"], "--preprocessing", "rgb,deviation=0").Refuses(2, "deviation");
        Assert.False(File.Exists(scratch["wrong.onnx"]));
    }

    [Fact]
    public void What_can_not_be_written_is_refused_and_leaves_nothing()
    {
        string model = MadeUp.Model(scratch["small.penjing"]);
        File.WriteAllText(scratch["text.onnx"], "no network");
        Cli.Run("convert", model, scratch["out.pt"]).Refuses(1, "out.pt", ".penjing, .onnx");
        Cli.Run("convert", model, scratch["out"]).Refuses(1, "out", ".penjing, .onnx");
        Cli.Run("convert", model, scratch["out.net"]).Refuses(1, "out.net", "not written", ".penjing, .onnx");
        Cli.Run("convert", model, scratch["none/out.onnx"]).Refuses(1, "none", "folder");
        Cli.Run("convert", scratch["none.onnx"], scratch["out.penjing"]).Refuses(1, "none.onnx", "doesn't exist");
        Cli.Run("convert", scratch["text.onnx"], scratch["out.penjing"]).Refuses(1, "text.onnx");
        Cli.Run("convert", model, scratch["out.onnx"], "--plain").Refuses(2, "--plain", ".penjing");
        Cli.Run("convert", model).Refuses(2, "OUT");
        Cli.Run("convert", model, scratch["out.onnx"], "--dim", "N=4").Refuses(1, "--dim", ".onnx", "small.penjing");
        Cli.Run("convert", model, scratch["out.onnx"], "--prototxt", "x.prototxt").Refuses(1, "--prototxt", ".net");
        Cli.Run("convert", model, scratch["out.onnx"], "--dim", "N").Refuses(2, "--dim", "N=4");
        Cli.Run("convert", model, scratch["out.onnx"], "--dim", "N=0").Refuses(2, "--dim", "N=0");
        Assert.Equal([scratch["small.penjing"], scratch["text.onnx"]], Directory.GetFileSystemEntries(scratch.Folder).Order());
    }

    [Theory]
    [InlineData("inspect"), InlineData("bench"), InlineData("profile")]
    public void Commands_take_every_format_that_can_be_read(string command)
    {
        string model = MadeUp.Model(scratch["small.penjing"]);
        foreach (string ending in (string[])["onnx", "tflite"])
        {
            Cli.Run("convert", model, scratch[$"small.{ending}"]).Ends(0);
            Cli.Run([command, scratch[$"small.{ending}"], .. command == "inspect" ? Array.Empty<string>() : ["--runs", "1"]]).Ends(0);
        }
        File.Copy(model, scratch["small.bin"]);
        Cli.Run(command, scratch["small.bin"]).Refuses(1, "small.bin", ".penjing, .onnx");
        File.WriteAllBytes(scratch["cut.onnx"], File.ReadAllBytes(scratch["small.onnx"])[..1000]);
        Cli.Run(command, scratch["cut.onnx"]).Refuses(1, "cut.onnx");
    }

    [Fact]
    public void An_open_extent_is_settled_by_the_option_that_the_message_names()
    {
        byte[] shape = Field(2, [.. Field(1, Text(2, "N")), .. Field(1, Text(2, "H"))]);
        byte[] input = Field(11, [.. Text(1, "x"), .. Field(2, Field(1, [8, 1, .. shape]))]), node = Field(1, [.. Text(1, "x"), .. Text(2, "y"), .. Text(4, "Relu")]);
        File.WriteAllBytes(scratch["open.onnx"],
            [8, 8, .. Field(8, [16, 13]), .. Field(7, [.. node, .. Text(2, "g"), .. input, .. Field(12, Text(1, "y"))])]);
        Cli.Run("inspect", scratch["open.onnx"]).Refuses(1, "'x'", "--dim H=EXTENT");
        JsonObject json = Cli.Run("inspect", scratch["open.onnx"], "--dim", "H=5", "--dim", "N=3", "--json").Json();
        Assert.Equal([3, 5], json["outputs"]![0]!["shape"]!.AsArray().Select(extent => (int)extent!));
        Cli.Run("inspect", scratch["open.onnx"], "--dim", "H=5", "--dim", "W=3").Refuses(1, "open.onnx", "'W'", "N, H");
        Cli.Run("convert", scratch["open.onnx"], scratch["fixed.onnx"], "--dim", "H=5", "--dim", "N=3").Ends(0);
        Cli.Run("compare", scratch["open.onnx"], scratch["fixed.onnx"], "--dim", "H=5", "--dim", "N=3").Ends(0);
        Cli.Run("compare", scratch["open.onnx"], scratch["fixed.onnx"], "--dim", "H=5", "--dim", "W=3").Refuses(1, "'W'");

        static byte[] Text(int field, string text) => Field(field, System.Text.Encoding.UTF8.GetBytes(text));
        static byte[] Field(int field, byte[] bytes) => [(byte)(8 * field + 2), (byte)bytes.Length, .. bytes];
    }

    public void Dispose() => scratch.Dispose();
}
