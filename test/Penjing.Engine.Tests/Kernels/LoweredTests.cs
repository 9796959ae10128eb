using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>The scratch memory of the ways to compute a convolution.</summary>
public class LoweredTests
{
    /// <summary>
    /// im2col takes n · oh · ow · kh · kw · c floats, MEC n · ow · ih · kw · c with ih padded, so that their ratio is kh · oh / ih; direct and indirect ones take none.
    /// </summary>
    [Fact]
    public void ScratchBytesAreThoseOfThePapers()
    {
        var random = new Random(4);
        for (int i = 0; i < 200; i++)
        {
            int groups = random.Next(1, 3);
            Size kernel = new(random.Next(1, 6), random.Next(1, 6)), stride = new(random.Next(1, 4), random.Next(1, 4)), dilation = new(random.Next(1, 3), random.Next(1, 3));
            Padding padding = new(random.Next(0, 4), random.Next(0, 4), random.Next(0, 4), random.Next(0, 4));
            Shape x = [random.Next(1, 4), groups * random.Next(1, 20), (kernel.Height - 1) * dilation.Height + random.Next(1, 20), (kernel.Width - 1) * dilation.Width + random.Next(1, 20)];
            Node input = new("x", new Input(ElementType.Float32, x)), weight = Node.Weight("w", RandomTensors.Kernel([groups * 3, x[1] / groups, kernel.Height, kernel.Width], i));
            Node node = new("y", new Conv(stride, padding, dilation, groups), input, weight);
            int height = x[2] + padding.Top + padding.Bottom;
            long im2col = Scratch("f32-im2col", node), mec = Scratch("f32-mec", node);
            string what = $"{x} by {weight.Shape}, {node.Op}";
            Assert.True(im2col == 4L * x[0] * node.Shape[2] * node.Shape[3] * kernel.Height * kernel.Width * x[1], $"{what}: im2col takes {im2col} bytes");
            Assert.True(mec == 4L * x[0] * node.Shape[3] * height * kernel.Width * x[1], $"{what}: MEC takes {mec} bytes");
            Assert.True(im2col * height == mec * kernel.Height * node.Shape[2], $"{what}: {im2col} to {mec} bytes is not kh · oh / ih");
            Assert.Equal(0, Scratch("f32-direct", node));
            Assert.Equal(0, Scratch("f32-gemm-conv", node));
        }
    }

    /// <summary>They are never chosen where the indirect product fits.</summary>
    [Fact]
    public void TheyAreNeverChosen()
    {
        foreach (OpCase one in OpCases.Of<Conv>())
            foreach (Isa isa in Enum.GetValues<Isa>())
                Assert.DoesNotContain(KernelTable.Choose(new(KernelCase.Node(one), isa)).Name, (string[])["f32-direct", "f32-im2col", "f32-mec"]);
    }

    private static long Scratch(string name, Node node)
    {
        using Kernel kernel = KernelTable.Rows.First(row => row.Name == name).Create(new(node, Isa.Vector256));
        return kernel.ScratchBytes;
    }
}
