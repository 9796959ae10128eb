using Penjing.Training;

namespace Penjing.Lab;

/// <summary>Test pictures, what their pixels are, and what networks say they are, side by side.</summary>
/// <param name="Picture">The pictures, each as often as masks lie on it; white where there are none.</param>
/// <param name="Classes">The masks: of each picture, none, then the truth, then each network's answer; class 0 elsewhere.</param>
public sealed record ParseSheet(Picture Picture, MaskFile Classes)
{
    private const int Height = 192, Gap = 6, Across = 1400;

    /// <summary>A sheet of so many test pictures, evenly spread over their names.</summary>
    /// <param name="data">The data set, with masks.</param>
    /// <param name="networks">The networks that answer, at least one; the first says which colours classes have.</param>
    /// <param name="count">How many pictures are shown.</param>
    /// <param name="masksOnly">Whether the pictures themselves are left out.</param>
    /// <param name="stop">Ends the work.</param>
    /// <exception cref="PenjingException">A network doesn't answer each pixel, or a picture can't be read.</exception>
    public static ParseSheet Of(DataSet data, IReadOnlyList<Model> networks, int count, bool masksOnly, CancellationToken stop = default)
    {
        count = Math.Min(count, data.Test.Count);
        Size cell = new(Height, Math.Max(1, Height * data.Size.Width / data.Size.Height));
        int columns = networks.Count + (masksOnly ? 1 : 2), group = columns * cell.Width + Gap, groups = Math.Clamp(Across / group, 1, count), rows = (count + groups - 1) / groups;
        Size size = new(rows * (cell.Height + Gap), groups * group);
        (byte[] pixels, byte[] classes) = (new byte[3 * size.Height * size.Width], new byte[size.Height * size.Width]);
        Array.Fill(pixels, byte.MaxValue);
        List<Parser> parsers = [];
        try
        {
            foreach (Model network in networks) parsers.Add(new(network, new(Batch: 1)));
            for (int shown = 0; shown < count; shown++) Draw(shown);
            return new(new(size, Channels.Rgb, pixels), new(size, classes, parsers[0].Colors));
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
