using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>Integers that stand for reals: as TensorFlow Lite's own operations where it has such, else as reals between DEQUANTIZE and QUANTIZE.</content>
internal sealed partial class LiteGraph
{
    private const float Byte = 1 / 256f;
    private readonly Dictionary<(Node, string?), int> reals = [];

    /// <summary>Weights that TensorFlow Lite can't have as Int8.</summary>
    private static bool HasZeroPoints(Node node) =>
        node is { Op: Conv or Gemm, Info.Type: ElementType.Int32, Inputs: [_, { Info: { Type: var type, Quantization: { } quantization } }, ..] } && quantization.ZeroPoints.Any(zero => zero != (type is ElementType.UInt8 ? 128 : 0));

    /// <summary>The nodes whose values are read where a node is written.</summary>
    private IEnumerable<Node> Operands(Node node) => node switch
    {
        { Op: QuantizeLinear or DequantizeLinear, Inputs: [{ Info.Type: ElementType.Int32 } sums] } => sums.Inputs,
        { Op: QuantizeLinear, Inputs: [var computed] } when IsOfIntegers(node) => computed.Inputs.Select(real => real.Inputs[0]),
        _ => node.Inputs,
    };

    /// <summary>Whether TensorFlow Lite computes integers of integers where the graph has an operation of reals between them.</summary>
    private bool IsOfIntegers(Node node)
    {
        if (node is not { Op: QuantizeLinear { Quantization: { Axis: null, Scales: [var scale] } to, To: ElementType.Int8 or ElementType.UInt8 }, Inputs: [var f] }) return false;
        if (readers[f].Count() != 1 || outputs.Contains(f) || f.Inputs.Length == 0 || !f.Inputs.All(IsByteReal)) return false;
        ImmutableArray<ValueInfo> from = [.. f.Inputs.Select(real => real.Inputs[0].Info)];
        bool same = from.All(info => Stored(info.Type, info.Quantization).Equals(Stored(node.Info.Type, to)));
        int zero = Stored(node.Info.Type, to).Item2!.ZeroPoints[0], least = byteType is ElementType.Int8 ? -128 : 0;
        return f.Op switch
        {
            Add { Then: null or Relu or Clip(0, 6) } or Mul or Sub => true,
            Softmax or Sigmoid => scale == Byte && zero == least && (f.Op is Sigmoid || IsLast((Softmax)f.Op, f)),
            Tanh => scale == 2 * Byte && zero == least + 128,
            AveragePool pool => same && IsSaid(pool, f.Inputs[0].Shape),
            Resize => same,
            _ => false,
        };

        static bool IsByteReal(Node real) => real is { Op: DequantizeLinear, Inputs: [{ Info: { Type: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null } }] };
    }

    private int Write(Node node, QuantizeLinear op)
    {
        Node x = node.Inputs[0];
        if (op.To is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int16) || op.To is ElementType.Int16 && op.Quantization.ZeroPoints.Any(zero => zero != 0))
            throw Unsaid(node, $"it has no integers of {op.To} with {op.Quantization} that stand for reals");
        if (IsOfIntegers(node)) return Write(x, node.Name, node.Info, [.. x.Inputs.Select(real => (Of(real.Inputs[0]), real.Inputs[0].Info))]);
        if (x.Info.Type is ElementType.Int32 && IsProduct(x, op)) return Write(x, node.Name, node.Info, Product(x, false));
        return Add("QUANTIZE", node, [x.Info.Type is ElementType.Int32 ? Real(x, $"{node.Name}/real") : Of(x)]);
    }

    private int Write(Node node, DequantizeLinear _) => Real(node.Inputs[0], node.Name);

    private int Write(Node node, Reinterpret op)
    {
        if (op.Quantization is not null && node.Inputs[0] is { Op: Input } input && tensors[numbers[input]].Quantization is not null) return numbers[input];
        throw Unsaid(node, "its integers change their meaning: only those of an input, which nothing else reads, can");
    }

    /// <summary>Whether a convolution or product of integers is one there: per tensor or, of Int8, by output channel.</summary>
    private bool IsProduct(Node sums, QuantizeLinear to) => sums is { Op: Conv or Gemm, Inputs: [{ Info.Quantization: { Axis: null } }, { Value: not null, Info.Quantization: { } w }, .. var bias] }
        && bias.All(one => one.Value is not null) && to is { Quantization.Axis: null, To: not ElementType.Int16 } && (byteType is ElementType.UInt8 ? w.Axis is null : w.ZeroPoints.All(zero => zero == w.ZeroPoints[0]));

    /// <summary>The reals that a value's integers stand for; those of sums are the sums of reals.</summary>
    private int Real(Node integers, string? name = null)
    {
        string called = name ?? $"{integers.Name}/real";
        if (reals.TryGetValue((integers, name), out int number)) return number;
        ValueInfo info = new(ElementType.Float32, integers.Shape);
        if (integers.Op is Constant) number = Weight(called, Reference.Evaluate(new Node(called, new DequantizeLinear(), integers), [integers.Value!]));
        else if (integers.Info.Type is ElementType.Int8 or ElementType.UInt8 or ElementType.Int16) number = Add("DEQUANTIZE", called, info, [Of(integers)]);
        else if (integers is { Op: Conv or Gemm or ConvTranspose, Inputs: [{ Info.Quantization: not null }, { Value: not null, Info.Quantization: not null }, ..] }) number = Write(integers, called, info, Product(integers, true));
        else throw Unsaid(integers, $"it has no integers of {integers.Info.Type} that stand for reals, but sums that are requantized at once");
        return reals[(integers, name)] = number;
    }

    /// <summary>The factors and the bias of a product of integers, or the reals that they stand for.</summary>
    private ImmutableArray<(int, ValueInfo)> Product(Node sums, bool real) =>
        real ? [(Real(sums.Inputs[0]), new(ElementType.Float32, sums.Inputs[0].Shape))] : [(Of(sums.Inputs[0]), sums.Inputs[0].Info)];

    /// <summary>A weight of a product: as it is, or, for a value of reals, the reals that its integers stand for.</summary>
    private static (Tensor Value, Quantization? Quantization) Factor(Node product, int index, ElementType of)
    {
        Node weight = product.Inputs[index];
        Tensor value = weight.Value ?? throw Unsaid(product, $"'{weight.Name}' is computed, but TensorFlow Lite wants weights to be constant");
        Quantization? meaning = index == 2 ? OfSums(product) : weight.Info.Quantization;
        if (of is not ElementType.Float32 || value.Type is ElementType.Float32) return (value, meaning);
        return (Reference.Evaluate(new Node("real", new DequantizeLinear(), new Node("integers", new Constant(value, meaning))), [value]), null);
    }

    /// <summary>The bias of a convolution, which TensorFlow Lite wants even where it is zeros.</summary>
    private static (Tensor Value, Quantization? Quantization) Addend(Node product, ElementType of, int count) => product.Inputs.Length > 2 ? Factor(product, 2, of)
        : of is ElementType.Float32 ? (Tensor.Zeros(of, [count]), null) : (Tensor.Zeros(ElementType.Int32, [count]), OfSums(product));

    private static Quantization? OfSums(Node product) => product.Info.Quantization is { Axis: not null } sums ? sums with { Axis = 0 } : product.Info.Quantization;
}
