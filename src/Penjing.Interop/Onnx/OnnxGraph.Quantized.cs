using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <content>What integers that stand for reals are in ONNX: QLinearConv and QLinearMatMul where sums are requantized at once, else integer sums.</content>
internal sealed partial class OnnxGraph
{
    private static readonly Quantization Plain = new(1, 0);

    /// <summary>The sums that stand in the QLinear operation of whoever requantizes them, and nowhere else.</summary>
    private static HashSet<Node> Requantized(Graph graph)
    {
        ILookup<Node, Node> readers = graph.Nodes.SelectMany(node => node.Inputs.Select(input => (input, node)))
            .ToLookup(item => item.input, item => item.node);
        return [.. graph.Nodes.Where(node => node is { Op: Conv { Then: null } or MatMul, Info.Quantization: not null } && !graph.Outputs.Contains(node)
            && readers[node].All(reader => reader.Op is QuantizeLinear { Quantization.Axis: null } and { To: ElementType.Int8 or ElementType.UInt8 }))];
    }

    private string Write(Node node, QuantizeLinear op, string x)
    {
        if (op.To is not (ElementType.Int8 or ElementType.UInt8))
            throw new PenjingException($"'{node.Name}' can't be written as ONNX: quantization to {op.To} is newer than opset 17");
        string[] to = [Scale(node, "scale", op.Quantization), Zero(node, "zero", op.Quantization, op.To)];
        if (requantized.Contains(node.Inputs[0])) return WriteRequantized(node, node.Inputs[0], to);
        if (node.Inputs[0].Info.Quantization is not null) x = WriteReals(node, x, Fresh($"{node.Name}/reals"));
        return Add("QuantizeLinear", node.Name, [x, .. to], Axis(op.Quantization));
    }

    private string WriteRequantized(Node node, Node sums, string[] to)
    {
        string[] factors = [.. sums.Inputs.Take(2).SelectMany((factor, i) => (string[])
        [
            i == 0 && sums.Op is Conv cut ? Cut(sums, cut.Padding) : factor.Name,
            Scale(sums, $"scale{i}", factor.Info.Quantization ?? Plain), Zero(sums, $"zero{i}", factor.Info.Quantization ?? Plain, factor.Info.Type),
        ])];
        return sums.Op is Conv conv
            ? Add("QLinearConv", node.Name, [.. factors, .. to, .. sums.Inputs.Skip(2).Select(bias => bias.Name)], Attributes(conv))
            : Add("QLinearMatMul", node.Name, [.. factors, .. to]);
    }

    private string WriteReals(Node node, string x, string y)
    {
        ValueInfo info = node.Inputs[0].Info;
        Quantization quantization = info.Quantization!;
        if (info.Type is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int32))
            throw new PenjingException($"'{node.Name}' can't be written as ONNX: quantization of {info.Type} is newer than opset 17");
        string[] zero = info.Type is ElementType.Int32 && quantization.ZeroPoints.All(point => point == 0)
            ? [] : [Zero(node, "from/zero", quantization, info.Type)];
        return Add("DequantizeLinear", y, [x, Scale(node, "from/scale", quantization), .. zero], Axis(quantization));
    }

    /// <summary>
    /// Exact sums of products of integers: ConvInteger or MatMulInteger, and the bias. A transposed convolution, and one whose weights have several zero
    /// points, is one of floats there, exact below 2²⁴.
    /// </summary>
    private string WriteSums(Node node, string[] inputs)
    {
        if (node.Op is Gemm { Then: not null } or Conv { Then: not null })
            throw new PenjingException($"'{node.Name}' can't be written as ONNX: an activation is fused into sums of integers");
        Quantization[] factors = [.. node.Inputs.Take(2).Select(factor => factor.Info.Quantization ?? Plain)];
        string[] Zeros() => [.. factors.Select((factor, i) => Zero(node, $"zero{i}", Single(factor), node.Inputs[i].Info.Type))];
        string of = inputs.Length > 2 ? Fresh($"{node.Name}/sums") : node.Name;
        string sums = node.Op switch
        {
            Conv op when factors[1].ZeroPoints.Distinct().Count() == 1 =>
                Add("ConvInteger", of, [Cut(node, op.Padding), inputs[1], .. Zeros()], Attributes(op)),
            Conv op => Floats("Conv", Cut(node, op.Padding), Attributes(op)),
            ConvTranspose op => Floats("ConvTranspose", inputs[0], Attributes(op)),
            Gemm op => Add("MatMulInteger", of, [Turned(0, op.TransposeA), Turned(1, op.TransposeB), .. Zeros()]),
            _ => Add("MatMulInteger", of, [inputs[0], inputs[1], .. Zeros()]),
        };
        if (inputs.Length == 2) return sums;
        string bias = node.Op is Gemm ? inputs[2] : Add("Unsqueeze", Fresh($"{node.Name}/bias"), [inputs[2], List(node, "bias/axes", 1, 2)]);
        return Add("Add", node.Name, [sums, bias]);

        string Turned(int i, bool transposed) => transposed ? Add("Transpose", Fresh($"{node.Name}/turned{i}"), [inputs[i]], Numbers("perm", 1, 0)) : inputs[i];

        string Floats(string type, string x, AttributeProto[] attributes) =>
            Cast(Add(type, Fresh($"{node.Name}/floats"), [Centered(0, x), Centered(1, inputs[1])], attributes), of, ElementType.Int32);

        string Centered(int i, string x)
        {
            Quantization one = Single(factors[i] with { Scales = [.. factors[i].Scales.Select(_ => 1f)] });
            return Add("DequantizeLinear", Fresh($"{node.Name}/centered{i}"),
                [x, Scale(node, $"one{i}", one), Zero(node, $"zero{i}", one, node.Inputs[i].Info.Type)], Axis(one));
        }
    }

    /// <summary>With one zero point where all are the same.</summary>
    private static Quantization Single(Quantization quantization) =>
        quantization.ZeroPoints.Distinct().Count() == 1 ? new(quantization.Scales[0], quantization.ZeroPoints[0]) : quantization;

    private static AttributeProto[] Axis(Quantization quantization) => quantization.Axis is { } axis ? [Number("axis", axis)] : [];

    private string Scale(Node node, string role, Quantization quantization) => Parameter(node, role, Along(quantization), [.. quantization.Scales]);

    private string Zero(Node node, string role, Quantization quantization, ElementType type) => type switch
    {
        ElementType.Int8 => Parameter(node, role, Along(quantization), [.. quantization.ZeroPoints.Select(zero => (sbyte)zero)]),
        ElementType.UInt8 => Parameter(node, role, Along(quantization), [.. quantization.ZeroPoints.Select(zero => (byte)zero)]),
        _ => Parameter(node, role, Along(quantization), [.. quantization.ZeroPoints]),
    };

    private static Shape Along(Quantization quantization) => quantization.Axis is null ? [] : [quantization.Scales.Length];
}
