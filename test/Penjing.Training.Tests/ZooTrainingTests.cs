using Penjing.Compression;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>Every architecture of the zoo trains, whole and pruned.</summary>
public sealed class ZooTrainingTests
{
    /// <summary>One network of each architecture, the smallest.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.Select(entry => entry.Name).DistinctBy(name => name.Split('-') is [.., var last] && last.Contains('.') && !name.StartsWith("squeezenet", StringComparison.Ordinal) ? name[..^last.Length] : name)];

    /// <summary>A step moves every trained weight's layer, the loss stays finite, and the trained network still answers as torch does.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Each_takes_a_step(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        Model whole = entry.Build(new() { Size = 32, Channels = 1, Classes = 4, Width = entry.Width is null ? null : 0.25 });
        TrainingOptions options = new() { Steps = 1, Batch = 8, LearningRate = 0.01, WarmUp = 0, ValidateEvery = 0 };
        foreach (Model model in (Model[])[whole, whole with { Graph = Pruner.Prune(whole.Graph, new() { Ratio = 0.5 }) }])
        {
            Graph trained = Trainer.Train(model, Samples.SquaresSet(train: 8, test: 4, side: 32), options, cancellation: TestContext.Current.CancellationToken).Model.Graph;
            foreach (Node weight in model.Graph.Weights.Where(weight => weight.Shape.Rank > 1))
            {
                Assert.All(trained[weight.Name].Value!.Floats.ToArray(), value => Assert.True(float.IsFinite(value), $"{name}: '{weight.Name}' holds {value}"));
                Assert.False(weight.Value!.BitsEqual(trained[weight.Name].Value!), $"{name}: '{weight.Name}' did not move");
            }
            Tensor picture = RandomTensors.Normal(trained.Inputs[0].Shape, 5);
            using TrainableGraph trainable = new(trained);
            Closeness.Check(Reference.Run(trained, picture)[0], trainable.Run(picture)[0], 1e-3, name);
        }
    }
}
