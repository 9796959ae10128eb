using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// A convolution or product of integers and what becomes of its sums, integers again or floats: inputs are x, w and, where there is one, the bias of Int32; where something is
/// added there is one, and then that.
/// </summary>
/// <param name="Product">The convolution or the product of matrices.</param>
/// <param name="X">What the integers of x stand for.</param>
/// <param name="W">What those of w stand for.</param>
/// <param name="To">What the sums become.</param>
/// <param name="Adds">What is added to the reals that the sums stand for, before they become integers; null for nothing.</param>
internal sealed record IntegerProduct(Op Product, Quantization X, Quantization W, Op To, IntegerAddend? Adds = null) : Fusion
{
    /// <summary>The product as a convolution: a row of a matrix is a picture of one pixel.</summary>
    internal Conv Conv => Product as Conv ?? new();

    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node x = new("x", new Reinterpret(X), inputs[0]), w = new("w", new Reinterpret(W), inputs[1]);
        Node sums = new("sums", Product, [x, w, .. inputs[2..Math.Min(inputs.Length, FusedConv.Addend)]]);
        if (Adds is null) return new("result", To, sums);
        Node addend = new("addend", new DequantizeLinear(), new Node("a", new Reinterpret(Adds.Quantization), inputs[FusedConv.Addend]));
        Node rounded = Adds.Rounding is null ? sums : new("rounded", Adds.Rounding, sums);
        return new("result", To, new Node("sum", new Add(Adds.Then), new Node("reals", new DequantizeLinear(), rounded), addend));
    }

    /// <summary>The constant weights of a product less their zero points, in the order in which they lie.</summary>
    public static short[] Weights(Node node)
    {
        var op = (IntegerProduct)node.Op;
        Node w = node.Inputs[1];
        ReadOnlySpan<byte> bytes = w.Value!.Bytes.Span;
        bool signed = w.Info.Type is ElementType.Int8, turned = op.Product is Gemm { TransposeB: false };
        int columns = node.Shape[1], inner = bytes.Length / columns;
        var weights = new short[bytes.Length];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (short)((signed ? (sbyte)bytes[i] : bytes[i]) - op.W.ZeroPoints[op.W.Axis is null ? 0 : turned ? i % columns : i / inner]);
        return weights;
    }

    /// <summary>Whether the weights of a product are Int8 and have no zero point but 0: they are what they stand for, but for the scale.</summary>
    public static bool ArePlain(Node node) => node.Inputs[1].Info.Type is ElementType.Int8 && ((IntegerProduct)node.Op).W.ZeroPoints.All(zero => zero == 0);

    /// <summary>Whether no weight is larger than 64 in size, so that two products by unsigned bytes add up within 16 bits.</summary>
    public static bool AreNarrow(Tensor weights) => weights.AsSpan<sbyte>().IndexOfAnyExceptInRange((sbyte)-64, (sbyte)64) < 0;

    /// <summary>How large in size a sum of a product of constant weights can be: every product as large as its types allow, and the bias.</summary>
    public static long LargestSum(Node node)
    {
        var op = (IntegerProduct)node.Op;
        Node w = node.Inputs[1];
        long depth = node.Inputs[0].Shape[1] / op.Conv.Groups * (long)Layout.Pictures(w.Shape).Product(2, 4), largest = 0;
        if (node.Inputs.Length > 2)
            foreach (int bias in node.Inputs[2].Value!.AsSpan<int>()) largest = Math.Max(largest, Math.Abs((long)bias));
        return depth * byte.MaxValue * (ArePlain(node) ? -sbyte.MinValue : byte.MaxValue) + largest;
    }

    /// <summary>Conv | Gemm of integers, QuantizeLinear | DequantizeLinear => IntegerProduct, where nothing else reads the sums and a kernel computes both.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { To: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null } or DequantizeLinear, Inputs: [var sums] }) return null;
        return Of(sums, readers, node.Op) is { } product && new Node(node.Name, product, sums.Inputs) is var fused && selection.HasKernel(fused) ? fused : null;
    }

    /// <summary>
    /// Conv | Gemm of integers, perhaps QuantizeLinear, DequantizeLinear, Add of what integers stand for, QuantizeLinear => IntegerProduct(Adds), where nothing else reads what lies
    /// between and a kernel computes all at no more than the two steps' cost. Of two products that one sums the second, which as a rule is computed last.
    /// </summary>
    public static Node? FuseSum(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { To: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null }, Inputs: [{ Op: Add { Then: null or Relu or Clip } add, Inputs: [var left, var right] } sum] }) return null;
        return readers(sum) != 1 || left.Shape != right.Shape ? null : Fused(right, left) ?? Fused(left, right);

        Node? Fused(Node side, Node other)
        {
            if (side is not { Op: DequantizeLinear, Inputs: [var before] } || other is not { Op: DequantizeLinear, Inputs: [{ Info: { Type: ElementType.Int8 or ElementType.UInt8, Quantization: { Axis: null } given } } addend] }) return null;
            QuantizeLinear? rounding = before.Op as QuantizeLinear;
            if (rounding is not (null or { To: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null }) || readers(side) != 1 || readers(before) != 1 || addend.Value is not null) return null;
            Node sums = rounding is null ? before : before.Inputs[0];
            if (Of(sums, readers, node.Op) is not { } product) return null;
            Node bias = sums.Inputs.Length > 2 ? sums.Inputs[2] : Node.Weight($"{sums.Name}/zeros", Tensor.Zeros(ElementType.Int32, [sums.Shape[1]]));
            Node fused = new(node.Name, product with { Adds = new(given, add.Then, rounding) }, sums.Inputs[0], sums.Inputs[1], bias, addend);
            double apart = selection.Cost(new Node(node.Name, product, sums.Inputs)) + Selection.Moving(3L * node.Shape.Elements);
            return selection.HasKernel(fused) && selection.Cost(fused) <= apart ? fused : null;
        }
    }

    private static IntegerProduct? Of(Node sums, Func<Node, int> readers, Op to) =>
        sums is { Op: Conv { Then: null } or Gemm { Then: null, TransposeA: false, Alpha: 1, Beta: 1 }, Info.Type: ElementType.Int32, Inputs: [{ Info.Quantization: { } x }, { Info.Quantization: { } w }, ..] }
            && readers(sums) == 1 ? new(sums.Op, x, w, to) : null;
}

/// <summary>An addend of integers.</summary>
/// <param name="Quantization">What they stand for.</param>
/// <param name="Then">The activation of the sum, or none.</param>
/// <param name="Rounding">What the product's own sums are rounded to before, if they are.</param>
internal sealed record IntegerAddend(Quantization Quantization, Activation? Then, QuantizeLinear? Rounding);
