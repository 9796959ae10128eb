using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>The bound on gradients, the average over steps and the L1 norm of scales do what their formulas say, and all go through a checkpoint.</summary>
public sealed class AidTests
{
    /// <summary>A step that moves each number by its gradient.</summary>
    private static readonly TrainingOptions OneStep = new() { Steps = 1, Batch = 16, LearningRate = 0.5, WarmUp = 0, Momentum = 0, WeightDecay = 0, ValidateEvery = 0 };

    [Fact]
    public void A_gradient_longer_than_the_bound_is_shortened_to_it()
    {
        Model model = TrainerTests.Network();
        double[] before = Trained(model), free = Trained(Run(model, OneStep)), gradient = [.. before.Zip(free, (one, other) => (one - other) / OneStep.LearningRate)];
        double norm = Math.Sqrt(gradient.Sum(x => x * x)), bound = norm / 3;
        double[] clipped = Trained(Run(model, OneStep with { ClipNorm = bound }));
        for (int i = 0; i < before.Length; i++) Assert.Equal(before[i] - OneStep.LearningRate * gradient[i] / 3, clipped[i], 1e-5);
        Assert.Equal(free, Trained(Run(model, OneStep with { ClipNorm = norm * 1.01 })));
    }

    [Fact]
    public void Scales_move_by_their_signs()
    {
        const double Strength = 0.01;
        Model model = TrainerTests.Network();
        var random = new Random(1);
        model = model with
        {
            Graph = model.Graph.Map((node, inputs) => node.Name.EndsWith(".scale", StringComparison.Ordinal)
                ? Node.Weight(node.Name, Tensor.Build<float>(node.Shape, values => { foreach (ref float value in values) value = random.Next(3) - 1; }))
                : node.With(inputs)),
        };
        Graph plain = Run(model, OneStep).Graph, slim = Run(model, OneStep with { GammaL1 = Strength }).Graph;
        int moved = 0;
        foreach (Node node in model.Graph.Weights)
        {
            ReadOnlySpan<float> before = node.Value!.Floats, without = plain[node.Name].Value!.Floats, with = slim[node.Name].Value!.Floats;
            for (int i = 0; i < before.Length; i++)
            {
                bool scale = node.Name.EndsWith(".scale", StringComparison.Ordinal);
                double expected = without[i] - (scale ? OneStep.LearningRate * Strength * Math.Sign(before[i]) : 0);
                Assert.True(Math.Abs(expected - with[i]) < 1e-6, $"'{node.Name}'[{i}]: {before[i]} became {without[i]} without and {with[i]} with the L1 norm, not {expected}");
                if (scale && before[i] != 0) moved++;
            }
        }
        Assert.True(moved > 50);
        Graph bare = new(new Node("y", new Gemm(TransposeB: true), new Node("f", new Flatten(), new Node("input", new Input(ElementType.Float32, [1, 1, 8, 8]))),
            Node.Weight("w", RandomTensors.Normal([4, 64], 1))));
        Assert.Contains("BatchNormalization", Assert.Throws<PenjingException>(() => Run(new(bare), OneStep with { GammaL1 = Strength })).Message);
    }

    /// <summary>Numbers and statistics, broken off after any step and at the end, are the recurrence of those without averaging.</summary>
    [Theory]
    [InlineData(0.9)]
    [InlineData(0.3)]
    public void The_average_is_its_recurrence(double decay)
    {
        TrainingOptions options = new() { Steps = 12, Batch = 16, LearningRate = 0.1, WarmUp = 0.1 };
        double[] mean = All(TrainerTests.Network());
        for (int step = 1; step <= options.Steps; step++)
        {
            double kept = Math.Min(decay, (step + 1) / (step + 10.0));
            mean = [.. mean.Zip(All(Until(step, options).Model), (average, now) => kept * average + (1 - kept) * now)];
            if (step % 4 != 0) continue;
            TrainingResult result = Until(step, options with { Average = decay });
            double[] actual = All(result.Model);
            for (int i = 0; i < mean.Length; i++) Assert.True(Math.Abs(mean[i] - actual[i]) < 2e-6 * Math.Max(1, Math.Abs(mean[i])), $"step {step}, number {i}: {actual[i]}, not {mean[i]}");
            if (result.Completed) Assert.Equal(Trainer.Score(result.Model, Samples.SquaresSet(), Samples.SquaresSet().Test), result.TestScore);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void With_all_of_them_a_cancelled_training_goes_on_as_if_it_had_not_been(int threads)
    {
        using Samples samples = new();
        TrainingOptions plain = new()
        {
            Steps = 24, Batch = 16, LearningRate = 0.05, Shift = 1, Threads = threads, ClipNorm = 1, GammaL1 = 1e-3, Average = 0.9, EstimateOver = 50,
            Distillation = new(TrainerTests.Network(seed: 2)) { Features = [new("stem", "stem", 0.1)] },
        };
        TrainingOptions options = plain with { Checkpoint = samples.At("training.ckpt") };
        TrainingResult whole = Until(plain.Steps.Value, plain);
        foreach (int stop in new[] { 1, 15, 17 })
        {
            Assert.False(Until(stop, options).Completed);
            TrainerTests.CheckSame(whole, Until(plain.Steps.Value, options with { Resume = true }));
        }
        foreach ((TrainingOptions other, string word) in new[]
        {
            (options with { Average = 0.8 }, "Average was 0.9, is now 0.8"), (options with { ClipNorm = 2 }, "ClipNorm"), (options with { GammaL1 = 0 }, "GammaL1"),
            (options with { EstimateOver = 0 }, "EstimateOver"), (options with { Distillation = null }, "Distillation"), (options with { Distillation = options.Distillation with { Soft = 1 } }, "soft 1"),
            (options with { Distillation = options.Distillation with { Teacher = TrainerTests.Network() } }, "teacher"),
        })
            Assert.Contains(word, Assert.Throws<PenjingException>(() => Run(TrainerTests.Network(), other with { Resume = true })).Message, StringComparison.Ordinal);
    }

    private static TrainingResult Until(int step, TrainingOptions options)
    {
        using CancellationTokenSource source = new();
        return Trainer.Train(TrainerTests.Network(), Samples.SquaresSet(), options, new TrainerTests.Watcher(at => { if (at.Step == step && step < at.Steps) source.Cancel(); }), source.Token);
    }

    private static Model Run(Model model, TrainingOptions options) => Trainer.Train(model, Samples.SquaresSet(), options, cancellation: TestContext.Current.CancellationToken).Model;

    private static double[] All(Model model) => [.. model.Graph.Weights.SelectMany(node => node.Value!.Floats.ToArray()).Select(x => (double)x)];

    private static double[] Trained(Model model) =>
        [.. model.Graph.Weights.Where(node => !node.Name.EndsWith("mean", StringComparison.Ordinal) && !node.Name.EndsWith("variance", StringComparison.Ordinal))
            .SelectMany(node => node.Value!.Floats.ToArray()).Select(x => (double)x)];
}
