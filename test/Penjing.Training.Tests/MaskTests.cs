using Penjing.Testing;
using SkiaSharp;

namespace Penjing.Training.Tests;

/// <summary>Masks are read as the indices that they hold, stay on their pictures whatever augmentation does, and their folders' layouts are known.</summary>
public sealed class MaskTests
{
    [Fact]
    public void Indices_come_back_though_colours_are_equal()
    {
        using Samples samples = new();
        var random = new Random(1);
        foreach (Size size in new[] { Size.One, new Size(3, 7), new Size(64, 33) })
        {
            byte[] classes = [.. Enumerable.Range(0, size.Height * size.Width).Select(_ => (byte)random.Next(18))];
            int[] colors = [.. Enumerable.Range(0, 18).Select(i => i % 2 == 0 ? 0 : i * 0x010203)];
            string path = samples.At("mask.png");
            new MaskFile(size, classes, [.. colors]).Write(path);
            MaskFile read = MaskFile.Read(path);
            Assert.Equal(size, read.Size);
            Assert.Equal(classes, read.Classes.ToArray());
            Assert.Equal(colors, read.Colors);
            // Another reader sees the colours.
            Picture picture = Pictures.Load(path);
            Assert.All(classes.Index(), entry => Assert.Equal(colors[entry.Item], picture.Pixels.Span[3 * entry.Index] << 16 | picture.Pixels.Span[3 * entry.Index + 1] << 8 | picture.Pixels.Span[3 * entry.Index + 2]));
        }
        Assert.Throws<ShapeException>(() => new MaskFile(Size.One, new byte[] { 3 }, [0, 1]).Write(samples.At("wrong.png")));
    }

    /// <summary>Skia's encoder filters its rows; its gray files hold the classes as they are.</summary>
    [Fact]
    public void Gray_files_of_another_writer_are_read()
    {
        using Samples samples = new();
        using SKBitmap bitmap = new(31, 17, SKColorType.Gray8, SKAlphaType.Opaque);
        for (int y = 0; y < 17; y++)
            for (int x = 0; x < 31; x++) bitmap.GetPixelSpan()[y * bitmap.RowBytes + x] = (byte)((x * y + x / 3) % 20);
        foreach (SKPngEncoderFilterFlags filter in new[] { SKPngEncoderFilterFlags.NoFilters, SKPngEncoderFilterFlags.Sub, SKPngEncoderFilterFlags.Up, SKPngEncoderFilterFlags.Avg, SKPngEncoderFilterFlags.Paeth, SKPngEncoderFilterFlags.AllFilters })
        {
            using SKData data = bitmap.PeekPixels().Encode(new SKPngEncoderOptions(filter, 9))!;
            MaskFile mask = MaskFile.Read(samples.Write(data.ToArray(), "gray.png"));
            Assert.Equal(new Size(17, 31), mask.Size);
            for (int y = 0; y < 17; y++)
                for (int x = 0; x < 31; x++) Assert.Equal((x * y + x / 3) % 20, mask.Classes.Span[y * 31 + x]);
        }
    }

    [Fact]
    public void Damaged_masks_are_named()
    {
        using Samples samples = new();
        string path = samples.At("mask.png");
        new MaskFile(new(9, 9), new byte[81], [0, 1]).Write(path);
        byte[] good = File.ReadAllBytes(path);
        List<byte[]> wrong = [[], [1, 2, 3], good[..20], good[..^12], Samples.PictureFile(4, 4, SKColors.Red, SKColors.Blue)];
        // Sizes that would take much memory, or more than there are numbers for, under a right checksum.
        foreach ((int height, int width) in ((int, int)[])[(1, int.MaxValue), (1 << 14, 1 << 14), (1 << 28, 1), (0, 9), (-9, 9)])
        {
            byte[] large = [.. good];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(large.AsSpan(16), width);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(large.AsSpan(20), height);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(large.AsSpan(29), System.IO.Hashing.Crc32.HashToUInt32(large.AsSpan(12, 17)));
            wrong.Add(large);
        }
        for (int at = 8; at < good.Length; at += 3) wrong.Add([.. good[..at], (byte)(good[at] ^ 0x55), .. good[(at + 1)..]]);
        foreach (byte[] bytes in wrong)
        {
            File.WriteAllBytes(path, bytes);
            Assert.Contains(path, Assert.Throws<PenjingException>(() => MaskFile.Read(path)).Message);
        }
        Assert.Contains("none.png", Assert.Throws<PenjingException>(() => MaskFile.Read(samples.At("none.png"))).Message);
    }

    /// <summary>Each pixel's colour says its class: after shifting, mirroring, enlarging and reducing, picture and mask still agree, but where two classes meet.</summary>
    [Fact]
    public void Augmentation_keeps_picture_and_mask_together()
    {
        const int Side = 48, Cell = 16;
        byte[] mask = [.. Enumerable.Range(0, Side * Side).Select(at => (byte)(at / Side / Cell * 3 + at % Side / Cell))];
        MemorySplit picture = new(Size.Square(Side), Channels.Gray, [0], mask.Select(label => (byte)(20 + 20 * label)).ToArray());
        Samples.MaskedPictures split = new(picture, [mask], label => (byte)(label + 100));
        bool mirrored = false, reduced = false, enlarged = false;
        Batches batches = new(split, new(Channels.Gray, [0], [1]), [1, 1, Side, Side], new() { Batch = 1, Flip = true, Shift = 4, Zoom = 2 });
        for (int step = 0; step < 60; step++)
        {
            float[] values = new float[Side * Side];
            long[] truths = new long[Side * Side];
            batches.Begin(step);
            batches.Fill(step, 0, 1, values, truths);
            mirrored |= truths.Any(truth => truth >= 100);
            reduced |= truths.Count(truth => truth == Batches.Ignored) > 600;
            int agree = 0, known = 0;
            for (int i = 0; i < truths.Length; i++)
            {
                if (truths[i] == Batches.Ignored)
                {
                    Assert.Equal(0, values[i]);
                    continue;
                }
                known++;
                if (Math.Abs(values[i] - (20 + 20 * (truths[i] % 100))) < 0.01) agree++;
            }
            enlarged |= truths.Where(truth => truth != Batches.Ignored).Distinct().Count() < 9;
            Assert.True(known > 200 && agree >= 0.75 * known, $"step {step}: of {known} pixels {agree} agree");
        }
        Assert.True(mirrored && reduced && enlarged);
    }

    [Fact]
    public void Tinting_changes_pictures_but_not_masks()
    {
        DataSet data = Samples.MaskedSquaresSet(train: 4, test: 1, side: 8);
        TrainingOptions options = new() { Batch = 1 };
        (float[] Pictures, long[] Truths) Of(TrainingOptions options)
        {
            Batches batches = new(data.Train, data.Preprocessing, [1, 1, 8, 8], options);
            (float[] values, long[] truths) = (new float[64], new long[64]);
            batches.Begin(0);
            batches.Fill(0, 0, 1, values, truths);
            return (values, truths);
        }
        (float[] plain, long[] truth) = Of(options);
        (float[] tinted, long[] same) = Of(options with { Tint = 0.3 });
        Assert.Equal(truth, same);
        Assert.NotEqual(plain, tinted);
        // A tint keeps the order of brightness.
        Assert.All(Enumerable.Range(1, 63), i => Assert.True((plain[i] - plain[i - 1]) * (tinted[i] - tinted[i - 1]) >= 0));
    }

    [Fact]
    public void Own_folders_are_read_with_every_fifth_for_testing()
    {
        using Samples samples = new();
        for (int i = 0; i < 11; i++) Write(samples, $"photos/{i:d4}.jpg", $"masks/{i:d4}.png", 12, 8, [(byte)(i % 3)]);
        samples.Write("""{"classes": ["background", "left-arm", "right-arm"]}"""u8.ToArray(), "classes.json");
        DataSet data = Open(samples.Folder, new(12, 8));
        Assert.Equal((9, 2), (data.Train.Count, data.Test.Count));
        Assert.True(data.HasMasks && data.Test.HasMasks && data.Train.Sample(4, 1).HasMasks);
        Assert.Equal(["background", "left-arm", "right-arm"], data.Labels);
        Assert.Equal([0x000000, 0x010203, 0x020406], data.Colors);
        Assert.Equal([1, 0], Enumerable.Range(0, 2).Select(i => (int)data.Test.Mask(i)[0]));
        Assert.Equal(12 * 8, data.Test.Mask(0).Length);
        Assert.Equal(12 * 8 * 3, data.Test.Pixels(0).Length);
        Assert.Equal([0, 2, 1], Enumerable.Range(0, 3).Select(label => (int)data.Train.Mirrored((byte)label)));
        Assert.Equal(new Size(384, 256), DataSets.Open(samples.Folder, cancellation: TestContext.Current.CancellationToken).Size);
        Assert.Equal(data.Train.Fingerprint, Open(samples.Folder, new(12, 8)).Train.Fingerprint);
        Assert.NotEqual(data.Train.Fingerprint, data.Test.Fingerprint);
    }

    [Fact]
    public void Published_layouts_are_read()
    {
        using Samples own = new(), atr = new(), lip = new();
        Write(own, "data/photos/1.jpg", "data/masks/1.png", 6, 4, [1]);
        own.Write("""{"classes": ["ground", "hat"]}"""u8.ToArray(), "classes.json");
        Assert.Equal("hat", Open(own.Folder, new(6, 4)).Labels[1]);
        own.Write("""{"classes": ["ground", "bag"]}"""u8.ToArray(), "data", "classes.json");
        Assert.Equal("bag", Open(own.Folder, new(6, 4)).Labels[1]);
        for (int i = 0; i < 5; i++) Write(atr, $"humanparsing/JPEGImages/dataset10k_{i}.jpg", $"humanparsing/SegmentationClassAug/dataset10k_{i}.png", 6, 4, [17]);
        DataSet data = Open(atr.Folder, new(6, 4));
        Assert.Equal((4, 1, 18, "scarf"), (data.Train.Count, data.Test.Count, data.Labels.Length, data.Labels[17]));
        for (int i = 0; i < 3; i++) Write(lip, $"TrainVal_images/TrainVal_images/train_images/{i}.jpg", $"TrainVal_parsing_annotations/TrainVal_parsing_annotations/train_segmentations/{i}.png", 6, 4, [14, 19]);
        Write(lip, "TrainVal_images/TrainVal_images/val_images/7.jpg", "TrainVal_parsing_annotations/TrainVal_parsing_annotations/val_segmentations/7.png", 6, 4, [5]);
        data = Open(lip.Folder, new(6, 4));
        Assert.Equal((3, 1, 20), (data.Train.Count, data.Test.Count, data.Labels.Length));
        Assert.Equal(("left-arm", 15), (data.Labels[14], data.Train.Mirrored(14)));
    }

    [Fact]
    public void What_is_wrong_with_folders_is_named()
    {
        using Samples samples = new();
        Write(samples, "photos/1.jpg", "masks/1.png", 6, 4, [1]);
        Assert.Contains("classes.json", Assert.Throws<PenjingException>(() => Open(samples.Folder, Size.One)).Message);
        samples.Write("""{"classes": ["background"]}"""u8.ToArray(), "classes.json");
        Assert.Contains("class 1", Assert.Throws<PenjingException>(() => Open(samples.Folder, Size.One).Train.Mask(0).Length).Message);
        Write(samples, "photos/2.jpg", "masks/other.png", 6, 4, [0]);
        Assert.Contains("2.jpg", Assert.Throws<PenjingException>(() => Open(samples.Folder, Size.One)).Message);
        File.Delete(samples.At("photos", "2.jpg"));
        new MaskFile(new(6, 5), new byte[30], [0]).Write(samples.At("masks", "1.png"));
        Assert.Contains("6×5", Assert.Throws<PenjingException>(() => Open(samples.Folder, Size.One).Train.Mask(0).Length).Message);
    }

    /// <summary>Clothing Co-Parsing as it is published, its matrices written by SciPy 1.10: of three photos, two have masks.</summary>
    [Theory]
    [InlineData(SciPy.Masks, SciPy.Labels)]
    [InlineData(SciPy.PackedMasks, SciPy.PackedLabels)]
    public void Matlab_masks_are_read(string masks, string labels)
    {
        using Samples samples = new();
        for (int i = 1; i <= 3; i++) samples.Write(Samples.PictureFile(6, 7, SKColors.Green, SKColors.Red, SKEncodedImageFormat.Jpeg), "photos", $"{i:d4}.jpg");
        for (int i = 1; i <= 2; i++) samples.Write(Convert.FromBase64String(masks), "annotations", "pixel-level", $"{i:d4}.mat");
        samples.Write(Convert.FromBase64String(labels), "label_list.mat");
        DataSet data = Open(samples.Folder, new(6, 7));
        Assert.Equal(["null", "hair", "skin", "left-shoe", "right-shoe"], data.Labels);
        Assert.Equal((2, 0), (data.Train.Count, data.Test.Count));
        Assert.Equal(Enumerable.Range(0, 42).Select(at => (byte)((at % 7 + 3 * (at / 7)) % 5)), data.Train.Mask(1).ToArray());
        Assert.Equal(4, data.Train.Mirrored(3));

        byte[] good = File.ReadAllBytes(samples.At("label_list.mat"));
        for (int at = 0; at < good.Length; at++)
        {
            samples.Write([.. good[..at], (byte)(good[at] ^ 0x41), .. good[(at + 1)..]], "label_list.mat");
            if (Record.Exception(() => Open(samples.Folder, new(6, 7))) is { } error) Assert.Contains("label_list.mat", Assert.IsType<PenjingException>(error).Message);
            samples.Write(good[..at], "label_list.mat");
            Assert.Contains("label_list.mat", Assert.Throws<PenjingException>(() => Open(samples.Folder, new(6, 7))).Message);
        }
        samples.Write(good, "annotations", "pixel-level", "0001.mat");
        Assert.Contains("groundtruth", Assert.Throws<PenjingException>(() => MaskFile.OfMatlab(samples.At("annotations", "pixel-level", "0001.mat"))).Message);
        samples.Write([.. "MATLAB 7.3 MAT-file"u8], "label_list.mat");
        Assert.Contains("-v7", Assert.Throws<PenjingException>(() => Open(samples.Folder, new(6, 7))).Message);
    }

    /// <summary>The shared photos: classes where its README has them.</summary>
    [Fact]
    public void The_shared_photos_are_read()
    {
        if (Repository.Shared("clothing-parsing-18") is not { } folder)
        {
            Assert.Skip("shared/data/clothing-parsing-18 is not beside the repository");
            return;
        }
        DataSet data = Open(folder, new(96, 64));
        Assert.Equal((643, 160, 18), (data.Train.Count, data.Test.Count, data.Labels.Length));
        Assert.Equal(18, data.Colors.Length);
        long[] counts = new long[18];
        for (int i = 0; i < data.Test.Count; i++)
            foreach (byte label in data.Test.Mask(i)) counts[label]++;
        Assert.InRange((double)counts[0] / counts.Sum(), 0.73, 0.81);
        Assert.All(counts, count => Assert.True(count > 0));
    }

    private static DataSet Open(string folder, Size size) => DataSets.Open(folder, size, cancellation: TestContext.Current.CancellationToken);

    /// <summary>A photo, and a mask whose pixels have these classes in turns of columns.</summary>
    private static void Write(Samples samples, string photo, string mask, int height, int width, byte[] labels)
    {
        samples.Write(Samples.PictureFile(height, width, SKColors.Green, SKColors.Red, SKEncodedImageFormat.Jpeg), photo.Split('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(samples.At(mask.Split('/')))!);
        new MaskFile(new(height, width), Enumerable.Range(0, height * width).Select(at => labels[at % width % labels.Length]).ToArray(), [.. Enumerable.Range(0, Math.Max(3, labels.Max() + 1)).Select(i => i * 0x010203)]).Write(samples.At(mask.Split('/')));
    }

    /// <summary>Files of scipy.io.savemat: 'groundtruth', uint8 of 6×7, and 'label_list', five cells; as they are, and packed.</summary>
    private static class SciPy
    {
        public const string Masks = "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFRodSBOb3YgMjYgMTI6Mjc6MDcgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0OAAAAcAAAAAYAAAAIAAAACQAAAAAAAAAFAAAACAAAAAYAAAAHAAAAAQAAAAsAAABncm91bmR0cnV0aAAAAAAAAgAAACoAAAAAAwEEAgABBAIAAwECAAMBBAIDAQQCAAMEAgADAQQAAwEEAgABBAIAAwEAAAAAAAA=";
        public const string Labels = "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFRodSBOb3YgMjYgMTI6Mjc6MDcgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0OAAAAcAEAAAYAAAAIAAAAAQAAAAAAAAAFAAAACAAAAAEAAAAFAAAAAQAAAAoAAABsYWJlbF9saXN0AAAAAAAADgAAADAAAAAGAAAACAAAAAQAAAAAAAAABQAAAAgAAAABAAAABAAAAAEAAAAAAAAAEAAEAG51bGwOAAAAMAAAAAYAAAAIAAAABAAAAAAAAAAFAAAACAAAAAEAAAAEAAAAAQAAAAAAAAAQAAQAaGFpcg4AAAAwAAAABgAAAAgAAAAEAAAAAAAAAAUAAAAIAAAAAQAAAAQAAAABAAAAAAAAABAABABza2luDgAAAEAAAAAGAAAACAAAAAQAAAAAAAAABQAAAAgAAAABAAAACQAAAAEAAAAAAAAAEAAAAAkAAABsZWZ0LXNob2UAAAAAAAAADgAAAEAAAAAGAAAACAAAAAQAAAAAAAAABQAAAAgAAAABAAAACgAAAAEAAAAAAAAAEAAAAAoAAAByaWdodC1zaG9lAAAAAAAA";
        public const string PackedMasks = "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFRodSBOb3YgMjYgMTI6Mjc6MDcgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAASgAAAHic42NgYCgAYjYg5gBiTgYIYIXyQeLsQMwIxNxAnF6UX5qXUlJUWpIBVscExFogBjMjCxMDCDMzMoE5YAFmsAALsizEfAChfgX/";
        public const string PackedLabels = "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFRodSBOb3YgMjYgMTI6Mjc6MDcgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAcQAAAHic42NgYChgZGBgA9IcQAxkggErEp8VSnMBcU5iUmpOfE5mcQlEHR8QGzAg9LNg0c+CZK4AkJdXmpNDjr6MxMwicvQVZ2fmgfQ5ENDHiaIPws9JTSvRLc7IT2VA+JeQOVxo5oD4RZnpGcgGAQA5zxPm";
    }
}
