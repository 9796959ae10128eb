using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>The loss of distillation and its gradients are those of the formula, written out in doubles.</summary>
public sealed class DistillationTests
{
    private const int Side = 4, Pixels = Side * Side, Hidden = 3, Classes = 4, Pictures = 24;

    /// <summary>One step without momentum moves each weight by its gradient, here that of central differences of the loss.</summary>
    [Theory]
    [InlineData(1, 4, 0.5, 0, false)]
    [InlineData(1, 1, 1, 0, true)]
    [InlineData(2, 2.5, 0.3, 0.7, true)]
    [InlineData(3, 20, 0, 2, false)]
    public void A_step_follows_the_formula(int threads, double temperature, double soft, double feature, bool otherMeans)
    {
        const double Rate = 0.5;
        DataSet data = Samples.SquaresSet(train: Pictures, test: 0, side: Side);
        Model student = Network(1), teacher = Network(9) with { Preprocessing = otherMeans ? new(Channels.Gray, [37], [91]) : null };
        TrainingOptions options = new()
        {
            Steps = 1, Batch = Pictures, LearningRate = Rate, WarmUp = 0, Momentum = 0, WeightDecay = 0, ValidateEvery = 0, Threads = threads,
            Distillation = new(teacher) { Temperature = temperature, Soft = soft, Features = feature > 0 ? [new("hidden", "hidden", feature)] : [] },
        };
        TrainingResult result = Trainer.Train(student, data, options, cancellation: TestContext.Current.CancellationToken);
        double[] weights = Numbers(student.Graph), taught = Numbers(teacher.Graph), after = Numbers(result.Model.Graph);
        (double[], double[], int)[] pictures = [.. Enumerable.Range(0, Pictures).Select(i =>
            (Picture(data, i, data.Preprocessing), Picture(data, i, teacher.Preprocessing ?? data.Preprocessing), data.Train.Labels[i]))];
        Assert.Equal(Loss(weights), result.Epochs[^1].Loss, 1e-4);
        for (int i = 0; i < weights.Length; i++)
        {
            double gradient = (Loss(Moved(weights, i, 1e-5)) - Loss(Moved(weights, i, -1e-5))) / 2e-5;
            Assert.True(Math.Abs(weights[i] - Rate * gradient - after[i]) < 2e-5, $"number {i}: {weights[i]} with the gradient {gradient} became {after[i]}");
        }

        double Loss(double[] numbers)
        {
            double sum = 0;
            foreach ((double[] picture, double[] seen, int label) in pictures)
            {
                (double[] hidden, double[] logits) = Answer(numbers, picture);
                (double[] shown, double[] told) = Answer(taught, seen);
                double[] p = LogSoftmax(told, temperature), q = LogSoftmax(logits, temperature);
                double divergence = p.Zip(q, (one, other) => Math.Exp(one) * (one - other)).Sum();
                double differences = hidden.Zip(shown, (one, other) => (one - other) * (one - other)).Average();
                sum += -(1 - soft) * LogSoftmax(logits, 1)[label] + soft * temperature * temperature * divergence + feature * differences;
            }
            return sum / pictures.Length;
        }
    }

    [Fact]
    public void A_teacher_is_learnt_from()
    {
        DataSet data = Samples.SquaresSet();
        Model teacher = TrainerTests.Network(seed: 2);
        TrainingOptions options = new() { Epochs = 4, Batch = 16, LearningRate = 0.05 };
        teacher = Trainer.Train(teacher, data, options, cancellation: TestContext.Current.CancellationToken).Model;
        // Labels that say nothing: all that the student can learn is the teacher's.
        DataSet blank = data with
        {
            Train = new MemorySplit(data.Size, data.Channels, [.. new int[data.Train.Count]],
            Enumerable.Range(0, data.Train.Count).SelectMany(i => data.Train.Pixels(i).ToArray()).ToArray())
        };
        TrainingResult result = Trainer.Train(TrainerTests.Network(), blank, options with { Distillation = new(teacher) { Soft = 1 } }, cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.TestScore?.Value > 0.8, $"{result.TestScore}");
    }

    [Fact]
    public void What_does_not_fit_together_is_named()
    {
        Refuses(new(MobileNetV1.Small(0.125, 8, classes: 5, repeats: 0)), "1×5", "1×4", "classes");
        Refuses(new(MobileNetV1.Small(0.125, 10, classes: 4, repeats: 0)), "10", "8");
        Refuses(new(TrainerTests.Network() with { Preprocessing = new(Channels.Rgb, [1, 1, 1], [2, 2, 2]) }), "Rgb", "Gray");
        Refuses(Pair("none", "stem"), "the student", "'none'");
        Refuses(Pair("stem", "none"), "the teacher", "'none'");
        Refuses(Pair("stem", "block2.pointwise"), "'stem'", "'block2.pointwise'", "one shape");
        Refuses(new(TrainerTests.Network()) { Temperature = 0 }, "Temperature 0");
        Refuses(new(TrainerTests.Network()) { Soft = 1.5 }, "Soft 1.5");

        static Distillation Pair(string student, string teacher) => new(TrainerTests.Network()) { Features = [new(student, teacher)] };

        static void Refuses(Distillation distillation, params string[] words)
        {
            string message = Assert.Throws<PenjingException>(() => Trainer.Train(
                TrainerTests.Network(), Samples.SquaresSet(), new() { Steps = 1, Batch = 8, Distillation = distillation })).Message;
            foreach (string word in words) Assert.Contains(word, message, StringComparison.Ordinal);
        }
    }

    /// <summary>A 1×1 convolution named hidden, whose value the ReLU behind may overwrite, and a classifier.</summary>
    private static Model Network(int seed)
    {
        Node x = new("input", new Input(ElementType.Float32, [1, 1, Side, Side]));
        Node hidden = new("hidden", new Conv(), x, Weight("a", [Hidden, 1, 1, 1]), Weight("b", [Hidden]));
        Node flat = new("flat", new Flatten(), new Node("relu", new Relu(), hidden));
        return new(new Graph(new Node("logits", new Gemm(TransposeB: true), flat, Weight("c", [Classes, Hidden * Pixels]), Weight("d", [Classes]))));

        Node Weight(string name, Shape shape) => Node.Weight(name, RandomTensors.Normal(shape, seed + name[0], 0.4));
    }

    /// <summary>All weights in the order of the names.</summary>
    private static double[] Numbers(Graph graph) => [.. "abcd".SelectMany(name => graph[$"{name}"].Value!.Floats.ToArray()).Select(x => (double)x)];

    private static double[] Picture(DataSet data, int index, Preprocessing preprocessing)
    {
        float[] input = new float[Pixels];
        data.Train.ToInput(index, preprocessing, [1, 1, Side, Side], input);
        return [.. input.Select(x => (double)x)];
    }

    private static double[] Moved(double[] numbers, int at, double by)
    {
        double[] moved = [.. numbers];
        moved[at] += by;
        return moved;
    }

    private static (double[] Hidden, double[] Logits) Answer(double[] numbers, double[] picture)
    {
        double[] hidden = [.. Enumerable.Range(0, Hidden * Pixels).Select(i => numbers[i / Pixels] * picture[i % Pixels] + numbers[Hidden + i / Pixels])];
        double[] logits = [.. Enumerable.Range(0, Classes).Select(k => numbers[^(Classes - k)] + hidden.Select((h, i) => Math.Max(h, 0) * numbers[2 * Hidden + k * hidden.Length + i]).Sum())];
        return (hidden, logits);
    }

    private static double[] LogSoftmax(double[] logits, double temperature)
    {
        double most = logits.Max(), sum = logits.Sum(logit => Math.Exp((logit - most) / temperature));
        return [.. logits.Select(logit => (logit - most) / temperature - Math.Log(sum))];
    }
}
