using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>Every encoding gives every bit back.</summary>
public sealed class TensorCodeTests
{
    [Fact]
    public void Every_encoding_gives_every_bit_back()
    {
        var used = new HashSet<TensorEncoding>();
        foreach ((string name, Tensor tensor) in WeightCases.All)
            foreach ((TensorEncoding encoding, byte[] stream) in TensorCode.Write(tensor))
            {
                used.Add(encoding);
                string what = $"{name} as {encoding}, {stream.Length} bytes";
                byte[] between = [7, 7, 7, .. stream, 9, 9];
                var reader = new CodeReader(between) { Bit = 3 * 8 };
                (Tensor back, TensorEncoding read) = TensorCode.Read(ref reader, tensor.Type, tensor.Shape);
                Assert.True(back.BitsEqual(tensor), what);
                Assert.True(read == encoding, what);
                Assert.True(reader.Position == 3 + stream.Length, what);
            }
        Assert.Equal(Enum.GetValues<TensorEncoding>().Order(), used.Order());
    }

    [Fact]
    public void Every_cut_stream_is_refused()
    {
        foreach ((string name, Tensor tensor) in WeightCases.All.Where(one => one.Tensor.Shape.Elements is > 0 and < 300))
            foreach ((TensorEncoding encoding, byte[] stream) in TensorCode.Write(tensor))
                for (int length = 0; length < stream.Length; length += Math.Max(1, stream.Length / 50))
                    Assert.Throws<ModelFormatException>(() =>
                    {
                        var reader = new CodeReader(stream.AsSpan(0, length));
                        TensorCode.Read(ref reader, tensor.Type, tensor.Shape);
                        Assert.Fail($"{name} as {encoding}, {length} of {stream.Length} bytes");
                    });
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(256)]
    public void Shared_weights_take_their_entropy_and_little_more(int distinct)
    {
        var random = new Random(distinct);
        float[] values = [.. Enumerable.Range(0, 100_000).Select(_ => MathF.Sin((int)(distinct * Math.Pow(random.NextDouble(), 3))))];
        Tensor tensor = Tensor.Of([100_000], values);
        double entropy = tensor.Floats.ToArray().CountBy(value => value).Sum(group => -group.Value * Math.Log2(group.Value / 1e5)) / 1e5;
        ImmutableSortedDictionary<TensorEncoding, byte[]> streams = TensorCode.Write(tensor);
        double bits = (streams[TensorEncoding.SharedHuffman].Length - 4.0 * distinct) * 8 / 1e5;
        Assert.True(bits <= entropy + 0.06, $"{distinct} values: {bits:f3} bits each beside the codebook, entropy {entropy:f3}");
        Assert.True(streams[TensorEncoding.SharedHuffman].Length < streams[TensorEncoding.Shared].Length);
    }

    /// <summary>Codebook, lengths and all that the odds have to learn included.</summary>
    [Theory]
    [InlineData(0.9, 15)]
    [InlineData(0.95, 31)]
    [InlineData(0.99, 255)]
    public void Pruned_and_shared_weights_take_their_entropy_and_two_bytes_a_value(double zeros, int distinct)
    {
        (Tensor tensor, double entropy) = Pruned([300, 784], distinct, _ => zeros);
        int bytes = TensorCode.Write(tensor)[TensorEncoding.Modelled].Length;
        Assert.True(bytes <= 1.01 * entropy / 8 + 2 * distinct + 24, $"{zeros} zeros, {distinct} values: {bytes} bytes, entropy {entropy / 8:f0}");
    }

    [Fact]
    public void Pruned_channels_of_different_density_take_less_than_their_entropy()
    {
        (Tensor tensor, double entropy) = Pruned([64, 64, 3, 3], 31, i => i / 9 % 64 < 8 ? 0.5 : 0.97);
        int bytes = TensorCode.Write(tensor)[TensorEncoding.Modelled].Length;
        Assert.True(bytes < 0.9 * entropy / 8, $"{bytes} bytes, entropy {entropy / 8:f0}");
    }

    /// <summary>Values that are Float16s take fewer bytes than others of the same size, and vectors of them fewer than their sign and exponent by bytes.</summary>
    [Fact]
    public void Bits_that_are_zero_throughout_are_not_stored()
    {
        var random = new Random(1);
        float[] halves = [.. Enumerable.Range(0, 4000).Select(_ => (float)(Half)(random.NextDouble() * Math.Exp(-2 * random.NextDouble())))];
        ImmutableSortedDictionary<TensorEncoding, byte[]> streams = TensorCode.Write(Tensor.Of([4000], halves));
        Assert.InRange(streams[TensorEncoding.Modelled].Length, 4000 * 10 / 8, Math.Min(6500, streams[TensorEncoding.Planes].Length));
        float[] shared = [.. Enumerable.Range(0, 5000).Select(i => halves[i * 7 % 200])], odd = [.. shared.Select(value => value * 1.1f)];
        int small = TensorCode.Write(Tensor.Of([5000], shared))[TensorEncoding.Modelled].Length, large = TensorCode.Write(Tensor.Of([5000], odd))[TensorEncoding.Modelled].Length;
        Assert.True(small < large - 200, $"{small} and {large} bytes");
    }

    private static (Tensor Tensor, double Entropy) Pruned(Shape shape, int distinct, Func<int, double> zeros)
    {
        var random = new Random(distinct);
        float[] values = [.. Enumerable.Range(1, distinct).Select(i => (float)(Half)((i - distinct / 2 - 0.5) / distinct))];
        float[] elements = [.. Enumerable.Range(0, shape.Elements).Select(i => random.NextDouble() < zeros(i) ? 0 : values[(int)(distinct * (random.NextDouble() + random.NextDouble()) / 2)])];
        return (Tensor.Of(shape, elements), elements.CountBy(value => value).Sum(group => group.Value * Math.Log2((double)elements.Length / group.Value)));
    }

    [Fact]
    public void Normal_floats_lose_a_sixth_as_planes()
    {
        Tensor tensor = RandomTensors.Normal([100_000], 1, 0.05);
        Assert.InRange(TensorCode.Write(tensor)[TensorEncoding.Planes].Length, 320_000, 340_000);
    }
}
