namespace Penjing.Training;

/// <summary>
/// Resizing by a triangle filter as wide as the reduction, first along rows, then along columns, each rounded to bytes: bilinear when enlarging,
/// free of aliasing when reducing. Integer weights make it the same to the bit on every machine.
/// </summary>
internal static class Resampling
{
    private const int Bits = 16;

    /// <summary>The picture fitted into a size.</summary>
    public static Picture Fitted(this Picture picture, Size size, Fit fit)
    {
        if (picture.Size == size) return picture;
        (double left, double top, double width, double height) = Part(picture.Size, size, fit);
        int depth = picture.Depth;
        Taps[] columns = Taps.Of(left, width, picture.Size.Width, size.Width), rows = Taps.Of(top, height, picture.Size.Height, size.Height);
        ReadOnlySpan<byte> from = picture.Pixels.Span;
        byte[] narrow = new byte[picture.Size.Height * size.Width * depth], to = new byte[size.Height * size.Width * depth];
        for (int row = 0; row < picture.Size.Height; row++)
            for (int column = 0; column < size.Width; column++)
                for (int c = 0; c < depth; c++)
                    narrow[(row * size.Width + column) * depth + c] = columns[column].Apply(from, (row * picture.Size.Width) * depth + c, depth);
        for (int row = 0; row < size.Height; row++)
            for (int at = 0; at < size.Width * depth; at++)
                to[row * size.Width * depth + at] = rows[row].Apply(narrow, at, size.Width * depth);
        return new(size, picture.Channels, to);
    }

    /// <summary>A mask of this size fitted into another as its picture is: each pixel has the class of the nearest one.</summary>
    public static byte[] FittedMask(ReadOnlySpan<byte> mask, Size from, Size size, Fit fit)
    {
        (double left, double top, double width, double height) = Part(from, size, fit);
        var to = new byte[size.Height * size.Width];
        for (int row = 0; row < size.Height; row++)
            for (int column = 0; column < size.Width; column++)
                to[row * size.Width + column] = mask[Nearest(top, height, row, size.Height, from.Height) * from.Width + Nearest(left, width, column, size.Width, from.Width)];
        return to;

        static int Nearest(double start, double length, int at, int output, int input) => Math.Clamp((int)Math.Floor(start + (at + 0.5) * length / output), 0, input - 1);
    }

    /// <summary>The part of a picture that is seen where it is fitted into a size.</summary>
    internal static (double Left, double Top, double Width, double Height) Part(Size from, Size size, Fit fit)
    {
        if (fit is not Fit.Cover) return (0, 0, from.Width, from.Height);
        double scale = Math.Min((double)from.Width / size.Width, (double)from.Height / size.Height), width = size.Width * scale, height = size.Height * scale;
        return ((from.Width - width) / 2, (from.Height - height) / 2, width, height);
    }

    /// <summary>The weights that make one output element: of the elements from First on.</summary>
    private readonly record struct Taps(int First, int[] Weights)
    {
        /// <summary>The taps of every output element, for a stretch of the input that may begin and end within elements.</summary>
        public static Taps[] Of(double start, double length, int input, int output)
        {
            double scale = length / output, reach = Math.Max(1, scale);
            var taps = new Taps[output];
            for (int i = 0; i < output; i++)
            {
                double centre = start + (i + 0.5) * scale;
                int first = Math.Clamp((int)Math.Floor(centre - reach + 0.5), 0, input - 1), end = Math.Clamp((int)Math.Floor(centre + reach + 0.5), first + 1, input);
                double[] weights = [.. Enumerable.Range(first, end - first).Select(at => Math.Max(0, 1 - Math.Abs((at + 0.5 - centre) / reach)))];
                double sum = weights.Sum();
                if (sum <= 0) (weights[0], sum) = (1, 1);
                int[] integers = [.. weights.Select(weight => (int)Math.Round(weight / sum * (1 << Bits)))];
                integers[Array.IndexOf(integers, integers.Max())] += (1 << Bits) - integers.Sum();
                taps[i] = new(first, integers);
            }
            return taps;
        }

        /// <summary>The output element: elements stand <paramref name="stride"/> apart from <paramref name="offset"/> on.</summary>
        public byte Apply(ReadOnlySpan<byte> from, int offset, int stride)
        {
            int sum = 1 << (Bits - 1), at = offset + First * stride;
            foreach (int weight in Weights)
            {
                sum += weight * from[at];
                at += stride;
            }
            return (byte)(sum >> Bits);
        }
    }
}
