using Penjing.Testing;
using SkiaSharp;

namespace Penjing.Training.Tests;

/// <summary>Data sets are read as they lie, and what is wrong with them is said in one message that names the file.</summary>
public sealed class DataSetTests
{
    private static readonly byte[] Labels = Samples.Idx(0x801, [3], [2, 0, 1]), Images = Samples.Idx(0x803, [3, 2, 2], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Idx_files_are_read_plain_and_zipped(bool zipped)
    {
        using Samples samples = new();
        string ending = zipped ? ".gz" : "";
        foreach (string part in new[] { "train", "t10k" })
        {
            samples.Write(zipped ? Samples.Zip(Labels) : Labels, $"{part}-labels-idx1-ubyte{ending}");
            samples.Write(zipped ? Samples.Zip(Images) : Images, $"{part}-images-idx3-ubyte{ending}");
        }
        DataSet data = Open(samples.Folder);
        Assert.Equal(3, data.Train.Count);
        Assert.Equal([2, 0, 1], data.Test.Labels);
        Assert.Equal(new Size(2, 2), data.Size);
        Assert.Equal([4, 5, 6, 7], data.Test.Pixels(1).ToArray());
        Assert.Equal(["0", "1", "2"], data.Labels);
    }

    [Fact]
    public void A_missing_part_is_empty()
    {
        using Samples samples = new();
        samples.Write(Labels, "t10k-labels.idx1-ubyte");
        samples.Write(Images, "t10k-images.idx3-ubyte");
        DataSet data = Open(samples.Folder);
        Assert.Equal((0, 3), (data.Train.Count, data.Test.Count));
        Assert.Equal(new Size(2, 2), data.Size);
    }

    public static TheoryData<string, byte[]?, byte[]?, string> DamagedIdx() => new()
    {
        { "wrong magic", Samples.Idx(0x803, [3], [2, 0, 1]), Images, "t10k-labels-idx1-ubyte" },
        { "cut off", Labels, Images[..^1], "t10k-images-idx3-ubyte" },
        { "too long", Labels, [.. Images, 0], "t10k-images-idx3-ubyte" },
        { "no header", Labels[..6], Images, "t10k-labels-idx1-ubyte" },
        { "counts differ", Samples.Idx(0x801, [2], [2, 0]), Images, "3 pictures" },
        { "huge", Labels, Samples.Idx(0x803, [int.MaxValue, int.MaxValue, int.MaxValue], []), "t10k-images-idx3-ubyte" },
        { "negative", Labels, Samples.Idx(0x803, [-3, 2, 2], new byte[12]), "t10k-images-idx3-ubyte" },
        { "zip cut off", Samples.Zip(Labels)[..^9], Images, "t10k-labels-idx1-ubyte" },
        { "zip damaged", [.. Samples.Zip(Labels)[..12], 0xff, 0xff, 0xff, 0xff, 0xff], Images, "t10k-labels-idx1-ubyte" },
        { "no labels", null, Images, "labels" },
        { "no pictures", Labels, null, "pictures" },
        { "empty", [], Images, "t10k-labels-idx1-ubyte" },
    };

    [Theory]
    [MemberData(nameof(DamagedIdx))]
    public void Damaged_idx_files_are_named(string what, byte[]? labels, byte[]? images, string expected)
    {
        using Samples samples = new();
        if (labels is not null) samples.Write(labels, "t10k-labels-idx1-ubyte");
        if (images is not null) samples.Write(images, "t10k-images-idx3-ubyte");
        Assert.Contains(expected, Assert.Throws<PenjingException>(() => Open(samples.Folder)).Message);
        Assert.NotEmpty(what);
    }

    [Fact]
    public void Class_folders_are_read_with_their_split()
    {
        using Samples samples = new();
        foreach (string part in new[] { "train", "val" })
            foreach (string name in new[] { "cat", "ant" })
                for (int i = 0; i < 3; i++)
                    samples.Write(Samples.PictureFile(20, 30, name == "cat" ? SKColors.Red : SKColors.Blue, SKColors.Red), part, name, $"{i}.png");
        DataSet data = Open(samples.Folder, new(4, 6));
        Assert.Equal(["ant", "cat"], data.Labels);
        Assert.Equal((6, 6), (data.Train.Count, data.Test.Count));
        Assert.Equal([0, 0, 0, 1, 1, 1], data.Train.Labels);
        Assert.Equal([255, 0, 0], data.Train.Pixels(5)[..3].ToArray());
        Assert.Equal([0, 0, 255], data.Train.Pixels(0)[^3..].ToArray());
        Assert.Equal(4 * 6 * 3, data.Test.Pixels(0).Length);
    }

    [Fact]
    public void One_folder_of_classes_is_split_the_same_way_each_time()
    {
        using Samples samples = new();
        byte[] picture = Samples.PictureFile(8, 8, SKColors.Green, SKColors.Green);
        for (int i = 0; i < 200; i++) samples.Write(picture, i % 2 == 0 ? "a" : "b", $"picture{i}.png");
        DataSet first = Open(samples.Folder, Size.Square(8)), second = Open(samples.Folder, Size.Square(8));
        Assert.Equal(first.Test.Labels, second.Test.Labels);
        Assert.Equal(200, first.Train.Count + first.Test.Count);
        Assert.InRange(first.Test.Count, 8, 40);
        using Samples within = new();
        for (int i = 0; i < 200; i++) within.Write(picture, "train", i % 2 == 0 ? "a" : "b", $"picture{i}.png");
        DataSet third = Open(within.Folder, Size.Square(8));
        Assert.Equal(["a", "b"], third.Labels);
        Assert.Equal(first.Test.Labels, third.Test.Labels);
    }

    [Fact]
    public void What_is_wrong_with_class_folders_is_named()
    {
        using Samples samples = new();
        byte[] picture = Samples.PictureFile(8, 8, SKColors.Green, SKColors.Red, SKEncodedImageFormat.Jpeg);
        Assert.Contains("neither", Message());
        samples.Write(picture, "train", "a", "1.jpg");
        Directory.CreateDirectory(samples.At("train", "b"));
        Directory.CreateDirectory(samples.At("val"));
        Assert.Contains(Path.Combine("train", "b"), Message());
        samples.Write(picture[..(picture.Length / 2)], "train", "b", "cut.jpg");
        Assert.Contains("cut.jpg", Assert.Throws<PenjingException>(() => Open(samples.Folder).Train.Picture(1)).Message);
        samples.Write([1, 2, 3], "val", "c", "1.jpg");
        Assert.Contains(Path.Combine("val", "c"), Message());
        Assert.Contains("nowhere", Assert.Throws<PenjingException>(() => Open("nowhere")).Message);

        string Message() => Assert.Throws<PenjingException>(() => Open(samples.Folder)).Message;
    }

    [Fact]
    public void Fashion_mnist_is_whole()
    {
        DataSet? data = null;
        try
        {
            data = Open("fashion-mnist");
        }
        catch (PenjingException error) when (error.Message.Contains("nowhere to be had"))
        {
            Assert.Skip(error.Message);
        }
        Assert.Equal((60000, 10000), (data.Train.Count, data.Test.Count));
        Assert.Equal("Ankle boot", data.Labels[data.Test.Labels[0]]);
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(1000, data.Test.Labels.Count(other => other == label)));
    }

    [Fact]
    public void Mnist_test_digits_are_read()
    {
        string? folder = Repository.Shared("mnist-test");
        if (folder is null) Assert.Skip("there is no shared/data/mnist-test beside the repository: set PENJING_SHARED to the folder shared");
        DataSet data = Open(folder);
        Assert.Equal((0, 10000), (data.Train.Count, data.Test.Count));
        Assert.Equal([7, 2, 1, 0, 4], data.Test.Labels[..5]);
    }

    private static DataSet Open(string name, Size? size = null) => DataSets.Open(name, size, cancellation: TestContext.Current.CancellationToken);
}
