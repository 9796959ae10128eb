using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>Histograms count every value once, and each way to a range does what it says.</summary>
public sealed class RangesTests
{
    [Fact]
    public void A_histogram_counts_in_any_order()
    {
        var random = new Random(1);
        for (int round = 0; round < 30; round++)
        {
            float[] values = [.. RandomTensors.Normal([1000], round, Math.Pow(10, random.Next(-6, 7))).Floats, 0];
            Histogram one = new(), other = new();
            one.Add(values);
            float[] shuffled = [.. values];
            random.Shuffle(shuffled);
            foreach (float[] part in shuffled.Chunk(7)) other.Add(part);
            Assert.Equal(one.Width, other.Width);
            Assert.True(one.Bins.SequenceEqual(other.Bins));
            Assert.Equal(values.Length, one.Count);
            Assert.Equal(new(values.Min(), values.Max()), one.Seen);
            for (int bin = 0; bin < one.Bins.Length; bin++)
            {
                double from = (bin - Histogram.Side) * one.Width;
                Assert.Equal(values.Count(value => value != 0 && value >= from && value < from + one.Width), one.Bins[bin]);
            }
        }
        Assert.Throws<PenjingException>(() => new Histogram().Add([1, float.NaN]));
    }

    [Theory]
    [InlineData(RangeMethod.Entropy)]
    [InlineData(RangeMethod.Percentile)]
    public void A_value_far_out_is_given_up(RangeMethod method)
    {
        Histogram histogram = new();
        histogram.Add([.. RandomTensors.Normal([200_000], 5).Floats, 60]);
        ValueRange range = Ranges.Of(histogram, method);
        Assert.Equal(histogram.Seen, Ranges.Of(histogram, RangeMethod.MinMax));
        Assert.InRange(range.High, 2.5, 12);
        Assert.InRange(range.Low, -5, -2.5);
    }

    /// <summary>No other range has less squared error over the values themselves, as they are and not as their bins have them.</summary>
    [Fact]
    public void The_range_of_least_squared_error_has_the_least()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            float[] values = [.. RandomTensors.Normal([5000], seed, 0.7, mean: 0.3 * seed).Floats.ToArray().Select(value => value * Math.Abs(value))];
            Histogram histogram = new();
            histogram.Add(values);
            ValueRange whole = histogram.Seen, range = Ranges.Of(histogram, RangeMethod.MeanSquaredError);
            double error = Error(values, range);
            for (double low = 0.2; low <= 1; low += 0.1)
                for (double high = 0.2; high <= 1; high += 0.1)
                {
                    ValueRange other = new((float)(low * whole.Low), (float)(high * whole.High));
                    Assert.True(error <= 1.03 * Error(values, other), $"seed {seed}: {range} has {error}, {other} {Error(values, other)}");
                }
        }
    }

    /// <summary>Values that fill their range evenly are given up by none.</summary>
    [Theory]
    [InlineData(RangeMethod.MeanSquaredError)]
    [InlineData(RangeMethod.Entropy)]
    [InlineData(RangeMethod.Percentile)]
    public void Even_values_are_kept(RangeMethod method)
    {
        Histogram histogram = new();
        histogram.Add(RandomTensors.Uniform([200_000], 6, -1, 3).Floats);
        ValueRange range = Ranges.Of(histogram, method);
        Assert.InRange(range.Low, -1, -0.95);
        Assert.InRange(range.High, 2.85, 3);
    }

    [Fact]
    public void Zero_is_an_integer_of_every_range()
    {
        foreach (ValueRange range in (ValueRange[])[default, new(0, 1e-30f), new(-3, 0), new(-1, 5), new(0, 7), new(-1e30f, 1e30f)])
        {
            Quantization quantization = range.ToUInt8();
            Assert.InRange(quantization.ZeroPoints[0], 0, 255);
            Assert.Equal(quantization.ZeroPoints[0], quantization.Nearest(0, ElementType.UInt8));
            Assert.InRange(quantization.Nearest(range.High, ElementType.UInt8), range.High > 0 && quantization.Scales[0] < 1 ? 254 : 0, 255);
        }
    }

    private static double Error(float[] values, ValueRange range)
    {
        Quantization quantization = range.ToUInt8();
        return values.Sum(value => Math.Pow(value - quantization.Scales[0] * (double)(quantization.Nearest(value, ElementType.UInt8) - quantization.ZeroPoints[0]), 2));
    }
}
