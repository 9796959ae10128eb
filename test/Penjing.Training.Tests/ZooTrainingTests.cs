using System.Globalization;
using Penjing.Compression;
using Penjing.Interop;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>Every architecture of the zoo trains, whole and pruned.</summary>
public sealed class ZooTrainingTests
{
    /// <summary>One network of each architecture, the smallest.</summary>
    public static TheoryData<string> Names =>
        [.. Zoo.All.GroupBy(entry => entry.Width is { } width
            && entry.Name.EndsWith(width.ToString("0.0#", CultureInfo.InvariantCulture), StringComparison.Ordinal) ? entry.Name[..entry.Name.LastIndexOf('-')] : entry.Name)
            .Select(architecture => architecture.First().Name)];

    /// <summary>A step moves every trained weight's layer, the loss stays finite, and the trained network still answers as torch does.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Each_takes_a_step(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        Model whole = entry.Build(new() { Size = Size.Square(32), Channels = 1, Classes = 4, Width = entry.Width is null ? null : 0.25 });
        foreach (Model model in (Model[])[whole, whole with { Graph = Pruner.Prune(whole.Graph, new() { Ratio = 0.5 }) }])
            Steps(model, whole.Graph.Outputs[0].Shape.Rank == 4 ? Samples.MaskedSquaresSet(train: 8, test: 4, side: 32) : Samples.SquaresSet(train: 8, test: 4, side: 32), name);
    }

    /// <summary>A network that comes from elsewhere as ONNX is trained further, whole and pruned.</summary>
    [Fact]
    public void An_outside_network_takes_a_step()
    {
        if (Repository.Shared("cifar-resnet20") is not { } folder)
        {
            Assert.Skip("shared/data/cifar-resnet20 is not beside the repository");
            return;
        }
        Model whole = OnnxReader.Read(Path.Combine(folder, "resnet20_cifar10.onnx"));
        var random = new Random(1);
        byte[] pixels = new byte[8 * 3 * 32 * 32];
        random.NextBytes(pixels);
        MemorySplit pictures = new(Size.Square(32), Channels.Rgb, [.. Enumerable.Range(0, 8)], pixels);
        DataSet data = new("noise", "made up", [.. Enumerable.Range(0, 10).Select(label => $"{label}")], pictures, pictures, new(Channels.Rgb, [120, 120, 120], [60, 60, 60]));
        Steps(whole, data, "cifar-resnet20");
        Steps(whole with { Graph = Pruner.Prune(whole.Graph, new() { Ratio = 0.5 }) }, data, "cifar-resnet20, pruned");
    }

    private static void Steps(Model model, DataSet data, string name)
    {
        TrainingOptions options = new() { Steps = 1, Batch = 8, LearningRate = 0.01, WarmUp = 0, ValidateEvery = 0 };
        Graph trained = Trainer.Train(model, data, options, cancellation: TestContext.Current.CancellationToken).Model.Graph;
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
