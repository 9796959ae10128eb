using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;

namespace Penjing.Cli;

/// <summary>How a picture becomes a network's input, written on a command line: bgr,mean=104/117/123,deviation=1,fit=stretch.</summary>
internal static class PictureRule
{
    private const string Form = "CHANNELS[,mean=M][,deviation=D][,fit=cover|stretch]";

    /// <summary>The option, which checks its form.</summary>
    public static Option<string> Option()
    {
        Option<string> option = Given.Path(new Option<string>("--preprocessing")
        {
            HelpName = "RULE",
            Description = $"Note in the file how a picture becomes its input, as {Form}: channels are gray, rgb or bgr; "
                + "each pixel from 0 to 255 becomes (pixel - mean) / deviation, "
                + "with one number for all channels or one for each, such as 104/117/123; "
                + "the picture is stretched to the input's size, or covers it and is cut (the default).",
        });
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: var text }]) return;
            try
            {
                Parse(text);
            }
            catch (PenjingException error)
            {
                result.AddError(error.Message);
            }
        });
        return option;
    }

    /// <summary>The rule in a text.</summary>
    /// <exception cref="PenjingException">The text has another form.</exception>
    public static Preprocessing Parse(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (!Enum.TryParse(parts[0], ignoreCase: true, out Channels channels) || int.TryParse(parts[0], out _))
            throw Wrong(text, $"'{parts[0]}' is none of gray, rgb, bgr");
        int count = channels is Channels.Gray ? 1 : 3;
        Preprocessing rule = new(channels, [.. Enumerable.Repeat(0f, count)], [.. Enumerable.Repeat(1f, count)]);
        foreach (string part in parts.Skip(1))
            rule = part.Split('=') switch
            {
                ["mean", var numbers] => rule with { Mean = Numbers(text, part, numbers, count) },
                ["deviation", var numbers] => Numbers(text, part, numbers, count) is var deviation && deviation.Contains(0)
                    ? throw Wrong(text, "a deviation is 0") : rule with { Deviation = deviation },
                ["fit", "cover"] => rule with { Fit = Fit.Cover },
                ["fit", "stretch"] => rule with { Fit = Fit.Stretch },
                _ => throw Wrong(text, $"'{part}' is none of mean=M, deviation=D, fit=cover, fit=stretch"),
            };
        return rule;
    }

    /// <summary>A rule in the form that it is given in.</summary>
    public static string Words(Preprocessing rule) =>
        $"{rule.Channels.ToString().ToLowerInvariant()},mean={Join(rule.Mean)},deviation={Join(rule.Deviation)},fit={rule.Fit.ToString().ToLowerInvariant()}";

    private static ImmutableArray<float> Numbers(string text, string part, string numbers, int count)
    {
        List<float> values = [];
        foreach (string number in numbers.Split('/'))
            values.Add(float.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) ? value
                : throw Wrong(text, $"'{number}' in '{part}' is no number"));
        if (values.Count == 1) return [.. Enumerable.Repeat(values[0], count)];
        return values.Count == count ? [.. values] : throw Wrong(text, $"'{part}' has {values.Count} numbers for {count} channel{(count == 1 ? "" : "s")}");
    }

    private static string Join(ImmutableArray<float> values) =>
        string.Join('/', (values.Distinct().Count() == 1 ? values.Take(1) : values).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private static PenjingException Wrong(string text, string why) =>
        new($"--preprocessing '{text}': {why}; the form is {Form}, for example bgr,mean=104/117/123,fit=stretch");
}
