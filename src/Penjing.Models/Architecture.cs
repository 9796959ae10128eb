using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Models;

/// <summary>What the builders of the zoo share: checked parameters, scaled channels, names, preprocessing.</summary>
internal static class Architecture
{
    private static readonly ImmutableArray<float> imageNetMean = [123.675f, 116.28f, 103.53f], imageNetDeviation = [58.395f, 57.12f, 57.375f];

    /// <summary>Throws, naming the architecture and the parameter, unless all are positive and of a sane size.</summary>
    /// <param name="name">The architecture.</param>
    /// <param name="size">Height and width of the input picture.</param>
    /// <param name="channels">Channels of the input picture.</param>
    /// <param name="classes">Classes to tell apart.</param>
    /// <param name="width">A factor on every layer's channels.</param>
    /// <param name="least">Height and width of the smallest picture that the architecture takes.</param>
    /// <exception cref="PenjingException">One is not.</exception>
    public static void Check(string name, int size, int channels, int classes, double width = 1, int least = 1)
    {
        if (!(width is > 0 and <= 16)) throw Bad(name, nameof(width), width, "one above 0, and 16 at most");
        Between(least, 16384, name, nameof(size), size);
        Between(1, 65536, name, nameof(channels), channels);
        Between(1, 10_000_000, name, nameof(classes), classes);
    }

    /// <summary>The answer to a parameter that makes no network.</summary>
    public static PenjingException Bad(string name, string parameter, IFormattable value, string remedy) =>
        new($"{name} can't be built with {parameter} {value.ToString(null, CultureInfo.InvariantCulture)}: give {remedy}");

    private static void Between(int least, int most, string name, string parameter, int value)
    {
        if (value < least || value > most) throw Bad(name, parameter, value, string.Create(CultureInfo.InvariantCulture, $"one from {least} to {most}"));
    }

    /// <summary>Channels under a width multiplier: to the nearest multiple, and at least that.</summary>
    public static int Scaled(int channels, double width, int multiple = 8) =>
        Math.Max(multiple, (int)Math.Round(channels * width / multiple, MidpointRounding.AwayFromZero) * multiple);

    /// <summary>The name of a network: its architecture, its width if that is shown, its picture's size.</summary>
    public static string Name(string architecture, double? width, int size) => Name(architecture, width, Size.Square(size));

    /// <summary>The same for a picture that needn't be square.</summary>
    public static string Name(string architecture, double? width, Size size) => $"{architecture}{(width is { } factor ? $"-{Width(factor)}" : "")}-{Pixels(size)}";

    /// <summary>A picture's size as names and options have it: 224, or, where it is not square, height and width as in 384x256.</summary>
    public static string Pixels(Size size) => size.Height == size.Width ? $"{size.Height}" : $"{size.Height}x{size.Width}";

    /// <summary>The size that <see cref="Pixels"/> writes so.</summary>
    public static bool TryPixels(string text, out Size size)
    {
        size = default;
        string[] parts = text.Split('x');
        if (parts.Length > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int height) || !int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int width)) return false;
        size = new(height, width);
        return true;
    }

    /// <summary>A width as names show it, such as 1.0 and 0.75.</summary>
    public static string Width(double width) => width.ToString("0.0###############", CultureInfo.InvariantCulture);

    /// <summary>The whole of a network: its answer, as probabilities if asked for, under a name.</summary>
    public static Model Model(string name, Node logits, bool softmax, Preprocessing? preprocessing) =>
        new(new Graph(softmax ? new Node("probabilities", new Softmax(), logits) : logits)) { Name = name, Preprocessing = preprocessing };

    /// <summary>Pictures less ImageNet's mean over its deviation; those of one channel, by what these are in luminance. Null unless there are 1 or 3.</summary>
    public static Preprocessing? ImageNet(int channels) => channels switch
    {
        1 => new(Channels.Gray, [117], [57.5f]),
        3 => new(Channels.Rgb, imageNetMean, imageNetDeviation),
        _ => null,
    };

    /// <summary>Pixels from 0 to 255 as (pixel − mean) / deviation, the same for each channel. Null unless there are 1 or 3.</summary>
    public static Preprocessing? Uniform(int channels, float mean, float deviation) => channels switch
    {
        1 => new(Channels.Gray, [mean], [deviation]),
        3 => new(Channels.Rgb, [mean, mean, mean], [deviation, deviation, deviation]),
        _ => null,
    };
}
