using System.Collections.Immutable;
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
        Assert.True(Trainer.Score(slim, data, data.Test).Value > 0.8);
        Graph whole = TrainerTests.Network().Graph, first = PenjingFile.Read(Path.Combine(work.Path, "slimmed-1.penjing")).Graph;
        Assert.Equal([(int)Math.Round(0.75 * Channels(whole)), (int)Math.Round(0.5 * Channels(whole))], [Channels(first), Channels(slim.Graph)]);
        ChannelGroups groups = ChannelGroups.Of(PenjingFile.Read(Path.Combine(work.Path, "slimming-1.penjing")).Graph);
        IReadOnlyList<double> scales = Importances.BatchNormScale(groups);
        ImmutableHashSet<int> doomed = PruningHistory.Doomed(groups, [PenjingFile.Read(Path.Combine(work.Path, "cut-1.penjing")).History[^1]]);
        Assert.NotEmpty(doomed);
        Assert.True(doomed.Max(group => scales[group]) <= Enumerable.Range(0, groups.Count).Except(doomed).Min(group => scales[group]), "a channel was cut whose scale is not among the smallest");
        Assert.Contains("GammaL1", Assert.Throws<PenjingException>(() => Retrainer.Slim(slim, data, new(), [0.5], _ => training, _ => training, work, null, TestContext.Current.CancellationToken)).Message);
    }

    /// <summary>The channels that convolutions yield, depthwise ones apart.</summary>
    private static int Channels(Graph graph) => graph.Nodes.Where(node => node.Op is Conv { Groups: 1 }).Sum(node => node.Shape[1]);

    /// <summary>A cut that hangs on measured times is made once: pruning that is gone on with by a process with other times ends as it would have.</summary>
    [Fact]
    public void A_cut_is_made_once()
    {
        using Samples samples = new();
        DataSet data = Samples.SquaresSet();
        TrainingOptions training = new() { Epochs = 1, Batch = 16, LearningRate = 0.05, ValidateEvery = 0 };
        Model whole = Prune("whole", _ => 1.0);
        using CancellationTokenSource source = new();
        Assert.Throws<OperationCanceledException>(() => Prune("broken", _ => 1.0, source));
        Model broken = Prune("broken", layer => layer.Inputs[1].Shape.Elements);
        Assert.All(whole.Graph.Weights.Zip(broken.Graph.Weights), pair => Assert.True(pair.First.Value!.BitsEqual(pair.Second.Value!), pair.First.Name));

        Model Prune(string folder, Func<Node, double> milliseconds, CancellationTokenSource? stop = null) => Retrainer.Prune(
            TrainerTests.Network(), data, new() { Milliseconds = milliseconds }, [0.4], _ => training, WorkFolder.Open(samples.At(folder), []),
            progress => { if (progress.Training.Step == 3) stop?.Cancel(); }, stop?.Token ?? TestContext.Current.CancellationToken);
    }
}
