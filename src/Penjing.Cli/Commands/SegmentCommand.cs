using System.CommandLine;
using System.Globalization;
using Penjing.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Penjing.Cli;

/// <summary>penjing segment: what each pixel of a photo is, laid over it, and as a mask.</summary>
internal static class SegmentCommand
{
    private static readonly Argument<string> model = Given.Model("The file of a network that answers each pixel");
    private static readonly Argument<string> photo = Given.Path(new Argument<string>("PICTURE") { Description = $"The picture: {string.Join(", ", Pictures.Extensions)}." });
    private static readonly Reading reading = new();
    private static readonly Option<string> output = Given.Out("FILE", "Where the picture with the classes' colours laid over it, and a legend, is written (.png).");
    private static readonly Option<string> mask = Given.Path(new Option<string>("--mask") { HelpName = "FILE", Description = "Where the mask is written: a PNG in the picture's size whose palette index is the class." });
    private static readonly Option<double> opacity = Given.Number("--opacity", "SHARE", 0.6, 0, 1, "How much of the colours covers the picture.");
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Tune tune = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("segment", "Finds the class of each pixel of a picture, and draws it.",
        ["penjing segment parser.penjing photo.jpg -o parsed.png", "penjing segment parser.penjing photo.jpg -o parsed.png --mask mask.png --opacity 0.4 --json"],
        Run, [model, photo, output, mask, opacity, threads, tune.Symbol, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        string source = parsed.GetRequiredValue(model), picture = parsed.GetRequiredValue(photo), target = Destination.Drawn(parsed.GetRequiredValue(output), source, picture);
        string? masked = parsed.GetValue(mask) is { } path ? Destination.Drawn(path, source, picture, target) : null;
        Model network = reading.Read(parsed, source);
        using Parser parser = new(network, tune.Apply(parsed, screen, source, network, new(parsed.GetValue(threads) ?? 0, Batch: 1), stop));
        Picture seen = Pictures.Load(picture);
        MaskFile parse = parser.Parse(seen, stop);
        (int Label, string Name, double Share)[] classes = [.. parse.Classes.ToArray().CountBy(label => (int)label).OrderByDescending(count => count.Value)
            .Select(count => (count.Key, count.Key < network.Labels.Length ? network.Labels[count.Key] : $"class {count.Key}", (double)count.Value / parse.Classes.Length))];
        byte[] drawn = Pictures.ToPng(Overlay.Draw(seen, parse, [.. classes.Where(one => one.Label != 0).Select(one => (one.Label, string.Create(CultureInfo.InvariantCulture, $"{one.Name} {100 * one.Share:F1}%")))], parsed.GetValue(opacity)));
        if (masked is not null) parse.Write(masked);
        AtomicFile.Write(target, stream => stream.Write(drawn));
        screen.Show(new
        {
            Model = network.Name, Picture = picture, Size = (int[])[seen.Size.Height, seen.Size.Width], Output = target, Mask = masked,
            Classes = classes.Select(one => new { Index = one.Label, one.Name, one.Share, Color = $"#{parse.Colors[one.Label]:x6}" }),
        }, () => [Table(classes), Screen.Line(masked is null ? $"wrote {target}" : $"wrote {target} and {masked}")]);
    }

    private static IRenderable Table((int Label, string Name, double Share)[] classes)
    {
        Table table = Screen.Table("Class", ">Of the picture");
        foreach ((_, string name, double share) in classes) table.AddRow(name, Quantity.Percent(share));
        return table;
    }
}
