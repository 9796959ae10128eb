namespace Penjing.Training;

/// <summary>How a picture is seen in one step of a training: enlarged or reduced, shifted, mirrored; its mask is seen the same way.</summary>
internal sealed class View
{
    private readonly Tap[] rows, columns;

    private View(Size size, double top, double left, double zoom, bool flip)
    {
        Flip = flip;
        rows = Taps(size.Height, top, zoom);
        columns = Taps(size.Width, left, zoom);
        if (flip) Array.Reverse(columns);
    }

    /// <summary>Whether it is mirrored.</summary>
    public bool Flip { get; }

    /// <summary>The picture as it is.</summary>
    public static View Whole(Size size) => new(size, 0, 0, 1, false);

    /// <summary>A view that chance and options give.</summary>
    public static View Draw(ref Chance chance, TrainingOptions options, Size size)
    {
        int range = 2 * options.Shift + 1;
        double down = chance.Below(range) - options.Shift, across = chance.Below(range) - options.Shift, zoom = 1;
        bool flip = options.Flip && chance.Below(2) == 1;
        if (options.Zoom > 1)
        {
            zoom = Math.Exp(chance.Between(-1, 1) * Math.Log(options.Zoom));
            // What is seen lies anywhere in the picture, or the picture anywhere in what is seen.
            down += chance.Between(0, 1) * (size.Height - size.Height / zoom);
            across += chance.Between(0, 1) * (size.Width - size.Width / zoom);
        }
        return new(size, down, across, zoom, flip);
    }

    /// <summary>Writes the picture as floats, bilinear between its pixels, by the table that each channel's bytes have.</summary>
    public void Picture(ReadOnlySpan<byte> pixels, int depth, ReadOnlySpan<float> table, Span<float> to)
    {
        int width = columns.Length, at = 0;
        foreach (Tap row in rows)
            foreach (Tap column in columns)
            {
                bool inside = row.Inside && column.Inside;
                int a = (row.Near * width + column.Near) * depth, b = (row.Near * width + column.Far) * depth, c = (row.Far * width + column.Near) * depth, d = (row.Far * width + column.Far) * depth;
                for (int channel = 0; channel < depth; channel++, at++)
                {
                    ReadOnlySpan<float> values = table.Slice(channel * 256, 256);
                    if (!inside) to[at] = values[0];
                    else if (row.Part == 0 && column.Part == 0) to[at] = values[pixels[a + channel]];
                    else
                    {
                        float above = Mix(values[pixels[a + channel]], values[pixels[b + channel]], column.Part), below = Mix(values[pixels[c + channel]], values[pixels[d + channel]], column.Part);
                        to[at] = Mix(above, below, row.Part);
                    }
                }
            }
    }

    /// <summary>Writes the class of each pixel, that of the nearest one of the mask; <see cref="Batches.Ignored"/> where none is known.</summary>
    public void Mask(ReadOnlySpan<byte> mask, Func<byte, byte>? mirrored, Span<long> to)
    {
        int at = 0;
        foreach (Tap row in rows)
            foreach (Tap column in columns)
            {
                byte label = row.Inside && column.Inside ? mask[row.Nearest * columns.Length + column.Nearest] : Split.Unlabelled;
                to[at++] = label == Split.Unlabelled ? Batches.Ignored : mirrored is null ? label : mirrored(label);
            }
    }

    private static float Mix(float near, float far, float part) => near + part * (far - near);

    private static Tap[] Taps(int extent, double start, double zoom) => [.. Enumerable.Range(0, extent).Select(i =>
    {
        double place = start + (i + 0.5) / zoom - 0.5, inside = Math.Clamp(place, 0, extent - 1);
        int near = (int)inside;
        return new Tap(near, Math.Min(near + 1, extent - 1), (float)(inside - near), place >= -0.5 && place < extent - 0.5);
    })];

    /// <summary>The two pixels that a place lies between, how far it is from the first, and whether it is in the picture.</summary>
    private readonly record struct Tap(int Near, int Far, float Part, bool Inside)
    {
        public int Nearest => Part < 0.5f ? Near : Far;
    }
}
