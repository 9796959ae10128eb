using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;
using TorchSharp;

namespace Penjing.Training.Tests;

/// <summary>Training learns, repeats itself to the bit, keeps zeros and sharing, and refuses what doesn't fit.</summary>
public sealed class TrainerTests
{
    private static readonly TrainingOptions Quick = new() { Epochs = 3, Batch = 16, LearningRate = 0.05, Shift = 1 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Learns_and_repeats_itself_to_the_bit(int threads)
    {
        TrainingOptions options = Quick with { Epochs = 8, LearningRate = 0.02, Threads = threads, LabelSmoothing = 0.1 };
        TrainingResult first = Train(options), second = Train(options), other = Train(options with { Seed = 2 });
        Assert.True(first.Completed);
        Assert.True(first.TestScore?.Value > 0.8, $"{first.TestScore} after {string.Join(", ", first.Epochs)}");
        CheckSame(first, second);
        Assert.Contains(first.Model.Graph.Weights.Zip(other.Model.Graph.Weights), pair => !pair.First.Value!.BitsEqual(pair.Second.Value!));
        Assert.Equal(first.TestScore, Trainer.Score(first.Model, Samples.SquaresSet(), Samples.SquaresSet().Test, 2));
    }

    [Fact]
    public void In_bfloat16_it_learns_too_and_goes_on_to_the_bit()
    {
        using Samples samples = new();
        TrainingOptions options = Quick with { Epochs = 8, LearningRate = 0.02, Threads = 2, BFloat16 = true, Distillation = new(Network(seed: 3)) { Soft = 0.01 } }, kept = options with { Checkpoint = samples.At("training.ckpt") };
        TrainingResult whole = Train(options);
        Assert.True(whole.TestScore?.Value > 0.8, $"{whole.TestScore} after {string.Join(", ", whole.Epochs)}");
        using CancellationTokenSource source = new();
        Trainer.Train(Network(), Samples.SquaresSet(), kept, new Watcher(at => { if (at.Step == 31) source.Cancel(); }), source.Token);
        Assert.Contains("BFloat16", Message(kept with { BFloat16 = false, Resume = true }));
        CheckSame(whole, Train(kept with { Resume = true }));
    }

    [Fact]
    public void Gradients_in_bfloat16_are_near_those_in_Float32()
    {
        // No deeper network: through normalized layers whose weights are drawn, gradients follow a thousandth of noise in the pictures by a half of their length, in Float32 too.
        using TrainableGraph trainable = new(LeNet5.Build().Graph);
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        torch.Tensor pictures = torch.randn(32, 1, 28, 28), labels = torch.randint(10, [32]);
        torch.Tensor exact = Gradient(mixed: false), near = Gradient(mixed: true);
        double error = (near - exact).norm().ToDouble() / exact.norm().ToDouble();
        Assert.True(error is > 1e-4 and < 0.05, $"{error}");

        torch.Tensor Gradient(bool mixed)
        {
            trainable.Master.Gradient.zero_();
            torch.Tensor logits = trainable.Master.Answer(pictures, Pass.Training, 0, mixed).Logits;
            Assert.Equal(torch.ScalarType.Float32, logits.dtype);
            torch.nn.functional.cross_entropy(logits, labels).backward();
            return trainable.Master.Gradient.clone();
        }
    }

    [Fact]
    public void The_trained_graph_answers_as_the_reference()
    {
        TrainingResult result = Train(Quick);
        Split test = Samples.SquaresSet().Test;
        int right = Enumerable.Range(0, test.Count).Count(i =>
        {
            Tensor logits = Reference.Run(result.Model.Graph, test.Picture(i).ToInput(result.Model.Preprocessing!, result.Model.Graph.Inputs[0].Shape))[0];
            return logits.Floats.IndexOf(logits.Floats.ToArray().Max()) == test.Labels[i];
        });
        Assert.Equal(result.TestScore!.Value.Value, (double)right / test.Count, 1e-9);
    }

    [Fact]
    public void Zeros_stay_zero_and_shared_stays_shared()
    {
        Model model = Coarse(Network());
        foreach (Parameterization parameterization in new[] { Parameterization.KeepZeros, Parameterization.Shared, Parameterization.Shared | Parameterization.KeepZeros })
        {
            TrainingResult result = Trainer.Train(model, Samples.SquaresSet(), Quick with { Parameterize = Parameterizations.ForKernels(parameterization) }, cancellation: TestContext.Current.CancellationToken);
            Assert.True(result.Epochs[^1].Loss < result.Epochs[0].Loss, $"{parameterization}: {string.Join(", ", result.Epochs)}");
            foreach ((Node before, Node after) in model.Graph.Weights.Zip(result.Model.Graph.Weights).Where(pair => pair.First.Shape.Rank >= 2))
            {
                float[] old = before.Value!.Floats.ToArray(), now = after.Value!.Floats.ToArray();
                Assert.NotEqual(old, now);
                if (parameterization.HasFlag(Parameterization.KeepZeros))
                    Assert.All(old.Zip(now), pair => Assert.True(pair.First != 0 || BitConverter.SingleToInt32Bits(pair.First) == BitConverter.SingleToInt32Bits(pair.Second), before.Name));
                if (parameterization.HasFlag(Parameterization.Shared))
                    Assert.Equal(old.Distinct().Count(), old.Zip(now).Distinct().Count());
            }
        }
    }

    [Fact]
    public void A_cancelled_training_goes_on_as_if_it_had_not_been()
    {
        using Samples samples = new();
        TrainingOptions options = Quick with { Checkpoint = samples.At("training.ckpt") };
        foreach (int stop in new[] { 1, 7, 16, 31, 32 })
        {
            using CancellationTokenSource source = new();
            TrainingResult part = Trainer.Train(Network(), Samples.SquaresSet(), options, new Watcher(at => { if (at.Step == stop) source.Cancel(); }), source.Token);
            Assert.Equal((stop, false), (part.Step, part.Completed));
            CheckSame(Train(Quick), Train(options with { Resume = true }));
        }
        Assert.Equal(48, Train(options with { Resume = true }).Step);
    }

    [Fact]
    public void A_checkpoint_of_another_training_is_refused()
    {
        using Samples samples = new();
        TrainingOptions options = Quick with { Steps = 3, Checkpoint = samples.At("training.ckpt"), Resume = true };
        Train(options);
        Assert.Contains("LearningRate was 0.05, is now 0.06", Message(options with { LearningRate = 0.06 }));
        Assert.Contains("parameterization", Message(options with { Parameterize = Parameterizations.ForKernels(Parameterization.KeepZeros) }));
        Assert.Contains("network", Assert.Throws<PenjingException>(() => Trainer.Train(Network(seed: 2), Samples.SquaresSet(), options, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("data", Assert.Throws<PenjingException>(() => Trainer.Train(Network(), Samples.SquaresSet(train: 128), options, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("preprocessing", Assert.Throws<PenjingException>(() => Trainer.Train(Network() with { Preprocessing = new(Channels.Gray, [1], [2]) }, Samples.SquaresSet(), options, cancellation: TestContext.Current.CancellationToken)).Message);
        byte[] good = File.ReadAllBytes(options.Checkpoint!);
        foreach (byte[] wrong in new byte[][] { [], good[..^1], good[..(good.Length / 2)], [.. good[..100], (byte)(good[100] ^ 1), .. good[101..]] })
        {
            File.WriteAllBytes(options.Checkpoint!, wrong);
            Assert.Contains(options.Checkpoint!, Message(options));
        }
        Assert.Contains("none", Message(options with { Checkpoint = samples.At("none", "training.ckpt") }));
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        Assert.Contains("LearningRate", Message(Quick with { LearningRate = 0 }));
        Assert.Contains("Batch", Message(Quick with { Batch = 0 }));
        Assert.Contains("Epochs", Message(Quick with { Epochs = double.NaN }));
        Assert.Contains("learning rate", Message(Quick with { LearningRate = 1e5, WarmUp = 0 }));
        Assert.Contains("two pictures", Message(Quick with { Batch = 4, Threads = 3 }));
        Assert.Contains("4 classes", Assert.Throws<PenjingException>(() => Trainer.Train(Network(), Samples.SquaresSet(classes: 9), Quick, cancellation: TestContext.Current.CancellationToken)).Message);
        Assert.Contains("training pictures", Assert.Throws<PenjingException>(() => Trainer.Train(Network(), Samples.SquaresSet(train: 0), Quick, cancellation: TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void Progress_tells_every_step_and_ends_with_nothing_left()
    {
        List<TrainingProgress> told = [];
        Trainer.Train(Network(), Samples.SquaresSet(), Quick with { Epochs = 1.5 }, new Watcher(told.Add), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 24), told.Select(at => at.Step).Distinct());
        Assert.Equal((2, 2, 24, TimeSpan.Zero), (told[^1].Epoch, told[^1].Epochs, told[^1].Steps, told[^1].Remaining));
        Assert.NotNull(told[^1].TestScore);
        Assert.All(told, at => Assert.True(at.ImagesPerSecond > 0 && at.Loss > 0 && at.TrainAccuracy is >= 0 and <= 1, $"{at}"));
    }

    [Fact]
    public void Dropout_repeats_itself()
    {
        Model model = Network() with { };
        Graph graph = model.Graph.Map((node, inputs) => node.Op is Gemm ? new(node.Name, node.Op, new Node("dropout", new Dropout(), inputs[0]), inputs[1], inputs[2]) : node.With(inputs));
        TrainingResult first = Trainer.Train(new(graph), Samples.SquaresSet(), Quick, cancellation: TestContext.Current.CancellationToken);
        CheckSame(first, Trainer.Train(new(graph), Samples.SquaresSet(), Quick, cancellation: TestContext.Current.CancellationToken));
    }

    /// <summary>A network of a few thousand weights.</summary>
    internal static Model Network(int seed = 1) => MobileNetV1.Small(0.125, 8, classes: 4, seed: seed, repeats: 0);

    /// <summary>Throws unless both trainings came to the same weights, to the bit.</summary>
    internal static void CheckSame(TrainingResult expected, TrainingResult actual)
    {
        Assert.Equal(expected.Epochs, actual.Epochs);
        foreach ((Node one, Node other) in expected.Model.Graph.Weights.Zip(actual.Model.Graph.Weights)) Closeness.CheckBits(one.Value!, other.Value!, one.Name);
    }

    private static TrainingResult Train(TrainingOptions options) => Trainer.Train(Network(), Samples.SquaresSet(), options, cancellation: TestContext.Current.CancellationToken);

    private static string Message(TrainingOptions options) => Assert.Throws<PenjingException>(() => Train(options)).Message;

    /// <summary>The network with each kernel's elements rounded to a few values, zero among them.</summary>
    private static Model Coarse(Model model) => model with
    {
        Graph = model.Graph.Map((node, inputs) => node.Value is { Shape.Rank: >= 2 } value
            ? Node.Weight(node.Name, Tensor.Of(value.Shape, (ReadOnlySpan<float>)[.. value.Floats.ToArray().Select(x => MathF.Round(x * 8 / value.Floats.ToArray().Max(MathF.Abs)) * value.Floats.ToArray().Max(MathF.Abs) / 8)]))
            : node.With(inputs)),
    };

    /// <summary>Tells each progress to an action at once.</summary>
    internal sealed class Watcher(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
