using System.Collections.Immutable;

namespace Penjing;

/// <summary>
/// Arithmetic of reals that integers stand for becomes arithmetic of the integers. Products are then exact sums where they were rounded; what moves, compares or
/// clamps is the same to the bit, since rounding keeps the order and zero points stand for zero itself.
/// </summary>
internal static class Integers
{
    // So many sums of bytes floats hold exactly, each byte taken 128 times.
    private const int MostAveraged = (1 << 24) / (255 * 128);

    /// <summary>Conv | Gemm(DequantizeLinear(x), DequantizeLinear(w), b) => DequantizeLinear(Conv | Gemm(x, w, round(b / (s_x · s_w)))), behind it the activation.</summary>
    public static Node? Multiply(Node node, Func<Node, int> readers)
    {
        if (node is not { Op: Conv or Gemm { Alpha: 1, Beta: 1, TransposeA: false }, Inputs: [{ Op: DequantizeLinear } x, { Op: DequantizeLinear } w, .. var bias] }) return null;
        ImmutableArray<Node> factors = [x.Inputs[0], w.Inputs[0]];
        if (factors.Any(factor => factor.Info.Type is not (ElementType.Int8 or ElementType.UInt8)) || bias is [{ Value: null, Op: not DequantizeLinear }]) return null;
        if (bias is [{ Shape: { Rank: > 1 } shape }] && shape.Elements != shape[-1]) return null;
        (int from, int to) = node.Op is Gemm { TransposeB: false } ? (1, 1) : (0, 1);
        if (QuantizedProduct.Sums(factors[0].Info, factors[1].Info, from, to) is not { } sums || sums.Scales.Any(scale => !float.IsNormal(scale))) return null;
        Tensor? value = bias is [] ? null : bias[0].Value ?? (bias[0].Inputs[0].Value is { } integers ? Reference.Evaluate(bias[0], [integers]) : null);
        Tensor? steps = value is null ? null : Steps(value, sums, node.Shape[1]);
        if (bias is not [] && steps is null) return null;
        (Op plain, Activation? then) = node.Op switch
        {
            Conv conv => (conv with { Then = null }, conv.Then),
            Gemm gemm => (gemm with { Then = null }, gemm.Then),
            var other => (other, (Activation?)null),
        };
        Node product = new($"{node.Name}/sums", plain, [.. factors, .. steps is null ? (Node[])[] : [Node.Weight($"{node.Name}/bias", steps)]]);
        return then is null ? new(node.Name, new DequantizeLinear(), product) : new(node.Name, then, new Node($"{node.Name}/unactivated", new DequantizeLinear(), product));
    }

    /// <summary>QuantizeLinear(AveragePool | GlobalAveragePool(DequantizeLinear(x))) of whole windows => QuantizeLinear(Conv(x, ones that stand for 1 / area)).</summary>
    public static Node? Average(Node quantize, Func<Node, int> readers)
    {
        if (quantize is not { Op: QuantizeLinear, Inputs: [{ Inputs: [{ Op: DequantizeLinear, Inputs: [{ Info: { Type: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null } } x] }] } node] }) return null;
        if (readers(node) != 1) return null;
        Size whole = node.Op is GlobalAveragePool ? new(x.Shape[2], x.Shape[3]) : default;
        (Size window, Conv conv)? made = node.Op switch
        {
            GlobalAveragePool => (whole, new Conv() with { Groups = x.Shape[1] }),
            AveragePool { CeilMode: false } pool when pool.CountIncludePad || pool.Padding == default => (pool.Kernel, new Conv(pool.Stride, pool.Padding, Size.One, x.Shape[1])),
            _ => null,
        };
        if (made is not ({ Height: > 0, Width: > 0 } size, var sums) || size.Height * size.Width > MostAveraged) return null;
        Tensor ones = Tensor.Build<sbyte>([x.Shape[1], 1, size.Height, size.Width], values => values.Fill(1));
        Node weights = new($"{node.Name}/ones", new Constant(ones, new Quantization(1f / (size.Height * size.Width), 0)));
        return new(quantize.Name, quantize.Op, new Node($"{node.Name}/sums", sums, x, weights));
    }

    /// <summary>QuantizeLinear(DequantizeLinear(x)) => x of the same quantization | QuantizeLinear(x) of Int32 sums that nothing else reads, so that one step yields what becomes of them.</summary>
    public static Node? Requantize(Node node, Func<Node, int> readers) => node is { Op: QuantizeLinear op, Inputs: [{ Op: DequantizeLinear, Inputs: [var x] } real] }
        ? IsSo(x, op) ? x : x.Info.Type is ElementType.Int32 && readers(real) == 1 ? new(node.Name, op, x) : null
        : null;

    /// <summary>QuantizeLinear(Relu | Clip(DequantizeLinear(x))) => Relu | Clip(QuantizeLinear(x)), or less where the type's ends clamp so already.</summary>
    public static Node? Clamp(Node node, Func<Node, int> readers)
    {
        if (node is not { Op: QuantizeLinear { Quantization: { Axis: null } quantization } op, Inputs: [{ Op: Relu or Clip, Inputs: [{ Op: DequantizeLinear } real] } clamp] }) return null;
        if (readers(clamp) != 1 || readers(real) != 1) return null;
        (float low, float high) = clamp.Op is Clip clip ? (clip.Min, clip.Max) : (0, float.PositiveInfinity);
        bool idle = quantization.Nearest(low, op.To) == quantization.Nearest(float.NegativeInfinity, op.To)
            && quantization.Nearest(high, op.To) == quantization.Nearest(float.PositiveInfinity, op.To);
        return idle ? new(node.Name, op, real) : new(node.Name, clamp.Op, new Node($"{node.Name}/unclamped", op, real));
    }

    /// <summary>QuantizeLinear(f(DequantizeLinear(x), …)) => f(x, …) where f moves or compares and all have one quantization.</summary>
    public static Node? Move(Node node, Func<Node, int> readers) =>
        node is { Op: QuantizeLinear { Quantization.Axis: null } op, Inputs: [{ Op: var f, Inputs: var reals }] } && Passes.Moves(f)
            && reals.All(real => real.Op is DequantizeLinear && IsSo(real.Inputs[0], op)) ? new(node.Name, f, [.. reals.Select(real => real.Inputs[0])]) : null;

    /// <summary>QuantizeLinear(Resize(DequantizeLinear(x))) => Resize(x) of one quantization.</summary>
    public static Node? Resize(Node node, Func<Node, int> readers) => node is { Op: QuantizeLinear { Quantization.Axis: null } op, Inputs: [{ Op: Resize { IsMean: true } resize, Inputs: [{ Op: DequantizeLinear, Inputs: [var x] }] }] }
        && x.Info.Type is ElementType.Int8 or ElementType.UInt8 && IsSo(x, op) ? new(node.Name, resize, x) : null;

    private static bool IsSo(Node x, QuantizeLinear op) => x.Info.Type == op.To && Equals(x.Info.Quantization, op.Quantization);

    /// <summary>A bias as whole steps of the sums' scales; null where one takes more than 32 bits.</summary>
    private static Tensor? Steps(Tensor bias, Quantization sums, int channels)
    {
        double[] steps = [.. Enumerable.Range(0, channels).Select(channel =>
            Math.Round(bias.Floats[bias.Shape.Elements > 1 ? channel : 0] / (double)sums.Scales[sums.Scales.Length > 1 ? channel : 0]))];
        return steps.All(step => Math.Abs(step) <= int.MaxValue) ? Tensor.Of<int>([channels], [.. steps.Select(step => (int)step)]) : null;
    }
}
