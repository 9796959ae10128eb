namespace Penjing;

/// <summary>
/// Resizing by a triangle filter as wide as the reduction, first along rows, then along columns, each rounded to bytes. Integer weights make it the same to the bit on
/// every machine.
/// </summary>
internal static class Resampling
{
    private const int Bits = 16, Half = 1 << (Bits - 1);

    /// <summary>The picture fitted into a size.</summary>
    public static Picture Fitted(Picture picture, Size size, Fit fit)
    {
        (double left, double top, double width, double height) = Part(picture.Size, size, fit);
        Taps[] columns = Taps.Of(left, width, picture.Size.Width, size.Width), rows = Taps.Of(top, height, picture.Size.Height, size.Height);
        ReadOnlySpan<byte> from = picture.Pixels.Span;
        int depth = picture.Depth, stride = picture.Size.Width * depth, length = size.Width * depth, first = rows[0].First, end = rows[^1].First + rows[^1].Weights.Length;
        byte[] narrow = new byte[(end - first) * length], to = new byte[size.Height * length];
        for (int row = first; row < end; row++)
        {
            ReadOnlySpan<byte> line = from.Slice(row * stride, stride);
            Span<byte> into = narrow.AsSpan((row - first) * length, length);
            if (depth == 3) AlongRow3(line, columns, into);
            else AlongRow1(line, columns, into);
        }
        var sums = new int[length];
        for (int row = 0; row < rows.Length; row++)
        {
            sums.AsSpan().Fill(Half);
            foreach ((int tap, int weight) in rows[row].Weights.Index()) Add(narrow.AsSpan((rows[row].First - first + tap) * length, length), weight, sums);
            Span<byte> into = to.AsSpan(row * length, length);
            for (int i = 0; i < into.Length; i++) into[i] = (byte)(sums[i] >> Bits);
        }
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
    public static (double Left, double Top, double Width, double Height) Part(Size from, Size size, Fit fit)
    {
        if (fit is not Fit.Cover) return (0, 0, from.Width, from.Height);
        double scale = Math.Min((double)from.Width / size.Width, (double)from.Height / size.Height), width = size.Width * scale, height = size.Height * scale;
        return ((from.Width - width) / 2, (from.Height - height) / 2, width, height);
    }

    private static void AlongRow1(ReadOnlySpan<byte> from, Taps[] columns, Span<byte> to)
    {
        for (int column = 0; column < columns.Length; column++)
        {
            int sum = Half;
            ReadOnlySpan<int> weights = columns[column].Weights;
            ReadOnlySpan<byte> pixels = from.Slice(columns[column].First, weights.Length);
            for (int i = 0; i < weights.Length; i++) sum += weights[i] * pixels[i];
            to[column] = (byte)(sum >> Bits);
        }
    }

    private static void AlongRow3(ReadOnlySpan<byte> from, Taps[] columns, Span<byte> to)
    {
        for (int column = 0; column < columns.Length; column++)
        {
            (int one, int two, int three) = (Half, Half, Half);
            ReadOnlySpan<int> weights = columns[column].Weights;
            ReadOnlySpan<byte> pixels = from.Slice(3 * columns[column].First, 3 * weights.Length);
            for (int i = 0; i < weights.Length; i++)
            {
                one += weights[i] * pixels[3 * i];
                two += weights[i] * pixels[3 * i + 1];
                three += weights[i] * pixels[3 * i + 2];
            }
            (to[3 * column], to[3 * column + 1], to[3 * column + 2]) = ((byte)(one >> Bits), (byte)(two >> Bits), (byte)(three >> Bits));
        }
    }

    /// <summary>sums += weight · from, element by element.</summary>
    private static void Add(ReadOnlySpan<byte> from, int weight, Span<int> sums)
    {
        for (int i = 0; i < from.Length; i++) sums[i] += weight * from[i];
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
    }
}
