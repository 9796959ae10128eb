using System.Buffers.Binary;
using System.IO.Compression;
using SkiaSharp;

namespace Penjing.Training.Tests;

/// <summary>Made-up files for tests, in a folder that goes when the test ends.</summary>
internal sealed class Samples : IDisposable
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("penjing-test-").FullName;

    /// <summary>A path in the folder.</summary>
    public string At(params string[] parts) => Path.Combine([Folder, .. parts]);

    /// <summary>Writes a file and the folders above it.</summary>
    public string Write(byte[] bytes, params string[] parts)
    {
        string path = At(parts);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>An IDX file's bytes.</summary>
    public static byte[] Idx(uint magic, int[] extents, byte[] body)
    {
        byte[] file = new byte[4 + 4 * extents.Length + body.Length];
        BinaryPrimitives.WriteUInt32BigEndian(file, magic);
        for (int i = 0; i < extents.Length; i++) BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + 4 * i), extents[i]);
        body.CopyTo(file, 4 + 4 * extents.Length);
        return file;
    }

    /// <summary>Gzipped bytes.</summary>
    public static byte[] Zip(byte[] bytes)
    {
        using MemoryStream zipped = new();
        using (GZipStream gzip = new(zipped, CompressionLevel.Fastest)) gzip.Write(bytes);
        return zipped.ToArray();
    }

    /// <summary>Pictures of classes that a network can tell apart: a bright square whose corner is the label, over noise.</summary>
    public static MemorySplit Squares(int count, int side, int classes, int seed)
    {
        var random = new Random(seed);
        byte[] pixels = new byte[count * side * side];
        random.NextBytes(pixels);
        for (int i = 0; i < pixels.Length; i++) pixels[i] /= 3;
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(classes))];
        for (int i = 0; i < count; i++)
            for (int y = 0; y < side / 2; y++)
                for (int x = 0; x < side / 2; x++)
                    pixels[(i * side + y + labels[i] % 2 * (side / 2)) * side + x + labels[i] / 2 % 2 * (side / 2)] = (byte)(200 + random.Next(50));
        return new(Size.Square(side), Channels.Gray, [.. labels], pixels);
    }

    /// <summary>A data set of <see cref="Squares"/>.</summary>
    public static DataSet SquaresSet(int train = 256, int test = 64, int side = 8, int classes = 4) => new("squares", "made up", [.. Enumerable.Range(0, classes).Select(label => $"{label}")],
        Squares(train, side, classes, 1), Squares(test, side, classes, 2), new(Channels.Gray, [100], [80], Fit.Stretch));

    /// <summary>A picture file's bytes, of one colour but for its top left quarter.</summary>
    public static byte[] PictureFile(int height, int width, SKColor colour, SKColor corner, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using SKBitmap bitmap = new(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) bitmap.SetPixel(x, y, y < height / 2 && x < width / 2 ? corner : colour);
        using SKData data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
