using System.Text.Json.Nodes;
using Penjing.Engine;
using Penjing.Training;
using SkiaSharp;

namespace Penjing.Cli.Tests;

/// <summary>The commands that ask a network: their answers, their JSON, and what they say to bad input.</summary>
public sealed class AnswerTests : IClassFixture<AnswerTests.Small>, IDisposable
{
    private readonly Small small;
    private readonly Scratch scratch = new();

    public AnswerTests(Small small) => this.small = small;

    [Fact]
    public void Bench_measures_time_and_memory()
    {
        JsonObject json = Cli.Run("bench", small.Model, "--threads", "1", "--runs", "7", "--batch", "2", "--json").Json();
        Assert.Equal((1, 7, 2), ((int)json["threads"]!, (int)json["runs"]!, (int)json["batch"]!));
        Assert.True((double)json["medianMs"]! > 0 && (double)json["p90Ms"]! >= (double)json["medianMs"]!, json.ToJsonString());
        Assert.True((long)json["peakRssBytes"]! > (long)json["arenaBytes"]!, json.ToJsonString());
        using Session session = Session.Load(small.Model, new SessionOptions(1, 2));
        Assert.Equal(session.ArenaBytes, (long)json["arenaBytes"]!);
        Assert.Contains("median", Cli.Run("bench", small.Model, "--runs", "3").Ends(0).Output);
    }

    [Fact]
    public void Profile_tells_each_step()
    {
        JsonObject json = Cli.Run("profile", small.Model, "--runs", "3", "--json").Json();
        JsonArray steps = json["steps"]!.AsArray();
        Assert.Equal(1, steps.Sum(step => (double)step!["share"]!), 3);
        Assert.All(steps, step => Assert.Equal(
            ["name", "op", "kernel", "row", "medianMs", "share", "macs", "gflops", "ofPeak", "inputBytes", "weightBytes", "outputBytes", "scratchBytes", "isFallback"],
            step!.AsObject().Select(pair => pair.Key)));
        Assert.Equal(Cost.Macs(PenjingFile.Read(small.Model).Graph), steps.Sum(step => (long)step!["macs"]!));
        JsonArray kernels = json["kernels"]!.AsArray();
        foreach ((string whole, string part, double digits) in (ReadOnlySpan<(string, string, double)>)[("totalMs", "medianMs", 1e-4), ("macs", "macs", 0), ("weightBytes", "weightBytes", 0)])
            Assert.Equal((double)json[whole]!, steps.Sum(step => (double)step![part]!), digits);
        Assert.Equal((double)json["totalMs"]!, kernels.Sum(kernel => (double)kernel!["ms"]!), 1e-4);
        Assert.Equal(steps.Count, kernels.Sum(kernel => (int)kernel!["steps"]!));
        Assert.Equal(kernels.Select(kernel => (string)kernel!["row"]!).Order(), steps.Select(step => (string)step!["row"]!).Distinct().Order());
        Assert.True((double)json["peakGflops"]! > 0 && (long)json["weightBytes"]! > 0, json.ToJsonString());
        Assert.Contains("GFLOP/s", Cli.Run("profile", small.Model, "--runs", "1").Ends(0).Output);
    }

    [Fact]
    public void Inspect_tells_nodes_tensors_and_totals()
    {
        JsonObject json = Cli.Run("inspect", small.Model, "--json").Json(), totals = json["totals"]!.AsObject();
        Graph graph = PenjingFile.Read(small.Model).Graph;
        Assert.Equal((graph.Parameters, Cost.Macs(graph), new FileInfo(small.Model).Length), ((long)totals["parameters"]!, (long)totals["macs"]!, (long)totals["bytes"]!));
        Assert.Equal(graph.Parameters, json["nodes"]!.AsArray().Sum(node => (long)node!["parameters"]!));
        Assert.Equal(graph.Weights.Count(), json["tensors"]!.AsArray().Count);
        Assert.Equal((long)totals["bytes"]!, (long)totals["headerBytes"]! + json["tensors"]!.AsArray().Sum(tensor => (long)tensor!["bytes"]!));
        string shown = Cli.Run("inspect", small.Model).Ends(0).Output;
        Assert.Contains("block1.pointwise", shown);
        Assert.Contains("Best other", shown);
        string[] lines = shown.Split('\n');
        foreach (string tensor in json["tensors"]!.AsArray().Select(tensor => (string)tensor!["name"]!))
            Assert.Contains(lines, line => line.TrimStart().StartsWith(tensor + " ", StringComparison.Ordinal));
        Assert.Contains("bar 9", shown);
    }

    [Fact]
    public void Evaluate_counts_what_the_reference_counts()
    {
        JsonObject json = Cli.Run("evaluate", small.Model, "--data", small.Data, "--threads", "2", "--json").Json();
        Model model = PenjingFile.Read(small.Model);
        DataSet data = DataSets.Open(small.Data, cancellation: TestContext.Current.CancellationToken);
        int right = 0, inFive = 0;
        for (int i = 0; i < data.Test.Count; i++)
        {
            float[] logits = Reference.Run(model.Graph, data.Test.Picture(i).ToInput(model.Preprocessing!, model.Graph.Inputs[0].Shape))[0].Floats.ToArray();
            int better = logits.Count(logit => logit > logits[data.Test.Labels[i]]);
            if (better == 0) right++;
            if (better < 5) inFive++;
        }
        Assert.Equal(data.Test.Count, (int)json["images"]!);
        Assert.Equal((double)right / data.Test.Count, (double)json["top1"]!, 6);
        Assert.Equal((double)inFive / data.Test.Count, (double)json["top5"]!, 6);
    }

    [Fact]
    public void Run_answers_to_pictures_and_arrays_alike()
    {
        Model model = PenjingFile.Read(small.Model);
        DataSet data = DataSets.Open(small.Data, cancellation: TestContext.Current.CancellationToken);
        string[] pictures = [.. Enumerable.Range(0, 3).Select(i => Png($"{i}.png", data.Test.Picture(i)))];
        Tensor[] inputs = [.. Enumerable.Range(0, 3).Select(i => data.Test.Picture(i).ToInput(model.Preprocessing!, model.Graph.Inputs[0].Shape))];
        Npy.Write(scratch["in.npy"], Tensor.Of([3, 1, 28, 28], [.. inputs.SelectMany(input => input.Floats.ToArray())]));
        JsonArray results = Cli.Run(["run", small.Model, .. pictures, "-o", scratch["a.npy"], "--top", "3", "--json"]).Json()["results"]!.AsArray();
        Cli.Run("run", small.Model, scratch["in.npy"], "--out", scratch["b.npy"]).Ends(0);
        Tensor a = Npy.Read(scratch["a.npy"]), b = Npy.Read(scratch["b.npy"]);
        Assert.Equal([3, 10], a.Shape);
        Assert.True(a.BitsEqual(b), "pictures and the array of the same inputs gave different outputs");
        for (int i = 0; i < 3; i++)
        {
            float[] expected = Reference.Run(model.Graph, inputs[i])[0].Floats.ToArray(), given = a.Floats.Slice(10 * i, 10).ToArray();
            for (int k = 0; k < 10; k++) Assert.True(Math.Abs(given[k] - expected[k]) <= 1e-4 * expected.Max(Math.Abs), $"picture {i}, class {k}: {given[k]}, not {expected[k]}");
            JsonArray top = results[i]!["top"]!.AsArray();
            Assert.Equal(3, top.Count);
            Assert.Equal($"bar {Array.IndexOf(given, given.Max())}", (string)top[0]!["label"]!);
        }
        Assert.Contains("bar ", Cli.Run("run", small.Model, pictures[0], "--top", "1").Ends(0).Output);
    }

    [Fact]
    public void Bad_inputs_are_answered_with_one_message()
    {
        Npy.Write(scratch["wide.npy"], Tensor.Zeros(ElementType.Float32, [1, 3, 28, 28]));
        Npy.Write(scratch["ints.npy"], Tensor.Zeros(ElementType.Int32, [1, 1, 28, 28]));
        File.WriteAllText(scratch["text.npy"], "no array");
        File.WriteAllText(scratch["text.png"], "no picture");
        Graph good = PenjingFile.Read(small.Model).Graph;
        PenjingFile.Write(scratch["broken.penjing"], PenjingFile.Read(small.Model) with { Graph = good.Map((node, inputs) => node.Value is { Shape.Rank: >= 2 } value ? Node.Weight(node.Name, Tensor.Build<float>(value.Shape, values => values.Fill(float.NaN))) : node.With(inputs)) });
        Npy.Write(scratch["in.npy"], Tensor.Zeros(ElementType.Float32, [1, 1, 28, 28]));
        Assert.Null(Cli.Run("run", scratch["broken.penjing"], scratch["in.npy"], "--json").Json()["results"]![0]!["top"]![0]!["confidence"]);
        Cli.Run("run", small.Model, scratch["wide.npy"]).Refuses(1, "wide.npy", "1×3×28×28", "1×1×28×28");
        Cli.Run("run", small.Model, scratch["ints.npy"]).Refuses(1, "ints.npy", "Int32");
        Cli.Run("run", small.Model, scratch["text.npy"]).Refuses(1, "text.npy");
        Cli.Run("run", small.Model, scratch["text.png"]).Refuses(1, "text.png");
        Cli.Run("run", small.Model, scratch["none.png"]).Refuses(1, "none.png");
        Cli.Run("run", small.Model, scratch.Folder).Refuses(1, "is a folder");
        Cli.Run("run", small.Model, scratch["text.png"], "-o", scratch["none/out.npy"]).Refuses(1, "none", "folder");
        Cli.Run("run", small.Model, scratch["text.png"], "-o", scratch.Folder).Refuses(1, "folder");
        byte[] before = File.ReadAllBytes(small.Model);
        Cli.Run("run", small.Model, scratch["wide.npy"], "-o", small.Model).Refuses(1, "small.penjing", "another path");
        Cli.Run("run", small.Model, scratch["ints.npy"], scratch["wide.npy"], "-o", scratch["wide.npy"]).Refuses(1, "wide.npy", "another path");
        Assert.Equal(before, File.ReadAllBytes(small.Model));
        Cli.Run("run", small.Model, "--topp", "3", scratch["text.png"]).Refuses(2, "--topp");
        Cli.Run("run", small.Model, "-o", "--json", scratch["text.png"]).Refuses(2, "--json");
        Assert.Empty(Directory.GetFiles(scratch.Folder, "*out*"));
    }

    [Fact]
    public void Bad_data_sets_are_answered_with_one_message()
    {
        Cli.Run("evaluate", small.Model).Refuses(2, "--data");
        Cli.Run("evaluate", small.Model, "--data", "fashion-mnits").Refuses(1, "fashion-mnits", "fashion-mnist");
        Cli.Run("evaluate", small.Model, "--data", scratch["none"]).Refuses(1, "none");
        Cli.Run("evaluate", small.Model, "--data", scratch.Folder).Refuses(1, scratch.Folder);
        string few = MadeUp.Data(scratch["few"], 20, 10);
        File.WriteAllBytes(Path.Combine(few, "t10k-images-idx3-ubyte"), File.ReadAllBytes(Path.Combine(few, "t10k-images-idx3-ubyte"))[..^100]);
        Cli.Run("evaluate", small.Model, "--data", few).Refuses(1, "t10k-images-idx3-ubyte");
    }

    [Fact]
    public void Another_count_of_classes_is_answered_with_one_message()
    {
        PenjingFile.Write(scratch["seven.penjing"], Models.MobileNetV1.Small(0.25, classes: 7, repeats: 0));
        Cli.Run("evaluate", scratch["seven.penjing"], "--data", small.Data).Refuses(1, "7 classes", "10");
    }

    public void Dispose() => scratch.Dispose();

    private string Png(string name, Picture picture)
    {
        using SKBitmap bitmap = new(picture.Size.Width, picture.Size.Height, SKColorType.Gray8, SKAlphaType.Opaque);
        picture.Pixels.Span.CopyTo(bitmap.GetPixelSpan());
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(scratch[name], data.ToArray());
        return scratch[name];
    }

    /// <summary>A small network and data for it, made once.</summary>
    public sealed class Small : IDisposable
    {
        private readonly Scratch scratch = new();

        public Small()
        {
            Model = MadeUp.Model(scratch["small.penjing"]);
            Data = MadeUp.Data(scratch["data"], train: 50, test: 60);
        }

        /// <summary>The network's file.</summary>
        public string Model { get; }

        /// <summary>The data set's folder.</summary>
        public string Data { get; }

        /// <summary>Deletes both.</summary>
        public void Dispose() => scratch.Dispose();
    }
}
