using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The options of long work that say nothing of one training alone: pictures, chance, threads, and where unfinished work is kept.</summary>
/// <param name="takesBFloat16">Whether the work can go on in bfloat16.</param>
internal sealed class WorkFlags(bool takesBFloat16 = true)
{
    private const int MostThreads = 8;
    private static readonly string[] augmentations = ["none", "shift", "flip", "all"];
    private readonly Option<int> batch = Given.Batch(128), seed = Given.Seed();
    private readonly Option<int?> threads = Given.Threads("Threads to train on (default: all processors, at most 8); the result depends on this count, but not on the machine's speed.");
    private readonly Option<string> augment = Given.OneOf("--augment", augmentations, "How training pictures are varied: shifted by up to a fourteenth of their height, mirrored, or both.");
    private readonly Option<double> zoom = Given.Number("--zoom", "FACTOR", 1.0, 1, 16, "How training pictures are varied: enlarged or reduced by a factor of up to this, what is seen cut out anywhere.");
    private readonly Option<double> tint = Given.Number("--tint", "SHARE", 0.0, 0, 0.99, "How training pictures are varied: brightness, contrast and colours by up to this share.");
    private readonly Option<double> balance = Given.Number("--balance", "POWER", 0.0, 0, 2, "How much rarer classes count more: by their share of all pictures or pixels to the power of minus this; 1 makes all classes count alike.");
    private readonly Option<string> region = Given.OneOf("--region", ["none", "lovasz", "dice"], "For pictures with masks: what stands in the loss beside the cross-entropy, which by itself serves frequent classes.");
    private readonly Option<bool> bfloat16 = new("--bfloat16")
    {
        Description = "Train in mixed precision: convolutions and products in bfloat16, weights and measurements in Float32. Faster where the processor multiplies in it (AVX-512 BF16, AMX).",
    };
    private readonly Option<string> checkpoint = Given.Path(new Option<string>("--checkpoint")
    {
        HelpName = "FOLDER",
        Description = "Where unfinished work is kept until it is done (default: the output's path with .work behind it).",
    });
    private readonly Option<bool> resume = new("--resume") { Description = "Go on with the unfinished work of the same command, where there is any." };

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [batch, augment, zoom, tint, balance, region, seed, threads, .. takesBFloat16 ? [bfloat16] : Array.Empty<Symbol>(), checkpoint, resume];

    /// <summary>Those that mean nothing where nothing is trained.</summary>
    public Option[] OfTraining => [batch, augment, zoom, tint, balance, region, threads, bfloat16, checkpoint, resume];

    /// <summary>What they come to for pictures of this size.</summary>
    public TrainingOptions Options(ParseResult parsed, Size size)
    {
        string kind = parsed.GetValue(augment)!;
        return new()
        {
            Batch = parsed.GetValue(batch),
            Shift = kind is "shift" or "all" ? (size.Height + 13) / 14 : 0,
            Flip = kind is "flip" or "all",
            Zoom = parsed.GetValue(zoom),
            Tint = parsed.GetValue(tint),
            Balance = parsed.GetValue(balance),
            Region = Enum.Parse<RegionLoss>(parsed.GetValue(region)!, ignoreCase: true),
            Seed = parsed.GetValue(seed),
            Threads = parsed.GetValue(threads) ?? Math.Min(MostThreads, Environment.ProcessorCount),
            BFloat16 = takesBFloat16 && parsed.GetValue(bfloat16),
        };
    }

    /// <summary>The seed.</summary>
    public int Seed(ParseResult parsed) => parsed.GetValue(seed);

    /// <summary>The folder of the unfinished work: a new one, or with --resume the one that is there.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="output">The file that the work ends in.</param>
    /// <param name="source">The model file that it begins with, where there is one.</param>
    /// <param name="screen">Is told where the work is kept, for the case that it is stopped.</param>
    /// <param name="teacher">The file of the network that teaches, where there is one.</param>
    /// <exception cref="PenjingException">There is unfinished work, but no --resume; or it is that of another command.</exception>
    public WorkFolder Folder(ParseResult parsed, string output, string? source, Screen screen, string? teacher = null)
    {
        string folder = parsed.GetValue(checkpoint) ?? output + ".work";
        if (WorkFolder.Exists(folder) && !parsed.GetValue(resume))
            throw new PenjingException($"'{folder}' holds unfinished work: add --resume to go on with it, or delete the folder to start anew");
        if (takesBFloat16 && parsed.GetValue(bfloat16) && !TrainingOptions.HasBFloat16) screen.Note("this processor has no instructions for products of bfloat16: training in Float32 is likely faster");
        string[] without = [resume.Name, checkpoint.Name, "--json", "--out", "--html"];
        IEnumerable<(string, object?)> settings = parsed.CommandResult.Command.Options.Where(option => !without.Contains(option.Name) && option is not System.CommandLine.Help.HelpOption)
            .Select(option => (option.Name, option is Option<bool> flag ? parsed.GetValue(flag) : parsed.GetResult(option) is OptionResult result ? (object?)string.Join(' ', result.Tokens) : null))
            .Append(("model", source is null ? string.Join(' ', parsed.CommandResult.Tokens.Select(token => token.Value).Take(1)) : Fingerprint(source)))
            .Append(("teacher's file", teacher is null ? null : Fingerprint(teacher)));
        WorkFolder work = WorkFolder.Open(folder, settings);
        screen.WhenStopped = $"unfinished work is kept in '{folder}': give the same command with --resume to go on";
        return work;

        static string Fingerprint(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
    }
}
