using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A way to compute nodes: its name, the nodes it fits on a machine, and the kernel made for one of them.</summary>
internal sealed record KernelRow(string Name, Func<Node, Isa, bool> Fits, Func<Node, Isa, Kernel> Create);

/// <summary>The one table of kernels, best first: lowering takes the first row that fits, tests and benches take all.</summary>
internal static class KernelTable
{
    /// <summary>The rows. What comes earlier is faster or smaller on every node that both fit; the reason stands beside the row.</summary>
    public static ImmutableArray<KernelRow> Rows { get; } =
    [
        // Nothing is faster than the copy that must be made, and no other kernel only copies.
        new("reorder", (node, _) => Reorder.Fits(node), (node, _) => Reorder.Of(node)),

        new("assemble", (node, _) => Assemble.Fits(node), (node, _) => Assemble.Of(node)),

        // A group of one channel fills one lane of a product's panel, but all lanes of this.
        Row<F32Depthwise>("f32-depthwise", F32Depthwise.Fits),
        Row<F32Conv>("f32-gemm-conv", F32Conv.Fits),

        // One row for each of what follows: the order doesn't matter.
        Row<F32MatMul>("f32-gemm", F32MatMul.Fits),
        Row<F32Activation>("f32-activation", F32Activation.Fits),
        Row<F32Pairwise>("f32-pairwise", F32Pairwise.Fits),
        Row<F32Normalize>("f32-normalize", F32Normalize.Fits),
        Row<F32Pool>("f32-pool", F32Pool.Fits),
        Row<F32Mean>("f32-mean", F32Mean.Fits),
        Row<F32ArgMax>("f32-argmax", F32ArgMax.Fits),
        Row<F32Softmax>("f32-softmax", F32Softmax.Fits),
        Row<F32Resize>("f32-resize", F32Resize.Fits),

        // Fits everything, in double precision without vectors: last.
        new("reference", (_, _) => true, (node, _) => new ReferenceKernel(node)),
    ];

    /// <summary>A row of kernels of floats, none of which computes an empty value or reads one.</summary>
    private static KernelRow Row<K>(string name, Func<Node, Isa, bool> fits) where K : struct, IKernelMaker =>
        new(name, (node, isa) => IsFilled(node) && fits(node, isa), Simd.Make<K>);

    private static bool IsFilled(Node node) =>
        node.Shape.Elements > 0 && node.Inputs.All(input => input.Info.Type == ElementType.Float32 && input.Shape.Elements > 0);
}
