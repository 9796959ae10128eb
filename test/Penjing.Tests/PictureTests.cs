namespace Penjing.Tests;

/// <summary>Pixels become a network's input.</summary>
public sealed class PictureTests
{
    [Fact]
    public void Resizing_keeps_a_flat_picture_flat_and_a_mean()
    {
        foreach ((Size from, Size to) in new[] { (Size.Square(7), Size.Square(3)), (new Size(5, 9), new Size(20, 4)), (Size.One, Size.Square(5)), (new Size(64, 3), Size.One) })
            foreach (Fit fit in new[] { Fit.Stretch, Fit.Cover })
            {
                byte[] flat = new byte[from.Height * from.Width];
                Array.Fill(flat, (byte)137);
                Assert.All(new Picture(from, Channels.Gray, flat).Fitted(to, fit).Pixels.ToArray(), pixel => Assert.Equal(137, pixel));
            }
        byte[] ramp = [.. Enumerable.Range(0, 256).Select(i => (byte)i)], fourth = new Picture(new(1, 256), Channels.Gray, ramp).Fitted(new(1, 4), Fit.Stretch).Pixels.ToArray();
        foreach ((int mean, byte pixel) in new[] { 32, 96, 159, 223 }.Zip(fourth)) Assert.InRange(pixel, mean - 10, mean + 10);
        Assert.Equal([0, 64, 191, 255], new Picture(new(1, 2), Channels.Gray, new byte[] { 0, 255 }).Fitted(new(1, 4), Fit.Stretch).Pixels.ToArray());
    }

    [Fact]
    public void Covering_cuts_the_centre_out()
    {
        byte[] pixels = [.. Enumerable.Range(0, 12).Select(i => (byte)(i % 6 is 0 or 5 ? 255 : 40))];
        Assert.All(new Picture(new(2, 6), Channels.Gray, pixels).Fitted(Size.One, Fit.Cover).Pixels.ToArray(), pixel => Assert.Equal(40, pixel));
    }

    [Fact]
    public void Channels_that_do_not_fit_are_named()
    {
        Picture picture = new(Size.Square(2), Channels.Gray, new byte[4]);
        Assert.Contains("1×3×2×2", Assert.Throws<ShapeException>(() => picture.ToInput(new(Channels.Gray, [0], [1]), [1, 3, 2, 2])).Message);
        Assert.Throws<ShapeException>(() => picture.ToInput(new(Channels.Gray, [0], [1]), [4]));
    }

    [Fact]
    public void Resizing_is_the_triangle_filter()
    {
        Random random = new(7);
        for (int i = 0; i < 200; i++)
        {
            Size from = new(random.Next(1, 40), random.Next(1, 40)), to = new(random.Next(1, 40), random.Next(1, 40));
            Fit fit = (Fit)(i % 2);
            Picture picture = new(from, (Channels)(i % 3), Bytes(random, from.Height * from.Width * (i % 3 == 0 ? 1 : 3)));
            double scale = Math.Min((double)from.Width / to.Width, (double)from.Height / to.Height);
            (double width, double height) = fit is Fit.Cover ? (to.Width * scale, to.Height * scale) : (from.Width, from.Height);
            byte[] fitted = picture.Fitted(to, fit).Pixels.ToArray();
            int depth = picture.Depth;
            for (int at = 0; at < fitted.Length; at++)
            {
                double sum = 0, all = 0;
                for (int row = 0; row < from.Height; row++)
                    for (int column = 0; column < from.Width; column++)
                    {
                        double weight = Triangle(at / depth / to.Width, to.Height, row, from.Height, height) * Triangle(at / depth % to.Width, to.Width, column, from.Width, width);
                        sum += weight * picture.Pixels.Span[(row * from.Width + column) * depth + at % depth];
                        all += weight;
                    }
                Assert.True(Math.Abs(sum / all - fitted[at]) <= 1.05, $"{from} → {to}, {fit}: {fitted[at]} at {at} in place of {sum / all:F2}");
            }
        }

        static double Triangle(int output, int outputs, int input, int inputs, double seen)
        {
            double step = seen / outputs, centre = (inputs - seen) / 2 + (output + 0.5) * step;
            return Math.Max(0, 1 - Math.Abs(input + 0.5 - centre) / Math.Max(1, step));
        }
    }

    [Fact]
    public void A_bitmap_of_any_layout_becomes_a_picture()
    {
        Random random = new(8);
        foreach ((Channels channels, int depth) in new[] { (Channels.Gray, 1), (Channels.Rgb, 3), (Channels.Bgr, 3) })
            foreach (int pixelBytes in new[] { depth, 4, 5 })
                foreach (int width in new[] { 1, 4, 17, 40 })
                    foreach (int padding in new[] { 0, 3 })
                    {
                        int rowBytes = width * pixelBytes + padding;
                        byte[] bytes = Bytes(random, 3 * rowBytes - padding);
                        Picture picture = Picture.FromBytes(new(3, width), channels, bytes, pixelBytes, padding == 0 ? 0 : rowBytes);
                        for (int i = 0; i < picture.Pixels.Length; i++)
                            Assert.Equal(bytes[i / depth / width * rowBytes + i / depth % width * pixelBytes + i % depth], picture.Pixels.Span[i]);
                    }
        Assert.Contains("47 bytes", Assert.Throws<ShapeException>(() => Picture.FromBytes(new(3, 4), Channels.Rgb, new byte[47], 4)).Message);
        Assert.Throws<ShapeException>(() => Picture.FromBytes(new(3, 4), Channels.Rgb, new byte[48], 2));
        Assert.Throws<ShapeException>(() => Picture.FromBytes(new(3, 4), Channels.Rgb, new byte[48], 4, 15));
        Assert.Throws<ShapeException>(() => Picture.FromBytes(new(0, 4), Channels.Rgb, new byte[48], 4));
        Assert.Throws<ShapeException>(() => Picture.FromBytes(new(int.MaxValue, int.MaxValue), Channels.Rgb, new byte[48], 4));
        Assert.Throws<ShapeException>(() => new Picture(new(2, 2), Channels.Gray, new byte[4]).Fitted(new(0, 3), Fit.Cover));
        Assert.Throws<ShapeException>(() => new Picture(new(int.MaxValue, 3), Channels.Gray, new byte[4]));
        Assert.Contains("11 bytes", Assert.Throws<ShapeException>(() => new Picture(new(3, 4), Channels.Gray, new byte[11])).Message);
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
