using Penjing.Compression;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>Zeros made in rounds hold through training, and work that was broken off ends with the same bits.</summary>
public sealed class SparsityTests
{
    private const int Rounds = 3;

    private static readonly SparsityOptions Sparsity = new() { Ratio = 0.8, Depthwise = true };
    private static readonly TrainingOptions Quick = new() { Steps = 9, Batch = 16, LearningRate = 0.05, Shift = 1, CheckpointEverySteps = 1 };

    [Theory]
    [InlineData("unstructured", SparsityScope.Lamp)]
    [InlineData("1:4", SparsityScope.Layer)]
    [InlineData("1x4", SparsityScope.Global)]
    public void Zeros_hold_through_training(string text, SparsityScope scope)
    {
        using Samples samples = new();
        SparsityOptions options = new() { Ratio = 0.7, Pattern = SparsityPattern.Parse(text)!, Scope = scope };
        Model before = TrainerTests.Network(), after = Sparse(samples.At("work"), options, null, TestContext.Current.CancellationToken);
        Dictionary<string, Tensor> rounds = [];
        for (int round = 1; round <= Rounds; round++)
        {
            Graph trained = PenjingFile.Read(File.ReadAllBytes(samples.At("work", $"sparse-{round}.penjing"))).Graph;
            foreach (SparseTensor weight in Sparsifier.Describe(trained))
            {
                ReadOnlySpan<float> values = trained[weight.Name].Value!.Floats, old = (rounds.GetValueOrDefault(weight.Name) ?? before.Graph[weight.Name].Value!).Floats;
                for (int i = 0; i < values.Length; i++) Assert.True(old[i] != 0 || values[i] == 0, $"round {round}: '{weight.Name}' has a weight where a zero was");
                Assert.False(values.SequenceEqual(old), $"round {round} didn't train '{weight.Name}'");
                rounds[weight.Name] = trained[weight.Name].Value!;
            }
            // Trained weights are as many as the round left: none came back, and none but by chance became zero.
            Graph cut = Sparsifier.Sparsify(trained, options.At(SparsitySchedules.Cubic, (double)round / Rounds));
            Assert.Equal(Sparsifier.Describe(cut), Sparsifier.Describe(trained));
        }
        Assert.All(rounds, weight => Closeness.CheckBits(weight.Value, after.Graph[weight.Key].Value!, weight.Key));
    }

    /// <summary>Broken off after every step of every round, in turn, the work ends with the same file.</summary>
    [Fact]
    public void Broken_off_anywhere_the_work_ends_with_the_same_bits()
    {
        using Samples samples = new();
        Model whole = Sparse(samples.At("whole"), Sparsity, null, TestContext.Current.CancellationToken);
        string folder = samples.At("broken");
        for (int stops = 0; ; stops++)
        {
            using CancellationTokenSource source = new();
            int steps = 0;
            try
            {
                Model resumed = Sparse(folder, Sparsity, _ => { if (++steps == 2) source.Cancel(); }, source.Token);
                Assert.True(stops >= Rounds, $"the work was only stopped {stops} times");
                foreach ((Node one, Node other) in whole.Graph.Weights.Zip(resumed.Graph.Weights)) Closeness.CheckBits(one.Value!, other.Value!, one.Name);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.True(stops < 50, "the work doesn't get on");
            }
        }
    }

    /// <summary>Parts of a training share its epochs and its curve: each begins at the rate at which the last ended.</summary>
    [Fact]
    public void Parts_make_up_the_training()
    {
        TrainingOptions whole = new() { Epochs = 6, LearningRate = 0.1, FinalLearningRate = 0.02, WarmUp = 0.5 };
        TrainingOptions[] parts = [.. Enumerable.Range(0, 4).Select(part => whole.Part(part, 4))];
        Assert.Equal([0.1, 0.06 + 0.04 * Math.Sqrt(0.5), 0.06, 0.06 - 0.04 * Math.Sqrt(0.5)], parts.Select(part => part.LearningRate), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(parts.Skip(1).Select(part => part.LearningRate).Append(0.02), parts.Select(part => part.FinalLearningRate));
        Assert.All(parts, part => Assert.Equal(1.5, part.Epochs));
        Assert.Equal([0.5, 0, 0, 0], parts.Select(part => part.WarmUp));
        Assert.Equal(4, parts.Select(part => part.Seed).Distinct().Count());
        Assert.Equal([3, 3, 4], Enumerable.Range(0, 3).Select(part => (whole with { Steps = 10 }).Part(part, 3).Steps!.Value));
        Assert.Equal(whole with { Steps = 10 }, (whole with { Steps = 10 }).Part(0, 1));
    }

    private static Model Sparse(string folder, SparsityOptions options, Action<RetrainingProgress>? progress, CancellationToken cancellation) => Retrainer.Sparsify(
        TrainerTests.Network(), Samples.SquaresSet(), options, SparsitySchedules.Cubic, Rounds, round => Quick.Part(round, Rounds), WorkFolder.Open(folder, [("options", options.Pattern)]), progress, cancellation);
}
