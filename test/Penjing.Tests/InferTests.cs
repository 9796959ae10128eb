namespace Penjing.Tests;

/// <summary>A node whose inputs don't fit can't be built; the error names the node and both sides.</summary>
public class InferTests
{
    private static readonly Dictionary<string, (Op Op, Shape[] Inputs, string[] Named)> misfits = new()
    {
        ["Conv, channels"] = (new Conv(), [[1, 3, 5, 5], [8, 4, 3, 3]], ["1×3×5×5", "8×4×3×3"]),
        ["Conv, groups"] = (new Conv(Size.One, default, Size.One, 2), [[1, 4, 5, 5], [7, 2, 3, 3]], ["1×4×5×5", "7×2×3×3", "2 group"]),
        ["Conv, no groups"] = (new Conv(Size.One, default, Size.One, 0), [[1, 4, 5, 5], [7, 4, 3, 3]], ["1×4×5×5", "0 group"]),
        ["Conv, bias"] = (new Conv(), [[1, 3, 5, 5], [8, 3, 3, 3], [7]], ["bias", "8", "7"]),
        ["Conv, rank"] = (new Conv(), [[3, 5, 5], [8, 3, 3, 3]], ["rank 4", "3×5×5"]),
        ["Conv, kernel too large"] = (new Conv(), [[1, 3, 2, 5], [8, 3, 3, 3]], ["3×3", "2×5"]),
        ["Conv, stride 0"] = (new Conv(new(0, 1), default, Size.One), [[1, 3, 5, 5], [8, 3, 3, 3]], ["0×1"]),
        ["Conv, dilation beyond all measure"] = (new Conv(Size.One, default, Size.Square(int.MaxValue)), [[1, 3, 5, 5], [8, 3, 3, 3]], ["3×3", "5×5"]),
        ["Conv, padding beyond all measure"] = (new Conv(Size.One, Padding.All(int.MaxValue), Size.One), [[1, 3, 5, 5], [8, 3, 3, 3]], ["padding", "5×5"]),
        ["Conv, one input"] = (new Conv(), [[1, 3, 5, 5]], ["2 to 3", "1"]),
        ["ConvTranspose, channels"] = (new ConvTranspose(Size.One, default, Size.One), [[1, 3, 5, 5], [4, 8, 3, 3]], ["1×3×5×5", "4×8×3×3"]),
        ["ConvTranspose, padding"] = (new ConvTranspose(Size.One, Padding.All(4), Size.One), [[1, 3, 5, 5], [3, 8, 3, 3]], ["1×3×5×5"]),
        ["ConvTranspose, stride beyond all measure"] = (new ConvTranspose(Size.Square(int.MaxValue), default, Size.One), [[1, 3, 5, 5], [3, 8, 3, 3]], ["output"]),
        ["BatchNormalization"] = (new BatchNormalization(), [[1, 3, 5, 5], [3], [3], [4], [3]], ["3", "4"]),
        ["PRelu"] = (new PRelu(), [[1, 3, 5, 5], [4, 1, 1]], ["1×3×5×5", "4×1×1"]),
        ["Add"] = (new Add(), [[1, 3, 5, 5], [1, 4, 5, 5]], ["1×3×5×5", "1×4×5×5"]),
        ["Sub, three inputs"] = (new Sub(), [[3], [3], [3]], ["2 inputs", "3"]),
        ["Softmax"] = (new Softmax(2), [[3, 4]], ["axis 2", "rank 2"]),
        ["MaxPool, window"] = (new MaxPool(Size.Square(3), Size.One), [[1, 3, 2, 2]], ["3×3", "2×2"]),
        ["MaxPool, padding"] = (new MaxPool(Size.Square(3), Size.One, Padding.All(3)), [[1, 3, 9, 9]], ["3×3"]),
        ["AveragePool, padding"] = (new AveragePool(Size.Square(2), Size.One, new(0, -1, 0, 0)), [[1, 3, 9, 9]], ["2×2"]),
        ["GlobalAveragePool"] = (new GlobalAveragePool(), [[3, 9, 9]], ["rank 4", "3×9×9"]),
        ["Gemm"] = (new Gemm(), [[2, 3], [4, 5]], ["2×3", "4×5"]),
        ["Gemm, transposed"] = (new Gemm(TransposeB: true), [[2, 3], [3, 5]], ["2×3", "3×5 transposed"]),
        ["Gemm, addend"] = (new Gemm(), [[2, 3], [3, 5], [4]], ["4", "2×5"]),
        ["MatMul"] = (new MatMul(), [[2, 3], [4, 5]], ["2×3", "4×5"]),
        ["MatMul, outer axes"] = (new MatMul(), [[2, 2, 3], [4, 3, 5]], ["2×2×3", "4×3×5"]),
        ["Concat"] = (new Concat(1), [[1, 3, 5, 5], [1, 4, 5, 6]], ["1×3×5×5", "1×4×5×6", "axis 1"]),
        ["Slice, axis"] = (new Slice(4, 0, 1), [[1, 3, 5, 5]], ["axis 4", "rank 4"]),
        ["Slice, step"] = (new Slice(1, 0, 1, 0), [[1, 3]], ["step"]),
        ["Gather"] = (new Gather(1, [0, 3]), [[1, 3, 5]], ["3", "1×3×5"]),
        ["Pad, cut"] = (new Pad(1, -2, -2), [[1, 3]], ["-2", "1×3"]),
        ["Pad, mirror"] = (new Pad(1, 3, 0, PadMode.Reflect), [[1, 3]], ["3", "1×3"]),
        ["Pad, beyond all measure"] = (new Pad(1, int.MaxValue, int.MaxValue), [[1, 3]], ["elements"]),
        ["Reshape"] = (new Reshape([2, -1]), [[3, 5]], ["3×5", "[2, -1]"]),
        ["Reshape, two free"] = (new Reshape([-1, -1]), [[3, 5]], ["3×5", "[-1, -1]"]),
        ["Reshape, kept beyond the rank"] = (new Reshape([3, 5, 0]), [[3, 5]], ["3×5", "[3, 5, 0]"]),
        ["Flatten"] = (new Flatten(3), [[3, 5]], ["axis 3", "3×5"]),
        ["Transpose"] = (new Transpose([0, 0]), [[3, 5]], ["[0, 0]", "3×5"]),
        ["Squeeze"] = (new Squeeze([1]), [[3, 5]], ["axis 1", "3×5"]),
        ["Unsqueeze"] = (new Unsqueeze([1, -2]), [[3]], ["axis 1"]),
        ["Resize"] = (new Resize(new(0, 4)), [[1, 3, 5, 5]], ["1×3×5×5", "0×4"]),
        ["ReduceMean"] = (new ReduceMean([1, -1]), [[3, 5]], ["axis"]),
        ["ArgMax"] = (new ArgMax(0), [[0, 5]], ["0×5"]),
        ["Dropout"] = (new Dropout(1), [[3, 5]], ["ratio 1"]),
        ["Not"] = (new Unary(UnaryFunction.Not), [[3, 5]], ["Float32 3×5"]),
        ["And"] = (new And(), [[3, 5], [5]], ["Float32 3×5"]),
        ["BitShift"] = (new BitShift(true), [[3, 5], [5]], ["Float32 3×5"]),
        ["Min"] = (new Min(), [[3, 5], [4]], ["3×5", "4"]),
        ["Where"] = (new Where(), [[3], [3], [3]], ["condition", "Bool"]),
        ["ReduceSum"] = (new ReduceSum([2]), [[3, 5]], ["axis 2"]),
        ["CumSum"] = (new CumSum(2), [[3, 5]], ["axis 2"]),
        ["LRN"] = (new LRN(1, 1, 1, 0), [[1, 3, 5, 5]], ["0"]),
        ["GlobalMaxPool"] = (new GlobalMaxPool(), [[1, 3, 0, 5]], ["1×3×0×5"]),
        ["Expand"] = (new Expand([3, 4]), [[3, 5]], ["3×5", "3×4"]),
        ["Tile"] = (new Tile([2]), [[3, 5]], ["[2]", "3×5"]),
        ["Tile, beyond all measure"] = (new Tile([int.MaxValue, 2]), [[3, 5]], ["3×5"]),
        ["Trilu"] = (new Trilu(), [[5]], ["5"]),
        ["Take"] = (new Take(), [[3, 5], [2]], ["Int64", "Float32 2"]),
        ["TopK"] = (new TopK(1, 6), [[3, 5]], ["6", "3×5"]),
        ["OneHot"] = (new OneHot(4), [[3], [3]], ["2", "3"]),
        ["Einsum"] = (new Einsum("ij,jk->ik"), [[3, 5], [4, 2]], ["ij,jk->ik", "5", "4"]),
        ["Einsum, rank"] = (new Einsum("ij->j"), [[3]], ["ij->j", "rank 1"]),
        ["Einsum, output"] = (new Einsum("ij->k"), [[3, 5]], ["ij->k"]),
        ["GridSample"] = (new GridSample(), [[1, 3, 5, 5], [1, 4, 4, 3]], ["1×4×4×3"]),
        ["RoiAlign"] = (new RoiAlign(Size.One), [[1, 3, 5, 5], [2, 4], [2]], ["Float32 2"]),
        ["QuantizeLinear, scales"] = (new QuantizeLinear(ElementType.Int8, new([1, 2], [0, 0], 1)), [[3, 5]], ["2 scales", "3×5"]),
        ["QuantizeLinear, zero point"] = (new QuantizeLinear(ElementType.Int8, new(1, 200)), [[3, 5]], ["zero point 200"]),
        ["QuantizeLinear, no scale"] = (new QuantizeLinear(ElementType.Int8, new(0, 0)), [[3, 5]], ["scale 0"]),
        ["DequantizeLinear"] = (new DequantizeLinear(), [[3, 5]], ["Float32 3×5"]),
        ["Reinterpret"] = (new Reinterpret(new(1, 0)), [[3, 5]], ["Float32 3×5"]),
    };

    public static TheoryData<string> Misfits => [.. misfits.Keys];

    [Theory]
    [MemberData(nameof(Misfits))]
    public void MisfitsAreNamed(string key)
    {
        (Op op, Shape[] shapes, string[] named) = misfits[key];
        Node[] inputs = [.. shapes.Select((shape, i) => new Node($"x{i}", new Input(ElementType.Float32, shape)))];
        string message = Assert.Throws<ShapeException>(() => new Node("the node", op, [.. inputs])).Message;
        Assert.All(["'the node'", op.Name, .. named], part => Assert.Contains(part, message));
    }

    /// <summary>What computes asks for Float32, and names what it got.</summary>
    [Fact]
    public void ComputingAsksForFloats()
    {
        Node integers = new("x", new Input(ElementType.Int8, [1, 3, 4, 4]));
        foreach (Op op in (Op[])[new Sigmoid(), new Softmax(), new GlobalAveragePool(), new Resize(Size.One), new ReduceL2([]), new Unary(UnaryFunction.Exp)])
            Assert.Contains("Int8 1×3×4×4", Assert.Throws<ShapeException>(() => new Node("y", op, integers)).Message);
        Assert.Contains("Int8", Assert.Throws<ShapeException>(() => new Node("y", new Add(), integers, new Node("f", new Input(ElementType.Float32, [])))).Message);
    }

    /// <summary>What integers stand for goes with them, and comes out of products; where it can't, that is an error.</summary>
    [Fact]
    public void QuantizationGoesWithTheIntegers()
    {
        Quantization whole = new(0.5f, 3), channels = new([0.5f, 0.25f, 2], [0, 1, 2], 1);
        Node x = new("x", new Reinterpret(whole), new Node("i", new Input(ElementType.UInt8, [1, 3, 4, 4])));
        Node y = new("y", new Reinterpret(channels), new Node("j", new Input(ElementType.Int8, [1, 3, 4, 4])));
        foreach (Op op in (Op[])[new Relu(), new MaxPool(Size.One, Size.One), new Slice(1, 0, 2), new Pad(1, 1, 1), new Transpose([1, 0, 2, 3]), new Reshape([-1]), new Identity()])
            Assert.Equal(whole, new Node("z", op, x).Info.Quantization);
        Assert.Equal(channels with { Axis = 3 }, new Node("z", new Transpose([0, 2, 3, 1]), y).Info.Quantization);
        Assert.Equal(channels with { Axis = 0 }, new Node("z", new Reshape([3, 16]), y).Info.Quantization);
        Assert.Equal(channels, new Node("z", new Slice(2, 0, 2), y).Info.Quantization);
        foreach (Op op in (Op[])[new Slice(1, 0, 2), new Reshape([-1]), new Pad(2, 1, 1), new Relu()])
            Assert.Contains("'z'", Assert.Throws<ShapeException>(() => new Node("z", op, y)).Message);
        Assert.Null(new Node("z", new Cast(ElementType.Int32), x).Info.Quantization);
        foreach (Op op in (Op[])[new Add(), new Equal()]) Assert.Contains("dequantize", Assert.Throws<ShapeException>(() => new Node("z", op, x, x)).Message);

        Node kernel = new("w", new Constant(Tensor.Zeros(ElementType.Int8, [2, 3, 1, 1]), new Quantization([0.1f, 0.2f], [0, 0], 0)));
        Node sums = new("sums", new Conv(), x, kernel);
        Assert.Equal(new(ElementType.Int32, [1, 2, 4, 4], new Quantization([0.5f * 0.1f, 0.5f * 0.2f], [0, 0], 1)), sums.Info);
        Assert.Contains("Float32", Assert.Throws<ShapeException>(() => new Node("z", new Conv(), x, Node.Weight("f", Tensor.Zeros(ElementType.Float32, [2, 3, 1, 1])))).Message);
        Assert.Contains("axes", Assert.Throws<ShapeException>(() => new Node("z", new Conv(), y, kernel)).Message);
        Assert.Throws<ShapeException>(() => new Node("w", new Constant(Tensor.Zeros(ElementType.Int8, [2, 3]), channels with { Axis = 0 })));
        Assert.Throws<ShapeException>(() => new Node("w", new Constant(Tensor.Zeros(ElementType.Float32, [2, 3]), whole)));
    }

    /// <summary>Padding of ONNX's SAME_UPPER gives ⌈input / stride⌉ for all small windows.</summary>
    [Fact]
    public void SamePaddingDividesUpwards()
    {
        for (int input = 1; input < 12; input++)
            for (int kernel = 1; kernel < 6; kernel++)
                for (int stride = 1; stride < 4; stride++)
                    for (int dilation = 1; dilation < 3; dilation++)
                    {
                        Padding padding = Padding.Same(Size.Square(input), Size.Square(kernel), Size.Square(stride), Size.Square(dilation));
                        Node x = new("x", new Input(ElementType.Float32, [1, 1, input, input])), w = Node.Weight("w", Tensor.Zeros(ElementType.Float32, [1, 1, kernel, kernel]));
                        Shape shape = new Node("y", new Conv(Size.Square(stride), padding, Size.Square(dilation)), x, w).Shape;
                        int expected = (input + stride - 1) / stride;
                        Assert.True(shape == [1, 1, expected, expected] && padding.Bottom - padding.Top is 0 or 1, $"input {input}, kernel {kernel}, stride {stride}, dilation {dilation}: {shape}");
                    }
    }
}
