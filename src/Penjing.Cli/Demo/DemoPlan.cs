using Penjing.Compression;
using Penjing.Models;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>What the demo does: the network, and how it is trained, pruned and shared. Nothing in it depends on the machine's speed.</summary>
/// <param name="Width">The network's width multiplier.</param>
/// <param name="Repeats">Its middle blocks.</param>
/// <param name="Train">How it is trained at first.</param>
/// <param name="Ratio">The share of channels that is cut in the end.</param>
/// <param name="Retrain">How it is trained after each round of pruning, first round first.</param>
/// <param name="Reshare">How the shared values are trained.</param>
/// <param name="Sharing">Which weights share values.</param>
internal sealed record DemoPlan(double Width, int Repeats, TrainingOptions Train, double Ratio, TrainingOptions[] Retrain, TrainingOptions Reshare, SharingOptions Sharing)
{
    /// <summary>What the channels that stay are rounded to a multiple of.</summary>
    public const int Multiple = 8;

    /// <summary>To how many bits vectors are rounded at the end.</summary>
    public const int VectorBits = 5;

    /// <summary>The demo for a data set like Fashion-MNIST, in a few minutes on two cores.</summary>
    public static DemoPlan Full(int seed, int threads)
    {
        TrainingOptions common = new() { Seed = seed, Threads = threads, Batch = 128, Flip = true, ValidateEvery = 0, WeightDecay = 5e-4 };
        TrainingOptions round = common with { Epochs = 1, LearningRate = 0.05, WarmUp = 0.1 };
        return new(
            Width: 0.5, Repeats: 1,
            Train: common with { Epochs = 5, LearningRate = 0.2, WarmUp = 0.5 },
            Ratio: 0.5,
            Retrain: [round, round, round with { Epochs = 4 }],
            Reshare: common with { Epochs = 2, LearningRate = 0.01, WarmUp = 0, WeightDecay = 0 },
            Sharing: new() { Dense = new(32, 0.01), Depthwise = new(32, 0.003) });
    }

    /// <summary>The demo for a few hundred pictures, in seconds.</summary>
    public static DemoPlan Quick(int seed, int threads)
    {
        TrainingOptions common = new() { Seed = seed, Threads = threads, Batch = 20, ValidateEvery = 0, LearningRate = 0.05, WarmUp = 0.2 };
        return new(
            Width: 0.25, Repeats: 0,
            Train: common with { Epochs = 2 },
            Ratio: 0.5,
            Retrain: [common with { Epochs = 0.5 }, common with { Epochs = 1 }],
            Reshare: common with { Epochs = 0.5, LearningRate = 0.005, WarmUp = 0 },
            Sharing: new() { Dense = new(32, 0.03), Depthwise = new(32, 0.01) });
    }

    /// <summary>The network for the data set's pictures, with its first weights.</summary>
    public Model Network(DataSet data) => MobileNetV1.Small(Width, data.Size.Height, data.Channels is Channels.Gray ? 1 : 3, data.Labels.Length, Train.Seed, Repeats) with
    {
        Labels = data.Labels,
        Preprocessing = data.Preprocessing,
    };

    /// <summary>The shares of channels that are gone after each round.</summary>
    public IReadOnlyList<double> Ratios => PruningSchedule.Geometric(Ratio, Retrain.Length);

    /// <summary>All that the result follows from, by name.</summary>
    public IEnumerable<(string Name, object? Value)> Settings(DataSet data) =>
    [
        ("data", $"{data.Name}, {data.Train.Count} + {data.Test.Count} pictures"), ("width", Width), ("repeats", Repeats), ("seed", Train.Seed), ("threads", Train.Threads),
        ("epochs", string.Join(' ', [Train.Epochs, .. Retrain.Select(round => round.Epochs), Reshare.Epochs])), ("ratio", Ratio),
        ("rates", string.Join(' ', [Train.LearningRate, .. Retrain.Select(round => round.LearningRate), Reshare.LearningRate])), ("sharing", $"{Sharing.Dense} {Sharing.Depthwise} {VectorBits}"),
    ];
}
