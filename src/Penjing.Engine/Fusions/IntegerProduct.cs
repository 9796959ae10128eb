using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A convolution or product of integers and what becomes of its sums, integers again or floats: inputs are x, w and, where there is one, the bias of Int32.</summary>
/// <param name="Product">The convolution or the product of matrices.</param>
/// <param name="X">What the integers of x stand for.</param>
/// <param name="W">What those of w stand for.</param>
/// <param name="To">What the sums become.</param>
internal sealed record IntegerProduct(Op Product, Quantization X, Quantization W, Op To) : Fusion
{
    /// <summary>The product as a convolution: a row of a matrix is a picture of one pixel.</summary>
    internal Conv Conv => Product as Conv ?? new();

    /// <inheritdoc/>
    public override Node Meaning(ImmutableArray<Node> inputs)
    {
        Node x = new("x", new Reinterpret(X), inputs[0]), w = new("w", new Reinterpret(W), inputs[1]);
        return new("result", To, new Node("sums", Product, [x, w, .. inputs[2..]]));
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

    /// <summary>How large in size a sum of a product of constant weights can be: every product as large as its types allow, and the bias.</summary>
    public static long LargestSum(Node node)
    {
        var op = (IntegerProduct)node.Op;
        Node w = node.Inputs[1];
        long depth = node.Inputs[0].Shape[1] / op.Conv.Groups * (long)Layout.Pictures(w.Shape).Product(2, 4), largest = 0;
        if (node.Inputs.Length > 2)
            foreach (int bias in node.Inputs[2].Value!.AsSpan<int>()) largest = Math.Max(largest, Math.Abs((long)bias));
        return depth * byte.MaxValue * (w.Info.Type is ElementType.Int8 && op.W.ZeroPoints.All(zero => zero == 0) ? -sbyte.MinValue : byte.MaxValue) + largest;
    }

    /// <summary>Conv | Gemm of integers, QuantizeLinear | DequantizeLinear => IntegerProduct, where nothing else reads the sums and a kernel computes both.</summary>
    public static Node? Fuse(Node node, Func<Node, int> readers, Selection selection)
    {
        if (node is not { Op: QuantizeLinear { To: ElementType.Int8 or ElementType.UInt8, Quantization.Axis: null } or DequantizeLinear, Inputs: [{ Info.Type: ElementType.Int32 } sums] }) return null;
        if (sums.Op is not (Conv { Then: null } or Gemm { Then: null, TransposeA: false, Alpha: 1, Beta: 1 }) || readers(sums) != 1) return null;
        if (sums.Inputs[0].Info.Quantization is not { } x || sums.Inputs[1].Info.Quantization is not { } w) return null;
        Node fused = new(node.Name, new IntegerProduct(sums.Op, x, w, node.Op), sums.Inputs);
        return selection.HasKernel(fused) ? fused : null;
    }
}
