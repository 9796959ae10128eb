using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using Penjing.Interop;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The options of every verb that trains, and what they come to; only their defaults differ from verb to verb.</summary>
internal sealed class TrainingFlags
{
    private const int MostThreads = 8;
    private static readonly string[] augmentations = ["none", "shift", "flip", "all"];
    private readonly Option<double> epochs, rate, decay, momentum, warmUp, smoothing;
    private readonly Option<double> clip = Given.Number("--clip", "NORM", 0.0, 0, 1e6, "The longest gradient, by its norm; a longer one is shortened to it. 0 for no bound.");
    private readonly Option<double> average = Given.Number("--average", "DECAY", 0.0, 0, 0.99999, "The decay of a moving average of the weights over the steps, which is then the result, such as 0.999; 0 for none.");
    private readonly Option<int> estimate = Given.Number("--estimate", "PICTURES", 0, 0, int.MaxValue, "Training pictures over which BatchNormalization's means and variances are estimated before training; 0 for none.");
    private readonly Option<string?> teacher = Given.Path(new Option<string?>("--teacher")
    {
        HelpName = "MODEL",
        Description = $"The file of a trained network whose answers are learnt from besides the labels (knowledge distillation), such as the one before pruning: {Given.ReadableEndings}.",
    });
    private readonly Option<double> temperature = Given.Number("--temperature", "T", 4.0, 0.01, 1000, "With --teacher: what logits are divided by; the higher, the more the improbable classes tell.");
    private readonly Option<double> soft = Given.Number("--soft", "SHARE", 0.5, 0, 1, "With --teacher: the weight of its answers; the labels have the rest.");
    private readonly Option<int> batch = Given.Batch(128), seed = Given.Seed();
    private readonly Option<int?> threads = Given.Threads("Threads to train on (default: all processors, at most 8); the result depends on this count, but not on the machine's speed.");
    private readonly Option<string> augment = Given.OneOf("--augment", augmentations, "How training pictures are varied: shifted by up to a fourteenth of their height, mirrored, or both.");
    private readonly Option<string> checkpoint = Given.Path(new Option<string>("--checkpoint")
    {
        HelpName = "FOLDER",
        Description = "Where unfinished work is kept until it is done (default: the output's path with .work behind it).",
    });
    private readonly Option<bool> resume = new("--resume") { Description = "Go on with the unfinished work of the same command, where there is any." };

    /// <summary>The options with a verb's defaults.</summary>
    public TrainingFlags(double epochs, double rate, double warmUp, double smoothing = 0, string epochsAre = "Passes over the training pictures; a fraction is fine.")
    {
        this.epochs = Given.Number("--epochs", "N", epochs, 0.001, 100_000, epochsAre);
        this.rate = Given.LearningRate(rate);
        decay = Given.Number("--weight-decay", "RATE", 5e-4, 0, 0.99, "The share of each weight that is added to its gradient.");
        momentum = Given.Number("--momentum", "SHARE", 0.9, 0, 0.9999, "The share of the last step's direction that is kept.");
        this.warmUp = Given.Number("--warmup", "EPOCHS", warmUp, 0, 100_000, "Epochs in which the learning rate rises from 0.");
        this.smoothing = Given.Number("--label-smoothing", "SHARE", smoothing, 0, 0.99, "The share of probability that is spread over all classes.");
    }

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [epochs, batch, rate, decay, momentum, warmUp, smoothing, clip, average, estimate, teacher, temperature, soft, augment, seed, threads, checkpoint, resume];

    /// <summary>The options that say nothing of one training alone.</summary>
    public Symbol[] CommonSymbols => [batch, augment, seed, threads, checkpoint, resume];

    /// <summary>What these come to for pictures of this size.</summary>
    public TrainingOptions Common(ParseResult parsed, Size size)
    {
        string kind = parsed.GetValue(augment)!;
        return new()
        {
            Batch = parsed.GetValue(batch),
            Shift = kind is "shift" or "all" ? (size.Height + 13) / 14 : 0,
            Flip = kind is "flip" or "all",
            Seed = parsed.GetValue(seed),
            Threads = parsed.GetValue(threads) ?? Math.Min(MostThreads, Environment.ProcessorCount),
        };
    }

    /// <summary>What all options come to for pictures of this size.</summary>
    /// <exception cref="PenjingException">The teacher can't be read, or is missing but told how to teach.</exception>
    public TrainingOptions Options(ParseResult parsed, Size size) => Common(parsed, size) with
    {
        Epochs = parsed.GetValue(epochs),
        LearningRate = parsed.GetValue(rate),
        WeightDecay = parsed.GetValue(decay),
        Momentum = parsed.GetValue(momentum),
        WarmUp = parsed.GetValue(warmUp),
        LabelSmoothing = parsed.GetValue(smoothing),
        ClipNorm = parsed.GetValue(clip),
        Average = parsed.GetValue(average),
        EstimateOver = parsed.GetValue(estimate),
        Distillation = Taught(parsed),
    };

    /// <summary>What the training was besides the usual, in words for the history; each begins with a comma.</summary>
    public static string Besides(TrainingOptions options)
    {
        return If(options.GammaL1 > 0, $"L1 norm of scales by {options.GammaL1}") + If(options.ClipNorm > 0, $"gradients clipped to {options.ClipNorm}")
            + If(options.Average > 0, $"weights averaged by {options.Average}") + If(options.EstimateOver > 0, $"statistics estimated over {options.EstimateOver} pictures")
            + (options.Distillation is { } taught ? If(true, $"taught by {taught.Teacher.Name} at temperature {taught.Temperature} with weight {taught.Soft}") : "");

        static string If(bool condition, FormattableString words) => condition ? ", " + FormattableString.Invariant(words) : "";
    }

    /// <summary>The seed.</summary>
    public int Seed(ParseResult parsed) => parsed.GetValue(seed);

    private Distillation? Taught(ParseResult parsed)
    {
        if (parsed.GetValue(teacher) is { } path)
            return new(ModelFile.Read(path)) { Temperature = parsed.GetValue(temperature), Soft = parsed.GetValue(soft) };
        foreach (Option option in (Option[])[temperature, soft])
            if (parsed.GetResult(option) is { Implicit: false }) throw new PenjingException($"{option.Name} says how a teacher teaches: give --teacher too, or leave it out");
        return null;
    }

    /// <summary>The folder of the unfinished work: a new one, or with --resume the one that is there.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="output">The file that the work ends in.</param>
    /// <param name="source">The model file that it begins with, where there is one.</param>
    /// <param name="screen">Is told where the work is kept, for the case that it is stopped.</param>
    /// <exception cref="PenjingException">There is unfinished work, but no --resume; or it is that of another command.</exception>
    public WorkFolder Work(ParseResult parsed, string output, string? source, Screen screen)
    {
        string folder = parsed.GetValue(checkpoint) ?? output + ".work";
        if (WorkFolder.Exists(folder) && !parsed.GetValue(resume))
            throw new PenjingException($"'{folder}' holds unfinished work: add --resume to go on with it, or delete the folder to start anew");
        string[] without = [resume.Name, checkpoint.Name, "--json", "--out"];
        IEnumerable<(string, object?)> settings = parsed.CommandResult.Command.Options.Where(option => !without.Contains(option.Name) && option is not System.CommandLine.Help.HelpOption)
            .Select(option => (option.Name, parsed.GetResult(option) is OptionResult result ? (object?)string.Join(' ', result.Tokens) : null))
            .Append(("model", source is null ? string.Join(' ', parsed.CommandResult.Tokens.Select(token => token.Value).Take(1)) : Fingerprint(source)))
            .Append(("teacher's file", parsed.GetValue(teacher) is { } taught ? Fingerprint(taught) : null));
        WorkFolder work = WorkFolder.Open(folder, settings);
        screen.WhenStopped = $"unfinished work is kept in '{folder}': give the same command with --resume to go on";
        return work;

        static string Fingerprint(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
    }
}
