using SkiaSharp;

namespace Penjing.Training;

/// <summary>Picture files.</summary>
public static class Pictures
{
    private const int MostPixels = 1 << 28;

    /// <summary>The extensions of the formats that <see cref="Load"/> reads.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"];

    /// <summary>Whether a file's extension is that of a picture.</summary>
    public static bool IsPicture(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The picture in a file, upright as its EXIF orientation says, transparency over white.</summary>
    /// <exception cref="PenjingException">The file can't be read, is no picture, or is damaged or cut off; the message names it.</exception>
    public static Picture Load(string path, Channels channels = Channels.Rgb)
    {
        if (Directory.Exists(path)) throw new PenjingException($"'{path}' is a folder: give the file of a picture");
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the picture '{path}' can't be read: {error.Message}", error);
        }
        using SKData data = SKData.CreateCopy(file);
        using SKCodec codec = SKCodec.Create(data)
            ?? throw new PenjingException($"'{path}' is no picture that can be read, or its head is damaged: give a file of {string.Join(' ', Extensions)}");
        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        if ((long)info.Width * info.Height > MostPixels) throw new PenjingException($"the picture '{path}' is too large: {info.Width}×{info.Height}");
        byte[] pixels = new byte[info.BytesSize];
        SKCodecResult result = codec.GetPixels(info, pixels);
        if (result is not SKCodecResult.Success) throw new PenjingException($"the picture '{path}' is damaged or cut off ({result}): replace it");
        return Upright(pixels, info.Width, info.Height, codec.EncodedOrigin).To(channels);
    }

    /// <summary>The picture as a PNG file's bytes.</summary>
    public static byte[] ToPng(Picture picture)
    {
        ReadOnlySpan<byte> from = picture.To(Channels.Rgb).Pixels.Span;
        using SKBitmap bitmap = new(picture.Size.Width, picture.Size.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Span<byte> to = bitmap.GetPixelSpan();
        for (int i = 0; 3 * i < from.Length; i++)
        {
            from.Slice(3 * i, 3).CopyTo(to[(4 * i)..]);
            to[4 * i + 3] = byte.MaxValue;
        }
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }

    private static Picture Upright(byte[] rgba, int width, int height, SKEncodedOrigin origin)
    {
        bool turned = origin >= SKEncodedOrigin.LeftTop;
        Size size = turned ? new(width, height) : new(height, width);
        byte[] pixels = new byte[3 * width * height];
        for (int row = 0; row < size.Height; row++)
            for (int column = 0; column < size.Width; column++)
            {
                (int y, int x) = origin switch
                {
                    SKEncodedOrigin.TopRight => (row, width - 1 - column),
                    SKEncodedOrigin.BottomRight => (height - 1 - row, width - 1 - column),
                    SKEncodedOrigin.BottomLeft => (height - 1 - row, column),
                    SKEncodedOrigin.LeftTop => (column, row),
                    SKEncodedOrigin.RightTop => (height - 1 - column, row),
                    SKEncodedOrigin.RightBottom => (height - 1 - column, width - 1 - row),
                    SKEncodedOrigin.LeftBottom => (column, width - 1 - row),
                    _ => (row, column),
                };
                ReadOnlySpan<byte> from = rgba.AsSpan((y * width + x) * 4, 4);
                Span<byte> to = pixels.AsSpan((row * size.Width + column) * 3, 3);
                for (int c = 0; c < 3; c++) to[c] = (byte)((from[c] * from[3] + 255 * (255 - from[3]) + 127) / 255);
            }
        return new(size, Channels.Rgb, pixels);
    }
}
