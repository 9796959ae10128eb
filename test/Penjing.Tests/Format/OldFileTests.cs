using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>Files that earlier versions of Penjing wrote are still read, to the bit.</summary>
public sealed class OldFileTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_older_version_s_file_is_read(int version)
    {
        byte[] file = File.ReadAllBytes(Path.Combine(Repository.Root, "test", "Penjing.Tests", "Format", "OldFiles", $"version-{version}.penjing"));
        Assert.Contains($"\"version\":\"{version}\"", System.Text.Encoding.Latin1.GetString(file));
        Model expected = Of(version), read = PenjingFile.Read(file);
        Models.AssertEqual(expected, read);
        Assert.All(expected.Graph.Weights, weight => Assert.True(weight.Value!.BitsEqual(read.Graph[weight.Name].Value!), weight.Name));
    }

    /// <summary>The network that was written as that version: weights of every encoding that it had, from a generator of integers.</summary>
    internal static Model Of(int version)
    {
        uint state = 12345;
        int Next(int below) => (int)((state = state * 1664525 + 1013904223) >> 8) % below;
        Node Weight(string name, Shape shape, Func<int, float> value) =>
            Node.Weight(name, Tensor.Of<float>(shape, [.. Enumerable.Range(0, shape.Elements).Select(value)]));
        var x = new Node("x", new Input(ElementType.Float32, [1, 16, 7, 7]));
        Node kernel = Weight("kernel", [32, 16, 3, 3], i => Next(version > 1 && i / 9 % 16 < 4 ? 2 : 30) == 0 ? (Next(15) - 7) * 0.125f : 0);
        Node bias = Weight("bias", [32], i => (Next(2000) - 1000) / 1024f);
        Node matrix = Weight("matrix", [3, 1568], i => (Next(5) + Next(5) * (version > 1 ? i / 200 % 7 : 2) - 8) * 0.0371f);
        Node y = new("y", new Relu(), new Node("conv", new Conv(Size.One, Padding.All(1), Size.One, 1), x, kernel, bias));
        Node[] outputs = [new("z", new Gemm(TransposeB: true), new Node("flat", new Flatten(1), y), matrix)];
        Node[] others =
        [
            Weight("constant", [50], _ => 0.1f), Weight("floats", [40], _ => (Next(1 << 24) - (1 << 23)) / 8e6f),
            Weight("exponents", [60, 20], i => (1 + Next(1 << 23) / (float)(1 << 23)) / (1 << i % 20)),
        ];
        return new(new Graph([.. outputs, .. version == 1 ? others[..2] : others])) { Name = $"version {version}", Labels = ["a", "b"] };
    }
}
