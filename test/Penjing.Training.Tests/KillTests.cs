using System.Diagnostics;

namespace Penjing.Training.Tests;

/// <summary>A training killed at random and resumed ends with the same weights as one never killed.</summary>
public sealed class KillTests
{
    private const string ChildVariable = "PENJING_TEST_KILLED_TRAINING";
    private const int Kills = 10;

    private static TrainingOptions Options(string? checkpoint) =>
        new()
        {
            Steps = 1500, Batch = 4, LearningRate = 0.02, Shift = 1, ValidateEvery = 5, ClipNorm = 1, GammaL1 = 1e-3, Average = 0.99, EstimateOver = 20,
            Checkpoint = checkpoint, CheckpointEverySteps = 7, Resume = checkpoint is not null,
        };

    [Fact]
    public void Killed_ten_times_nothing_is_lost()
    {
        using Samples samples = new();
        var random = new Random(1);
        string started = samples.At("started"), done = samples.At("done"), log = "";
        for (int kill = 0; ; kill++)
        {
            File.Delete(started);
            using Process child = Start(samples.Folder);
            log = "";
            child.OutputDataReceived += (_, line) => log += line.Data + "\n";
            child.BeginOutputReadLine();
            while (!File.Exists(started) && !child.HasExited) Thread.Sleep(5);
            if (kill < Kills)
            {
                Thread.Sleep(random.Next(120));
                Assert.False(child.HasExited, $"the training ended before it was killed {Kills} times: {log}");
                child.Kill();
            }
            child.WaitForExit();
            if (kill == Kills) break;
        }
        Assert.True(File.Exists(done), log);
        TrainingResult whole = Trainer.Train(TrainerTests.Network(), Samples.SquaresSet(), Options(null), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(Weights(whole), File.ReadAllBytes(done));
    }

    /// <summary>The child: not a test of its own.</summary>
    [Fact]
    public void Child_that_is_killed()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { } folder)
        {
            Assert.Skip("runs only as the child of the test that kills it");
            return;
        }
        TrainingResult result = Trainer.Train(TrainerTests.Network(), Samples.SquaresSet(), Options(Path.Combine(folder, "training.ckpt")), new TrainerTests.Watcher(_ =>
        {
            File.WriteAllBytes(Path.Combine(folder, "started"), []);
            Thread.Sleep(1);
        }), TestContext.Current.CancellationToken);
        File.WriteAllBytes(Path.Combine(folder, "done"), Weights(result));
    }

    private static byte[] Weights(TrainingResult result) =>
        [.. result.Model.Graph.Weights.SelectMany(node => node.Value!.Bytes.ToArray()), .. result.Epochs.SelectMany(epoch => System.Text.Encoding.UTF8.GetBytes(epoch.ToString()))];

    private static Process Start(string folder)
    {
        string exe = Environment.ProcessPath!;
        string[] filter = ["-method", $"{typeof(KillTests).FullName}.{nameof(Child_that_is_killed)}"];
        ProcessStartInfo start = Path.GetFileNameWithoutExtension(exe) == "dotnet" ? new(exe, [typeof(KillTests).Assembly.Location, .. filter]) : new(exe, filter);
        start.RedirectStandardOutput = true;
        start.Environment[ChildVariable] = folder;
        return Process.Start(start)!;
    }
}
