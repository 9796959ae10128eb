using System.Collections.Immutable;
using Penjing.Training;

namespace Penjing.Cli;

/// <summary>A photo with the classes of its pixels laid over it, and a legend beside it. Letters are drawn from a table, since a device may have no fonts.</summary>
internal static class Overlay
{
    private const double SheetOpacity = 0.7;
    private const int Scale = 2, Advance = 4 * Scale, Line = 9 * Scale, Swatch = 6 * Scale, Margin = 4 * Scale;

    /// <summary>Letters of five rows, each an octal digit whose bits are its three pixels.</summary>
    private static readonly Dictionary<char, string> letters = Enumerable.Zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.%/",
        "25755 65656 34443 65556 74647 74644 34553 55755 72227 11152 55655 44447 57755 65555 25552 65644 25563 65655 34216 72222 55557 55552 55775 55255 55222 71247 75557 26227 61247 61216 55711 74616 34652 71222 25252 25316 00700 00002 51245 11244"
            .Split(' ')).ToDictionary(pair => pair.First, pair => pair.Second);

    /// <summary>The picture.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="mask">The class of each of its pixels, and the classes' colours.</param>
    /// <param name="legend">The classes that the legend names.</param>
    /// <param name="opacity">How much of the colours covers the photo, 0 to 1; of class 0 nothing does.</param>
    public static Picture Draw(Picture photo, MaskFile mask, IReadOnlyList<(int Label, string Text)> legend, double opacity)
    {
        int beside = legend.Count == 0 ? 0 : 3 * Margin + Swatch + Advance * legend.Max(entry => entry.Text.Length);
        Size size = new(Math.Max(photo.Size.Height, legend.Count == 0 ? 0 : 2 * Margin + Line * legend.Count), photo.Size.Width + beside);
        byte[] pixels = new byte[3 * size.Height * size.Width];
        Array.Fill(pixels, byte.MaxValue);
        ReadOnlySpan<byte> rgb = photo.To(Channels.Rgb).Pixels.Span, classes = mask.Classes.Span;
        for (int i = 0; i < classes.Length; i++)
        {
            (int row, int column) = (i / photo.Size.Width, i % photo.Size.Width);
            for (int c = 0; c < 3; c++)
                pixels[3 * (row * size.Width + column) + c] = classes[i] == 0 ? rgb[3 * i + c] : (byte)Math.Round((1 - opacity) * rgb[3 * i + c] + opacity * Channel(mask.Colors[classes[i]], c));
        }
        foreach ((int i, (int label, string text)) in legend.Index())
        {
            (int top, int left) = (Margin + i * Line, photo.Size.Width + Margin);
            Fill(top, left, Swatch, mask.Colors[label]);
            foreach ((int at, char letter) in text.ToUpperInvariant().Index())
                for (int bit = 0; letters.TryGetValue(letter, out string? rows) && bit < 15; bit++)
                    if (((rows[bit / 3] - '0') >> (2 - bit % 3) & 1) == 1) Fill(top + bit / 3 * Scale, left + Swatch + Margin + at * Advance + bit % 3 * Scale, Scale, 0);
        }
        return new(size, Channels.Rgb, pixels);

        void Fill(int top, int left, int side, int color)
        {
            for (int y = top; y < top + side; y++)
                for (int x = left; x < left + side; x++)
                    for (int c = 0; c < 3; c++) pixels[3 * (y * size.Width + x) + c] = (byte)Channel(color, c);
        }
    }

    /// <summary>A sheet of parses as PNG, with the classes that are on it as a legend; whole colours where there are no pictures below them.</summary>
    public static byte[] Draw(ParseSheet sheet, ImmutableArray<string> labels)
    {
        HashSet<byte> there = [.. sheet.Classes.Classes.Span];
        return Pictures.ToPng(Draw(sheet.Picture, sheet.Classes, [.. labels.Index().Where(one => one.Index > 0 && there.Contains((byte)one.Index))], sheet.MasksOnly ? 1 : SheetOpacity));
    }

    private static int Channel(int color, int channel) => color >> 8 * (2 - channel) & 0xff;
}
