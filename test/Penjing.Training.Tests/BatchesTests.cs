namespace Penjing.Training.Tests;

/// <summary>Schedules and batches are what their formulas say.</summary>
public sealed class BatchesTests
{
    private static readonly Split Pictures = Samples.Squares(50, 8, 4, 3);
    private static readonly Preprocessing Plain = new(Channels.Gray, [0], [1]);

    [Fact]
    public void The_learning_rate_rises_in_a_line_and_falls_by_a_cosine()
    {
        Schedule schedule = Schedule.Of(new() { Epochs = 2.5, WarmUp = 0.5, LearningRate = 0.4, FinalLearningRate = 0.1 }, 20);
        Assert.Equal((50, 10), (schedule.Steps, schedule.WarmUp));
        Assert.Equal(0.04, schedule[0], 1e-12);
        Assert.Equal(0.2, schedule[4], 1e-12);
        Assert.Equal(0.4, schedule[9], 1e-12);
        Assert.Equal(0.4, schedule[10], 1e-12);
        Assert.Equal(0.25, schedule[30], 1e-12);
        Assert.Equal(0.1 + 0.15 * (1 + Math.Cos(Math.PI * 39 / 40)), schedule[49], 1e-12);
        Assert.Equal((3, 1), (Schedule.Of(new() { Steps = 3, WarmUp = 9 }, 20).Steps, Schedule.Of(new() { Steps = 3, WarmUp = 9 }, 20).WarmUp));
        Assert.All(Enumerable.Range(0, 7), step => Assert.InRange(new Schedule(7, 0, 1, 0)[step], 0, 1));
    }

    [Fact]
    public void Every_picture_comes_once_an_epoch_in_another_order_each_time()
    {
        Batches batches = new(Pictures, Plain, [1, 1, 8, 8], new() { Batch = 10 });
        Assert.Equal(5, batches.StepsPerEpoch);
        string[] epochs = [.. Enumerable.Range(0, 2).Select(epoch => string.Join(' ', Enumerable.Range(epoch * 5, 5).SelectMany(step => Drawn(batches, step, 10))))];
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 50), epoch.Split(' ').Select(int.Parse).Order()));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, true)]
    public void A_batch_depends_on_its_step_only(int shift, bool flip)
    {
        TrainingOptions options = new() { Batch = 10, Shift = shift, Flip = flip };
        Batches one = new(Pictures, Plain, [1, 1, 8, 8], options), other = new(Pictures, Plain, [1, 1, 8, 8], options), seeded = new(Pictures, Plain, [1, 1, 8, 8], options with { Seed = 2 });
        float[] whole = Filled(one, 13, 0, 10);
        _ = Filled(other, 2, 0, 10);
        Assert.Equal(whole, (float[])[.. Filled(other, 13, 0, 4), .. Filled(other, 13, 4, 10)]);
        Assert.NotEqual(whole, Filled(seeded, 13, 0, 10));
    }

    [Fact]
    public void An_augmented_picture_is_the_picture_shifted_and_mirrored()
    {
        const int Shift = 2;
        Batches batches = new(Pictures, new(Channels.Gray, [10], [2]), [1, 1, 8, 8], new() { Batch = 10, Shift = Shift, Flip = true }), plain = new(Pictures, Plain, [1, 1, 8, 8], new() { Batch = 10 });
        HashSet<(int, int, bool)> seen = [];
        for (int step = 0; step < 10; step++)
        {
            float[] augmented = Filled(batches, step, 0, 10);
            int[] drawn = Drawn(plain, step, 10);
            for (int i = 0; i < 10; i++)
                seen.Add(Assert.Single(Ways(), way => Enumerable.Range(0, 64).All(at => augmented[i * 64 + at] == (Moved(Pictures.Pixels(drawn[i]), at / 8, at % 8, way) - 10) / 2f)));
        }
        Assert.True(seen.Count > 30, $"{seen.Count} of 50 ways");

        static IEnumerable<(int Down, int Across, bool Flip)> Ways() => from down in Enumerable.Range(-Shift, 2 * Shift + 1) from across in Enumerable.Range(-Shift, 2 * Shift + 1) from flip in new[] { false, true } select (down, across, flip);
        static byte Moved(ReadOnlySpan<byte> pixels, int row, int column, (int Down, int Across, bool Flip) way)
        {
            int y = row + way.Down, x = (way.Flip ? 7 - column : column) + way.Across;
            return y is >= 0 and < 8 && x is >= 0 and < 8 ? pixels[y * 8 + x] : (byte)0;
        }
    }

    [Fact]
    public void Pictures_of_another_size_and_kind_are_fitted()
    {
        Batches batches = new(Pictures, new(Channels.Rgb, [0, 0, 0], [1, 2, 4], Fit.Stretch), [1, 3, 4, 4], new() { Batch = 5 });
        float[] filled = Filled(batches, 0, 0, 5);
        Assert.Equal(5 * 48, filled.Length);
        Assert.All(Enumerable.Range(0, 80), at => Assert.Equal((filled[3 * at] / 2, filled[3 * at] / 4), (filled[3 * at + 1], filled[3 * at + 2])));
    }

    [Fact]
    public void Random_numbers_are_even()
    {
        Chance chance = new(1, 2, 3);
        int[] counts = new int[7];
        for (int i = 0; i < 70000; i++) counts[chance.Below(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 9600, 10400));
    }

    private static float[] Filled(Batches batches, int step, int from, int end)
    {
        var pictures = new float[(end - from) * batches.PerPicture];
        batches.Begin(step);
        batches.Fill(step, from, end, pictures, new long[end - from]);
        return pictures;
    }

    /// <summary>Which pictures a step draws, told by their pixels.</summary>
    private static int[] Drawn(Batches batches, int step, int count)
    {
        float[] filled = Filled(batches, step, 0, count);
        return [.. Enumerable.Range(0, count).Select(i => Enumerable.Range(0, Pictures.Count).Single(index => Enumerable.Range(0, 64).All(at => Pictures.Pixels(index)[at] == filled[i * 64 + at])))];
    }
}
