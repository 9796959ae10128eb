using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Penjing.Cli.Tests;

/// <summary>The demo, on little data.</summary>
public sealed partial class DemoTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void An_interrupted_demo_goes_on_and_ends_in_files_and_a_report_that_needs_nothing_else()
    {
        string data = MadeUp.Data(scratch["bars"]), folder = scratch["demo"];
        string[] command = ["demo", "--quick", "--data", data, "--out", folder, "--threads", "1", "--json"];
        using (Process process = Cli.Start(null, command))
        {
            for (int wait = 0; wait < 1200 && !File.Exists(Path.Combine(folder, "1-trained.penjing")); wait++) Thread.Sleep(50);
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(Path.Combine(folder, "report.html")));
        Run run = Cli.Run(command).Ends(0);
        Assert.Contains("going on", run.Error);

        JsonArray stages = run.Json()["stages"]!.AsArray();
        Assert.Equal(["trained", "pruned", "shared"], stages.Select(stage => (string)stage!["name"]!));
        foreach (JsonNode? stage in stages)
        {
            string file = (string)stage!["file"]!;
            Assert.Equal(new FileInfo(file).Length, (long)stage["bytes"]!);
            Assert.Equal(PenjingFile.Read(file).Graph.Parameters, (long)stage["parameters"]!);
            Assert.Equal(Cost.Macs(PenjingFile.Read(file).Graph), (long)stage["macs"]!);
            Assert.Equal((double)Cli.Run("evaluate", file, "--data", data, "--json").Json()["top1"]!, (double)stage["top1"]!);
            Assert.True((double)stage["medianMs"]! > 0 && (long)stage["arenaBytes"]! > 0, stage.ToJsonString());
        }
        Assert.True((long)stages[1]!["macs"]! < (long)stages[0]!["macs"]! && 10 * (long)stages[2]!["bytes"]! < (long)stages[0]!["bytes"]!, stages.ToJsonString());
        Assert.Equal(["1-trained.penjing", "2-pruned.penjing", "3-shared.penjing", "report.html"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());

        string report = File.ReadAllText(Path.Combine(folder, "report.html"));
        Assert.DoesNotMatch(Outside(), report);
        Assert.Contains("data:image/png;base64,", report);
        Assert.Equal(5, report.Split("<svg ").Length - 1);
        Assert.Contains("name=\"viewport\"", report);
        foreach (JsonNode? stage in stages) Assert.Contains(((long)stage!["bytes"]!).ToString("N0", System.Globalization.CultureInfo.InvariantCulture) + " B", report);
    }

    [Fact]
    public void A_place_or_data_that_is_not_there_is_named()
    {
        File.WriteAllText(scratch["file"], "");
        Cli.Run("demo", "--quick", "--data", scratch.Folder, "--out", scratch["file/demo"]).Refuses(1, "file/demo");
        Cli.Run("demo", "--quick", "--data", scratch["none"], "--out", scratch["demo"]).Refuses(1, "none");
        Cli.Run("demo", "--qiuck").Refuses(2, "--qiuck");
    }

    public void Dispose() => scratch.Dispose();

    /// <summary>What would make a browser ask for something outside the page.</summary>
    [GeneratedRegex("""(src|href)\s*=\s*(?!["']?data:)|url\(|@import|<script|<link|<iframe""", RegexOptions.IgnoreCase)]
    private static partial Regex Outside();
}
