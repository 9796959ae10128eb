namespace Penjing.Testing;

/// <content>Integers that stand for reals.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Quantized()
    {
        Quantization signed = new(0.037f, -7), unsigned = new(0.021f, 119), channels = new([0.02f, 0.5f, 0.11f, 0.003f, 0.07f], [1, -5, 0, 90, -128], 1);
        Tensor reals = RandomTensors.Normal([2, 5, 3, 4], 1, 2);
        yield return Case("Int8", new QuantizeLinear(ElementType.Int8, signed), [], reals);
        yield return Case("UInt8", new QuantizeLinear(ElementType.UInt8, unsigned), [], reals);
        yield return Case("halves", new QuantizeLinear(ElementType.Int8, new(2, 3)), [], Tensor.Of<float>([8], 1, 3, 5, -1, -3, -5, 1000, -1000));
        yield return Case("Int8 by channel", new QuantizeLinear(ElementType.Int8, channels), [], reals);
        yield return Case("Int16", new QuantizeLinear(ElementType.Int16, new(0.001f, -300)), [], reals);
        yield return Case("Int32 to UInt8", new QuantizeLinear(ElementType.UInt8, unsigned), [], [new Quantization(0.01f, 0)], Sums([2, 5, 3]));
        foreach ((ElementType type, Quantization quantization) in ((ElementType, Quantization)[])[(ElementType.Int8, signed), (ElementType.UInt8, unsigned), (ElementType.Int8, channels),
            (ElementType.Int32, new(0.001f, 0)), (ElementType.UInt16, new(0.1f, 1000))])
            yield return Case($"{type} by {quantization}", new DequantizeLinear(), [], [quantization], RandomTensors.Any(type, [2, 5, 3, 4], 1));
        yield return Case("of a constant", new DequantizeLinear(), [0], [channels], RandomTensors.Any(ElementType.Int8, [2, 5, 3, 4], 1));
        yield return Case("from none", new Reinterpret(signed), [], RandomTensors.Any(ElementType.Int8, [2, 5], 1));
        yield return Case("to none", new Reinterpret(), [], [signed], RandomTensors.Any(ElementType.Int8, [2, 5], 1));

        foreach ((ElementType type, Quantization quantization) in ((ElementType, Quantization)[])[(ElementType.Int8, signed), (ElementType.UInt8, unsigned)])
        {
            Tensor x = RandomTensors.Any(type, [2, 5, 3, 4], 1);
            foreach (Op op in (Op[])[new Relu(), new Clip(-1, 1.2f), new MaxPool(Size.Square(2), Size.One), new Transpose([0, 2, 3, 1]), new Slice(1, 1, 4), new Pad(2, 1, 1),
                new Reshape([2, -1]), new Cast(ElementType.Int32), new Tile([1, 2, 1, 1]), new Expand([2, 5, 3, 4]), new Resize(new(7, 3))])
                yield return Case($"quantized {type}", op, [], [quantization], x);
        }
        yield return Case("quantized", new Concat(1), [], [signed, signed], RandomTensors.Any(ElementType.Int8, [2, 5, 3], 1), RandomTensors.Any(ElementType.Int8, [2, 4, 3], 2));

        foreach ((ElementType left, ElementType right) in ((ElementType, ElementType)[])[(ElementType.UInt8, ElementType.Int8), (ElementType.UInt8, ElementType.UInt8), (ElementType.Int8, ElementType.Int8)])
        {
            Quantization x = left is ElementType.UInt8 ? unsigned : signed, w = right is ElementType.UInt8 ? unsigned : signed;
            Quantization each = new([0.1f, 0.02f, 0.03f, 0.004f, 0.5f, 0.06f], [0, 0, 0, 0, 0, 0], 0);
            string name = $"{left} by {right}";
            Tensor kernel = RandomTensors.Any(right, [6, 4, 3, 3], 2), bias = Sums([6]);
            yield return Case(name, new Conv(), [1], [x, w], RandomTensors.Any(left, [1, 4, 6, 5], 1), kernel);
            yield return Case($"{name}, padded", new Conv(Size.Square(2), new(1, 2, 0, 1), Size.One), [1, 2], [x, w], RandomTensors.Any(left, [2, 4, 6, 5], 1), kernel, bias);
            yield return Case($"{name}, each channel", new Conv(Size.One, Padding.All(1), Size.One), [1, 2], [x, each], RandomTensors.Any(left, [2, 4, 6, 5], 1), kernel, bias);
            yield return Case($"{name}, each channel's zero", new Conv(Size.One, Padding.All(1), Size.One), [1], [x, each with { ZeroPoints = [1, 2, 3, 4, 5, 6] }],
                RandomTensors.Any(left, [2, 4, 6, 5], 1), kernel);
            yield return Case($"{name}, grouped", new Conv(Size.One, Padding.All(1), Size.One, 2), [1], [x, w], RandomTensors.Any(left, [1, 8, 6, 5], 1), kernel);
            yield return Case($"{name}, plain integers", new Conv(), [1], RandomTensors.Any(left, [1, 4, 6, 5], 1), kernel);
            yield return Case(name, new ConvTranspose(Size.Square(2), Padding.All(1), Size.One), [1, 2], [x, w], RandomTensors.Any(left, [1, 6, 4, 5], 1), kernel, Sums([4]));
            yield return Case(name, new MatMul(), [1], [x, w], RandomTensors.Any(left, [2, 3, 7], 1), RandomTensors.Any(right, [7, 5], 2));
            yield return Case($"{name}, each column", new MatMul(), [1], [x, each with { Axis = 1 }], RandomTensors.Any(left, [3, 7], 1), RandomTensors.Any(right, [7, 6], 2));
            yield return Case(name, new Gemm(TransposeB: true), [1, 2], [x, w], RandomTensors.Any(left, [3, 7], 1), RandomTensors.Any(right, [5, 7], 2), Sums([5]));
        }
    }

    private static Tensor Sums(Shape shape)
    {
        var random = new Random(7);
        return RandomTensors.Of(shape, () => random.Next(-20000, 20000));
    }
}
