using System.CommandLine;
using Penjing.Compression;

namespace Penjing.Cli;

/// <summary>The options that say which channels are cut, and what they come to.</summary>
internal sealed class PruningFlags
{
    private const string ByMultiple = "multiple", ByTime = "time", Layer = "layer", Global = "global";

    private readonly Option<string> score = ScoreOption();
    private readonly Option<string> ranking = Given.OneOf("--ranking", [Layer, Global, "isomorphic"],
        "Among which layers channels compete: none (each gives the same share), all, or those in the same place of the same topology.");
    private readonly Option<string> round = Given.OneOf("--round", [ByMultiple, ByTime],
        "How the channels that stay are rounded: to a --multiple, or to where the layers around them take least time for a channel, as measured on this machine.");
    private readonly Option<int> multiple = Given.Number("--multiple", "N", 16, 1, 1024, "What the channels that stay are rounded to a multiple of, less where a layer has few; 16 suits the kernels.");
    private readonly Option<string[]> ratios = Given.PerLayer("--layer-ratio", "SHARE", "conv1=0.25", 0.0, 0.99, "Where channels don't compete: the share of a single layer's channels in place of --ratio");
    private readonly Option<string[]> caps = Given.PerLayer("--cap", "SHARE", "conv1=0.25", 0.0, 1, "The most that a layer gives");
    private readonly Option<string[]> keep = Given.Path(new Option<string[]>("--keep") { HelpName = "LAYER", Description = "A layer that keeps all of its channels; may be given several times." });

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [score, ranking, ratios, caps, keep, round, multiple];

    /// <summary>An option with the name of an importance.</summary>
    public static Option<string> ScoreOption() => Given.OneOf("--score", [.. Scores.Names],
        "What makes a channel important: the norm of its weights, their distance from the others', its normalization's scale, its share of its readers' variance, the loss's derivative, or chance.");

    /// <summary>Throws where an option was given that another one overrules.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="slims">Whether BatchNormalization's scales decide over all layers, as network slimming has it.</param>
    /// <exception cref="PenjingException">One was; the message names both.</exception>
    public void Check(ParseResult parsed, bool slims)
    {
        if (slims && parsed.GetValue(score) != Scores.BatchNorm) Given.RefuseBeside(parsed, "--gamma-l1", score);
        if (slims && parsed.GetValue(ranking) != Global) Given.RefuseBeside(parsed, "--gamma-l1", ranking);
        if (slims) Given.RefuseBeside(parsed, "--gamma-l1", ratios);
        if (parsed.GetValue(ranking) != Layer) Given.RefuseBeside(parsed, $"--ranking {parsed.GetValue(ranking)}", ratios);
        if (parsed.GetValue(round) == ByTime) Given.RefuseBeside(parsed, $"--round {ByTime}", multiple);
    }

    /// <summary>The importance and the ranking in words.</summary>
    public string Words(ParseResult parsed) => parsed.GetValue(score) + (parsed.GetValue(ranking) is not Layer and var rivals ? $", {rivals}" : "");

    /// <summary>What the options come to.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="ratio">The share that is cut in the end.</param>
    /// <param name="rounds">In how many rounds.</param>
    /// <param name="slims">Whether BatchNormalization's scales decide over all layers.</param>
    public PruneStage Stage(ParseResult parsed, double ratio, int rounds, bool slims) => new()
    {
        Ratio = ratio,
        Rounds = rounds,
        Score = slims ? Scores.BatchNorm : parsed.GetValue(score)!,
        Ranking = slims ? Ranking.Global : parsed.GetValue(ranking) switch { Global => Ranking.Global, "isomorphic" => Ranking.Isomorphic, _ => Ranking.PerFamily },
        Ratios = Given.PerLayer<double>(parsed, ratios),
        Caps = Given.PerLayer<double>(parsed, caps),
        Keep = [.. parsed.GetValue(keep) ?? []],
        Round = parsed.GetValue(round) == ByTime ? ChannelRounding.Time : ChannelRounding.Multiple,
        Multiple = parsed.GetValue(multiple),
    };
}
