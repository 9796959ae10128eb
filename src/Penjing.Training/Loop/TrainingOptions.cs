using System.Globalization;

namespace Penjing.Training;

/// <summary>How a network is trained: stochastic gradient descent with momentum, its learning rate warmed up in a line and then lowered by a cosine.</summary>
public sealed record TrainingOptions
{
    /// <summary>The learning rate and the bound of the gradient's norm that suit networks without BatchNormalization.</summary>
    public const double UnnormalizedLearningRate = 0.03, UnnormalizedClipNorm = 2;

    /// <summary>The options that suit a network: without BatchNormalization one long step can end its learning, so that the steps are shorter and bounded.</summary>
    public static TrainingOptions For(Graph graph) => graph.Nodes.Any(node => node.Op is BatchNormalization)
        ? new() : new() { LearningRate = UnnormalizedLearningRate, ClipNorm = UnnormalizedClipNorm };

    /// <summary>Passes over the training pictures; a fraction is fine.</summary>
    public double Epochs { get; init; } = 10;

    /// <summary>The count of steps in place of <see cref="Epochs"/>.</summary>
    public int? Steps { get; init; }

    /// <summary>Pictures of one step. What remains of an epoch after whole steps is left out, other pictures each time.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>The highest learning rate, reached when warm-up ends.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>What the learning rate falls to at the last step.</summary>
    public double FinalLearningRate { get; init; }

    /// <summary>Epochs of warm-up; at most half of the training.</summary>
    public double WarmUp { get; init; } = 0.5;

    /// <summary>The share of the last step's direction that is kept.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Momentum as Nesterov's: the gradient is looked ahead.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>The weight decay: this share of each kernel and matrix is added to its gradient.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>Weight decay on biases, slopes and BatchNormalization's scales too.</summary>
    public bool DecayAll { get; init; }

    /// <summary>The share of probability that is spread over all classes (Szegedy et al. 2016).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>The longest gradient, by its Euclidean norm over all numbers: a longer one is shortened to it (Pascanu et al. 2013); 0 for no bound.</summary>
    public double ClipNorm { get; init; }

    /// <summary>
    /// Network slimming (Liu et al. 2017): the weight of the sum of |scale| over all BatchNormalizations in the loss. It drives the scales of channels that the
    /// network can do without towards 0; the gradient is this much by the scale's sign.
    /// </summary>
    public double GammaL1 { get; init; }

    /// <summary>
    /// The decay of a moving average over the steps of all numbers and statistics, such as 0.999, which is then what is measured and returned; 0 for none.
    /// At step n, from 1, the decay is at most (n + 1) / (n + 10), so that the first weights are soon forgotten.
    /// </summary>
    public double Average { get; init; }

    /// <summary>What a teacher adds to the loss; null for none.</summary>
    public Distillation? Distillation { get; init; }

    /// <summary>
    /// Training pictures over which BatchNormalization's means and variances are estimated before the first step, as after surgery; 0 to begin with those that
    /// the network has. See <see cref="BatchNormStatistics"/>.
    /// </summary>
    public int EstimateOver { get; init; }

    /// <summary>Augmentation: pictures are shifted by up to this many pixels each way, black moving in: a crop after padding.</summary>
    public int Shift { get; init; }

    /// <summary>Augmentation: every other picture is mirrored.</summary>
    public bool Flip { get; init; }

    /// <summary>Augmentation: pictures are enlarged or reduced by a factor of up to this, and a part is cut out, or what lies outside filled with black that counts nowhere; 1 for none.</summary>
    public double Zoom { get; init; } = 1;

    /// <summary>Augmentation: brightness, contrast and the strength of each channel vary by up to this share; 0 for none.</summary>
    public double Tint { get; init; }

    /// <summary>How much rarer classes count more: each by its share of all truths to the power of minus this; 0 for all alike, 1 for each class as much as any other.</summary>
    public double Balance { get; init; }

    /// <summary>What stands beside the cross-entropy in the loss where each pixel is answered.</summary>
    public RegionLoss Region { get; init; }

    /// <summary>What everything random follows from, together with epoch and step.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>
    /// Threads, each of which takes an equal share of every batch, with BatchNormalization over its share; their gradients are summed in fixed order.
    /// The result depends on this count, but not on how fast each thread is.
    /// </summary>
    public int Threads { get; init; } = 1;

    /// <summary>
    /// Mixed precision (Micikevicius et al. 2018; Kalamkar et al. 2019): dense convolutions and matrix products, forwards and backwards, take and yield bfloat16, and what follows them takes
    /// it as it comes; transposed convolutions, those of groups, larger kernels than 1×1 that step over pixels, weights, their gradients, momentum, statistics, the loss and every measurement stay in Float32. Faster where <see cref="HasBFloat16"/>, slower elsewhere.
    /// </summary>
    public bool BFloat16 { get; init; }

    /// <summary>Whether this processor multiplies in bfloat16.</summary>
    public static bool HasBFloat16 { get; } = TorchRuntime.MultipliesBFloat16();

    /// <summary>How each trained weight is made up; by default every element is free.</summary>
    public Func<Node, Parameterization>? Parameterize { get; init; }

    /// <summary>Epochs between two measurements on the test pictures; 0 for none. The last step is measured unless 0.</summary>
    public int ValidateEvery { get; init; } = 1;

    /// <summary>The checkpoint's file; null for none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>The time after which a checkpoint is written, besides at each epoch's end.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The count of steps after which a checkpoint is written; 0 for time only.</summary>
    public int CheckpointEverySteps { get; init; }

    /// <summary>Goes on from the checkpoint where there is one; a training from the start where there is none.</summary>
    public bool Resume { get; init; }

    /// <summary>
    /// One of the parts that a training is cut into, so that a network can be changed between them: its share of the epochs or steps, a seed of its own, and a curve of the
    /// learning rate that begins where that of the part before ends, at a point of the whole's; only the first warms up.
    /// </summary>
    /// <param name="part">Which one, from 0.</param>
    /// <param name="parts">How many there are.</param>
    public TrainingOptions Part(int part, int parts)
    {
        double begin = Rate(part), end = Rate(part + 1);
        return this with
        {
            Epochs = Epochs / parts,
            Steps = Steps is { } steps ? (int)((long)steps * (part + 1) / parts - (long)steps * part / parts) : null,
            LearningRate = begin,
            FinalLearningRate = end,
            WarmUp = part == 0 ? WarmUp : 0,
            Seed = Seed + part,
        };

        double Rate(int at) => at == 0 ? LearningRate : at == parts ? FinalLearningRate
            : FinalLearningRate + (LearningRate - FinalLearningRate) * (1 + Math.Cos(Math.PI * at / parts)) / 2;
    }

    /// <summary>Throws unless all values make sense.</summary>
    /// <exception cref="PenjingException">One doesn't; the message names it.</exception>
    internal void Check()
    {
        Require(Steps is null or > 0, nameof(Steps), Steps);
        Require(Steps is not null || Epochs is > 0 and < 1e6, nameof(Epochs), Epochs);
        Require(Batch > 0, nameof(Batch), Batch);
        Require(LearningRate is > 0 and < 1e6, nameof(LearningRate), LearningRate);
        Require(FinalLearningRate >= 0 && FinalLearningRate <= LearningRate, nameof(FinalLearningRate), FinalLearningRate);
        Require(WarmUp >= 0 && double.IsFinite(WarmUp), nameof(WarmUp), WarmUp);
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum);
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay);
        Require(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing);
        Require(ClipNorm >= 0 && double.IsFinite(ClipNorm), nameof(ClipNorm), ClipNorm);
        Require(GammaL1 is >= 0 and < 1, nameof(GammaL1), GammaL1);
        Require(Average is >= 0 and < 1, nameof(Average), Average);
        Require(EstimateOver is 0 or > 1, nameof(EstimateOver), EstimateOver);
        Distillation?.Check();
        Require(Shift >= 0, nameof(Shift), Shift);
        Require(Zoom is >= 1 and <= 16, nameof(Zoom), Zoom);
        Require(Tint is >= 0 and < 1, nameof(Tint), Tint);
        Require(Balance is >= 0 and <= 2, nameof(Balance), Balance);
        Require(Enum.IsDefined(Region), nameof(Region), Region);
        Require(Threads > 0 && Threads <= Batch, nameof(Threads), Threads);
        Require(ValidateEvery >= 0, nameof(ValidateEvery), ValidateEvery);
        Require(CheckpointEverySteps >= 0, nameof(CheckpointEverySteps), CheckpointEverySteps);
        Require(!Resume || Checkpoint is not null, nameof(Checkpoint), "missing, but asked to resume");

        static void Require(bool condition, string name, object? value)
        {
            if (!condition) throw new PenjingException(string.Create(CultureInfo.InvariantCulture, $"training can't have the option {name} {value}"));
        }
    }

    /// <summary>The options that change the result, by name: what a checkpoint was made with must be what it is resumed with.</summary>
    internal IEnumerable<(string Name, string Value)> Essence()
    {
        yield return (nameof(Steps), Text(Steps));
        yield return (nameof(Epochs), Text(Steps is null ? Epochs : 0));
        yield return (nameof(Batch), Text(Batch));
        yield return (nameof(LearningRate), Text(LearningRate));
        yield return (nameof(FinalLearningRate), Text(FinalLearningRate));
        yield return (nameof(WarmUp), Text(WarmUp));
        yield return (nameof(Momentum), Text(Momentum));
        yield return (nameof(Nesterov), Text(Nesterov));
        yield return (nameof(WeightDecay), Text(WeightDecay));
        yield return (nameof(DecayAll), Text(DecayAll));
        yield return (nameof(LabelSmoothing), Text(LabelSmoothing));
        yield return (nameof(ClipNorm), Text(ClipNorm));
        yield return (nameof(GammaL1), Text(GammaL1));
        yield return (nameof(Average), Text(Average));
        yield return (nameof(EstimateOver), Text(EstimateOver));
        yield return (nameof(Distillation), Distillation?.Essence() ?? "");
        yield return (nameof(Shift), Text(Shift));
        yield return (nameof(Flip), Text(Flip));
        yield return (nameof(Zoom), Text(Zoom));
        yield return (nameof(Tint), Text(Tint));
        yield return (nameof(Balance), Text(Balance));
        yield return (nameof(Region), Text(Region));
        yield return (nameof(Seed), Text(Seed));
        yield return (nameof(Threads), Text(Threads));
        yield return (nameof(BFloat16), Text(BFloat16));

        static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
    }
}
