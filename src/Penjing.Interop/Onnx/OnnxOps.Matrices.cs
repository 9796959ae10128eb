using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Products of matrices.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Matrices =>
    [
        ("Gemm", Gemm),
        ("MatMul", MatMul),
        ("Einsum", Einsum),
    ];

    private static Node Gemm(OnnxNode node)
    {
        node.Takes(2, 3);
        node.Ignore("broadcast");
        var op = new Gemm(node.Flag("transA"), node.Flag("transB"), node.Float("alpha", 1), node.Float("beta", 1));
        return node.Optional(2) is { } addend ? node.Make(op, node[0], node[1], addend) : node.Make(op, node[0], node[1]);
    }

    private static Node MatMul(OnnxNode node)
    {
        node.Takes(2, 2);
        return node.Make(new MatMul(), node[0], node[1]);
    }

    private static Node Einsum(OnnxNode node)
    {
        node.Takes(1, int.MaxValue);
        string equation = node.Text("equation", "");
        if (equation.Length > 256) throw new ModelFormatException("the equation is beyond all measure");
        return node.Make(new Einsum(equation), node.All());
    }
}
