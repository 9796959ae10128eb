using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Integers that stand for reals: scales and zero points become part of the values' types.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Quantized =>
    [
        ("QuantizeLinear", QuantizeLinear),
        ("DequantizeLinear", DequantizeLinear),
        ("DynamicQuantizeLinear", DynamicQuantizeLinear),
        ("QLinearConv", QLinearConv),
        ("QLinearMatMul", QLinearMatMul),
        ("ConvInteger", ConvInteger),
        ("MatMulInteger", MatMulInteger),
    ];

    private static Node QuantizeLinear(OnnxNode node)
    {
        node.Takes(2, 3);
        node.Ignore("saturate");
        node.Only("block_size", 0);
        node.Only("precision", 0);
        int axis = node.Small("axis", 1), said = node.Small("output_dtype", 0);
        Node x = node[0].Info.Type is ElementType.Int32 && node[0].Info.Quantization is null ? node.Part("floats", new Cast(ElementType.Float32), node[0])
            : node[0];
        ElementType to = node.Optional(2)?.Info.Type ?? (said != 0 ? OnnxTensors.Type(said) : ElementType.UInt8);
        return node.Make(new QuantizeLinear(to, Steps(node, 1, 2, x.Shape, axis)), node.Import.Single(x));
    }

    private static Node DequantizeLinear(OnnxNode node)
    {
        node.Takes(2, 3);
        node.Only("block_size", 0);
        int said = node.Small("output_dtype", 0);
        ElementType to = said != 0 ? OnnxTensors.Type(said) : node[1].Info.Type;
        if (to is not (ElementType.Float32 or ElementType.Float16)) throw new ModelFormatException($"it yields {to}; understood are Float32 and Float16");
        Node x = node[0];
        Node real = node.Import.Make(node.Output(0), new DequantizeLinear(), [Meaning(node, x, Steps(node, 1, 2, x.Shape, node.Small("axis", 1)), "integers")]);
        return to is ElementType.Float16 ? node.Import.Make(node.Output(0), new Cast(ElementType.Float16), [real]) : real;
    }

    /// <summary>The scale and zero point in two inputs; a row of several is along an axis.</summary>
    private static Quantization Steps(OnnxNode node, int scale, int zero, Shape shape, int axis)
    {
        ImmutableArray<float> scales = node.Floats(scale, "the scale");
        ImmutableArray<long> zeros = node.Optional(zero) is null ? [.. scales.Select(_ => 0L)] : node.Longs(zero, "the zero point");
        if (node[scale].Shape.Rank > 1 || zeros.Length != scales.Length)
            throw new ModelFormatException($"{node[scale].Shape} scales and {zeros.Length} zero points are no quantization of {shape}");
        return new(scales, [.. zeros.Select(value => OnnxNode.Small(value, "a zero point"))], scales.Length == 1 ? null : axis < 0 ? axis + shape.Rank : axis);
    }

    /// <summary>The integers of a value as those of a quantization.</summary>
    private static Node Meaning(OnnxNode node, Node x, Quantization quantization, string role) =>
        Equals(x.Info.Quantization, quantization) ? x
        : x.Op is Constant { Quantization: null } constant ? node.Import.Weight(x.Name, constant.Value, quantization)
        : node.Part(role, new Reinterpret(quantization), x);

    /// <summary>From the least and the largest element, zero among them, so that zero is exact.</summary>
    private static Node DynamicQuantizeLinear(OnnxNode node)
    {
        node.Takes(1, 1);
        Node x = node[0], zero = node.Number("zero", x, 0), most = node.Number("most", x, 255);
        Node largest = node.Part("largest", new Max(), node.Part("max", new ReduceMax([], false), x), zero),
            least = node.Part("least", new Min(), node.Part("min", new ReduceMin([], false), x), zero);
        Node scale = node.Make(1, new Div(), node.Part("range", new Sub(), largest, least), most);
        Node offset = node.Part("offset", new Unary(UnaryFunction.Round), node.Part("inside", new Clip(0, 255),
            node.Part("below", new Sub(), zero, node.Part("steps below", new Div(), least, scale))));
        Node steps = node.Part("steps", new Unary(UnaryFunction.Round), node.Part("scaled", new Div(), x, scale));
        node.Yield(1, scale);
        node.Yield(2, node.Make(2, new Cast(ElementType.UInt8), offset));
        return node.Make(new Cast(ElementType.UInt8), node.Part("saturated", new Clip(0, 255), node.Part("shifted", new Add(), steps, offset)));
    }

    private static Node QLinearConv(OnnxNode node)
    {
        node.Takes(8, 9);
        (Node given, Node kernel) = (node[0], node[3]);
        Node x = Meaning(node, given, Steps(node, 1, 2, given.Shape, 1), "x"), w = Meaning(node, kernel, Steps(node, 4, 5, kernel.Shape, 0), "w");
        (Node pictures, bool flat) = Pictured(node, x);
        (Conv op, Node weights) = Convolution(node, pictures, flat, w);
        Node sums = node.Optional(8) is { } bias ? node.Part("sums", op, pictures, weights, bias) : node.Part("sums", op, pictures, weights);
        return Slid(node, flat, new QuantizeLinear(node[7].Info.Type, Steps(node, 6, 7, sums.Shape, 1)), sums);
    }

    private static Node QLinearMatMul(OnnxNode node)
    {
        node.Takes(8, 8);
        Node a = Meaning(node, node[0], Steps(node, 1, 2, node[0].Shape, node[0].Shape.Rank - 2), "a"),
            b = Meaning(node, node[3], Steps(node, 4, 5, node[3].Shape, node[3].Shape.Rank - 1), "b");
        Node sums = node.Part("sums", new MatMul(), a, b);
        return node.Make(new QuantizeLinear(node[7].Info.Type, Steps(node, 6, 7, sums.Shape, sums.Shape.Rank - 1)), sums);
    }

    private static Node ConvInteger(OnnxNode node)
    {
        node.Takes(2, 4);
        Node x = Offset(node, 0, 2, 1, "x"), w = Offset(node, 1, 3, 0, "w");
        (Node pictures, bool flat) = Pictured(node, x);
        (Conv op, Node kernel) = Convolution(node, pictures, flat, w);
        return Slid(node, flat, new Reinterpret(), node.Part("sums", op, pictures, kernel));
    }

    private static Node MatMulInteger(OnnxNode node)
    {
        node.Takes(2, 4);
        Node a = Offset(node, 0, 2, node[0].Shape.Rank - 2, "a"), b = Offset(node, 1, 3, node[1].Shape.Rank - 1, "b");
        return node.Make(new Reinterpret(), node.Part("sums", new MatMul(), a, b));
    }

    /// <summary>Integers with a zero point, and of scale 1.</summary>
    private static Node Offset(OnnxNode node, int index, int zero, int axis, string role)
    {
        Node x = node[index];
        ImmutableArray<long> zeros = node.Optional(zero) is null ? [0] : node.Longs(zero, "the zero point");
        if (zeros.Length == 0) throw new ModelFormatException("the zero point is empty");
        return Meaning(node, x, new([.. zeros.Select(_ => 1f)], [.. zeros.Select(value => OnnxNode.Small(value, "a zero point"))], zeros.Length == 1 ? null
            : axis), role);
    }
}
