using System.Net;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Penjing.Engine;
using Penjing.Models;

namespace Penjing.Cli.Tests;

/// <summary>What tells where the time goes and chooses by measuring: --tune, kernels and the picture of a profile.</summary>
public sealed class TuneTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void Tune_keeps_what_it_measures_beside_the_model()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), file = Tuning.PathFor(model);
        Assert.False((bool)Cli.Run("bench", model, "--runs", "1", "--threads", "1", "--json").Json()["isTuned"]!);
        Run first = Cli.Run("bench", model, "--runs", "1", "--threads", "1", "--tune", "--json").Ends(0);
        Assert.True((bool)first.Json()["isTuned"]!);
        Tuning tuning = Tuning.Read(file);
        Assert.NotEmpty(tuning.Layers);
        Assert.Contains($"tuned {tuning.Layers.Length} layer", first.Error);
        Assert.Contains(file, first.Error);
        DateTime written = File.GetLastWriteTimeUtc(file);
        Assert.Contains("knows all layers", Cli.Run("profile", model, "--runs", "1", "--threads", "1", "--tune").Ends(0).Error);
        Assert.True((bool)Cli.Run("profile", model, "--runs", "1", "--threads", "1", "--json").Json()["isTuned"]!);
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        Cli.Run("bench", model, "--runs", "1", "--threads", "2", "--tune").Ends(0);
        Assert.Equal(tuning.Layers.Select(layer => (layer.Layer, 1)).Concat(tuning.Layers.Select(layer => (layer.Layer, 2))), Tuning.Read(file).Layers.Select(layer => (layer.Layer, layer.Threads)));
    }

    [Fact]
    public void A_tuning_that_cant_be_used_is_said_in_one_line()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), file = Tuning.PathFor(model), data = MadeUp.Data(scratch["data"], 20, 20);
        foreach (string text in new[] { "{", "{\"format\": \"penjing tuning 1\", \"engine\": \"0\", \"machine\": \"abacus\", \"layers\": []}" })
        {
            File.WriteAllText(file, text);
            Run run = Cli.Run("evaluate", model, "--data", data, "--json").Ends(0);
            Assert.Contains(file, run.Error);
            Assert.Contains("not used", run.Error);
            Assert.Equal(20, (int)run.Json()["images"]!);
        }
        Assert.Contains("measuring anew", Cli.Run("evaluate", model, "--data", data, "--tune").Ends(0).Error);
        Assert.NotEmpty(Tuning.Read(file).Layers);
        File.Delete(file);
        Directory.CreateDirectory(file);
        Cli.Run("bench", model, "--tune").Refuses(1, file, "folder");
    }

    [Fact]
    public void Kernels_lists_what_fits_and_marks_the_pick()
    {
        JsonObject json = Cli.Run("kernels", "--shape", "24x9x9-24-k3-g24", "--seconds", "0.01", "--json").Json();
        JsonArray kernels = json["kernels"]!.AsArray();
        Site site = new(LayerText.Parse("24x9x9-24-k3-g24"), Isas.Best);
        Assert.Equal(Trial.Candidates(site).Select(row => row.Name).Order(), kernels.Select(kernel => (string)kernel!["row"]!).Order());
        Assert.Equal([KernelTable.Choose(site).Name], kernels.Where(kernel => (bool)kernel!["isPick"]!).Select(kernel => (string)kernel!["row"]!));
        Assert.Equal(KernelTable.Choose(site).Name, (string)json["pick"]!);
        Assert.Equal(9 * 9 * 24 * 9, (long)json["macs"]!);
        Assert.Equal(kernels.Select(kernel => (double)kernel!["ms"]!).Order(), kernels.Select(kernel => (double)kernel!["ms"]!));
        Assert.All(kernels, kernel => Assert.True((long)kernel!["packedBytes"]! > 0 && (double)kernel["gflops"]! > 0 && (double)kernel["ofPeak"]! > 0, kernel.ToJsonString()));
        string shown = Cli.Run("kernels", "--shape", "64-10", "--seconds", "0.01", "--warm", "--threads", "2").Ends(0).Output;
        Assert.Contains("← the pick", shown);
        Assert.Contains("2 threads", shown);
    }

    [Fact]
    public void Kernels_finds_the_layer_of_a_model_and_its_tuning()
    {
        string model = MadeUp.Model(scratch["small.penjing"]);
        Cli.Run("bench", model, "--runs", "1", "--threads", "1", "--tune").Ends(0);
        string name = Cli.Run("profile", model, "--runs", "1", "--threads", "1", "--json").Json()["steps"]!.AsArray().Select(step => step!).First(step => (string)step["row"]! == "f32-depthwise")["name"]!.ToString();
        JsonObject json = Cli.Run("kernels", "--model", model, "--layer", name, "--seconds", "0.01", "--json").Json();
        Assert.Equal(1, json["kernels"]!.AsArray().Count(kernel => (bool)kernel!["isTuned"]!));
        Assert.True((long)json["betweenBytes"]! > 0);
        Assert.Null(Cli.Run("kernels", "--model", model, "--layer", name, "--seconds", "0.01", "--threads", "2", "--json").Json()["tuned"]);
        Cli.Run("kernels", "--model", model, "--layer", "block7").Refuses(1, "block7", name);
        Cli.Run("kernels", "--model", model).Refuses(1, "--layer", name);
    }

    [Fact]
    public void Wrong_layers_are_answered_with_one_message()
    {
        Cli.Run("kernels").Refuses(2, "--shape", "--model");
        Cli.Run("kernels", "--shape", "64x8x8").Refuses(1, "64x8x8", "256x28x28-256");
        Cli.Run("kernels", "--shape", "64x8x8-10-g3").Refuses(1, "3 groups");
        Cli.Run("kernels", "--shape", "64x8x8-10", "--layer", "x").Refuses(2, "--layer");
        Cli.Run("kernels", "--shape", "64x8x8-10", "--model", scratch["x.penjing"]).Refuses(2, "either");
        Cli.Run("kernels", "--model", scratch["none.penjing"], "--layer", "x").Refuses(1, "none.penjing");
        Cli.Run("kernels", "--shape", "64x8x8-10", "--seconds", "0").Refuses(2, "--seconds");
        Cli.Run("kernels", "--shape", "--json").Refuses(2, "--json");
    }

    [Fact]
    public void A_profile_can_be_drawn()
    {
        string model = MadeUp.Model(scratch["small.penjing"]), picture = scratch["a.svg"];
        JsonObject json = Cli.Run("profile", model, "--runs", "2", "--svg", picture, "--json").Json();
        XDocument drawn = XDocument.Load(picture);
        int steps = json["steps"]!.AsArray().Count;
        Assert.Equal(steps, drawn.Descendants().Count(item => (string?)item.Attribute("class") is { } name && name.StartsWith("step ", StringComparison.Ordinal)));
        Assert.Equal(steps, drawn.Descendants().Count(item => (string?)item.Attribute("class") is { } name && name.StartsWith("slice ", StringComparison.Ordinal)));
        string text = WebUtility.HtmlDecode(File.ReadAllText(picture));
        foreach (JsonNode? kernel in json["kernels"]!.AsArray()) Assert.Contains((string)kernel!["row"]!, text);
        Assert.Contains("wrote", Cli.Run("profile", model, "--runs", "1", "--svg", picture).Ends(0).Output);
        Cli.Run("profile", model, "--svg", model).Refuses(1, "small.penjing", "another path");
        Cli.Run("profile", model, "--svg", scratch["none/a.svg"]).Refuses(1, "none", "folder");
    }

    [Fact]
    public void Any_profile_can_be_drawn()
    {
        foreach (string name in new[] { "squeezenet-1.1-64", "shufflenet-v2-0.5-64" })
        {
            using Session session = new(Zoo.Find(name).Build(), new SessionOptions(1));
            Profile profile = Profile.Of(session, 1);
            XDocument.Parse(ProfileSvg.Draw("a < b & \"c\"", name, "machine", profile).Text);
            XDocument.Parse(ProfileSvg.Draw(name, "", "", new([.. profile.Steps.Select(step => step with { MedianMs = 0 })], 1, 0, profile.PeakGflops)).Text);
        }
    }

    public void Dispose() => scratch.Dispose();
}
