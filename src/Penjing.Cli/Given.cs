using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Penjing.Interop;
using Penjing.Models;

namespace Penjing.Cli;

/// <summary>The arguments and options that more than one verb takes: one name, one meaning, one check, everywhere.</summary>
internal static class Given
{
    /// <summary>The endings of the files that can be read, for the help.</summary>
    public static string ReadableEndings { get; } = string.Join(", ", ModelFile.Formats.Where(format => format.CanRead).Select(format => format.Ending));

    /// <summary>The endings of the files that can be written, for the help.</summary>
    public static string WritableEndings { get; } = string.Join(", ", ModelFile.Formats.Where(format => format.CanWrite).Select(format => format.Ending));

    /// <summary>A model file of any readable format.</summary>
    public static Argument<string> Model(string what = "The network's file") => Path(new Argument<string>("MODEL") { Description = $"{what}: {ReadableEndings}." });

    /// <summary>Where the result goes.</summary>
    public static Option<string> Out(string name = "FILE", string description = "Where the model is written (.penjing).", bool required = true) =>
        Path(new Option<string>("--out", "-o") { HelpName = name, Description = description, Required = required });

    /// <summary>Which pictures.</summary>
    public static Option<string> Data(string? standard = null)
    {
        Option<string> option = new("--data")
        {
            HelpName = "NAME|FOLDER",
            Description = "The data set: fashion-mnist, a folder of MNIST-style IDX files, a folder with train/CLASS/*.png and test/CLASS/*.png (or .jpg), or one of pictures and masks: photos/, masks/ and classes.json, or as ATR or LIP are laid out.",
            Required = standard is null,
        };
        if (standard is not null) option.DefaultValueFactory = _ => standard;
        return Path(option);
    }

    /// <summary>Machine-readable output.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print JSON on the standard output and nothing else there." };

    /// <summary>Pictures handled at once.</summary>
    public static Option<int> Batch(int standard, string description = "Pictures handled at once.") => Number("--batch", "N", standard, 1, 65_536, description);

    /// <summary>The size of a network's picture.</summary>
    public static Option<Size?> Pixels(string description)
    {
        Option<Size?> option = new("--size")
        {
            HelpName = "PIXELS",
            Description = description,
            CustomParser = result =>
            {
                if (Architecture.TryPixels(result.Tokens[0].Value, out Size size) && size is { Height: >= 1 and <= 4096, Width: >= 1 and <= 4096 }) return size;
                result.AddError($"--size must be a whole number from 1 to 4096, or two as in 384x256, not '{result.Tokens[0].Value}'");
                return null;
            },
        };
        return Checked(option);
    }

    /// <summary>Timed runs.</summary>
    public static Option<int> Runs(int standard) => Number("--runs", "N", standard, 1, 1_000_000, "Timed runs; those of the warm-up come before.");

    /// <summary>Worker threads.</summary>
    public static Option<int?> Threads(string description = "Threads to use (default: what suits the machine).") => Maybe("--threads", "N", 1, 1024, description);

    /// <summary>What all chance follows from.</summary>
    public static Option<int> Seed() => Number("--seed", "N", 1, 0, int.MaxValue, "What initial weights, order and augmentation follow from: the same seed and the same --threads give the same result to the bit.");

    /// <summary>The network that teaches.</summary>
    public static Option<string?> Teacher(string description) => Path(new Option<string?>("--teacher") { HelpName = "MODEL", Description = $"{description}: {ReadableEndings}." });

    /// <summary>A word that may be left out.</summary>
    public static Argument<string?> Optional(string name, string description) => Path(new Argument<string?>(name) { Description = description, Arity = ArgumentArity.ZeroOrOne });

    /// <summary>The weight of the L1 norm of BatchNormalization's scales.</summary>
    public static Option<double> GammaL1(string description) => Number("--gamma-l1", "RATE", 0.0, 0, 0.99, description);

    /// <summary>An option with a number in a range.</summary>
    public static Option<T> Number<T>(string name, string unit, T standard, T least, T most, string description) where T : struct, INumber<T> => Checked(new Option<T>(name)
    {
        HelpName = unit,
        Description = description,
        DefaultValueFactory = _ => standard,
        CustomParser = result => Parse(result, name, least, most),
    });

    /// <summary>An option with a number in a range, null where it isn't given.</summary>
    public static Option<T?> Maybe<T>(string name, string unit, T least, T most, string description) where T : struct, INumber<T> => Checked(new Option<T?>(name)
    {
        HelpName = unit,
        Description = description,
        CustomParser = result => Parse(result, name, least, most),
    });

    /// <summary>An option with one of a few words; the first is the default.</summary>
    public static Option<string> OneOf(string name, string[] words, string description)
    {
        Option<string> option = new(name) { HelpName = string.Join('|', words), Description = description, DefaultValueFactory = _ => words[0] };
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !words.Contains(token.Value)) is { } token) result.AddError($"{name} must be one of {string.Join(", ", words)}, not '{token.Value}'");
        });
        return option;
    }

    /// <summary>An option with a number for a single layer, which may be given several times.</summary>
    public static Option<string[]> PerLayer<T>(string name, string unit, string standard, T least, T most, string description) where T : struct, INumber<T>
    {
        Option<string[]> option = Path(new Option<string[]>(name) { HelpName = $"LAYER={unit}", Description = $"{description}, such as {standard}; may be given several times." });
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => OfLayer<T>(token.Value) is not { } number || number.Value < least || number.Value > most) is { } token)
                result.AddError($"{name} needs LAYER={unit} with a number from {least} to {most}, such as {standard}, not '{token.Value}'");
        });
        return option;
    }

    /// <summary>The numbers that such an option was given; of a layer that was named twice, the last.</summary>
    public static ImmutableSortedDictionary<string, T> PerLayer<T>(ParseResult parsed, Option<string[]> option) where T : struct, INumber<T> =>
        (parsed.GetValue(option) ?? []).Select(text => OfLayer<T>(text)!.Value).Reverse().DistinctBy(number => number.Key).ToImmutableSortedDictionary();

    /// <summary>Throws where options were given that mean nothing beside another one.</summary>
    /// <exception cref="UsageException">One was; the message names both.</exception>
    public static void RefuseBeside(ParseResult parsed, string other, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
            if (parsed.GetResult(option) is { Implicit: false }) throw new UsageException($"{option.Name} means nothing with {other}: leave one of them out");
    }

    /// <summary>Throws where an option is given that only says more of one that is not.</summary>
    /// <exception cref="UsageException">There is such an option.</exception>
    public static void RefuseWithout(ParseResult parsed, Option needed, params ReadOnlySpan<Option> options)
    {
        foreach (Option option in options)
            if (parsed.GetResult(option) is { Implicit: false }) throw new UsageException($"{option.Name} says more of {needed.Name}: give {needed.Name} too, or leave it out");
    }

    /// <summary>A text option that doesn't swallow the option behind it: a value that begins with a dash is refused.</summary>
    public static Option<T> Path<T>(Option<T> option)
    {
        option.Validators.Add(result => Refuse(result, option.Name));
        return option;
    }

    /// <summary>A text argument that doesn't swallow a misspelt option: a value that begins with a dash is refused.</summary>
    public static Argument<T> Path<T>(Argument<T> argument)
    {
        argument.Validators.Add(result => Refuse(result, argument.Name));
        return argument;
    }

    // A number may be negative, but never an option.
    private static Option<T> Checked<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith("--", StringComparison.Ordinal)) is { } token)
                result.AddError($"{option.Name} needs a number, not '{token.Value}'");
        });
        return option;
    }

    private static void Refuse(SymbolResult result, string name)
    {
        if (result.Tokens.FirstOrDefault(token => token.Value.Length > 1 && token.Value[0] == '-') is not { } token) return;
        result.AddError(name[0] == '-'
            ? $"{name} needs a value, not the option '{token.Value}'"
            : $"there is no option '{token.Value}' here (a file of that name is written ./{token.Value})");
    }

    private static T Parse<T>(ArgumentResult result, string name, T least, T most) where T : struct, INumber<T>
    {
        string text = result.Tokens[0].Value;
        NumberStyles style = typeof(T) == typeof(int) ? NumberStyles.AllowLeadingSign : NumberStyles.Float;
        if (!T.TryParse(text, style, CultureInfo.InvariantCulture, out T value) || T.IsNaN(value))
            result.AddError($"{name} needs a number such as {least}, not '{text}'");
        else if (value < least || value > most)
            result.AddError($"{name} must be from {least} to {most}, not {text}");
        return value;
    }

    private static KeyValuePair<string, T>? OfLayer<T>(string text) where T : struct, INumber<T>
    {
        int at = text.LastIndexOf('=');
        return at > 0 && T.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out T number) ? new(text[..at], number) : null;
    }
}
