using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Models;
using Penjing.Testing;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training.Tests;

/// <summary>Networks that answer each pixel: what counts as right, what they are trained by, and that they learn.</summary>
public sealed class SegmentationTests
{
    /// <summary>Accuracy and intersections over unions, against counting by sets of pixels.</summary>
    [Fact]
    public void Confusion_counts_as_sets_do()
    {
        var random = new Random(1);
        for (int round = 0; round < 50; round++)
        {
            int classes = random.Next(1, 7), pixels = random.Next(1, 200), used = random.Next(1, classes + 1);
            byte[] truths = [.. Enumerable.Range(0, pixels).Select(_ => random.Next(9) == 0 ? Split.Unlabelled : (byte)random.Next(used))], answers = [.. Enumerable.Range(0, pixels).Select(_ => (byte)random.Next(classes))];
            Confusion whole = new(classes), one = new(classes), other = new(classes);
            whole.Add(truths, answers);
            one.Add(truths.AsSpan(0, pixels / 2), answers.AsSpan(0, pixels / 2));
            other.Add(truths.AsSpan(pixels / 2), answers.AsSpan(pixels / 2));
            one.Add(other);
            int[] known = [.. Enumerable.Range(0, pixels).Where(i => truths[i] != Split.Unlabelled)];
            double?[] expected = [.. Enumerable.Range(0, classes).Select(label =>
            {
                HashSet<int> of = [.. known.Where(i => truths[i] == label)], said = [.. known.Where(i => answers[i] == label)];
                int union = of.Union(said).Count();
                return union == 0 ? null : (double?)of.Intersect(said).Count() / union;
            })];
            foreach (Confusion confusion in (Confusion[])[whole, one])
            {
                Assert.Equal(known.Length == 0 ? 0 : (double)known.Count(i => truths[i] == answers[i]) / known.Length, confusion.Accuracy, 1e-12);
                Assert.Equal(expected, Enumerable.Range(0, classes).Select(confusion.IoU));
                Assert.Equal(expected.Average() ?? 0, confusion.MeanIoU, 1e-12);
            }
        }
        Assert.Throws<ShapeException>(() => new Confusion(2).Add(new byte[3], new byte[4]));
    }

    /// <summary>A batch without a known pixel, a crop of what nobody labelled, teaches nothing: its loss is 0, and so is each gradient.</summary>
    [Theory]
    [InlineData(RegionLoss.None, 0)]
    [InlineData(RegionLoss.Lovasz, 0.5)]
    [InlineData(RegionLoss.Dice, 0)]
    public void What_is_unlabelled_teaches_nothing(RegionLoss region, double balance)
    {
        TorchRuntime.Start();
        // The network may tell more classes apart than the data has.
        using Objective objective = new(Samples.MaskedSquaresSet(train: 8, test: 1, side: 8, classes: 4), new() { Region = region, Balance = balance }, classes: 6);
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (long truth in (long[])[Batches.Ignored, 1])
        {
            TorchTensor logits = torch.randn(2, 6, 3, 5).requires_grad_(true), loss = objective.Loss(logits, torch.full(2, 3, 5, truth, torch.ScalarType.Int64));
            loss.backward();
            Assert.Equal(truth == Batches.Ignored, loss.item<float>() == 0);
            Assert.Equal(truth == Batches.Ignored, logits.grad!.data<float>().All(gradient => gradient == 0));
            Assert.All(logits.grad!.data<float>(), gradient => Assert.True(float.IsFinite(gradient)));
        }
    }

    /// <summary>Of a large map what counts regions sees every other row and column.</summary>
    [Theory]
    [InlineData(RegionLoss.Lovasz)]
    [InlineData(RegionLoss.Dice)]
    public void Regions_of_large_maps_are_counted_on_every_other_pixel(RegionLoss region)
    {
        TorchRuntime.Start();
        DataSet data = Samples.MaskedSquaresSet(train: 8, test: 1, side: 8, classes: 4);
        using Objective both = new(data, new() { Region = region }, 4), plain = new(data, new(), 4);
        using DisposeScope scope = torch.NewDisposeScope();
        TorchTensor logits = torch.randn(1, 4, 66, 64), truths = torch.randint(4, [1, 66, 64], torch.ScalarType.Int64);
        TorchTensor fewer = logits.slice(2, 0, 66, 2).slice(3, 0, 64, 2).contiguous(), known = truths.slice(1, 0, 66, 2).slice(2, 0, 64, 2).contiguous();
        Assert.Equal(Regions(fewer, known), Regions(logits, truths), 1e-5);
        Assert.NotEqual(plain.Loss(fewer, known).item<float>(), plain.Loss(logits, truths).item<float>());

        float Regions(TorchTensor of, TorchTensor against) => both.Loss(of, against).item<float>() - plain.Loss(of, against).item<float>();
    }

    /// <summary>Each loss against a plain one in doubles, and its gradient against differences of that.</summary>
    [Theory]
    [InlineData(RegionLoss.None, 0, 0)]
    [InlineData(RegionLoss.None, 0.5, 0)]
    [InlineData(RegionLoss.None, 0, 0.1)]
    [InlineData(RegionLoss.Lovasz, 0, 0)]
    [InlineData(RegionLoss.Dice, 0, 0)]
    public void Losses_and_gradients_are_the_plain_ones(RegionLoss region, double balance, double smoothing)
    {
        const int Batch = 2, Classes = 4, Side = 3, Pixels = Side * Side;
        DataSet data = Samples.MaskedSquaresSet(train: 8, test: 1, side: 8, classes: Classes);
        TorchRuntime.Start();
        using Objective objective = new(data, new() { Region = region, Balance = balance, LabelSmoothing = smoothing }, Classes);
        double[] weights = balance == 0 ? [.. Enumerable.Repeat(1.0, Classes)] : [.. Weights(data, balance)];
        var random = new Random(3);
        for (int round = 0; round < 5; round++)
        {
            float[] logits = [.. Enumerable.Range(0, Batch * Classes * Pixels).Select(_ => (float)(4 * random.NextDouble() - 2))];
            long[] truths = [.. Enumerable.Range(0, Batch * Pixels).Select(_ => random.Next(6) == 0 ? Batches.Ignored : random.Next(3))];
            truths[0] = 1;
            using DisposeScope scope = torch.NewDisposeScope();
            TorchTensor leaf = torch.tensor(logits).reshape(Batch, Classes, Side, Side).requires_grad_(true);
            TorchTensor loss = objective.Loss(leaf, torch.tensor(truths).reshape(Batch, Side, Side));
            Assert.Equal(Plain(logits), loss.item<float>(), 1e-5);
            loss.backward();
            float[] gradient = leaf.grad!.data<float>().ToArray();
            for (int i = 0; i < logits.Length; i++)
            {
                const float Step = 1e-3f;
                float[] up = [.. logits], down = [.. logits];
                up[i] += Step;
                down[i] -= Step;
                Assert.Equal((Plain(up) - Plain(down)) / (up[i] - down[i]), gradient[i], 2e-4);
            }

            double Plain(float[] values)
            {
                List<(int Truth, double[] Chances)> pixels = [];
                for (int at = 0; at < Batch * Pixels; at++)
                {
                    if (truths[at] == Batches.Ignored) continue;
                    double[] row = [.. Enumerable.Range(0, Classes).Select(label => Math.Exp(values[(at / Pixels * Classes + label) * Pixels + at % Pixels]))];
                    pixels.Add(((int)truths[at], [.. row.Select(value => value / row.Sum())]));
                }
                double entropy = pixels.Sum(pixel => (1 - smoothing) * weights[pixel.Truth] * -Math.Log(pixel.Chances[pixel.Truth])
                    + smoothing / Classes * Enumerable.Range(0, Classes).Sum(label => weights[label] * -Math.Log(pixel.Chances[label]))) / pixels.Sum(pixel => weights[pixel.Truth]);
                double[] regions = [.. pixels.Select(pixel => pixel.Truth).Distinct().Select(label => region switch
                {
                    RegionLoss.Lovasz => Lovasz([.. pixels.Select(pixel => (pixel.Truth == label, pixel.Chances[label]))]),
                    RegionLoss.Dice => 1 - (2 * pixels.Sum(pixel => pixel.Truth == label ? pixel.Chances[label] : 0) + 1) / (pixels.Sum(pixel => pixel.Chances[label]) + pixels.Count(pixel => pixel.Truth == label) + 1),
                    _ => 0,
                })];
                return entropy + regions.Average();
            }
        }
    }

    /// <summary>Rarer classes count more, and all truths together as much as they did.</summary>
    [Fact]
    public void Balanced_weights_keep_the_whole()
    {
        double[] shares = [0.7, 0.2, 0.1, 0];
        float[] half = Objective.Weights(shares, 0.5), all = Objective.Weights(shares, 1);
        foreach (float[] weights in (float[][])[half, all]) Assert.Equal(1, shares.Zip(weights, (share, weight) => share * weight).Sum(), 1e-6);
        Assert.Equal(Math.Sqrt(7), half[2] / half[0], 1e-5);
        Assert.Equal(7, all[2] / all[0], 1e-5);
        Assert.Equal(0, all[3]);
    }

    /// <summary>A small parser learns made-up squares, repeats itself to the bit, and the engine's oracle answers as it does.</summary>
    [Fact]
    public void A_parser_learns_and_repeats_itself()
    {
        DataSet data = Samples.MaskedSquaresSet(train: 64, test: 16);
        Model model = ParseNet.Build(0.125, Size.Square(32), channels: 1, classes: 4);
        TrainingOptions options = new() { Epochs = 50, Batch = 8, LearningRate = 0.1, Threads = 2, Zoom = 1.2, Tint = 0.05, Region = RegionLoss.Lovasz, ValidateEvery = 10 }, brief = options with { Epochs = 2 };
        TrainerTests.CheckSame(Trainer.Train(model, data, brief, cancellation: TestContext.Current.CancellationToken), Trainer.Train(model, data, brief, cancellation: TestContext.Current.CancellationToken));
        TrainingResult first = Trainer.Train(model, data, options, cancellation: TestContext.Current.CancellationToken);
        Assert.True(first.Epochs[^1].Loss < first.Epochs[0].Loss / 2, string.Join(", ", first.Epochs));
        Assert.True(first.TestScore is { MeanIoU: > 0.8, Accuracy: > 0.9 }, $"{first.TestScore}");
        Assert.Equal(first.TestScore, Trainer.Score(first.Model, data, data.Test, 2));
        Confusion confusion = new(4);
        for (int i = 0; i < data.Test.Count; i++)
        {
            Tensor logits = Reference.Run(first.Model.Graph, data.Test.Picture(i).ToInput(first.Model.Preprocessing!, model.Graph.Inputs[0].Shape))[0];
            confusion.Add(data.Test.Mask(i), [.. Enumerable.Range(0, 1024).Select(at => (byte)Enumerable.Range(0, 4).MaxBy(label => logits.Floats[label * 1024 + at]))]);
        }
        Assert.Equal(first.TestScore!.Value.MeanIoU!.Value, confusion.MeanIoU, 5e-3);
    }

    [Fact]
    public void A_parsers_training_goes_on_from_its_checkpoint()
    {
        using Samples samples = new();
        DataSet data = Samples.MaskedSquaresSet(train: 16, test: 4);
        Model model = ParseNet.Build(0.125, Size.Square(32), channels: 1, classes: 4);
        TrainingOptions options = new() { Epochs = 2, Batch = 4, LearningRate = 0.05, Average = 0.9, Flip = true, Zoom = 2, Checkpoint = samples.At("training.ckpt") };
        using CancellationTokenSource source = new();
        Trainer.Train(model, data, options, new TrainerTests.Watcher(at => { if (at.Step == 5) source.Cancel(); }), source.Token);
        TrainingResult resumed = Trainer.Train(model, data, options with { Resume = true }, cancellation: TestContext.Current.CancellationToken);
        TrainerTests.CheckSame(Trainer.Train(model, data, options with { Checkpoint = null }, cancellation: TestContext.Current.CancellationToken), resumed);
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        DataSet data = Samples.MaskedSquaresSet(train: 8, test: 4);
        Assert.Contains("each pixel", Message(MobileNetV1.Small(0.125, 32, classes: 4, repeats: 0), data, new() { Steps = 1, Batch = 4 }));
        Assert.Contains("3 classes", Message(ParseNet.Build(0.125, Size.Square(32), 1, 3), data, new() { Steps = 1, Batch = 4 }));
        Assert.Contains("Lovasz", Message(TrainerTests.Network(), Samples.SquaresSet(), new() { Steps = 1, Batch = 4, Region = RegionLoss.Lovasz }));
        Assert.Contains("Zoom", Message(TrainerTests.Network(), Samples.SquaresSet(), new() { Steps = 1, Batch = 4, Zoom = 0.5 }));

        static string Message(Model model, DataSet data, TrainingOptions options) => Assert.Throws<PenjingException>(() => Trainer.Train(model, data, options, cancellation: TestContext.Current.CancellationToken)).Message;
    }

    /// <summary>The gates of channel pruning are asked for with masks too.</summary>
    [Fact]
    public void Gradients_by_weights_are_those_of_pixels()
    {
        DataSet data = Samples.MaskedSquaresSet(train: 8, test: 4);
        Model model = ParseNet.Build(0.125, Size.Square(32), channels: 1, classes: 4);
        IReadOnlyDictionary<string, Tensor> gradients = LossGradients.Of(model.Graph, data, data.Preprocessing, batches: 1, batch: 8).Single();
        Assert.Contains(gradients["classifier.weight"].Floats.ToArray(), value => value != 0);
        Assert.True(ChannelGroups.Of(model.Graph).Count > 0);
    }

    private static double[] Weights(DataSet data, double balance)
    {
        var counts = new double[data.Labels.Length];
        for (int i = 0; i < data.Train.Count; i++)
            foreach (byte label in data.Train.Mask(i)) counts[label]++;
        double[] raw = [.. counts.Select(count => count > 0 ? Math.Pow(count / counts.Sum(), -balance) : 0)];
        double mean = raw.Zip(counts, (weight, count) => weight * count / counts.Sum()).Sum();
        return [.. raw.Select(weight => weight / mean)];
    }

    /// <summary>The Lovász extension of 1 − intersection / union, by its definition: errors in falling order, each times what its pixel adds when all before it are wrong already.</summary>
    private static double Lovasz((bool Of, double Chance)[] pixels)
    {
        int[] order = [.. Enumerable.Range(0, pixels.Length).OrderByDescending(Error)];
        double sum = 0, before = 0;
        HashSet<int> wrong = [];
        foreach (int i in order)
        {
            wrong.Add(i);
            HashSet<int> of = [.. Enumerable.Range(0, pixels.Length).Where(at => pixels[at].Of)], said = [.. Enumerable.Range(0, pixels.Length).Where(at => pixels[at].Of != wrong.Contains(at))];
            double lost = 1 - (double)of.Intersect(said).Count() / of.Union(said).Count();
            sum += Error(i) * (lost - before);
            before = lost;
        }
        return sum;

        double Error(int i) => pixels[i].Of ? 1 - pixels[i].Chance : pixels[i].Chance;
    }
}
