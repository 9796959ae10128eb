using System.Globalization;
using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>How accurate the convolutions by Winograd's algorithm are, and how they share their work.</summary>
public class WinogradTests
{
    /// <summary>
    /// For each variant the largest error and the root mean square of all errors that its answers may have, as parts of the root mean square of the
    /// outputs, for normal inputs, half of them cut off by Relu, and up to 256 channels.
    /// </summary>
    public static TheoryData<string, double, double> Bounds => new() { { "f32-winograd-2", 4e-6, 5e-7 }, { "f32-winograd-4", 2e-5, 2e-6 } };

    /// <summary>The errors against sums in double precision stay within the variant's bounds, whatever the depth, at every width.</summary>
    [Theory]
    [MemberData(nameof(Bounds))]
    public void ErrorsStayWithinBounds(string name, double worst, double typical)
    {
        KernelRow row = KernelTable.Rows.First(row => row.Name == name);
        foreach (int channels in (int[])[1, 3, 16, 64, 256])
        {
            Tensor x = RandomTensors.Normal([1, channels, 14, 15], channels), weights = RandomTensors.Kernel([24, channels, 3, 3], channels + 1);
            Tensor rectified = Tensor.Build<float>(x.Shape, values =>
            {
                for (int i = 0; i < values.Length; i++) values[i] = Math.Max(0, x.Floats[i]);
            });
            OpCase one = new($"{channels} channels", new Conv { Padding = Padding.All(1) }, [rectified, weights], [1]);
            Tensor expected = one.Expected();
            foreach (Isa isa in Enum.GetValues<Isa>())
            {
                (double most, double mean) = Errors(expected, KernelCase.Run(row, one, isa));
                Assert.True(most <= worst && mean <= typical,
                    string.Create(CultureInfo.InvariantCulture, $"{one} with {name}, {isa}: worst {most:E2}, typical {mean:E2}"));
            }
        }
    }

    /// <summary>Pictures of many tiles, cut into blocks, and layers of large weights, cut into panels, give the reference's answers.</summary>
    [Theory]
    [InlineData(16, 40, 65, 48)]
    [InlineData(48, 9, 7, 150)]
    [InlineData(80, 21, 18, 40)]
    [InlineData(512, 3, 2, 33)]
    public void LargeLayersAgreeWithTheReference(int channels, int height, int width, int outputs)
    {
        Tensor x = RandomTensors.Normal([2, channels, height, width], 1), weights = RandomTensors.Kernel([outputs, channels, 3, 3], 2);
        OpCase one = new($"{channels}×{height}×{width} to {outputs}", new Conv { Padding = new(1, 0, 2, 1), Then = new Relu() },
            [x, weights, RandomTensors.Normal([outputs], 3)], [1, 2]);
        Tensor expected = one.Expected();
        foreach (KernelRow row in KernelTable.Rows.Where(row => row.Name.StartsWith("f32-winograd", StringComparison.Ordinal)))
            foreach (Isa isa in Enum.GetValues<Isa>()) Closeness.Check(expected, KernelCase.Run(row, one, isa), 2e-5, $"{one} with {row.Name}, {isa}");
    }

    /// <summary>Three threads, more than this machine may have processors, wait for each other's scratch memory and change no bit.</summary>
    [Fact]
    public void ThreadsChangeNoBit()
    {
        Node input = new("x", new Input(ElementType.Float32, [1, 24, 40, 41]));
        Node first = new("first", new Conv { Padding = Padding.All(1) }, input, Node.Weight("w", RandomTensors.Kernel([40, 24, 3, 3], 4)));
        Graph graph = new([new("second", new Conv { Padding = Padding.All(1) }, first, Node.Weight("v", RandomTensors.Kernel([300, 40, 3, 3], 5)))], [input]);
        Tensor x = RandomTensors.Normal(input.Shape, 6);
        foreach (string name in (string[])["f32-winograd-2", "f32-winograd-4"])
        {
            using Session one = new(graph, new(1, Kernel: name)), three = new(graph, new(3, Kernel: name));
            Assert.Equal(2, one.Steps.Count(step => step.Kernel.StartsWith(name, StringComparison.Ordinal)));
            Tensor expected = one.Run(x)[0];
            for (int i = 0; i < 20; i++) Closeness.CheckBits(expected, three.Run(x)[0], name);
        }
    }

    private static (double Most, double Mean) Errors(Tensor expected, Tensor actual)
    {
        double most = 0, squares = 0, size = 0;
        for (int i = 0; i < expected.Floats.Length; i++)
        {
            double error = Math.Abs((double)expected.Floats[i] - actual.Floats[i]);
            (most, squares, size) = (Math.Max(most, error), squares + error * error, size + (double)expected.Floats[i] * expected.Floats[i]);
        }
        size /= expected.Floats.Length;
        return (most / Math.Sqrt(size), Math.Sqrt(squares / expected.Floats.Length / size));
    }
}
