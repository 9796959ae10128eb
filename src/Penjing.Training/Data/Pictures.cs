using SkiaSharp;

namespace Penjing.Training;

/// <summary>Picture files, and the way from a picture to a network's input.</summary>
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

    /// <summary>The picture as a network's input of shape 1×C×H×W, or of H×W in more pictures of the same: fitted, then (pixel − mean) / deviation.</summary>
    /// <exception cref="ShapeException">The input is not of rank 4 or its channels are not those of the preprocessing.</exception>
    public static Tensor ToInput(Picture picture, Preprocessing preprocessing, Shape input)
    {
        Shape one = input.Rank == 4 ? input.With(0, 1) : input;
        return Tensor.Build<float>(one, values => ToInput(picture, preprocessing, one, values));
    }

    /// <summary>Writes the picture as C×H×W floats, as <see cref="ToInput(Picture, Preprocessing, Shape)"/> makes them.</summary>
    /// <param name="picture">A picture of any size and channels.</param>
    /// <param name="preprocessing">What to make of it.</param>
    /// <param name="input">The network's input shape; its batch doesn't matter.</param>
    /// <param name="output">C · H · W floats.</param>
    /// <exception cref="ShapeException">The input is not of rank 4, or its channels are not those of the preprocessing, or the output's length is wrong.</exception>
    public static void ToInput(Picture picture, Preprocessing preprocessing, Shape input, Span<float> output)
    {
        float[] table = Table(preprocessing, input);
        Size size = new(input[2], input[3]);
        int depth = input[1], plane = size.Height * size.Width;
        if (output.Length != depth * plane) throw new ShapeException($"an input of {input} takes {depth * plane} floats a picture, not {output.Length}");
        ReadOnlySpan<byte> pixels = picture.Fitted(size, preprocessing.Fit).To(preprocessing.Channels).Pixels.Span;
        for (int c = 0; c < depth; c++)
        {
            ReadOnlySpan<float> values = table.AsSpan(c * 256, 256);
            Span<float> to = output.Slice(c * plane, plane);
            for (int i = 0; i < to.Length; i++) to[i] = values[pixels[i * depth + c]];
        }
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

    /// <summary>The float of each byte, channel by channel: C × 256.</summary>
    /// <exception cref="ShapeException">The preprocessing doesn't fit the input.</exception>
    internal static float[] Table(Preprocessing preprocessing, Shape input)
    {
        int depth = preprocessing.Channels is Channels.Gray ? 1 : 3;
        if (input.Rank != 4) throw new ShapeException($"a picture needs an input of rank 4 (N×C×H×W), not {input}");
        if (input[1] != depth) throw new ShapeException($"the input {input} has {input[1]} channel(s), but the preprocessing gives {depth} ({preprocessing.Channels})");
        if (preprocessing.Mean.Length != depth || preprocessing.Deviation.Length != depth)
            throw new ShapeException($"the preprocessing has {preprocessing.Mean.Length} mean(s) and {preprocessing.Deviation.Length} deviation(s) for {depth} channel(s)");
        var table = new float[depth * 256];
        for (int i = 0; i < table.Length; i++) table[i] = (i % 256 - preprocessing.Mean[i / 256]) / preprocessing.Deviation[i / 256];
        return table;
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
