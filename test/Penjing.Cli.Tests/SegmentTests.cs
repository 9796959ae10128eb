using System.Text.Json.Nodes;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli.Tests;

/// <summary>From photos with masks to a parser, its figures by class, and a photo with its classes laid over it.</summary>
public sealed class SegmentTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void A_parser_is_trained_evaluated_compressed_and_shown()
    {
        string data = Data(), model = scratch["parser.penjing"], small = scratch["small.penjing"], drawn = scratch["out.png"], mask = scratch["mask.png"], photo = Path.Combine(data, "photos", "04.png");
        string[] brief = ["--data", data, "--batch", "4", "--threads", "1", "--json"];
        PenjingFile.Write(scratch["base.penjing"], MobileNetV1.Build(0.25, 64, classes: 5));
        JsonObject told = Cli.Run(["train", "parsenet-0.25-64x48", "--base", scratch["base.penjing"], .. brief, "--epochs", "3", "--augment", "flip", "--zoom", "1.2", "--tint", "0.1", "--balance", "0.5", "--region", "lovasz", "-o", model]).Json();
        Assert.True(told["top1"] is null && (double)told["meanIoU"]! is >= 0 and <= 1 && (double)told["pixelAccuracy"]! is > 0 and <= 1);
        Model trained = PenjingFile.Read(model);
        Assert.Equal(["ground", "left-side", "right-side"], trained.Labels);
        Assert.Equal([0x000000, 0xff0000, 0x00ff00], trained.Colors);
        Assert.Equal((double)told["meanIoU"]!, trained.History[^1].Score!.Value.MeanIoU!.Value, 1e-6);

        JsonObject asked = Cli.Run("evaluate", model, "--data", data, "--json").Json();
        Assert.Equal((double)told["meanIoU"]!, (double)asked["meanIoU"]!, 1e-6);
        JsonArray classes = asked["classes"]!.AsArray();
        Assert.Equal(["ground", "left-side", "right-side"], classes.Select(one => (string)one!["name"]!));
        Assert.Equal((double)asked["meanIoU"]!, classes.Select(one => (double?)one!["ioU"]).Average()!.Value, 1e-6);
        Assert.Equal(2 * 64 * 48, classes.Sum(one => one!["answers"]!.AsArray().Sum(count => (long)count!)));
        Assert.Contains("mean IoU", Cli.Run("evaluate", model, "--data", data).Ends(0).Output);

        string sheet = scratch["sheet.png"];
        Assert.Equal(sheet, (string)Cli.Run("evaluate", model, "--data", data, "--sheet", sheet, "--beside", model, "--masks-only", "--json").Json()["sheet"]!);
        Picture sheeted = Pictures.Load(sheet);
        Size cells = new(192 + 6, 2 * (3 * 144 + 6));
        Assert.True(sheeted.Size.Height == cells.Height && sheeted.Size.Width > cells.Width, $"{sheeted.Size}");
        // The truth of both test pictures, then the legend beside them: a class's square, and the first letter of its name.
        Assert.Equal([0xff0000, 0xffffff, 0xffffff, 0x00ff00], Enumerable.Range(0, 4).Select(half => At(96, half / 2 * (3 * 144 + 6) + 36 + half % 2 * 72)));
        Assert.Equal([0xff0000, 0x00ff00], Enumerable.Range(0, 2).Select(entry => At(8 + 18 * entry, cells.Width + 8)));
        Assert.Equal(0, At(8, cells.Width + 8 + 12 + 8));
        int At(int row, int column) => Enumerable.Range(0, 3).Aggregate(0, (color, c) => color << 8 | sheeted.Pixels.Span[3 * (row * sheeted.Size.Width + column) + c]);

        JsonObject shown = Cli.Run("segment", model, photo, "-o", drawn, "--mask", mask, "--json").Json();
        Assert.Equal(1, shown["classes"]!.AsArray().Sum(one => (double)one!["share"]!), 1e-6);
        MaskFile parse = MaskFile.Read(mask);
        Assert.Equal(new Size(96, 70), parse.Size);
        Assert.Equal(trained.Colors, parse.Colors);
        Picture seen = Pictures.Load(photo), overlay = Pictures.Load(drawn);
        Assert.True(overlay.Size.Height >= 96 && overlay.Size.Width >= 70);
        for (int i = 0; i < parse.Classes.Length; i++)
            for (int c = 0; c < 3; c++)
            {
                int at = 3 * (i / 70 * overlay.Size.Width + i % 70) + c, color = trained.Colors[parse.Classes.Span[i]] >> 8 * (2 - c) & 0xff, own = seen.Pixels.Span[3 * i + c];
                Assert.Equal(parse.Classes.Span[i] == 0 ? own : 0.4 * own + 0.6 * color, overlay.Pixels.Span[at], 1.0);
            }

        JsonObject pruned = Cli.Run(["prune", model, .. brief, "--epochs", "0.5", "--rounds", "1", "--ratio", "0.3", "-o", small]).Json();
        Assert.True((double)pruned["meanIoU"]! is >= 0 and <= 1 && pruned["top1"] is null && (long)pruned["parameters"]! < trained.Graph.Parameters);
        JsonObject shared = Cli.Run(["share", small, .. brief, "--epochs", "0.5", "-o", scratch["shared.penjing"]]).Json();
        Assert.True((double)shared["meanIoU"]! is >= 0 and <= 1 && (long)shared["bytes"]! < 0.5 * (long)pruned["bytes"]!);
        JsonObject sparse = Cli.Run(["sparsify", model, .. brief, "--epochs", "0.5", "--rounds", "1", "--ratio", "0.5", "-o", scratch["sparse.penjing"]]).Json();
        Assert.True((double)sparse["meanIoU"]! is >= 0 and <= 1 && sparse["top1"] is null);
        JsonObject bound = Cli.Run(["quantize", model, "--data", data, "--json", "--pictures", "4", "--max-drop", "50", "-o", scratch["bound.penjing"]]).Json();
        Assert.True((double)bound["meanIoU"]! >= (double)told["meanIoU"]! - 0.5);
        JsonObject whole = Cli.Run(["quantize", model, "--data", data, "--json", "--pictures", "4", "-o", scratch["whole.penjing"]]).Json();
        Assert.True((double)whole["pixelAccuracy"]! > 0);
        Assert.Contains("wrote", Cli.Run("segment", scratch["whole.penjing"], photo, "-o", drawn).Ends(0).Output);
        string recipe = scratch["recipe.json"];
        File.WriteAllText(recipe, """{"name": "brief", "stages": [{"do": "prune", "ratio": 0.3, "rounds": 1, "training": {"epochs": 0.5, "learningRate": 0.01}}, {"do": "quantize", "pictures": 4}]}""");
        JsonObject way = Cli.Run(["compress", model, .. brief, "--recipe", recipe, "--html", scratch["report.html"], "-o", scratch["compressed.penjing"]]).Json();
        Assert.All(way["stages"]!.AsArray(), stage => Assert.True((double)stage!["meanIoU"]! >= 0 && stage["top1"] is null));
        string report = File.ReadAllText(scratch["report.html"]);
        Assert.Contains("Mean IoU", report);
        Assert.Contains("the answers before and after\" src=\"data:image/png", report);
    }

    [Fact]
    public void What_is_wrong_is_named_before_the_work()
    {
        string data = Data(), model = scratch["parser.penjing"], photo = Path.Combine(data, "photos", "04.png"), target = scratch["out.png"];
        PenjingFile.Write(model, ParseNet.Build(0.25, new(64, 48), classes: 3));
        PenjingFile.Write(scratch["other.penjing"], MobileNetV1.Build(0.5, 64));
        Cli.Run("segment", MadeUp.Model(scratch["small.penjing"]), photo, "-o", target).Refuses(1, "penjing run");
        Cli.Run("segment", model, scratch["none.jpg"], "-o", target).Refuses(1, "none.jpg");
        Cli.Run("segment", model, photo, "-o", scratch["out.jpg"]).Refuses(1, ".png");
        Cli.Run("segment", model, photo, "-o", target, "--mask", target).Refuses(1, "out.png");
        Cli.Run("train", "parsenet-0.25-64x48", "--base", scratch["other.penjing"], "--data", data, "-o", scratch["x.penjing"]).Refuses(1, "8×3×3×3");
        Cli.Run("train", model, "--base", scratch["other.penjing"], "--data", data, "-o", scratch["x.penjing"]).Refuses(2, "--base");
        Cli.Run("train", "resnet-18-64x48", "--data", data, "-o", scratch["x.penjing"]).Refuses(1, "square");
        Cli.Run("train", "mobilenet-v1-0.25-64", "--data", data, "-o", scratch["x.penjing"]).Refuses(1, "each pixel");
        Cli.Run("train", "parsenet-0.25", "--size", "64by48", "--data", data, "-o", scratch["x.penjing"]).Refuses(2, "384x256");
        Cli.Run("evaluate", MadeUp.Model(scratch["small.penjing"]), "--data", data).Refuses(1, "each pixel");
        Cli.Run("evaluate", model, "--data", data, "--masks-only").Refuses(2, "--sheet");
        Cli.Run("evaluate", model, "--data", data, "--sheet", scratch["out.jpg"]).Refuses(1, ".png");
        Cli.Run("evaluate", model, "--data", data, "--sheet", target, "--beside", scratch["other.penjing"]).Refuses(1, "each pixel");
        Assert.False(File.Exists(target));
    }

    public void Dispose() => scratch.Dispose();

    /// <summary>Ten pictures of 96×70 in which a bright rectangle stands left or right, their masks and classes.</summary>
    private string Data()
    {
        string folder = scratch["photos-and-masks"];
        foreach (string name in (string[])["photos", "masks"]) Directory.CreateDirectory(Path.Combine(folder, name));
        Random random = new(1);
        for (int i = 0; i < 10; i++)
        {
            byte[] classes = [.. Enumerable.Range(0, 96 * 70).Select(at => (byte)(at / 70 is > 20 and < 80 && at % 70 / 35 == i % 2 ? 1 + i % 2 : 0))];
            byte[] pixels = [.. classes.SelectMany(label => (byte[])[.. Enumerable.Range(0, 3).Select(c => (byte)(random.Next(60) + (label == c ? 180 : 0)))])];
            File.WriteAllBytes(Path.Combine(folder, "photos", $"{i:d2}.png"), Pictures.ToPng(new(new(96, 70), Channels.Rgb, pixels)));
            new MaskFile(new(96, 70), classes, [0x000000, 0xff0000, 0x00ff00]).Write(Path.Combine(folder, "masks", $"{i:d2}.png"));
        }
        File.WriteAllText(Path.Combine(folder, "classes.json"), """{"classes": ["ground", "left-side", "right-side"]}""");
        return folder;
    }
}
