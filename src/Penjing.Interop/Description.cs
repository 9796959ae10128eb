using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Interop;

/// <summary>Name, labels, colours and preprocessing as texts by name, for the foreign formats that have a place for such.</summary>
internal static class Description
{
    /// <summary>The texts of a model, without those that are empty.</summary>
    public static IEnumerable<(string Key, string Value)> Of(Model model)
    {
        (string Key, string Value)[] entries = [("name", model.Name), ("labels", string.Join('\n', model.Labels)), ("colors", string.Join(' ', model.Colors.Select(color => color.ToString("x6", CultureInfo.InvariantCulture))))];
        if (model.Preprocessing is { } picture)
        {
            entries =
            [
                .. entries, ("preprocessing.channels", picture.Channels.ToString()), ("preprocessing.mean", Join(picture.Mean)),
                ("preprocessing.deviation", Join(picture.Deviation)), ("preprocessing.fit", picture.Fit.ToString()),
            ];
        }
        return entries.Where(entry => entry.Value.Length > 0);
    }

    /// <summary>A model with what the texts say of it.</summary>
    /// <exception cref="ModelFormatException">A text is none that this class writes; the message names it.</exception>
    public static Model Describe(Model model, IReadOnlyDictionary<string, string> entries) => model with
    {
        Name = entries.GetValueOrDefault("name") ?? model.Name,
        Labels = entries.TryGetValue("labels", out string? labels) && labels.Length > 0 ? [.. labels.Split('\n')] : [],
        Colors = [.. entries.GetValueOrDefault("colors", "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Color)],
        Preprocessing = Preprocessing(entries) ?? model.Preprocessing,
    };

    private static int Color(string digits) => int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int color) && digits.Length == 6 ? color
        : throw new ModelFormatException($"the metadata's colors have '{digits}', which is no colour of six hexadecimal digits");

    private static Preprocessing? Preprocessing(IReadOnlyDictionary<string, string> entries)
    {
        if (!entries.TryGetValue("preprocessing.channels", out string? said)) return null;
        if (!Enum.TryParse(said, out Channels channels) || !Enum.IsDefined(channels))
            throw new ModelFormatException($"the metadata's preprocessing.channels are '{said}', not one of {string.Join(", ", Enum.GetNames<Channels>())}");
        Fit fit = Fit.Cover;
        if (entries.TryGetValue("preprocessing.fit", out string? how) && (!Enum.TryParse(how, out fit) || !Enum.IsDefined(fit)))
            throw new ModelFormatException($"the metadata's preprocessing.fit is '{how}', not one of {string.Join(", ", Enum.GetNames<Fit>())}");
        return new(channels, Numbers("preprocessing.mean"), Numbers("preprocessing.deviation"), fit);

        ImmutableArray<float> Numbers(string key)
        {
            string[] words = entries.GetValueOrDefault(key, "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var numbers = new float[words.Length];
            for (int i = 0; i < words.Length; i++)
                if (!float.TryParse(words[i], CultureInfo.InvariantCulture, out numbers[i]))
                    throw new ModelFormatException($"the metadata's {key} has '{words[i]}', which is no number");
            return [.. numbers];
        }
    }

    private static string Join(IEnumerable<float> values) => string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
}
