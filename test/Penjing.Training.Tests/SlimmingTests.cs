using Penjing.Compression;

namespace Penjing.Training.Tests;

/// <summary>Slimming cuts as much as asked in each pass, and what is left still tells pictures apart.</summary>
public sealed class SlimmingTests
{
    [Fact]
    public void Passes_cut_what_is_asked()
    {
        using Samples samples = new();
        DataSet data = Samples.SquaresSet();
        WorkFolder work = WorkFolder.Open(samples.At("work"), []);
        TrainingOptions training = new() { Epochs = 2, Batch = 16, LearningRate = 0.05, ValidateEvery = 0 };
        List<(int, int)> told = [];
        Model slim = Retrainer.Slim(TrainerTests.Network(), data, new(), PruningSchedule.Linear(0.5, 2), _ => training with { GammaL1 = 0.01 }, _ => training, work,
            progress => told.Add((progress.Part, progress.Parts)), TestContext.Current.CancellationToken);
        Assert.Equal([(1, 4), (2, 4), (3, 4), (4, 4)], told.Distinct());
        Assert.True(Trainer.Top1(slim, data, data.Test) > 0.8);
        Graph whole = TrainerTests.Network().Graph, first = PenjingFile.Read(Path.Combine(work.Path, "slimmed-1.penjing")).Graph;
        Assert.Equal([Channels(whole), (int)Math.Round(0.75 * Channels(whole)), (int)Math.Round(0.5 * Channels(whole))], [Channels(whole), Channels(first), Channels(slim.Graph)]);
        Assert.Contains("GammaL1", Assert.Throws<PenjingException>(() => Retrainer.Slim(slim, data, new(), [0.5], _ => training, _ => training, work, null, TestContext.Current.CancellationToken)).Message);
    }

    /// <summary>The channels that convolutions yield, depthwise ones apart.</summary>
    private static int Channels(Graph graph) => graph.Nodes.Where(node => node.Op is Conv { Groups: 1 }).Sum(node => node.Shape[1]);
}
