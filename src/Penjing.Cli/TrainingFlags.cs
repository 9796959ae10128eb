using System.CommandLine;
using System.Globalization;
using Penjing.Interop;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The options of every verb that trains, and what they come to; only their defaults differ from verb to verb.</summary>
internal sealed class TrainingFlags
{
    private readonly double usualRate;
    private readonly Option<double> epochs, decay, momentum, warmUp, smoothing;
    private readonly Option<double?> rate, clip = Given.Maybe("--clip", "NORM", 0.0, 1e6,
        string.Create(CultureInfo.InvariantCulture, $"The longest gradient, by its norm; a longer one is shortened to it (default: {TrainingOptions.UnnormalizedClipNorm} for a network without BatchNormalization, else 0, which is no bound)."));
    private readonly Option<double> average = Given.Number("--average", "DECAY", 0.0, 0, 0.99999, "The decay of a moving average of the weights over the steps, which is then the result, such as 0.999; 0 for none.");
    private readonly Option<int> estimate = Given.Number("--estimate", "PICTURES", 0, 0, int.MaxValue, "Training pictures over which BatchNormalization's means and variances are estimated before training; 0 for none.");
    private readonly Option<string?> teacher = Given.Teacher("The file of a trained network whose answers are learnt from besides the labels (knowledge distillation), such as the one before pruning");
    private readonly Option<double> temperature = Given.Number("--temperature", "T", 4.0, 0.01, 1000, "With --teacher: what logits are divided by; the higher, the more the improbable classes tell.");
    private readonly Option<double> soft = Given.Number("--soft", "SHARE", 0.5, 0, 1, "With --teacher: the weight of its answers; the labels have the rest.");
    private readonly Option<string[]> features = Given.Path(new Option<string[]>("--feature")
    {
        HelpName = "NAME[=NAME]",
        Description = "With --teacher: a value inside that is drawn to the teacher's, by the names of the two nodes, or the one that both have; may be given several times.",
        AllowMultipleArgumentsPerToken = false,
    });
    private readonly Option<double> featureWeight = Given.Number("--feature-weight", "WEIGHT", 1.0, 0, 1e6, "With --feature: how much the mean squared difference counts.");
    private readonly WorkFlags work;

    /// <summary>The options with a verb's defaults.</summary>
    public TrainingFlags(double epochs, double rate, double warmUp, double smoothing = 0, string epochsAre = "Passes over the training pictures; a fraction is fine.", double fewest = 0.001, bool takesBFloat16 = true)
    {
        work = new(takesBFloat16);
        this.epochs = Given.Number("--epochs", "N", epochs, fewest, 100_000, epochsAre);
        usualRate = rate;
        this.rate = Given.Maybe("--lr", "RATE", 1e-9, 1e3, string.Create(CultureInfo.InvariantCulture,
            $"The learning rate after the warm-up; it then falls to 0 along a cosine (default: {rate}{(rate > TrainingOptions.UnnormalizedLearningRate ? $", or {TrainingOptions.UnnormalizedLearningRate} for a network without BatchNormalization" : "")})."));
        decay = Given.Number("--weight-decay", "RATE", 5e-4, 0, 0.99, "The share of each weight that is added to its gradient.");
        momentum = Given.Number("--momentum", "SHARE", 0.9, 0, 0.9999, "The share of the last step's direction that is kept.");
        this.warmUp = Given.Number("--warmup", "EPOCHS", warmUp, 0, 100_000, "Epochs in which the learning rate rises from 0.");
        this.smoothing = Given.Number("--label-smoothing", "SHARE", smoothing, 0, 0.99, "The share of probability that is spread over all classes.");
    }

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [epochs, rate, decay, momentum, warmUp, smoothing, clip, average, estimate, teacher, temperature, soft, features, featureWeight, .. work.Symbols];

    /// <summary>Throws where an option of a training is given, but no epochs of one.</summary>
    /// <exception cref="PenjingException">One is; the message names it.</exception>
    public void RefuseUntrained(ParseResult parsed) =>
        Given.RefuseWithout(parsed, epochs, [rate, decay, momentum, warmUp, smoothing, clip, average, estimate, teacher, temperature, soft, features, featureWeight, .. work.OfTraining]);

    /// <summary>The file of the network that teaches, or null.</summary>
    public string? Teacher(ParseResult parsed) => parsed.GetValue(teacher);

    /// <summary>What the options come to for pictures of this size.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="size">The pictures' size.</param>
    /// <param name="reading">How files are read, the teacher's too.</param>
    /// <param name="source">The file, or the name, of the network that is trained.</param>
    /// <param name="network">The network that is trained.</param>
    /// <exception cref="PenjingException">The teacher can't be read, or is missing but told how to teach.</exception>
    public TrainingOptions Options(ParseResult parsed, Size size, Reading reading, string source, Graph network) => work.Options(parsed, size) with
    {
        Epochs = parsed.GetValue(epochs),
        LearningRate = parsed.GetValue(rate) ?? Math.Min(usualRate, TrainingOptions.For(network).LearningRate),
        WeightDecay = parsed.GetValue(decay),
        Momentum = parsed.GetValue(momentum),
        WarmUp = parsed.GetValue(warmUp),
        LabelSmoothing = parsed.GetValue(smoothing),
        ClipNorm = parsed.GetValue(clip) ?? TrainingOptions.For(network).ClipNorm,
        Average = parsed.GetValue(average),
        EstimateOver = parsed.GetValue(estimate),
        Distillation = Taught(parsed, reading, source),
    };

    /// <summary>What the training was besides the usual, in words for the history; each begins with a comma.</summary>
    public static string Besides(TrainingOptions options)
    {
        return If(options.GammaL1 > 0, $"L1 norm of scales by {options.GammaL1}") + If(options.ClipNorm > 0, $"gradients clipped to {options.ClipNorm}")
            + If(options.Average > 0, $"weights averaged by {options.Average}") + If(options.EstimateOver > 0, $"statistics estimated over {options.EstimateOver} pictures")
            + If(options.Zoom > 1, $"zoomed up to {options.Zoom}") + If(options.Tint > 0, $"tinted by {options.Tint}") + If(options.Balance > 0, $"classes balanced by {options.Balance}")
            + If(options.Region is not RegionLoss.None, $"{options.Region} loss") + If(options.BFloat16, $"in bfloat16")
            + (options.Distillation is { } taught ? If(true, $"taught by {taught.Teacher.Name} at temperature {taught.Temperature} with weight {taught.Soft}{(taught.Features.IsEmpty ? "" : $" and in {string.Join(", ", taught.Features.Select(pair => pair.Student))}")}") : "");

        static string If(bool condition, FormattableString words) => condition ? ", " + FormattableString.Invariant(words) : "";
    }

    /// <summary>The seed.</summary>
    public int Seed(ParseResult parsed) => work.Seed(parsed);

    private Distillation? Taught(ParseResult parsed, Reading reading, string source)
    {
        if (parsed.GetValue(teacher) is { } path)
            return new(reading.Read(parsed, path, beside: source)) { Temperature = parsed.GetValue(temperature), Soft = parsed.GetValue(soft), Features = [.. (parsed.GetValue(features) ?? []).Select(Pair)] };
        Given.RefuseWithout(parsed, teacher, temperature, soft, features, featureWeight);
        return null;

        FeaturePair Pair(string names) => new(names.Split('=')[0], names.Split('=', 2)[^1], parsed.GetValue(featureWeight));
    }

    /// <summary>The folder of the unfinished work; see <see cref="WorkFlags.Folder"/>.</summary>
    public WorkFolder Work(ParseResult parsed, string output, string? source, Screen screen) => work.Folder(parsed, output, source, screen, parsed.GetValue(teacher));
}
