using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>
/// ONNX Runtime's own operators on 8-bit integers, which its quantizer writes in the QOperator format beside QLinearConv and QLinearMatMul: ONNX's own operators on the reals,
/// between DequantizeLinear and QuantizeLinear.
/// </content>
internal static partial class OnnxOps
{
    /// <summary>The domain of <see cref="RuntimeBuilders"/>.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private static (string, Builder)[] Runtime =>
    [
        ("QLinearAdd", node => OfReals(node, "Add", [0, 3], 6)),
        ("QLinearMul", node => OfReals(node, "Mul", [0, 3], 6)),
        ("QLinearSigmoid", node => OfReals(node, "Sigmoid", [0], 3)),
        ("QLinearLeakyRelu", node => OfReals(node, "LeakyRelu", [0], 3)),
        ("QLinearSoftmax", node => OfReals(node, "Softmax", [0], 3, node.Small("opset", 13))),
        ("QLinearConcat", QLinearConcat),
        ("QLinearAveragePool", QLinearAveragePool),
        ("QLinearGlobalAveragePool", node =>
        {
            node.Only("channels_last", 0);
            return OfReals(node, "GlobalAveragePool", [0], 3);
        }),
        ("QGemm", QGemm),
    ];

    private static Node QLinearConcat(OnnxNode node)
    {
        if (node.Count < 5 || node.Count % 3 != 2) throw new ModelFormatException($"it takes a scale and a zero point, then values, each with its own, not {node.Count} inputs");
        return OfReals(node, "Concat", [.. Enumerable.Range(0, node.Count / 3).Select(value => 2 + 3 * value)], 0);
    }

    private static Node QLinearAveragePool(OnnxNode node)
    {
        node.Only("channels_last", 0);
        // The runtime counts what the last window reaches over as padding, which ONNX doesn't.
        if (node.Flag("count_include_pad")) node.Only("ceil_mode", 0);
        return OfReals(node, "AveragePool", [0], 3);
    }

    /// <summary>A product whose bias has the sums' steps; without an output's scale it yields reals.</summary>
    private static Node QGemm(OnnxNode node)
    {
        node.Takes(6, 9);
        if (node.Float("alpha", 1) != 1) throw new ModelFormatException("the attribute 'alpha' is understood with the value 1 only");
        Node a = Reals(node, 0, 0), b = Reals(node, 3, node.Flag("transB") ? 0 : 1);
        Node? bias = node.Optional(6) is not { } steps ? null
            : node.Part("bias", new Mul(), node.Part("bias/steps", new Cast(ElementType.Float32), steps), node.Part("bias/step", new Mul(), node[1], node[4]));
        OnnxNode product = node.Of(node.Optional(7) is null ? null : "reals", bias is null ? [a, b] : [a, b, bias]);
        Node reals = Gemm(product);
        return node.Optional(7) is null ? reals : Rounded(node, 7, reals);
    }

    /// <summary>One of ONNX's operators on the reals that inputs stand for, each with its scale and zero point behind it, rounded by the scale and the zero point at <paramref name="to"/>.</summary>
    private static Node OfReals(OnnxNode node, string type, ImmutableArray<int> values, int to, int? version = null)
    {
        // The last of all may be left out: it is a zero point.
        node.Takes(Math.Max(values[^1] + 2, to + 1), Math.Max(values[^1] + 3, to + 2));
        return Rounded(node, to, Builders[type](node.Of("reals", [.. values.Select(value => Reals(node, value, 1))], version)));
    }

    private static Node Reals(OnnxNode node, int input, int axis) =>
        node.Part($"real{input}", new DequantizeLinear(), Meaning(node, node[input], Steps(node, input + 1, input + 2, node[input].Shape, axis), $"integers{input}"));

    /// <summary>The integers of reals; of the first input's type, where no zero point tells it.</summary>
    private static Node Rounded(OnnxNode node, int to, Node reals) =>
        node.Make(new QuantizeLinear(node.Optional(to + 1)?.Info.Type ?? node[0].Info.Type, Steps(node, to, to + 1, reals.Shape, 1)), reals);
}
