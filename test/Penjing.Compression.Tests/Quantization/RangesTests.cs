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
                Assert.Equal(values.Count(value => value >= from && value < from + one.Width), one.Bins[bin]);
            }
        }
        Assert.Throws<PenjingException>(() => new Histogram().Add([1, float.NaN]));
    }

    /// <summary>The range of least squared error has no more of it, over the values themselves, than the whole range, and far less where few values lie far out.</summary>
    [Theory]
    [InlineData(RangeMethod.MeanSquaredError)]
    [InlineData(RangeMethod.Entropy)]
    [InlineData(RangeMethod.Percentile)]
    public void Far_values_are_given_up(RangeMethod method)
    {
        float[] values = [.. RandomTensors.Normal([200_000], 5).Floats, 60];
        Histogram histogram = new();
        histogram.Add(values);
        ValueRange whole = Ranges.Of(histogram, RangeMethod.MinMax), range = Ranges.Of(histogram, method);
        Assert.Equal(histogram.Seen, whole);
        Assert.InRange(range.High, 2.5, 12);
        Assert.True(Error(values, range) < 0.5 * Error(values, whole), $"{range}: {Error(values, range)} against {Error(values, whole)}");
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
