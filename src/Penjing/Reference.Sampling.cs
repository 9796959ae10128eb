using System.Numerics;

namespace Penjing;

/// <content>Pictures resampled.</content>
public static partial class Reference
{
    private const int MostSamples = 1 << 16;

    private static Tensor Scale(Resize resize, Tensor input, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        int height = input.Shape[2], width = input.Shape[3], next = 0;
        (int Pixel, double Weight)[][] rows = [.. resize.Rows(height).Select(at => resize.Taps(at, height))];
        (int Pixel, double Weight)[][] columns = [.. resize.Columns(width).Select(at => resize.Taps(at, width))];
        for (int plane = 0; plane < shape[0] * shape[1]; plane++)
            foreach ((int Pixel, double Weight)[] down in rows)
                foreach ((int Pixel, double Weight)[] across in columns)
                {
                    double sum = down.Length == 0 || across.Length == 0 ? resize.Extrapolation : 0;
                    foreach ((int row, double weight) in down)
                        foreach ((int column, double factor) in across) sum += weight * factor * x[(plane * height + row) * width + column];
                    output[next++] = (float)sum;
                }
    });

    /// <summary>Means of integers in whole parts, less the zero point rounded to the nearest, halves to even.</summary>
    private static Tensor ScaleIntegers<T>(Resize resize, Tensor input, int zero, Shape shape) where T : unmanaged, IBinaryInteger<T> => Tensor.Build<T>(shape, output =>
    {
        const int parts = Resize.Parts, square = parts * parts;
        ReadOnlySpan<T> x = input.AsSpan<T>();
        int height = input.Shape[2], width = input.Shape[3], next = 0;
        (int Near, int Far, int Part)[] rows = resize.WholePlaces(resize.Rows(height), height), columns = resize.WholePlaces(resize.Columns(width), width);
        for (int plane = 0; plane < shape[0] * shape[1]; plane++)
            foreach ((int top, int bottom, int down) in rows)
                foreach ((int left, int right, int across) in columns)
                {
                    int upper = Mixed(x, (plane * height + top) * width), lower = Mixed(x, (plane * height + bottom) * width), sum = upper * (parts - down) + lower * down;
                    output[next++] = T.CreateTruncating(Math.Round(sum / (double)square - zero) + zero);

                    int Mixed(ReadOnlySpan<T> all, int line) => int.CreateTruncating(all[line + left]) * (parts - across) + int.CreateTruncating(all[line + right]) * across;
                }
    });

    private static Tensor Sample(GridSample op, Tensor input, Tensor grid, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats, points = grid.Floats;
        int height = input.Shape[2], width = input.Shape[3], pixels = shape[2] * shape[3];
        for (int point = 0; point < shape[0] * pixels; point++)
        {
            (int Pixel, double Weight)[] down = Taps(op, points[2 * point + 1], height), across = Taps(op, points[2 * point], width);
            for (int c = 0; c < shape[1]; c++)
            {
                int plane = point / pixels * shape[1] + c;
                double sum = 0;
                foreach ((int row, double weight) in down)
                    foreach ((int column, double factor) in across)
                        if (row >= 0 && column >= 0) sum += weight * factor * x[(plane * height + row) * width + column];
                output[plane * pixels + point % pixels] = (float)sum;
            }
        }
    });

    /// <summary>The pixels along an axis that make the sample at a point of −1 … 1, and their weights; −1 for one that is zero.</summary>
    private static (int Pixel, double Weight)[] Taps(GridSample op, double point, int extent)
    {
        double at = op.AlignCorners ? (point + 1) / 2 * (extent - 1) : ((point + 1) * extent - 1) / 2;
        double low = op.AlignCorners ? 0 : -0.5, high = extent - 1 - low;
        if (!double.IsFinite(at)) at = low - 1;
        if (op.Mode is ResizeMode.Nearest) at = Math.Round(at);
        if (at < low || at > high)
            at = op.Padding switch
            {
                GridPadding.Border when op.Mode is not ResizeMode.Cubic => Math.Clamp(at, 0, extent - 1),
                GridPadding.Reflection => Reflected(at, low, high),
                _ => Math.Clamp(at, -8, extent + 8),
            };
        double floor = Math.Floor(at), part = at - floor;
        double[] weights = op.Mode switch { ResizeMode.Nearest => [1], ResizeMode.Linear => [1 - part, part], _ => Resize.Cubic(part, -0.75) };
        int first = (int)(op.Mode is ResizeMode.Nearest ? at : op.Mode is ResizeMode.Linear ? floor : floor - 1);
        return [.. weights.Select((weight, i) => (Inside(first + i), weight))];

        int Inside(int pixel) => pixel >= 0 && pixel < extent ? pixel : op.Padding switch
        {
            GridPadding.Border => Math.Clamp(pixel, 0, extent - 1),
            GridPadding.Reflection => (int)Reflected(pixel, low, high),
            _ => -1,
        };
    }

    private static double Reflected(double at, double low, double high)
    {
        double range = high - low, beyond = at < low ? low - at : at > high ? at - high : 0;
        if (beyond == 0) return at;
        if (range == 0) return low;
        double turns = Math.Floor(beyond / range), rest = beyond - turns * range;
        return at < low == (turns % 2 == 0) ? low + rest : high - rest;
    }

    private static Tensor Sample(RoiAlign op, Tensor input, Tensor regions, Tensor pictures, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        int[] images = Indices(op, pictures, input.Shape[0]);
        int height = input.Shape[2], width = input.Shape[3], next = 0;
        for (int region = 0; region < shape[0]; region++)
        {
            (int Low, int High, double Part)?[][] rows = Samples(1, shape[2], height), columns = Samples(0, shape[3], width);
            for (int c = 0; c < shape[1]; c++)
            {
                ReadOnlySpan<float> plane = input.Floats.Slice((images[region] * shape[1] + c) * height * width, height * width);
                foreach ((int, int, double)?[] down in rows)
                    foreach ((int, int, double)?[] across in columns) output[next++] = (float)Mixed(op.Mode, plane, width, down, across);
            }

            (int, int, double)?[][] Samples(int side, int bins, int extent)
            {
                double offset = op.HalfPixel ? 0.5 : 0, start = Corner(side) - offset, length = Corner(side + 2) - offset - start;
                if (!op.HalfPixel) length = Math.Max(length, 1);
                double bin = length / bins, wanted = op.SamplingRatio > 0 ? op.SamplingRatio : Math.Ceiling(bin);
                if (!(wanted <= MostSamples))
                    throw new PenjingException($"{op.Name}: a region of {length} pixels takes more than {MostSamples} samples: give a sampling ratio");
                int count = Math.Max(0, (int)wanted);
                return [.. Enumerable.Range(0, bins).Select(i =>
                    ((int, int, double)?[])[.. Enumerable.Range(0, count).Select(k => Between(start + i * bin + (k + 0.5) * bin / count, extent))])];
            }

            double Corner(int i) => (double)regions.Floats[region * 4 + i] * op.SpatialScale;
        }
    });

    /// <summary>The two pixels that a coordinate lies between, and how far from the first; null where it lies more than a pixel outside.</summary>
    private static (int Low, int High, double Part)? Between(double at, int extent)
    {
        if (!(at >= -1 && at <= extent)) return null;
        at = Math.Max(at, 0);
        int low = Math.Min((int)at, extent - 1);
        return low == extent - 1 ? (low, low, 0) : (low, low + 1, at - low);
    }

    private static double Mixed(
        RoiMode mode, ReadOnlySpan<float> plane, int width, (int Low, int High, double Part)?[] down, (int Low, int High, double Part)?[] across)
    {
        double sum = 0, largest = double.NegativeInfinity;
        foreach ((int Low, int High, double Part)? row in down)
            foreach ((int Low, int High, double Part)? column in across)
            {
                (double a, double b, double c, double d) = (0, 0, 0, 0);
                if (row is { } y && column is { } x)
                    (a, b, c, d) = ((1 - y.Part) * (1 - x.Part) * plane[y.Low * width + x.Low], (1 - y.Part) * x.Part * plane[y.Low * width + x.High],
                        y.Part * (1 - x.Part) * plane[y.High * width + x.Low], y.Part * x.Part * plane[y.High * width + x.High]);
                sum += a + b + c + d;
                largest = Math.Max(largest, Math.Max(Math.Max(a, b), Math.Max(c, d)));
            }
        int count = down.Length * across.Length;
        return mode is RoiMode.Avg ? sum / Math.Max(1, count) : count > 0 ? largest : 0;
    }
}
