namespace Penjing.Training;

/// <summary>A decoded picture: bytes from 0 to 255, row by row, the channels of each pixel together.</summary>
/// <param name="Size">Height and width in pixels.</param>
/// <param name="Channels">What the channels are.</param>
/// <param name="Pixels">Height · width · channels bytes.</param>
public sealed record Picture(Size Size, Channels Channels, ReadOnlyMemory<byte> Pixels)
{
    /// <summary>Bytes of one pixel: 1 for gray, else 3.</summary>
    public int Depth => Channels is Channels.Gray ? 1 : 3;

    /// <summary>The picture with other channels: gray is 0.299 R + 0.587 G + 0.114 B, a gray picture gives three equal channels.</summary>
    public Picture To(Channels channels)
    {
        if (channels == Channels) return this;
        ReadOnlySpan<byte> from = Pixels.Span;
        int count = Size.Height * Size.Width;
        byte[] to = new byte[channels is Channels.Gray ? count : 3 * count];
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
}
