using System.Runtime.Intrinsics;

namespace Penjing;

/// <summary>A decoded picture: bytes from 0 to 255, row by row, the channels of each pixel together.</summary>
public sealed class Picture
{
    /// <summary>A picture of these bytes, to which nobody may write again.</summary>
    /// <param name="size">Height and width in pixels.</param>
    /// <param name="channels">What the channels are.</param>
    /// <param name="pixels">Height · width · channels bytes.</param>
    /// <exception cref="ShapeException">There are more or fewer bytes.</exception>
    public Picture(Size size, Channels channels, ReadOnlyMemory<byte> pixels)
    {
        if (size.Height < 1 || size.Width < 1 || pixels.Length != (Int128)size.Height * size.Width * DepthOf(channels))
            throw new ShapeException($"a picture of {size} pixels of {DepthOf(channels)} channel(s) does not have {pixels.Length} bytes");
        (Size, Channels, Pixels) = (size, channels, pixels);
    }

    /// <summary>Height and width in pixels.</summary>
    public Size Size { get; }

    /// <summary>What the channels are.</summary>
    public Channels Channels { get; }

    /// <summary>Height · width · channels bytes.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>Bytes of one pixel: 1 for gray, else 3.</summary>
    public int Depth => DepthOf(Channels);

    /// <summary>
    /// A picture of what a bitmap holds: RGBA is <see cref="Channels.Rgb"/> in 4 bytes a pixel, BGRA <see cref="Channels.Bgr"/> in 4. What follows the channels
    /// of a pixel, such as its transparency, and the pixels of a row is left away.
    /// </summary>
    /// <param name="size">Height and width in pixels.</param>
    /// <param name="channels">The order of the channels.</param>
    /// <param name="bytes">The pixels, from the top row on.</param>
    /// <param name="pixelBytes">From one pixel to the next.</param>
    /// <param name="rowBytes">From one row to the next; 0 where rows follow each other at once.</param>
    /// <exception cref="ShapeException">There are fewer bytes than that, or pixels or rows overlap.</exception>
    public static Picture FromBytes(Size size, Channels channels, ReadOnlySpan<byte> bytes, int pixelBytes, int rowBytes = 0)
    {
        int depth = DepthOf(channels);
        long tight = (long)size.Width * pixelBytes, stride = rowBytes == 0 ? tight : rowBytes;
        if (size.Height < 1 || size.Width < 1 || pixelBytes < depth || stride < tight || bytes.Length < tight || (bytes.Length - tight) / stride < size.Height - 1)
            throw new ShapeException($"{bytes.Length} bytes are no picture of {size} pixels with {pixelBytes} bytes a pixel and {stride} a row");
        var pixels = new byte[size.Height * size.Width * depth];
        for (int row = 0, to = 0; row < size.Height; row++)
        {
            ReadOnlySpan<byte> from = bytes.Slice((int)(row * stride), (int)tight);
            int at = 0;
            if (depth == 3 && pixelBytes == 4)
                for (; at + 16 <= from.Length && to + 16 <= pixels.Length; at += 16, to += 12)
                    Vector128.Shuffle(Vector128.Create(from.Slice(at, 16)), WithoutFourth).CopyTo(pixels, to);
            for (; at < from.Length; at += pixelBytes)
                for (int c = 0; c < depth; c++) pixels[to++] = from[at + c];
        }
        return new(size, channels, pixels);
    }

    /// <summary>The picture with other channels: gray is 0.299 R + 0.587 G + 0.114 B, a gray picture gives three equal channels.</summary>
    public Picture To(Channels channels)
    {
        if (channels == Channels) return this;
        ReadOnlySpan<byte> from = Pixels.Span;
        int count = Size.Height * Size.Width;
        byte[] to = new byte[count * DepthOf(channels)];
        for (int i = 0; i < count; i++)
        {
            if (Channels is Channels.Gray) to.AsSpan(3 * i, 3).Fill(from[i]);
            else if (channels is not Channels.Gray) (to[3 * i], to[3 * i + 1], to[3 * i + 2]) = (from[3 * i + 2], from[3 * i + 1], from[3 * i]);
            else to[i] = Luminance(from.Slice(3 * i, 3));
        }
        return new(Size, channels, to);

        byte Luminance(ReadOnlySpan<byte> pixel)
        {
            (byte red, byte blue) = Channels is Channels.Rgb ? (pixel[0], pixel[2]) : (pixel[2], pixel[0]);
            return (byte)((299 * red + 587 * pixel[1] + 114 * blue + 500) / 1000);
        }
    }

    /// <summary>
    /// The picture in another size, by a triangle filter as wide as the reduction: bilinear when enlarging, free of aliasing when reducing, the same to the bit on every machine.
    /// </summary>
    /// <exception cref="ShapeException">The size has no pixels, or more than memory can hold.</exception>
    public Picture Fitted(Size size, Fit fit) => size == Size ? this
        : size.Height < 1 || size.Width < 1 || (long)size.Width * Math.Max(Size.Height, size.Height) * Depth > Array.MaxLength ? throw new ShapeException($"a picture of {Size} pixels can't become one of {size}")
        : Resampling.Fitted(this, size, fit);

    /// <summary>The picture as a network's input of shape 1×C×H×W, or of H×W in more pictures of the same: fitted, then (pixel − mean) / deviation.</summary>
    /// <exception cref="ShapeException">The input is not of rank 4 or its channels are not those of the preprocessing.</exception>
    public Tensor ToInput(Preprocessing preprocessing, Shape input)
    {
        Shape one = input.Rank == 4 ? input.With(0, 1) : input;
        return Tensor.Build<float>(one, values => ToInput(preprocessing, one, values));
    }

    /// <summary>Writes the picture as C×H×W floats, as <see cref="ToInput(Preprocessing, Shape)"/> makes them.</summary>
    /// <param name="preprocessing">What to make of it.</param>
    /// <param name="input">The network's input shape; its batch doesn't matter.</param>
    /// <param name="output">C · H · W floats.</param>
    /// <exception cref="ShapeException">The input is not of rank 4, or its channels are not those of the preprocessing, or the output's length is wrong.</exception>
    public void ToInput(Preprocessing preprocessing, Shape input, Span<float> output)
    {
        float[] table = preprocessing.Table(input);
        Size size = new(input[2], input[3]);
        int depth = input[1], plane = size.Height * size.Width;
        if (output.Length != depth * plane) throw new ShapeException($"an input of {input} takes {depth * plane} floats a picture, not {output.Length}");
        ReadOnlySpan<byte> pixels = Fitted(size, preprocessing.Fit).To(preprocessing.Channels).Pixels.Span;
        for (int c = 0; c < depth; c++)
        {
            ReadOnlySpan<float> values = table.AsSpan(c * 256, 256);
            Span<float> to = output.Slice(c * plane, plane);
            for (int i = 0; i < to.Length; i++) to[i] = values[pixels[i * depth + c]];
        }
    }

    private static Vector128<byte> WithoutFourth => Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);

    private static int DepthOf(Channels channels) => channels is Channels.Gray ? 1 : 3;
}
