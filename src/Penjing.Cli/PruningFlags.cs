using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>The options that say which channels are cut, and what they come to.</summary>
internal sealed class PruningFlags
{
    private const string ByMultiple = "multiple", ByTime = "time", BatchNorm = "batchnorm", Layer = "layer";

    private readonly Option<string> score = ScoreOption();
    private readonly Option<string> ranking = Given.OneOf("--ranking", [Layer, "global", "isomorphic"],
        "Among which layers channels compete: none (each gives the same share), all, or those in the same place of the same topology.");
    private readonly Option<string> round = Given.OneOf("--round", [ByMultiple, ByTime],
        "How the channels that stay are rounded: to a --multiple, or to where the layers around them take least time for a channel, as measured on this machine.");
    private readonly Option<int> multiple = Given.Number("--multiple", "N", 16, 1, 1024, "What the channels that stay are rounded to a multiple of, less where a layer has few; 16 suits the kernels.");
    private readonly Option<string[]> ratios = Shares("--layer-ratio", "Where channels don't compete: the share of a single layer's channels in place of --ratio, such as conv1=0.25; may be given several times.");
    private readonly Option<string[]> caps = Shares("--cap", "The most that a layer gives, such as conv1=0.25; may be given several times.");
    private readonly Option<string[]> keep = Given.Path(new Option<string[]>("--keep") { HelpName = "LAYER", Description = "A layer that keeps all of its channels; may be given several times." });

    /// <summary>The options, in the order of the help.</summary>
    public Symbol[] Symbols => [score, ranking, ratios, caps, keep, round, multiple];

    /// <summary>An option with the name of an importance.</summary>
    public static Option<string> ScoreOption() => Given.OneOf("--score", [.. Scores.Names],
        "What makes a channel important: the norm of its weights, their distance from the others', its normalization's scale, its share of its readers' variance, the loss's derivative, or chance.");

    /// <summary>The importance that the command line names, where that is another than BatchNormalization's scales.</summary>
    public string? Other(ParseResult parsed) => parsed.GetResult(score) is { Implicit: false } && parsed.GetValue(score) is not BatchNorm and var other ? other : null;

    /// <summary>The importance and the ranking in words.</summary>
    public string Words(ParseResult parsed) => parsed.GetValue(score) + (parsed.GetValue(ranking) is not Layer and var rivals ? $", {rivals}" : "");

    /// <summary>What the options come to.</summary>
    public PruningOptions Options(ParseResult parsed, Model model, DataSet data, int seed, CancellationToken stop) => new()
    {
        Importance = Scores.Of(parsed.GetValue(score)!, model, data, seed),
        Ranking = parsed.GetValue(ranking) switch { "global" => Ranking.Global, "isomorphic" => Ranking.Isomorphic, _ => Ranking.PerFamily },
        Absolute = parsed.GetValue(score) == BatchNorm,
        Ratios = Named(parsed.GetValue(ratios)),
        Caps = Named(parsed.GetValue(caps)),
        Keep = (parsed.GetValue(keep) ?? []).ToImmutableHashSet(),
        Multiple = parsed.GetValue(multiple),
        Milliseconds = parsed.GetValue(round) == ByTime ? new LayerClock(new(Threads: 1, Batch: 1), stop).Milliseconds : null,
    };

    private static Option<string[]> Shares(string name, string description)
    {
        Option<string[]> option = Given.Path(new Option<string[]>(name) { HelpName = "LAYER=SHARE", Description = description });
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => Parse(token.Value) is null) is { } token) result.AddError($"{name} needs LAYER=SHARE with a share from 0 to 1, such as conv1=0.25, not '{token.Value}'");
        });
        return option;
    }

    private static ImmutableDictionary<string, double> Named(string[]? shares) =>
        (shares ?? []).Select(text => Parse(text)!.Value).Reverse().DistinctBy(share => share.Key).ToImmutableDictionary();

    private static KeyValuePair<string, double>? Parse(string text)
    {
        int at = text.LastIndexOf('=');
        return at > 0 && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is >= 0 and <= 1
            ? new(text[..at], share) : null;
    }
}
