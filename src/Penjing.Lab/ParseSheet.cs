using Penjing.Training;

namespace Penjing.Lab;

/// <summary>Test pictures, what their pixels are, and what networks say they are, side by side.</summary>
/// <param name="Picture">The pictures, each as often as masks lie on it; white where there are none.</param>
/// <param name="Classes">The masks: of each picture, none, then the truth, then each network's answer; class 0 elsewhere.</param>
/// <param name="MasksOnly">Whether the pictures themselves are left out.</param>
public sealed record ParseSheet(Picture Picture, MaskFile Classes, bool MasksOnly)
{
    private const int Height = 192, Gap = 6, Across = 1400;

    /// <summary>Throws where networks can't be asked about the same pictures.</summary>
    /// <exception cref="PenjingException">There are no test pictures with masks, a network doesn't answer each of their pixels, or networks take them in other sizes or prepared otherwise.</exception>
    public static void Check(DataSet data, IReadOnlyList<Model> networks)
    {
        ArgumentOutOfRangeException.ThrowIfZero(networks.Count);
        if (!data.HasMasks) throw new PenjingException($"a sheet shows what pixels are, but the data set '{data.Name}' has a class for each picture");
        Preprocessing first = Seen(networks[0], data);
        foreach (Model network in networks)
        {
            Evaluation.Check(network, data);
            (Preprocessing own, Shape input) = (Seen(network, data), network.Graph.Inputs[0].Shape);
            if (new Size(input[2], input[3]) != data.Size || (own.Fit, own.Channels) != (first.Fit, first.Channels))
                throw new PenjingException($"'{network.Name}' takes pictures of {input[2]}×{input[3]}, {own.Channels}, {own.Fit}, but '{networks[0].Name}' of {data.Size}, {first.Channels}, {first.Fit}: a sheet shows networks that see the same");
        }
    }

    private static Preprocessing Seen(Model network, DataSet data) => network.Preprocessing ?? data.Preprocessing;

    /// <summary>A sheet of so many test pictures, evenly spread over their names.</summary>
    /// <param name="data">The data set, with masks.</param>
    /// <param name="networks">The networks that answer, at least one; the first says which colours classes have.</param>
    /// <param name="count">How many pictures are shown.</param>
    /// <param name="masksOnly">Whether the pictures themselves are left out.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">They don't fit together, see <see cref="Check"/>, or a picture can't be read.</exception>
    public static ParseSheet Of(DataSet data, IReadOnlyList<Model> networks, int count, bool masksOnly, CancellationToken stop = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Check(data, networks);
        count = Math.Min(count, data.Test.Count);
        Size cell = new(Height, Math.Max(1, Height * data.Size.Width / data.Size.Height));
        int columns = networks.Count + (masksOnly ? 1 : 2), group = columns * cell.Width + Gap, groups = Math.Clamp(Across / group, 1, count), rows = (count + groups - 1) / groups;
        Size size = new(rows * (cell.Height + Gap), groups * group);
        (byte[] pixels, byte[] classes) = (new byte[3 * size.Height * size.Width], new byte[size.Height * size.Width]);
        Array.Fill(pixels, byte.MaxValue);
        List<Parser> parsers = [];
        try
        {
            foreach (Model network in networks) parsers.Add(new(network with { Preprocessing = Seen(network, data) }, new(Batch: 1)));
            for (int shown = 0; shown < count; shown++) Draw(shown);
            return new(new(size, Channels.Rgb, pixels), new(size, classes, parsers[0].Colors), masksOnly);
        }
        finally
        {
            foreach (Parser parser in parsers) parser.Dispose();
        }

        void Draw(int shown)
        {
            (int index, int top, int left) = (shown * data.Test.Count / count, shown / groups * (cell.Height + Gap), shown % groups * group);
            Picture picture = data.Test.Picture(index);
            ReadOnlySpan<byte> photo = picture.Fitted(cell, Fit.Stretch).To(Channels.Rgb).Pixels.Span;
            for (int column = 0; column < columns; column++)
            {
                int answer = column - columns + networks.Count;
                byte[] mask = answer < -1 ? new byte[cell.Height * cell.Width]
                    : Resampling.FittedMask(answer < 0 ? data.Test.Mask(index) : parsers[answer].Parse(picture, stop).Classes.Span, data.Size, cell, Fit.Stretch);
                mask.AsSpan().Replace(Training.Split.Unlabelled, (byte)0);
                for (int row = 0; row < cell.Height; row++)
                {
                    int at = (top + row) * size.Width + left + column * cell.Width;
                    mask.AsSpan(row * cell.Width, cell.Width).CopyTo(classes.AsSpan(at));
                    if (!masksOnly) photo.Slice(3 * row * cell.Width, 3 * cell.Width).CopyTo(pixels.AsSpan(3 * at));
                }
            }
        }
    }
}
