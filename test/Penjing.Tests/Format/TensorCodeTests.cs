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

    [Fact]
    public void Normal_floats_lose_a_sixth_as_planes()
    {
        Tensor tensor = RandomTensors.Normal([100_000], 1, 0.05);
        Assert.InRange(TensorCode.Write(tensor)[TensorEncoding.Planes].Length, 320_000, 340_000);
    }
}
