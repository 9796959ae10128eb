using Penjing.Testing;
using SkiaSharp;

namespace Penjing.Training.Tests;

/// <summary>Pictures and arrays come in and go out as they are.</summary>
public sealed class PictureTests
{
    [Fact]
    public void A_picture_becomes_an_input()
    {
        using Samples samples = new();
        Picture picture = Pictures.Load(samples.Write(Samples.PictureFile(6, 4, new(10, 20, 30), new(200, 100, 50)), "p.png"));
        Assert.Equal(new Size(6, 4), picture.Size);
        Tensor input = picture.ToInput(new(Channels.Bgr, [1, 2, 3], [2, 4, 8]), [1, 3, 6, 4]);
        Assert.Equal(new Shape([1, 3, 6, 4]), input.Shape);
        Assert.Equal((50 - 1) / 2f, input.Floats[0]);
        Assert.Equal((100 - 2) / 4f, input.Floats[24]);
        Assert.Equal((200 - 3) / 8f, input.Floats[48]);
        Assert.Equal((30 - 1) / 2f, input.Floats[23]);
        Tensor gray = picture.ToInput(new(Channels.Gray, [0], [1]), [1, 1, 6, 4]);
        Assert.Equal(MathF.Round(0.299f * 200 + 0.587f * 100 + 0.114f * 50), gray.Floats[0]);
    }

    [Fact]
    public void Transparency_lies_over_white()
    {
        using Samples samples = new();
        Picture picture = Pictures.Load(samples.Write(Samples.PictureFile(2, 2, new(0, 0, 0, 0), new(0, 0, 0, 255)), "p.png"));
        Assert.Equal([0, 0, 0, 255, 255, 255], picture.Pixels[..6].ToArray());
    }

    [Fact]
    public void What_is_no_picture_is_named()
    {
        using Samples samples = new();
        byte[] picture = Samples.PictureFile(64, 64, SKColors.Green, SKColors.Red, SKEncodedImageFormat.Jpeg);
        foreach (byte[] wrong in new byte[][] { [], [1, 2, 3], picture[..(picture.Length / 2)], picture[..20] })
            Assert.Contains("wrong.jpg", Assert.Throws<PenjingException>(() => Pictures.Load(samples.Write(wrong, "wrong.jpg"))).Message);
        Assert.Contains("none.jpg", Assert.Throws<PenjingException>(() => Pictures.Load(samples.At("none.jpg"))).Message);
    }

    [Fact]
    public void Arrays_come_back_from_npy_files()
    {
        using Samples samples = new();
        foreach (Shape shape in new Shape[] { [], [5], [2, 3], [1, 3, 4, 5], [0, 2] })
            foreach (ElementType type in Enum.GetValues<ElementType>())
            {
                Tensor tensor = RandomTensors.Any(type, shape, 1);
                Npy.Write(samples.At("a.npy"), tensor);
                Closeness.CheckBits(tensor, Npy.Read(samples.At("a.npy")), $"{tensor}");
                Assert.Equal(0, (new FileInfo(samples.At("a.npy")).Length - tensor.Bytes.Length) % 64);
            }
    }

    [Fact]
    public void Damaged_npy_files_are_named()
    {
        using Samples samples = new();
        Npy.Write(samples.At("a.npy"), RandomTensors.Normal([3, 4], 1));
        byte[] good = File.ReadAllBytes(samples.At("a.npy"));
        string header = System.Text.Encoding.Latin1.GetString(good, 0, 128);
        foreach (byte[] wrong in new byte[][]
        {
            [], good[..20], good[..^1], [.. good, 0], [1, .. good[1..]], With("'<f4'", "'<c8'"), With("False,", "True, "), With("(3, 4)", "(3, 9)"), With("'shape'", "'shope'"), With("(3, 4)", "(3,-4)"),
        })
            Assert.Contains("b.npy", Assert.Throws<PenjingException>(() => Npy.Read(samples.Write(wrong, "b.npy"))).Message);
        Assert.Contains("c.npy", Assert.Throws<PenjingException>(() => Npy.Read(samples.At("c.npy"))).Message);
        Assert.Throws<PenjingException>(() => Npy.Write(samples.At("none", "c.npy"), Tensor.Zeros(ElementType.Float32, [1])));

        byte[] With(string from, string to) => [.. System.Text.Encoding.Latin1.GetBytes(header.Replace(from, to)), .. good[128..]];
    }
}
