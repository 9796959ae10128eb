using System.Diagnostics;
using System.Text.Json.Nodes;
using Penjing.Testing;

namespace Penjing.Cli.Tests;

/// <summary>The commands that make networks: what they write, how they are stopped and gone on with, and what they say where they can't.</summary>
public sealed class TrainingTests : IClassFixture<TrainingTests.Bars>, IDisposable
{
    private readonly Bars bars;
    private readonly Scratch scratch = new();

    public TrainingTests(Bars bars) => this.bars = bars;

    [Fact]
    public void Train_prune_and_share_make_files_that_evaluate_as_they_say()
    {
        JsonObject trained = Tell("train", "mobilenet-v1-small", "--width", "0.25", "--epochs", "3", "--warmup", "0.2", "--lr", "0.05", "--augment", "shift", "-o", scratch["a.penjing"]);
        JsonObject pruned = Tell("prune", scratch["a.penjing"], "--ratio", "0.5", "--rounds", "2", "--epochs", "1", "--lr", "0.02", "-o", scratch["b.penjing"]);
        JsonObject shared = Tell("share", scratch["b.penjing"], "--epochs", "1", "-o", scratch["c.penjing"]);
        Assert.True((double)trained["top1"]! > 0.5, $"a network that saw bars three times tells only {trained["top1"]} of them apart");
        Assert.True((long)pruned["macs"]! < 0.4 * (long)trained["macs"]!, $"{pruned["macs"]} of {trained["macs"]} multiply-accumulates are left");
        Assert.Equal((long)pruned["macs"]!, (long)shared["macs"]!);
        Assert.True(10 * (long)shared["bytes"]! < (long)trained["bytes"]!, $"{shared["bytes"]} of {trained["bytes"]} bytes are left");
        Model model = PenjingFile.Read(scratch["c.penjing"]);
        Assert.Equal(["train", "prune", "share"], model.History.Select(stage => stage.Name));
        Assert.Equal(10, model.Labels.Length);
        foreach ((string file, JsonObject told) in new[] { ("a", trained), ("b", pruned), ("c", shared) })
        {
            Assert.Equal((double)told["top1"]!, (double)Cli.Run("evaluate", scratch[$"{file}.penjing"], "--data", bars.Folder, "--json").Json()["top1"]!);
            Assert.Equal((long)told["bytes"]!, new FileInfo(scratch[$"{file}.penjing"]).Length);
        }
        Assert.Equal(3, Directory.GetFileSystemEntries(scratch.Folder).Length);

        JsonObject Tell(string command, string what, params string[] more) => Cli.Run([command, what, "--data", bars.Folder, "--batch", "20", "--threads", "1", "--json", .. more]).Json();
    }

    [Fact]
    public void Sparse_networks_stay_sparse_when_they_share()
    {
        string model = MadeUp.Model(scratch["a.penjing"]);
        JsonObject sparse = Tell("sparsify", model, "--ratio", "0.8", "--rounds", "2", "--layer-ratio", "stem=0.5", "-o", scratch["b.penjing"]);
        JsonObject shared = Tell("share", scratch["b.penjing"], "-o", scratch["c.penjing"]);
        Assert.True((double)sparse["zeros"]! is > 0.5 and < 0.8, $"{sparse["zeros"]}");
        Assert.Equal((double)sparse["zeros"]!, (double)shared["zeros"]!);
        Assert.True((long)shared["bytes"]! < (long)sparse["bytes"]! && (long)sparse["bytes"]! < 0.6 * new FileInfo(model).Length, $"{shared["bytes"]} of {sparse["bytes"]} bytes");
        Assert.DoesNotContain(sparse["worse"]!.AsArray(), phrase => ((string)phrase!).Contains("file", StringComparison.Ordinal));
        float[] stem = PenjingFile.Read(scratch["c.penjing"]).Graph["stem.weight"].Value!.Floats.ToArray();
        Assert.Equal(stem.Length / 2, stem.Count(value => value == 0));
        Tell("share", scratch["b.penjing"], "--layer-bits", "stem=1", "--within", "99", "--sample", "20", "--rate", "0", "--init", "plus-plus", "--groups", "2", "-o", scratch["c.penjing"]);
        Graph grouped = PenjingFile.Read(scratch["c.penjing"]).Graph;
        Assert.Equal(4 + 1, grouped["stem.weight"].Value!.Floats.ToArray().Distinct().Count());
        Assert.All(grouped.Weights.Where(weight => weight.Shape.Rank >= 2 && weight.Name != "stem.weight"), weight => Assert.InRange(weight.Value!.Floats.ToArray().Distinct().Count(), 2, 2 * 2 + 1));
        string[] command = ["sparsify", model, "--data", bars.Folder, "-o", scratch["d.penjing"]];
        // What sensitivity has measured is not measured again, nor the other way.
        string known = scratch["b.penjing"] + ".sensitivity.jsonl", measured = File.ReadAllText(known);
        Cli.Run("sensitivity", scratch["b.penjing"], "--data", bars.Folder, "--by", "bits", "--levels", "5", "1", "--sample", "20").Ends(0);
        Assert.Equal(measured, File.ReadAllText(known));
        File.Delete(known);
        JsonObject integers = Cli.Run("quantize", scratch["b.penjing"], "--data", bars.Folder, "--pictures", "20", "-o", scratch["d.penjing"], "--json").Json();
        Assert.InRange((double)integers["zeros"]!, (double)sparse["zeros"]! - 0.01, 1);
        File.Delete(scratch["d.penjing"]);
        Cli.Run("share", model, "--data", bars.Folder, "--layer-bits", "stem.bn=3", "-o", scratch["d.penjing"]).Refuses(1, "'stem.bn'");
        Cli.Run("share", model, "--data", bars.Folder, "--init", "optimal", "-o", scratch["d.penjing"]).Refuses(2, "--init", "--rate 0");
        Cli.Run("share", model, "--data", bars.Folder, "--layer-bits", "stem=1.5", "-o", scratch["d.penjing"]).Refuses(2, "--layer-bits", "stem=1.5");
        Cli.Run("share", model, "--data", bars.Folder, "--layer-bits", "none=3", "-o", scratch["d.penjing"]).Refuses(1, "'none'");
        Cli.Run("share", model, "--data", bars.Folder, "--sample", "20", "-o", scratch["d.penjing"]).Refuses(2, "--sample", "--within");
        Cli.Run([.. command, "--pattern", "2/4"]).Refuses(1, "2/4");
        Cli.Run([.. command, "--pattern", "2:4", "--ratio", "0.9"]).Refuses(1, "2:4", "0.5");
        Cli.Run([.. command, "--layer-ratio", "stem"]).Refuses(2, "--layer-ratio", "stem");
        Cli.Run([.. command, "--layer-ratio", "none=0.5"]).Refuses(1, "'none'");
        Assert.Equal(3, Directory.GetFileSystemEntries(scratch.Folder).Length);

        JsonObject Tell(string command, string what, params string[] more) => Cli.Run([command, what, "--data", bars.Folder, "--epochs", "0.5", "--batch", "20", "--threads", "1", "--json", .. more]).Json();
    }

    [Fact]
    public void Slimming_and_teachers_are_options()
    {
        string small = MadeUp.Model(scratch["small.penjing"]), slim = scratch["slim.penjing"], taught = scratch["taught.penjing"];
        string[] brief = ["--data", bars.Folder, "--epochs", "0.2", "--batch", "20", "--threads", "1", "--json"];
        JsonObject told = Cli.Run(["prune", small, .. brief, "--rounds", "1", "--ratio", "0.4", "--multiple", "1", "--gamma-l1", "0.001", "-o", slim]).Json();
        Assert.True((long)told["parameters"]! < PenjingFile.Read(small).Graph.Parameters);
        Assert.Contains("batchnorm, global", PenjingFile.Read(slim).History[^1].Detail);
        Cli.Run(["train", slim, .. brief, "--teacher", small, "--temperature", "3", "--feature", PenjingFile.Read(small).Graph.Outputs[0].Name, "--feature-weight", "0.1", "--average", "0.9", "--clip", "1", "--gamma-l1", "1e-4", "--estimate", "20", "--pictures", "30", "-o", taught]).Ends(0);
        string detail = PenjingFile.Read(taught).History[^1].Detail;
        foreach (string word in new[] { "taught by", "temperature 3", $"and in {PenjingFile.Read(small).Graph.Outputs[0].Name}", "averaged by 0.9", "clipped to 1", "L1 norm of scales by 0.0001", "over 20 pictures", ", 30 pictures" }) Assert.Contains(word, detail);
        Cli.Run(["share", slim, .. brief, "--soft", "0.3", "-o", taught]).Refuses(2, "--soft", "--teacher");
        Cli.Run(["share", slim, .. brief, "--teacher", scratch["none.penjing"], "-o", taught]).Refuses(1, "none.penjing");
        Cli.Run(["prune", slim, .. brief, "--score", "l1", "--gamma-l1", "0.001", "-o", taught]).Refuses(2, "--gamma-l1", "l1");
        Cli.Run(["prune", slim, .. brief, "--score", "luck", "-o", taught]).Refuses(2, "luck");
    }

    [Fact]
    public void A_training_stopped_by_a_signal_goes_on_to_the_same_file()
    {
        string[] command = ["train", "mobilenet-v1-small", "--width", "0.25", "--data", bars.Folder, "--epochs", "4", "--batch", "20", "--threads", "1", "-o"];
        Cli.Run([.. command, scratch["whole.penjing"]]).Ends(0);
        string broken = scratch["broken.penjing"], work = broken + ".work";
        using (Process process = Cli.Start(null, [.. command, broken]))
        {
            for (int wait = 0; wait < 600 && !File.Exists(Path.Combine(work, "trained.checkpoint")); wait++) Thread.Sleep(50);
            using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
            kill.WaitForExit();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 130 && error.Contains("--resume") && error.Contains(work), $"exit code {process.ExitCode}: {error}");
        }
        Assert.False(File.Exists(broken));
        Cli.Run([.. command, broken]).Refuses(1, work, "--resume");
        Run other = Cli.Run([.. command, broken, "--resume", "--seed", "7"]);
        Assert.True(other.Code == 1 && other.Error.Contains("--seed"), other.ToString());
        Cli.Run([.. command, broken, "--resume"]).Ends(0);
        Assert.Equal(File.ReadAllBytes(scratch["whole.penjing"]), File.ReadAllBytes(broken));
        Assert.False(Directory.Exists(work));
    }

    [Theory]
    [InlineData("none/out.penjing", "there is no folder")]
    [InlineData("/proc/out.penjing", "/proc/out.penjing")]
    [InlineData("/dev/full", "device")]
    [InlineData(".", "folder")]
    public void An_unwritable_place_is_found_before_the_work(string place, string word)
    {
        string path = place[0] == '/' ? place : scratch[place];
        Cli.Run("train", "mobilenet-v1-small", "--data", bars.Folder, "-o", path).Refuses(1, word);
        Cli.Run("prune", scratch["none.penjing"], "--data", bars.Folder, "-o", path).Refuses(1, word);
        Cli.Run("share", scratch["none.penjing"], "--data", bars.Folder, "-o", path).Refuses(1, word);
    }

    [Fact]
    public void A_full_disk_is_told_and_nothing_half_written_stays()
    {
        string disk = scratch["disk"], model = MadeUp.Model(scratch["small.penjing"]);
        Directory.CreateDirectory(disk);
        string shell = $"unshare -rm sh -c 'mount -t tmpfs -o size=200k none {disk} || exit 77; \"$@\"; code=$?; cd {disk}; find . -type f; exit $code' sh \"$@\"";
        Run probe = Cli.Run(shell, ["--version"]);
        if (probe.Code != 0) Assert.Skip($"no small disk can be mounted here: {probe.Error.Trim()}");
        Run training = Cli.Run(shell, ["train", "mobilenet-v1-small", "--width", "0.25", "--data", bars.Folder, "--epochs", "0.2", "--batch", "20", "--threads", "1", "-o", $"{disk}/full.penjing"]);
        Assert.True(training.Code == 1 && training.Error.TrimEnd().Split('\n')[^1].StartsWith("penjing: ", StringComparison.Ordinal), training.ToString());
        Assert.Equal("./full.penjing.work/settings.txt", training.Output.Trim());
        Run convert = Cli.Run(shell, ["convert", model, $"{disk}/full.onnx"]);
        Assert.True(convert.Code == 1 && convert.Error.StartsWith("penjing: ", StringComparison.Ordinal) && convert.Error.Count(c => c == '\n') == 1 && convert.Output.Length == 0, convert.ToString());
    }

    /// <summary>Without BatchNormalization, the learning rate is lower and the gradient bounded, unless told otherwise.</summary>
    [Theory]
    [InlineData("lenet-5", "learning rate 0.03", "gradients clipped to 2")]
    [InlineData("lenet-5 --clip 0 --lr 0.05", "learning rate 0.05", "")]
    [InlineData("mobilenet-v1-small-0.25", "learning rate 0.1", "")]
    [InlineData("mobilenet-v1-small-0.25 --clip 1", "learning rate 0.1", "gradients clipped to 1")]
    public void Defaults_suit_the_network(string network, string rate, string clip)
    {
        Cli.Run(["train", .. network.Split(' '), "--data", bars.Folder, "--epochs", "0.1", "--batch", "20", "--threads", "1", "-o", scratch["out.penjing"]]).Ends(0);
        string detail = PenjingFile.Read(scratch["out.penjing"]).History[^1].Detail;
        Assert.Contains(rate + ",", detail, StringComparison.Ordinal);
        Assert.Equal(clip.Length > 0, detail.Contains("clipped", StringComparison.Ordinal));
        Assert.EndsWith(clip, detail, StringComparison.Ordinal);
    }

    /// <summary>Pictures of other classes give a network their names, and what only measures says that the names differ; pictures of any size get the network's usual one.</summary>
    [Fact]
    public void Classes_are_called_as_the_pictures_are()
    {
        string data = MadeUp.Pictures(scratch["data"], "dark", "light"), other = MadeUp.Pictures(scratch["other"], "off", "on"), first = scratch["a.penjing"], second = scratch["b.penjing"];
        string[] brief = ["--epochs", "1", "--batch", "10", "--threads", "1", "-o"];
        Cli.Run(["train", "lenet-5", "--data", data, .. brief, first]).Ends(0);
        Assert.Equal(28, PenjingFile.Read(first).Graph.Inputs[0].Shape[3]);
        Assert.Contains("off, on", Cli.Run("evaluate", first, "--data", other).Ends(0).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("off, on", Cli.Run("evaluate", first, "--data", data).Ends(0).Error, StringComparison.Ordinal);
        Cli.Run(["train", first, "--data", other, .. brief, second]).Ends(0);
        Assert.Equal(["off", "on"], PenjingFile.Read(second).Labels);
        Cli.Run(["sparsify", first, "--data", other, "--rounds", "1", .. brief, second]).Ends(0);
        Assert.Equal(["off", "on"], PenjingFile.Read(second).Labels);
    }

    /// <summary>What a network doesn't say of its input is said to be taken from the data set, and that it tells no more than chance.</summary>
    [Fact]
    public void What_can_mislead_is_said()
    {
        string silent = scratch["silent.penjing"], still = scratch["still.penjing"];
        PenjingFile.Write(silent, PenjingFile.Read(MadeUp.Model(scratch["small.penjing"])) with { Preprocessing = null });
        Assert.Contains("doesn't say how a picture", Cli.Run("evaluate", silent, "--data", bars.Folder).Ends(0).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("doesn't say how a picture", Cli.Run("evaluate", scratch["small.penjing"], "--data", bars.Folder).Ends(0).Error, StringComparison.Ordinal);
        // Weights that are all zero answer one class to everything.
        PenjingFile.Write(still, Models.Zoo.Find("lenet-5").Outline());
        string[] brief = ["--data", bars.Folder, "--batch", "20", "--threads", "1", "-o", scratch["out.penjing"]];
        Assert.Contains("chance", Cli.Run(["train", still, "--epochs", "0.1", .. brief]).Ends(0).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("chance", Cli.Run(["train", "lenet-5", "--epochs", "4", .. brief]).Ends(0).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_other_classes_gets_a_new_last_layer()
    {
        string seven = scratch["seven.penjing"], target = scratch["out.penjing"];
        Model model = Models.MobileNetV1.Small(0.25, classes: 7, repeats: 0) with { Labels = [.. Enumerable.Range(0, 7).Select(i => $"other {i}")] };
        PenjingFile.Write(seven, model);
        string[] brief = ["--data", bars.Folder, "--batch", "20", "--epochs", "0.1", "--lr", "1e-9", "--threads", "1", "-o", target];
        Cli.Run(["train", seven, .. brief]).Refuses(1, "7 classes", "--new-head");
        Cli.Run(["train", "lenet-5", "--new-head", .. brief]).Refuses(2, "--new-head");
        Cli.Run(["train", seven, "--new-head", .. brief]).Ends(0);
        Model trained = PenjingFile.Read(target), given = PenjingFile.Read(seven);
        Assert.Equal((10, 10), (trained.Labels.Length, trained.Graph.Outputs[0].Shape[1]));
        Assert.Contains("last layer anew", trained.History[^1].Detail, StringComparison.Ordinal);
        Node first = given.Graph.Nodes.First(node => node.Op is Conv);
        Closeness.Check(first.Inputs[1].Value!, trained.Graph[first.Inputs[1].Name].Value!, 1e-5, "the first layer");
    }

    [Fact]
    public void What_is_not_there_is_named()
    {
        string target = scratch["out.penjing"];
        Cli.Run("train", "mobilenet-v9", "--data", bars.Folder, "-o", target).Refuses(1, "mobilenet-v9", "mobilenet-v1");
        Cli.Run("train", "mobilenet-v1-small", "--data", scratch["none"], "-o", target).Refuses(1, "none");
        Cli.Run("train", "mobilenet-v1-small", "--data", bars.Folder).Refuses(2, "--out");
        Cli.Run("train", "mobilenet-v1-small", "--data", bars.Folder, "-o", target, "--augment", "twist").Refuses(2, "twist");
        Cli.Run("prune", scratch["none.penjing"], "--data", bars.Folder, "-o", target).Refuses(1, "none.penjing");
        Cli.Run("prune", scratch["none.penjing"], "--data", bars.Folder, "-o", target, "--ratio", "1.5").Refuses(2, "--ratio", "1.5");
        Cli.Run("train", MadeUp.Model(scratch["small.penjing"]), "--width", "2", "--data", bars.Folder, "-o", target).Refuses(2, "--width");
        Assert.Equal([scratch["small.penjing"]], Directory.GetFileSystemEntries(scratch.Folder));
    }

    [Fact]
    public void What_is_refused_leaves_no_unfinished_work()
    {
        string target = scratch["out.penjing"], work = target + ".work", model = MadeUp.Model(scratch["small.penjing"]), empty = scratch["empty"];
        Directory.CreateDirectory(empty);
        foreach (string file in Directory.GetFiles(bars.Folder, "t10k*")) File.Copy(file, Path.Combine(empty, Path.GetFileName(file)));
        PenjingFile.Write(scratch["seven.penjing"], Models.MobileNetV1.Small(0.25, classes: 7, repeats: 0));
        foreach (string what in new[] { "prune", "sparsify", "share", "train" })
        {
            Cli.Run(what, model, "--data", empty, "-o", target).Refuses(1, "no training pictures");
            Cli.Run(what, scratch["seven.penjing"], "--data", bars.Folder, "-o", target).Refuses(1, "7 classes");
            Assert.False(Directory.Exists(work), what);
        }
        Cli.Run("train", "mobilenet-v1-small", "--data", empty, "-o", target).Refuses(1, "no training pictures");
        Cli.Run("evaluate", model, "--data", empty).Ends(0);
        Cli.Run("quantize", model, "--data", bars.Folder, "--pictures", "20", "-o", scratch["integers.penjing"]).Ends(0);
        foreach (string what in new[] { "prune", "sparsify", "share", "train" })
        {
            Cli.Run(what, scratch["integers.penjing"], "--data", bars.Folder, "-o", target).Refuses(1, "only a network of floats");
            Assert.False(Directory.Exists(work), what);
        }
        Cli.Run("prune", model, "--data", bars.Folder, "-o", target, "--layer-ratio", "stem=1").Refuses(2, "stem=1");
        Cli.Run("prune", model, "--data", bars.Folder, "-o", target, "--gamma-l1", "1e-4", "--keep", "nobody").Refuses(1, "'nobody'");
        Assert.False(Directory.Exists(work));
        Directory.CreateDirectory(work);
        File.WriteAllText(Path.Combine(work, "settings.txt"), "--seed = 9\n");
        string kept = scratch["kept"], mine = Path.Combine(kept, "mine.txt");
        Directory.CreateDirectory(kept);
        File.WriteAllText(mine, "mine");
        string[] brief = ["train", model, "--data", bars.Folder, "--epochs", "0.1", "--batch", "20", "--threads", "1", "-o", target];
        Cli.Run([.. brief, "--checkpoint", kept]).Refuses(1, "kept", "new or empty");
        Assert.True(File.Exists(mine));
        Cli.Run(brief).Ends(0);
        Assert.False(Directory.Exists(work));
    }

    public void Dispose() => scratch.Dispose();

    /// <summary>A data set, made once.</summary>
    public sealed class Bars : IDisposable
    {
        private readonly Scratch scratch = new();

        public Bars() => MadeUp.Data(Folder);

        /// <summary>Its folder.</summary>
        public string Folder => scratch["bars"];

        /// <summary>Deletes it.</summary>
        public void Dispose() => scratch.Dispose();
    }
}
