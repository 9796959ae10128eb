using System.Buffers.Binary;
using Penjing.Models;
using SkiaSharp;

namespace Penjing.Cli.Tests;

/// <summary>Small data sets and models for tests.</summary>
internal static class MadeUp
{
    private const int Side = 28, Classes = 10;

    /// <summary>A folder of IDX files: noisy pictures of 28×28 whose class is where a bright bar stands.</summary>
    public static string Data(string folder, int train = 400, int test = 100, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        Random random = new(seed);
        foreach ((string part, int count) in new[] { ("train", train), ("t10k", test) })
        {
            byte[] pictures = new byte[16 + count * Side * Side], labels = new byte[8 + count];
            BinaryPrimitives.WriteUInt32BigEndian(pictures, 0x803);
            BinaryPrimitives.WriteInt32BigEndian(pictures.AsSpan(4), count);
            BinaryPrimitives.WriteInt32BigEndian(pictures.AsSpan(8), Side);
            BinaryPrimitives.WriteInt32BigEndian(pictures.AsSpan(12), Side);
            BinaryPrimitives.WriteUInt32BigEndian(labels, 0x801);
            BinaryPrimitives.WriteInt32BigEndian(labels.AsSpan(4), count);
            for (int i = 0; i < count; i++)
            {
                int label = i % Classes;
                labels[8 + i] = (byte)label;
                Span<byte> picture = pictures.AsSpan(16 + i * Side * Side, Side * Side);
                random.NextBytes(picture);
                for (int p = 0; p < picture.Length; p++) picture[p] = (byte)(picture[p] / 4 + (Bar(label, p / Side, p % Side) ? 180 : 0));
            }
            File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), pictures);
            File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), labels);
        }
        return folder;

        static bool Bar(int label, int row, int column) => (label < 5 ? row : column) / 5 == label % 5;
    }

    /// <summary>A folder of pictures, ten of each class to train on and ten to test with, of 28×28 pixels as bright as the class's number says.</summary>
    public static string Pictures(string folder, params string[] classes)
    {
        foreach ((int label, string name) in classes.Index())
            foreach (string part in (string[])["train", "test"])
            {
                string inside = Directory.CreateDirectory(Path.Combine(folder, part, name)).FullName;
                for (int i = 0; i < 10; i++)
                {
                    using SKBitmap bitmap = new(28, 28, SKColorType.Gray8, SKAlphaType.Opaque);
                    bitmap.GetPixelSpan().Fill((byte)(40 * label + 3 * i));
                    using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
                    File.WriteAllBytes(Path.Combine(inside, $"{i}.png"), data.ToArray());
                }
            }
        return folder;
    }

    /// <summary>The file of a small network for such pictures, with random weights.</summary>
    public static string Model(string path)
    {
        PenjingFile.Write(path, MobileNetV1.Small(0.25, repeats: 0) with { Labels = [.. Enumerable.Range(0, Classes).Select(label => $"bar {label}")] });
        return path;
    }
}
