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

    /// <summary>Pictures whose pixels a network can tell apart: over dark noise a square somewhere, as bright as its class is high, and its mask.</summary>
    public static DataSet MaskedSquaresSet(int train = 256, int test = 64, int side = 32, int classes = 4)
    {
        return new("masked squares", "made up", ["background", .. Enumerable.Range(1, classes - 1).Select(label => $"{label}")], Masked(train, 1), Masked(test, 2), new(Channels.Gray, [100], [80], Fit.Stretch));

        MaskedPictures Masked(int count, int seed)
        {
            var random = new Random(seed);
            byte[] pixels = new byte[count * side * side];
            random.NextBytes(pixels);
            byte[][] masks = [.. Enumerable.Range(0, count).Select(_ => new byte[side * side])];
            for (int i = 0; i < pixels.Length; i++) pixels[i] /= 5;
            foreach (byte[] mask in masks)
            {
                int index = Array.IndexOf(masks, mask), label = random.Next(1, classes), top = random.Next(side / 2), left = random.Next(side / 2);
                for (int y = top; y < top + side / 2; y++)
                    for (int x = left; x < left + side / 2; x++)
                    {
                        mask[y * side + x] = (byte)label;
                        pixels[(index * side + y) * side + x] = (byte)(250 * (label + 1) / classes - random.Next(20));
                    }
            }
            return new(new MemorySplit(Size.Square(side), Channels.Gray, [.. new int[count]], pixels), masks);
        }
    }

    /// <summary>Pictures of a split with these masks.</summary>
    internal sealed class MaskedPictures(Split pictures, byte[][] masks, Func<byte, byte>? mirrored = null) : Split(pictures.Size, pictures.Channels, masks.Length)
    {
        public override bool HasMasks => true;

        public override ReadOnlySpan<byte> Pixels(int index) => pictures.Pixels(index);

        public override ReadOnlySpan<byte> Mask(int index) => masks[index];

        internal override byte Mirrored(byte label) => mirrored?.Invoke(label) ?? label;
    }

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
