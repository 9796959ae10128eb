using System.Diagnostics;
using System.Text.Json.Nodes;
using Penjing.Compression;

namespace Penjing.Cli.Tests;

/// <summary>penjing sensitivity: its figures, its cache, its page; and the options of prune that it serves.</summary>
public sealed class SensitivityTests : IClassFixture<TrainingTests.Bars>, IDisposable
{
    private readonly TrainingTests.Bars bars;
    private readonly Scratch scratch = new();
    private readonly string model;

    public SensitivityTests(TrainingTests.Bars bars)
    {
        this.bars = bars;
        model = MadeUp.Model(scratch["model.penjing"]);
    }

    /// <summary>The figures are those of files with the same cuts, and a second run measures nothing.</summary>
    [Fact]
    public void Figures_are_those_that_evaluate_gives()
    {
        JsonObject told = Tell("--by", "weights", "--levels", "0.5", "0.95", "--html", scratch["page.html"]);
        Assert.Equal(Top1(model), (double)told["whole"]!["top1"]!);
        Assert.Equal(100, (int)told["images"]!);
        Compression.Sensitivity sensitivity = new(PenjingFile.Read(model).Graph, SensitivityBy.Weights);
        JsonArray parts = told["parts"]!.AsArray();
        Assert.Equal(sensitivity.Parts.Select(part => part.Name), parts.Select(part => (string)part!["name"]!));
        int last = parts.Count - 1;
        PenjingFile.Write(scratch["cut.penjing"], PenjingFile.Read(model) with { Graph = sensitivity.At(sensitivity.Parts[last], 0.95) });
        JsonNode point = parts[last]!["points"]![1]!;
        Assert.Equal(Top1(scratch["cut.penjing"]), (double)point["top1"]!);
        Assert.Equal(new Accuracy((int)Math.Round(100 * (double)point["top1"]!), 100).HalfWidth, (double)point["halfWidth"]!, 1e-6);
        string page = File.ReadAllText(scratch["page.html"]);
        Assert.Equal(parts.Count, page.Split("<polyline").Length - 1);
        Assert.All(sensitivity.Parts, part => Assert.Contains(part.Name, page, StringComparison.Ordinal));
        byte[] cache = File.ReadAllBytes(model + ".sensitivity.jsonl");
        Assert.Equal(1 + 2 * parts.Count, cache.Count(b => b == '\n'));
        Assert.Equal(told.ToJsonString(), Tell("--by", "weights", "--levels", "0.5", "0.95", "--html", scratch["page.html"]).ToJsonString());
        Assert.Equal(cache, File.ReadAllBytes(model + ".sensitivity.jsonl"));
    }

    /// <summary>Killed while it measures, and with half a line left, it goes on and ends with the same figures.</summary>
    [Fact]
    public void A_killed_measuring_goes_on()
    {
        string[] options = ["--by", "bits", "--levels", "1", "3"];
        JsonObject whole = Tell([.. options, "--cache", scratch["whole"]]);
        string broken = scratch["broken"];
        using (Process process = Cli.Start(null, ["sensitivity", model, "--data", bars.Folder, "--cache", broken, .. options]))
        {
            for (int wait = 0; wait < 600 && !(File.Exists(broken) && new FileInfo(broken).Length > 300); wait++) Thread.Sleep(20);
            process.Kill();
            process.WaitForExit();
        }
        byte[] kept = File.ReadAllBytes(broken);
        Assert.True(kept.Count(b => b == '\n') >= 1);
        File.AppendAllText(broken, "{\"Network\":\"12");
        JsonObject resumed = Tell([.. options, "--cache", broken]);
        Assert.Equal(whole["parts"]!.ToJsonString(), resumed["parts"]!.ToJsonString());
        Assert.Equal(File.ReadAllBytes(scratch["whole"]), File.ReadAllBytes(broken));
        Assert.Equal(kept[..(kept.AsSpan().LastIndexOf((byte)'\n') + 1)], File.ReadAllBytes(broken)[..(kept.AsSpan().LastIndexOf((byte)'\n') + 1)]);
        File.WriteAllText(scratch["other"], "no cache\n");
        Cli.Run("sensitivity", model, "--data", bars.Folder, "--cache", scratch["other"]).Refuses(1, "--cache");
    }

    /// <summary>Every importance and ranking prunes, caps hold, and the file's history rebuilds its architecture from the network before.</summary>
    [Theory]
    [InlineData("taylor", "isomorphic", "multiple")]
    [InlineData("geometric-median", "global", "time")]
    public void Prune_takes_importances_rankings_and_caps(string score, string ranking, string round)
    {
        string target = scratch["pruned.penjing"];
        Cli.Run("prune", model, "--data", bars.Folder, "--score", score, "--ranking", ranking, "--round", round, "--cap", "block2.pointwise=0", "--keep", "block3.pointwise", "--rounds", "2",
            "--epochs", "0.1", "--batch", "20", "--threads", "1", "-o", target).Ends(0);
        Graph original = PenjingFile.Read(model).Graph;
        Model pruned = PenjingFile.Read(target);
        Assert.Equal(original["block2.pointwise"].Shape, pruned.Graph["block2.pointwise"].Shape);
        Assert.Equal(original["block3.pointwise"].Shape, pruned.Graph["block3.pointwise"].Shape);
        Assert.True(pruned.Graph.Parameters < original.Parameters);
        Assert.Single(pruned.History);
        Assert.Equal(pruned.Graph.Weights.Select(weight => (weight.Name, weight.Shape)), Pruner.Replay(original, pruned.History).Weights.Select(weight => (weight.Name, weight.Shape)));
    }

    /// <summary>A file that is no cache stays as it was, however it ends.</summary>
    [Theory]
    [InlineData("{\"notes\": 1}")]
    [InlineData("notes\n")]
    public void What_is_no_cache_is_refused(string text)
    {
        File.WriteAllText(scratch["notes.json"], text);
        Cli.Run("sensitivity", MadeUp.Model(scratch["small.penjing"]), "--data", bars.Folder, "--cache", scratch["notes.json"]).Refuses(1, "notes.json");
        Assert.Equal(text, File.ReadAllText(scratch["notes.json"]));
    }

    public void Dispose() => scratch.Dispose();

    private JsonObject Tell(params string[] more) => Cli.Run(["sensitivity", model, "--data", bars.Folder, "--json", .. more]).Json();

    private double Top1(string path) => (double)Cli.Run("evaluate", path, "--data", bars.Folder, "--json").Json()["top1"]!;
}
