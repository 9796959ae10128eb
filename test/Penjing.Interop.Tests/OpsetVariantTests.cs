using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>The forms that operators have at the various opsets, beside those of ONNX's own cases, against ONNX Runtime.</summary>
public class OpsetVariantTests
{
    private static readonly Tensor x = RandomTensors.Normal([2, 6, 7, 8], 1), row = RandomTensors.Normal([2, 6, 9], 2),
        matrix = RandomTensors.Normal([5, 4], 3);
    private static readonly Tensor bytes = RandomTensors.Any(ElementType.UInt8, [2, 6, 7, 8], 4);

    /// <summary>All forms, by the position in the table.</summary>
    public static TheoryData<int, string> Forms => [.. Variants.Select((one, i) => new TheoryDataRow<int, string>(i, $"{one.Type} {one.Opset}"))];

    /// <summary>The reader's graph in the reference gives what ONNX Runtime makes of the same file.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Forms_agree_with_the_runtime(int index, string name)
    {
        OnnxVariant variant = Variants[index];
        Assert.StartsWith(variant.Type, name, StringComparison.Ordinal);
        byte[] file = variant.ToBytes();
        Graph graph = OnnxReader.Read(file).Graph;
        Tensor[] fed = variant.Given(), expected = Runtime.Run(file, graph, fed), actual = Reference.Run(graph, fed);
        for (int i = 0; i < expected.Length; i++)
            Closeness.Check(expected[i], actual[i], 1e-4, $"{variant}, output {i}");
        Assert.Equal(Enumerable.Range(0, variant.Outputs).Select(i => $"out{i}"), graph.Outputs.Select(output => output.Name));
    }

    private static Tensor Longs(params long[] values) => Tensor.Of<long>([values.Length], values);

    private static Tensor Floats(params float[] values) => Tensor.Of<float>([values.Length], values);

    private static Tensor Scalar<T>(T value) where T : unmanaged => Tensor.Of<T>([], value);

    private static Tensor Weights(int seed, params int[] extents) => RandomTensors.Normal(Shape.Create(extents), seed);

    /// <summary>The table of forms.</summary>
    internal static ImmutableArray<OnnxVariant> Variants { get; } =
    [
        new(7, "BatchNormalization", [x, Weights(5, 6), Weights(6, 6), Weights(7, 6), RandomTensors.Uniform([6], 8, 0.5, 2)], Attributes: [("epsilon", 0.01f)]),
        new(15, "BatchNormalization", [row, Weights(5, 6), Weights(6, 6), Weights(7, 6), RandomTensors.Uniform([6], 8, 0.5, 2)]),
        new(7, "Dropout", [x], Attributes: [("ratio", 0.3f)]),
        new(10, "Dropout", [x], Outputs: 2),
        new(13, "Dropout", [x, Scalar(0.4f)], Outputs: 2),
        new(7, "Upsample", [x], Attributes: [("mode", "nearest"), ("scales", new float[] { 1, 1, 2, 3 })]),
        new(9, "Upsample", [x, Floats(1, 1, 2.5f, 1.5f)], Attributes: [("mode", "nearest")]),
        new(9, "Upsample", [x, Floats(1, 1, 2, 2)], Attributes: [("mode", "linear")]),
        new(10, "Resize", [x, Floats(1, 1, 0.6f, 1.7f)], Attributes: [("mode", "nearest")]),
        new(10, "Resize", [x, Floats(1, 1, 2, 2)], Attributes: [("mode", "linear")]),
        new(11, "Resize", [x, Floats(), Floats(), Longs(2, 6, 10, 5)], Attributes: [("mode", "linear")]),
        new(13, "Resize", [x, null, Floats(1, 1, 1.5f, 0.5f)], Attributes: [("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")]),
        // Scales that give no whole extent, where ONNX's own cases say otherwise.
        new(13, "Resize", [x, null, Floats(1, 1, 0.6f, 0.6f)], Attributes: [("mode", "linear"), ("coordinate_transformation_mode", "align_corners")]),
        new(13, "Resize", [x, null, Floats(1, 1, 0.8f, 0.8f)], Attributes: [("mode", "cubic"), ("coordinate_transformation_mode", "align_corners")]),
        new(18, "Resize", [x, null, null, Longs(14, 4)], Attributes: [("axes", new[] { 2, 3 })]),
        new(18, "Resize", [x, null, Floats(2, 2), null], Attributes: [("axes", new[] { 2, 3 }), ("mode", "cubic")]),
        new(18, "Resize", [x, null, null, Longs(20, 20)], Attributes: [("axes", new[] { 2, 3 }), ("keep_aspect_ratio_policy", "not_larger")]),
        new(18, "Resize", [x, null, null, Longs(20, 20)],
            Attributes: [("axes", new[] { 2, 3 }), ("keep_aspect_ratio_policy", "not_smaller"), ("mode", "linear")]),
        new(19, "Resize", [x, null, Floats(1, 1, 2, 2), null], Attributes: [("coordinate_transformation_mode", "half_pixel_symmetric"), ("mode", "linear")]),
        new(13, "Resize", [row, null, null, Longs(2, 6, 18)], Attributes: [("mode", "linear")]),
        new(13, "Resize", [matrix, null, Floats(2, 2)]),
        new(7, "Clip", [x], Attributes: [("max", 0.5f)]),
        new(11, "Clip", [x, null, Scalar(0.5f)]),
        new(13, "Clip", [x, Scalar(-0.5f)]),
        new(13, "Clip", [Tensor.Of<long>([3], 1L << 40, -5, 7), Scalar(-3L), Scalar((1L << 30) + 1)]),
        new(9, "Slice", [x], Attributes: [("starts", new[] { 1, -4 }), ("ends", new[] { int.MaxValue, -1 }), ("axes", new[] { 1, 3 })]),
        new(10, "Slice", [x, Longs(6, 0), Longs(-1000, 7), Longs(1, 2), Longs(-2, 3)]),
        new(13, "Slice", [x, Longs(0), Longs(1)]),
        new(7, "Pad", [x], Attributes: [("pads", new[] { 0, 1, 2, 3, 1, 0, 3, 2 }), ("value", 1.5f)]),
        new(7, "Pad", [x], Attributes: [("pads", new[] { 0, 0, 2, 3, 0, 0, 3, 2 }), ("mode", "reflect")]),
        new(13, "Pad", [x, Longs(0, 0, -1, 2, 0, 0, 2, -3), Scalar(0.5f)]),
        new(18, "Pad", [x, Longs(1, 2, 0, 3), Scalar(0.5f), Longs(-1, 1)]),
        new(18, "Pad", [x, Longs(0, 0, 0, 0, 0, 0, 0, 0)]),
        new(19, "Pad", [x, Longs(3, 2, 4, 5), null, Longs(2, 3)], Attributes: [("mode", "wrap")]),
        new(7, "TopK", [x], Outputs: 2, Attributes: [("k", 3), ("axis", 1)]),
        new(10, "TopK", [x, Longs(2)], Outputs: 2),
        new(11, "TopK", [x, Longs(4)], Outputs: 2, Attributes: [("axis", -2), ("largest", 0)]),
        new(11, "Squeeze", [RandomTensors.Normal([1, 3, 1, 5], 9)], Attributes: [("axes", new[] { 0, -2 })]),
        new(13, "Squeeze", [RandomTensors.Normal([1, 3, 1, 5], 9)]),
        new(11, "Unsqueeze", [matrix], Attributes: [("axes", new[] { 0, -1 })]),
        new(11, "Softmax", [x], Attributes: [("axis", 1)]),
        new(11, "Softmax", [x], Attributes: [("axis", 0)]),
        new(11, "LogSoftmax", [x], Attributes: [("axis", 2)]),
        new(11, "Hardmax", [x], Attributes: [("axis", -1)]),
        new(11, "Softmax", [RandomTensors.Normal([3, 9, 1, 1], 10)]),
        new(11, "Split", [x], Outputs: 2, Attributes: [("axis", 1), ("split", new[] { 2, 4 })]),
        new(11, "Split", [x], Outputs: 3, Attributes: [("axis", 1)]),
        new(13, "Split", [x, Longs(1, 0, 5)], Outputs: 3, Attributes: [("axis", -3)]),
        new(18, "Split", [x], Outputs: 3, Attributes: [("axis", 2), ("num_outputs", 3)]),
        new(11, "ReduceSum", [x], Attributes: [("axes", new[] { 1, -1 }), ("keepdims", 0)]),
        new(13, "ReduceSum", [x, Longs(2, 3)]),
        new(18, "ReduceMean", [x, Longs(-1)], Attributes: [("keepdims", 0)]),
        new(18, "ReduceMax", [x]),
        new(18, "ReduceL2", [x, Longs(0, 2)]),
        new(18, "ReduceMin", [x], Attributes: [("noop_with_empty_axes", 1)]),
        new(13, "ReduceLogSumExp", [x], Attributes: [("axes", new[] { 1 })]),
        new(17, "LayerNormalization", [x, Weights(11, 7, 8), Weights(12, 7, 8)], Outputs: 3, Attributes: [("axis", 2)]),
        new(17, "LayerNormalization", [matrix, Weights(11, 4)]),
        new(7, "InstanceNormalization", [x, Weights(5, 6), Weights(6, 6)]),
        new(18, "GroupNormalization", [x, Weights(5, 3), Weights(6, 3)], Attributes: [("num_groups", 3)]),
        new(21, "GroupNormalization", [x, Weights(5, 6), Weights(6, 6)], Attributes: [("num_groups", 2)]),
        new(23, "RMSNormalization", [matrix, Weights(11, 4)]),
        new(13, "MeanVarianceNormalization", [x]),
        new(7, "LpNormalization", [x], Attributes: [("axis", 1), ("p", 1)]),
        new(13, "LRN", [x], Attributes: [("size", 3)]),
        new(18, "Mish", [x]),
        new(20, "Gelu", [x], Attributes: [("approximate", "tanh")]),
        new(20, "IsInf", [Floats(1, float.NegativeInfinity, float.NaN, float.PositiveInfinity)], Attributes: [("detect_negative", 0)]),
        new(11, "Conv", [x, Weights(13, 4, 6, 3, 3), Weights(14, 4)], Attributes: [("auto_pad", "SAME_LOWER"), ("strides", new[] { 2, 2 })]),
        new(11, "Conv", [x, Weights(13, 6, 2, 2, 3)], Attributes: [("auto_pad", "VALID"), ("group", 3), ("dilations", new[] { 2, 1 })]),
        new(11, "Conv", [row, Weights(13, 4, 3, 3), Weights(14, 4)], Attributes: [("group", 2), ("pads", new[] { 1, 2 }), ("strides", new[] { 2 })]),
        new(11, "ConvTranspose", [x, Weights(15, 6, 3, 3, 3), Weights(14, 3)], Attributes: [("auto_pad", "SAME_UPPER"), ("strides", new[] { 2, 2 })]),
        new(11, "ConvTranspose", [x, Weights(15, 6, 3, 4, 4)], Attributes: [("auto_pad", "SAME_LOWER"), ("strides", new[] { 3, 3 })]),
        new(11, "ConvTranspose", [x, Weights(15, 6, 2, 3, 3)], Attributes: [("output_shape", new[] { 14, 16 }), ("strides", new[] { 2, 2 }), ("group", 2)]),
        new(11, "ConvTranspose", [row, Weights(15, 6, 2, 3)],
            Attributes: [("output_padding", new[] { 1 }), ("strides", new[] { 2 }), ("pads", new[] { 1, 0 })]),
        new(12, "MaxPool", [row], Outputs: 2, Attributes: [("kernel_shape", new[] { 3 }), ("strides", new[] { 2 }), ("pads", new[] { 1, 1 })]),
        new(12, "MaxPool", [x], Outputs: 2,
            Attributes: [("kernel_shape", new[] { 2, 3 }), ("strides", new[] { 2, 2 }), ("pads", new[] { 0, 1, 1, 1 }), ("ceil_mode", 1)]),
        new(12, "MaxPool", [bytes], Attributes: [("kernel_shape", new[] { 2, 2 })]),
        new(11, "AveragePool", [row], Attributes: [("kernel_shape", new[] { 4 }), ("auto_pad", "SAME_UPPER")]),
        new(11, "AveragePool", [x], Attributes: [("kernel_shape", new[] { 3, 3 }), ("strides", new[] { 2, 2 }), ("auto_pad", "SAME_LOWER"),
            ("count_include_pad", 1)]),
        new(18, "LpPool", [x], Attributes: [("kernel_shape", new[] { 2, 3 }), ("p", 3)]),
        new(18, "LpPool", [x], Attributes: [("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 }), ("ceil_mode", 1)]),
        new(7, "GlobalAveragePool", [row]),
        new(7, "GlobalMaxPool", [row]),
        new(7, "GlobalLpPool", [x], Attributes: [("p", 1)]),
        new(13, "DepthToSpace", [RandomTensors.Normal([2, 12, 3, 4], 16)], Attributes: [("blocksize", 2), ("mode", "CRD")]),
        new(13, "SpaceToDepth", [RandomTensors.Normal([2, 3, 4, 6], 16)], Attributes: [("blocksize", 2)]),
        new(13, "Gather", [x, Scalar(-2L)], Attributes: [("axis", 1)]),
        new(13, "Gather", [x, Tensor.Of<long>([2, 3], 0, -1, 2, 3, 1, 0)], Attributes: [("axis", -1)]),
        new(13, "Gather", [x, Tensor.Of<int>([2, 1], 1, -1)], Fed: 2, Attributes: [("axis", 1)]),
        new(18, "ScatterElements", [matrix, Tensor.Of<long>([2, 4], 0, 1, 2, 4, -1, 0, 0, 1), Weights(17, 2, 4)], Attributes: [("reduction", "max")]),
        new(10, "ReverseSequence", [row, Longs(4, 6)], Attributes: [("time_axis", 1), ("batch_axis", 0)]),
        new(18, "CenterCropPad", [x, Longs(4, 11)], Attributes: [("axes", new[] { 2, 3 })]),
        new(7, "Gemm", [matrix, Weights(18, 5, 3), Weights(19, 3)], Attributes: [("transA", 1), ("alpha", 0.5f), ("beta", 2f)]),
        new(11, "Gemm", [matrix, Weights(18, 3, 4)], Attributes: [("transB", 1)]),
        new(12, "Einsum", [row, Weights(20, 2, 9, 4)], Attributes: [("equation", "bij,bjk->bik")]),
        new(20, "GridSample", [x, RandomTensors.Uniform([2, 3, 4, 2], 21, -1.2, 1.2)], Attributes: [("mode", "cubic"), ("padding_mode", "border")]),
        new(10, "RoiAlign", [x, Tensor.Of<float>([2, 4], 0, 0, 5, 6, 1, 2, 7, 4), Longs(0, 1)], Attributes: [("output_height", 2), ("output_width", 3)]),
        new(13, "QuantizeLinear", [x, RandomTensors.Uniform([6], 22, 0.01, 0.1), Tensor.Of<sbyte>([6], 0, 1, 2, 3, -4, 5)], Attributes: [("axis", 1)]),
        new(10, "DequantizeLinear", [Tensor.Of<int>([4], -70000, 0, 5, 1 << 20), Scalar(0.25f)]),
        new(13, "DequantizeLinear", [bytes, Scalar(0.25f), Scalar((byte)7)]),
        new(11, "DynamicQuantizeLinear", [x], Outputs: 3),
        new(10, "QLinearConv",
        [
            bytes, Scalar(0.02f), Scalar((byte)50), RandomTensors.Any(ElementType.Int8, [4, 6, 3, 3], 23), Floats(0.01f, 0.02f, 0.03f, 0.04f),
                Tensor.Zeros(ElementType.Int8, [4]), Scalar(0.5f), Scalar((byte)120),
            RandomTensors.Any(ElementType.Int32, [4], 24),
        ], Attributes: [("pads", new[] { 1, 1, 1, 1 })]),
        new(10, "QLinearMatMul",
        [
            RandomTensors.Any(ElementType.UInt8, [5, 4], 25), Scalar(0.02f), Scalar((byte)50), RandomTensors.Any(ElementType.UInt8, [4, 3], 26), Scalar(0.1f),
                Scalar((byte)3), Scalar(0.05f), Scalar((byte)120),
        ]),
        new(10, "ConvInteger", [bytes, RandomTensors.Any(ElementType.UInt8, [4, 6, 3, 3], 23), Scalar((byte)40), Scalar((byte)2)]),
        new(10, "MatMulInteger", [RandomTensors.Any(ElementType.UInt8, [5, 4], 25), RandomTensors.Any(ElementType.Int8, [4, 3], 26), Scalar((byte)40),
            Scalar((sbyte)2)]),
        new(13, "Conv", [Half(x), Half(Weights(13, 4, 6, 3, 3)), Half(Weights(14, 4))]),
        new(13, "Relu", [Half(x)]),
        new(13, "Add", [Half(x), Half(Weights(13, 8))]),
        new(13, "CumSum", [x, Scalar(1L)], Attributes: [("reverse", 1)]),
        new(13, "Tile", [matrix, Longs(2, 3)]),
        new(13, "Expand", [RandomTensors.Normal([3, 1], 27), Longs(2, 1, 4)]),
        new(14, "Trilu", [matrix, Scalar(1L)], Attributes: [("upper", 0)]),
        new(13, "Mean", [matrix, matrix, Weights(28, 4)]),
        new(13, "PRelu", [x, Weights(29, 6, 1, 1)]),
        new(9, "Where", [Tensor.Of<bool>([2], true, false), Weights(30, 3, 2), Weights(31, 3, 1)]),
    ];

    private static Tensor Half(Tensor tensor) => Reference.Evaluate(new Cast(ElementType.Float16), [tensor]);
}
