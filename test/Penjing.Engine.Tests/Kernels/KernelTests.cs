using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>Every row of the kernel table by itself, at every vector width, against the reference.</summary>
public class KernelTests
{
    private const double Tolerance = 1e-5;

    /// <summary>Every row but the fallback, and those of fusions which no plain node is, at every width.</summary>
    public static TheoryData<string, Isa> Rows => new(
        from row in KernelTable.Rows
        where row.Name is not ("reference" or "f32-separable" or "i8-gemm-conv" or "i8-dot-conv" or "i8-vnni-conv" or "i8-depthwise" or "i8-vnni-depthwise" or "i8-winograd-2" or "i8-gate" or "i8-table" or "i8-softmax")
        from isa in Enum.GetValues<Isa>()
        select (row.Name, isa));

    /// <summary>Each generated case that a row fits has the reference's answer, and nothing outside the operands is touched.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void AgreesWithTheReference(string name, Isa isa)
    {
        KernelRow row = KernelTable.Rows.First(row => row.Name == name);
        int fitting = 0;
        foreach (OpCase one in OpCases.All)
        {
            Node node = KernelCase.Node(one);
            if (node.Inputs.All(input => input.Value is not null) || !row.Fits(new(node, isa))) continue;
            fitting++;
            Closeness.Check(one.Expected(), KernelCase.Run(row, one, isa, fitting % 2 == 1), Tolerance, $"{one} with {name}, {isa}");
        }
        Assert.True(fitting > 0, $"no case fits {name}");
    }

    /// <summary>
    /// No case of floats is left to the fallback, save these: products of pictures, addends of several rows, reductions that turn axes, resizing by
    /// cubics and crops, quantization by channel or to 16 bits, and the operations that have no kernel.
    /// </summary>
    [Fact]
    public void LittleFallsBack()
    {
        string[] expected =
        [
            "Gemm: both transposed, 5 by 7 by 9 + 5×9", "Gemm: column addend, 5 by 7 by 9 + 5×1",
            "MatMul: 2×3×4×5 by 2×3×5×6", "MatMul: 2×3×4×5 by 5×6", "MatMul: 3×1×4×5 by 2×5×6",
            "ReduceMean: axes [0, 2] dropped of 2×13×4×5", "ReduceMean: axes [-1] dropped of 2×13×4×5",
            "ArgMax: axis 0 dropped of 3×13×4×5", "ArgMax: axis 3 dropped of 3×13×4×5", "ArgMax: axis -2 dropped of 3×13×4×5",
            "QuantizeLinear: Int8 by channel", "QuantizeLinear: Int16",
        ];
        OpCase[] floats =
        [
            .. from one in OpCases.All
               let node = KernelCase.Node(one)
               where node.Shape.Elements > 0 && node.Inputs.All(input => input.Info.Type == ElementType.Float32)
               where node.Inputs.Any(input => input.Value is null)
               select one,
        ];
        ILookup<bool, OpCase> fallen = floats.ToLookup(one => KernelTable.Choose(new(KernelCase.Node(one), Isa.Vector256)).Name == "reference");
        string[] slow = [.. fallen[true].Select(one => one.Op.GetType().Name).Except(fallen[false].Select(one => one.Op.GetType().Name)).Order(StringComparer.Ordinal)];
        Assert.Equal(
        [
            "ArgMin", "Cast", "Celu", "CumSum", "Einsum", "Elu", "Equal", "Expand", "Gelu", "Greater", "GreaterOrEqual", "GridSample", "Hardmax", "IsInf", "LRN", "Less",
            "LessOrEqual", "LogSoftmax", "Max", "Min", "Mod", "Pow", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
            "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Selu", "Shrink", "ThresholdedRelu", "Tile", "TopK", "TopKIndices", "Trilu", "Unary",
        ], slow);
        Assert.Equal(expected, fallen[true].Where(one => one.Op is not Resize { Mode: ResizeMode.Cubic } and not Resize { Coordinates: CoordinateMode.TfCropAndResize }
            && !slow.Contains(one.Op.GetType().Name)).Select(one => one.Name));
    }
}
