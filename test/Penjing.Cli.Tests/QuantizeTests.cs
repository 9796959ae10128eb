using System.Text.Json.Nodes;
using Penjing.Compression;

namespace Penjing.Cli.Tests;

/// <summary>penjing quantize: its file, its figures, its bound.</summary>
public sealed class QuantizeTests : IClassFixture<TrainingTests.Bars>, IDisposable
{
    private readonly TrainingTests.Bars bars;
    private readonly Scratch scratch = new();

    public QuantizeTests(TrainingTests.Bars bars) => this.bars = bars;

    private string Trained => scratch["trained.penjing"];

    /// <summary>By every method the weights are Int8, the file is much smaller, and evaluate finds the accuracy that was told; a written model exports as ONNX and answers the same.</summary>
    [Fact]
    public void Every_method_makes_integers()
    {
        Cli.Run("train", "mobilenet-v1-small-0.25-28", "--data", bars.Folder, "--epochs", "3", "--lr", "0.05", "--batch", "20", "--threads", "1", "-o", Trained).Ends(0);
        double whole = Top1(Trained);
        foreach (string method in Ranges.Names)
        {
            string target = scratch[$"{method}.penjing"];
            JsonObject told = Cli.Run("quantize", Trained, "--data", bars.Folder, "--method", method, "--pictures", "50", "-o", target, "--json").Json();
            Assert.Equal(Top1(target), (double)told["top1"]!);
            // The divergence cuts these pictures' few loud values off, and the command says what that costs.
            if (method != "kl") Assert.InRange((double)told["top1"]!, whole - 0.05, 1);
            Assert.Equal((double)told["top1"]! < whole, told["worse"]!.AsArray().Any(phrase => ((string)phrase!).StartsWith("top-1", StringComparison.Ordinal)));
            Assert.Equal(new FileInfo(target).Length, (long)told["bytes"]!);
            Assert.True((long)told["bytes"]! < 0.45 * new FileInfo(Trained).Length);
            Graph graph = PenjingFile.Read(target).Graph;
            Assert.All(graph.Nodes.Where(node => node.Op is Conv or Gemm), node => Assert.Equal(ElementType.Int8, node.Inputs[1].Info.Type));
        }
        Cli.Run("quantize", Trained, "--data", bars.Folder, "--pictures", "50", "-o", scratch["best.penjing"]).Ends(0);
        string stage = PenjingFile.Read(scratch["best.penjing"]).History[^1].Detail;
        Assert.Contains(Ranges.Names, name => stage.Contains($"ranges by {name} over", StringComparison.Ordinal));
        double[] decibels = [.. ((string[])["none", "equalize,bias"]).Select(refine =>
            (double)Cli.Run("quantize", Trained, "--data", bars.Folder, "--pictures", "50", "--refine", refine, "-o", scratch["refined.penjing"], "--json").Json()["decibels"]!)];
        Assert.All(decibels, ratio => Assert.InRange(ratio, 5, 80));
        Assert.NotEqual(decibels[0], decibels[1]);
        Cli.Run("quantize", Trained, "--data", bars.Folder, "--refine", "equalize,nothing", "-o", scratch["x.penjing"]).Refuses(2, "nothing");
        Cli.Run("quantize", scratch["mse.penjing"], "--data", bars.Folder, "-o", scratch["x.penjing"]).Refuses(1, "already");
        Cli.Run("quantize", Trained, "--data", bars.Folder, "--float", "nobody", "-o", scratch["x.penjing"]).Refuses(1, "nobody");
        Assert.False(File.Exists(scratch["x.penjing"]));

        string[] bound = ["quantize", Trained, "--data", bars.Folder, "--method", "kl", "--pictures", "50", "--max-drop", "0", "--json", "-o"];
        Assert.InRange((double)Cli.Run([.. bound, scratch["named.penjing"], "--float", "stem.bn"]).Json()["top1"]!, whole, 1);
        Assert.Equal(ElementType.Float32, PenjingFile.Read(scratch["named.penjing"]).Graph["stem.bn"].Info.Type);
        JsonObject bounded = Cli.Run([.. bound, scratch["bounded.penjing"]]).Json();
        Assert.InRange((double)bounded["top1"]!, whole, 1);
        Assert.Equal((true, "kl", "bias"), ((bool)bounded["dropKept"]!, (string)bounded["method"]!, (string)bounded["refine"]!));
        Assert.NotEmpty(bounded["real"]!.AsArray());
        foreach (string[] idle in (string[][])[["--lr", "0.1"], ["--teacher", Trained], ["--augment", "flip"], ["--resume"]])
            Cli.Run(["quantize", Trained, "--data", bars.Folder, "-o", scratch["x.penjing"], .. idle]).Refuses(2, idle[0], "--epochs");

        // Trained with labels that the test pictures don't have, the integers lose, and the command says by how much.
        string wrong = MadeUp.Data(scratch["wrong"]), file = Path.Combine(wrong, "train-labels-idx1-ubyte");
        byte[] labels = File.ReadAllBytes(file);
        labels.AsSpan(8).Reverse();
        File.WriteAllBytes(file, labels);
        JsonObject lost = Cli.Run("quantize", Trained, "--data", wrong, "--pictures", "50", "--epochs", "3", "--lr", "0.02", "--batch", "20", "--threads", "1", "-o", scratch["lost.penjing"], "--json").Json();
        Assert.InRange((double)lost["top1"]!, 0, (double)lost["untrained"]! - 0.1);
        Assert.Contains(lost["worse"]!.AsArray(), phrase => ((string)phrase!).StartsWith("training under the rounding lost ", StringComparison.Ordinal));
    }

    /// <summary>Trained under rounding, killed on the way and resumed, the command ends with integers that learnt.</summary>
    [Fact]
    public void Training_goes_on_after_a_kill()
    {
        string source = MadeUp.Model(scratch["fresh.penjing"]), target = scratch["learnt.penjing"];
        string[] options = ["quantize", source, "--data", bars.Folder, "--pictures", "20", "--epochs", "8", "--lr", "0.05", "--batch", "20", "--threads", "1", "-o", target];
        using (System.Diagnostics.Process process = Cli.Start(null, options))
        {
            for (int wait = 0; wait < 6000 && !File.Exists(Path.Combine(target + ".work", "quantized.checkpoint")); wait++) Thread.Sleep(10);
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(target));
        JsonNode told = Cli.Run([.. options, "--resume", "--json"]).Json();
        Assert.InRange(Top1(target), 0.5, 1);
        // What had learnt nothing yet was worth no more as integers.
        Assert.InRange((double)told["untrained"]!, 0, Top1(target));
        Assert.DoesNotContain("under the rounding", told["worse"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.All(PenjingFile.Read(target).Graph.Nodes.Where(node => node.Op is Conv or Gemm), node => Assert.Equal(ElementType.Int8, node.Inputs[1].Info.Type));
        Assert.False(Directory.Exists(target + ".work"));
    }

    public void Dispose() => scratch.Dispose();

    private double Top1(string path) => (double)Cli.Run("evaluate", path, "--data", bars.Folder, "--json").Json()["top1"]!;
}
