using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Sparse kernels on weights with zeros, and when they are chosen.</summary>
public class SparseTests
{
    private static readonly double[] zeros = [0, 0.5, 0.9, 0.99, 1];

    /// <summary>Every vector width and share of zeros.</summary>
    public static TheoryData<Isa, double> Cases => new(from isa in Enum.GetValues<Isa>() from share in zeros select (isa, share));

    /// <summary>Pixels around the blocks' widths, several blocks of depths, groups, strides: the reference's answers, whichever columns are empty.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void AgreesWithTheReference(Isa isa, double share)
    {
        foreach (int pixels in (int[])[1, 2, 16, 31, 49, 65, 130])
            foreach ((int channels, int columns) in ((int, int)[])[(1, 1), (13, 5), (300, 33), (700, 66)])
                Check(new($"{channels}×{pixels} to {columns}", new Conv { Then = pixels % 2 == 0 ? new Relu() : null },
                    [RandomTensors.Normal([1, channels, 1, pixels], pixels), Sparse([columns, channels, 1, 1], share), RandomTensors.Normal([columns], 3)], [1, 2]), isa);
        Check(new("3×3 stride 2, groups", new Conv(Size.Square(2), Padding.All(1), Size.One, 2, new HardSwish()),
            [RandomTensors.Normal([2, 34, 9, 8], 4), Sparse([12, 17, 3, 3], share)], [1]), isa);
        foreach (int rows in (int[])[1, 3, 20])
            foreach (bool turned in (bool[])[false, true])
                Check(new($"Gemm of {rows} rows", new Gemm(TransposeB: turned, Alpha: 0.5f, Beta: 2),
                    [RandomTensors.Normal([rows, 260], 5), Sparse(turned ? [70, 260] : [260, 70], share), RandomTensors.Normal([70], 6)], [1, 2]), isa);
    }

    /// <summary>Channels in another order, some of them twice, and an addend before the activation.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void FusedConvolutionsAgreeWithTheReference(Isa isa, double share)
    {
        FusedConv fused = new(new Conv { Groups = 2, Then = new Relu() }, [5, 0, 3, 3, 1, 9, 8, 2], Adds: true);
        Check(new("ordered and added", fused, [RandomTensors.Normal([2, 10, 5, 7], 1), Sparse([34, 4, 1, 1], share), RandomTensors.Normal([34], 2), RandomTensors.Normal([2, 34, 5, 7], 3)], [1, 2]), isa);
    }

    /// <summary>Nine zeros of ten make the sparse kernel the cheapest for the layers of MobileNet behind the first, and for large products; none make it the dearest.</summary>
    [Theory]
    [InlineData("128x28x28-256", true)]
    [InlineData("512x14x14-512", true)]
    [InlineData("1024x7x7-1024", true)]
    [InlineData("9216-4096", true)]
    public void ZerosMakeItCheap(string layer, bool chosen)
    {
        foreach (Isa isa in Enum.GetValues<Isa>())
        {
            Assert.Equal(chosen, KernelTable.Choose(new(LayerText.Parse($"{layer}-z90"), isa)).Name == "f32-sparse");
            Assert.NotEqual("f32-sparse", KernelTable.Choose(new(LayerText.Parse(layer), isa)).Name);
        }
    }

    /// <summary>Zeros that stand in blocks as wide as a panel make the block-sparse kernel the cheapest, zeros strewn at random don't.</summary>
    [Fact]
    public void BlocksOfZerosAreLeftOut()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 256, 28, 28]));
        Tensor strewn = Sparse([256, 256, 1, 1], 0.8);
        Tensor blocks = Tensor.Build<float>(strewn.Shape, values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = (i % 256 + i / 256 / 32) % 5 == 0 ? 1 : 0;
        });
        Assert.Equal("f32-block-sparse", KernelTable.Choose(new(new Node("y", new Conv(), x, Node.Weight("w", blocks)), Isa.Vector512)).Name);
        Assert.Equal("f32-sparse", KernelTable.Choose(new(new Node("y", new Conv(), x, Node.Weight("w", strewn)), Isa.Vector512)).Name);
        foreach (Isa isa in Enum.GetValues<Isa>()) Check(new("blocks", new Conv(), [RandomTensors.Normal([1, 256, 3, 5], 1), blocks], [1]), isa);
    }

    private static void Check(OpCase one, Isa isa)
    {
        Tensor expected = one.Op is Fusion fusion ? fusion.Evaluate(one.Inputs.AsSpan()) : one.Expected();
        Site site = new(KernelCase.Node(one), isa);
        foreach (KernelRow row in KernelTable.Rows.Where(row => row.Name.Contains("sparse", StringComparison.Ordinal) && row.Fits(site)))
            Closeness.Check(expected, KernelCase.Run(row, one, isa), 1e-5, $"{one} with {row.Name}, {isa}");
    }

    private static Tensor Sparse(Shape shape, double share)
    {
        var random = new Random(7);
        float[] values = RandomTensors.Normal(shape, 8).Floats.ToArray();
        return Tensor.Build<float>(shape, kept =>
        {
            for (int i = 0; i < kept.Length; i++) kept[i] = random.NextDouble() < share ? 0 : values[i];
        });
    }
}
