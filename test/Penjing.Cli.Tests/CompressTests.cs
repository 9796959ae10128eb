using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Penjing.Cli.Tests;

/// <summary>penjing compress: recipes and budgets on a network and pictures made up.</summary>
public sealed class CompressTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly string data, model;

    public CompressTests() => (data, model) = (MadeUp.Data(scratch["data"], train: 200, test: 60), MadeUp.Model(scratch["a.penjing"]));

    /// <summary>A recipe of one's own: every stage is told, the file is the last stage's, and nothing else is left.</summary>
    [Fact]
    public void A_recipe_is_done_stage_by_stage()
    {
        File.WriteAllText(scratch["mine.json"], """
            { "name": "mine", "about": "Both.", "stages": [
              { "do": "prune", "ratio": 0.5, "rounds": 1, "multiple": 2, "training": { "epochs": 0.5, "soft": 0.5 } },
              { "do": "share", "bits": 4, "training": { "epochs": 0.2 } } ] }
            """);
        JsonObject told = Compress("--recipe", scratch["mine.json"], "-o", scratch["b.penjing"], "--html", scratch["b.html"], "--scratch", "0.5").Json();
        JsonArray stages = told["stages"]!.AsArray();
        Assert.Equal(["Original", "Pruned", "Shared and coded"], stages.Select(stage => (string)stage!["title"]!));
        Assert.Equal(new FileInfo(scratch["b.penjing"]).Length, (long)stages[2]!["bytes"]!);
        Assert.True((long)stages[1]!["macs"]! < (long)stages[0]!["macs"]!);
        Assert.InRange((double)told["scratch"]!["top1"]!, 0, 1);
        Assert.Equal(["prune", "share"], PenjingFile.Read(scratch["b.penjing"]).History.TakeLast(2).Select(stage => stage.Name));
        Assert.Equal((double)stages[2]!["top1"]!, (double)Cli.Run("evaluate", scratch["b.penjing"], "--data", data, "--json").Json()["top1"]!);
        string page = File.ReadAllText(scratch["b.html"]);
        Assert.Contains("compression report", page);
        Assert.Contains("Shared and coded", page);
        Assert.Contains("Accuracy against size", page);
        Assert.Contains("Accuracy against time", page);
        Assert.False(Directory.Exists(scratch["b.penjing.work"]));
    }

    /// <summary>Another network may teach: what is learnt differs, and what it teaches nothing is refused.</summary>
    [Fact]
    public void Another_network_teaches()
    {
        File.WriteAllText(scratch["taught.json"], """{ "name": "taught", "stages": [ { "do": "train", "training": { "epochs": 0.5, "soft": 0.9 } } ] }""");
        File.WriteAllText(scratch["alone.json"], """{ "name": "alone", "stages": [ { "do": "train", "training": { "epochs": 0.5 } } ] }""");
        Cli.Run("train", model, "--data", data, "--epochs", "1", "--batch", "20", "--threads", "1", "--seed", "5", "-o", scratch["teacher.penjing"]).Ends(0);
        Compress("--recipe", scratch["taught.json"], "-o", scratch["b.penjing"]).Ends(0);
        Compress("--recipe", scratch["taught.json"], "--teacher", model, "-o", scratch["c.penjing"]).Ends(0);
        Compress("--recipe", scratch["taught.json"], "--teacher", scratch["teacher.penjing"], "-o", scratch["d.penjing"]).Ends(0);
        Assert.Equal(File.ReadAllBytes(scratch["b.penjing"]), File.ReadAllBytes(scratch["c.penjing"]));
        Assert.NotEqual(File.ReadAllBytes(scratch["b.penjing"]), File.ReadAllBytes(scratch["d.penjing"]));
        Compress("--recipe", scratch["alone.json"], "--teacher", model, "-o", scratch["e.penjing"]).Refuses(1, "--teacher", "'alone'");
        Compress("--recipe", scratch["taught.json"], "--teacher", scratch["none.penjing"], "-o", scratch["e.penjing"]).Refuses(1, "none.penjing");
    }

    /// <summary>A budget of bytes is kept, and what binds is said.</summary>
    [Fact]
    public void A_budget_is_kept()
    {
        JsonObject told = Compress("--max-bytes", "20kB", "--epochs", "0.3", "--sample", "60", "-o", scratch["c.penjing"]).Json();
        Assert.True((bool)told["met"]!);
        Assert.Contains("bytes binds", (string)told["verdict"]!);
        Assert.InRange(new FileInfo(scratch["c.penjing"]).Length, 1, 20_000);
    }

    /// <summary>A budget that can't be kept: the nearest is written, and the exit code says so.</summary>
    [Fact]
    public void A_budget_that_is_missed_is_told()
    {
        Run missed = Compress("--max-bytes", "1kB", "--max-drop", "1", "--epochs", "0.05", "--sample", "10", "-o", scratch["f.penjing"]).Ends(3);
        JsonNode told = JsonNode.Parse(missed.Output)!;
        Assert.False((bool)told["met"]!);
        Assert.Equal(new FileInfo(scratch["f.penjing"]).Length, (long)told["stages"]!.AsArray()[^1]!["bytes"]!);
    }

    /// <summary>A search that is killed in the midst of an attempt goes on in another process, and ends with the file of one that wasn't.</summary>
    [Fact]
    public void A_search_that_is_killed_goes_on()
    {
        string[] command = ["compress", model, "--data", data, "--batch", "20", "--threads", "1", "--max-bytes", "20kB", "--epochs", "2", "--sample", "60", "-o"];
        string broken = scratch["broken.penjing"], attempt = Path.Combine(broken + ".work", "search", "attempt-1");
        using (Process process = Cli.Start(null, [.. command, broken]))
        {
            process.BeginErrorReadLine();
            for (int wait = 0; wait < 1200 && !process.HasExited && !(Directory.Exists(attempt) && Directory.EnumerateDirectories(attempt, "*.work").Any()); wait++) Thread.Sleep(50);
            Assert.False(process.HasExited, "the search ended before it could be killed");
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(broken));
        Cli.Run([.. command, broken, "--resume"]).Ends(0);
        Cli.Run([.. command, scratch["whole.penjing"]]).Ends(0);
        Assert.Equal(File.ReadAllBytes(scratch["whole.penjing"]), File.ReadAllBytes(broken));
    }

    [Fact]
    public void What_makes_no_sense_is_refused_before_any_work()
    {
        File.WriteAllText(scratch["bad.json"], """{ "name": "bad", "stages": [ { "do": "prune", "ratio": 2 } ] }""");
        Compress("-o", scratch["d.penjing"]).Refuses(2, "--recipe", "--max-drop");
        Compress("--recipe", "pruned-q", "--max-drop", "1", "-o", scratch["d.penjing"]).Refuses(2, "either");
        Compress("--recipe", "none", "-o", scratch["d.penjing"]).Refuses(1, "none");
        Compress("--recipe", scratch["bad.json"], "-o", scratch["d.penjing"]).Refuses(1, "stage 1 (prune)", "2");
        Compress("--max-bytes", "many", "-o", scratch["d.penjing"]).Refuses(2, "--max-bytes", "many");
        Compress("--recipe", "pruned-q", "--epochs", "3", "-o", scratch["d.penjing"]).Refuses(2, "--epochs");
        Compress("--max-drop", "1", "--effort", "3", "-o", scratch["d.penjing"]).Refuses(2, "--effort");
        Compress("--recipe", "deep-compression", "--scratch", "3", "-o", scratch["d.penjing"]).Refuses(1, "--scratch", "deep-compression");
        Compress("--max-latency", "0.5", "-o", scratch["d.penjing"]).Refuses(2, "0.5x");
        Assert.False(Directory.Exists(scratch["d.penjing.work"]));
    }

    /// <summary>What is printed is what is read.</summary>
    [Fact]
    public void Recipes_are_listed_and_printed()
    {
        Assert.Contains("slimming", Cli.Run("recipes").Ends(0).Output);
        Assert.Equal(6, Cli.Run("recipes", "--json").Json()["recipes"]!.AsArray().Count);
        File.WriteAllText(scratch["mine.json"], Cli.Run("recipes", "deep-compression").Ends(0).Output);
        Compress("--recipe", scratch["mine.json"], "--scratch", "3", "-o", scratch["d.penjing"]).Refuses(1, "'deep-compression' cuts no channels");
        Cli.Run("recipes", "none").Refuses(1, "none", "slimming");
    }

    public void Dispose() => scratch.Dispose();

    private Run Compress(params string[] more) => Cli.Run(["compress", model, "--data", data, "--batch", "20", "--threads", "1", .. more, "--json"]);
}
