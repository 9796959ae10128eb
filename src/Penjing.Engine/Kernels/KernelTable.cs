using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A way to compute nodes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Fits">Whether it can compute a site.</param>
/// <param name="Create">The kernel made for a site that it fits.</param>
/// <param name="Cost">About how many nanoseconds the kernel takes on one thread; null where no other row competes with it.</param>
internal sealed record KernelRow(string Name, Func<Site, bool> Fits, Func<Site, Kernel> Create, Func<Site, double>? Cost = null);

/// <summary>The one table of kernels: lowering takes the cheapest row that fits, the first where costs are equal; tests and benches take all.</summary>
internal static class KernelTable
{
    /// <summary>The name of the row that fits everything and is never fast.</summary>
    public const string Reference = "reference";

    /// <summary>The rows. Of two without a cost, what comes earlier is faster or smaller on every node that both fit; the reason stands beside the row.</summary>
    public static ImmutableArray<KernelRow> Rows { get; } =
    [
        // Nothing is faster than the copy that must be made, and no other kernel only copies.
        new("reorder", site => site.IsDense && Reorder.Fits(site.Node), site => Reorder.Of(site.Node)),

        new("assemble", Assemble.Fits, site => Assemble.Of(site)),

        // A group of one channel fills one lane of a product's panel, but all lanes of this.
        Row<F32Depthwise>("f32-depthwise", F32Depthwise.Fits, F32Depthwise.Cost),
        Row<F32Separable>("f32-separable", F32Separable.Fits, F32Separable.Cost),
        Row<F32Conv>("f32-gemm-conv", F32Conv.Fits, F32Conv.Cost),

        // A column of the kernel an instruction, in place of one element.
        new("i8-vnni-depthwise", I8VnniDepthwise.Fits, site => new I8VnniDepthwise(site), I8VnniDepthwise.Cost),
        new("i8-depthwise", I8Depthwise.Fits, Simd.Make<I8Depthwise>, I8Depthwise.Cost),
        // Less than half of the products, and exact all the same.
        new("i8-winograd-2", I8Winograd.Fits, Simd.Make<I8Winograd>, I8Winograd.Cost),
        // Four exact products an instruction, which only assembled code has at this width.
        new("i8-vnni-conv", I8VnniConv.Fits, site => new I8VnniConv(site), I8VnniConv.Cost),
        new("i8-dot-conv", I8DotConv.Fits, Simd.Make<I8DotConv>, I8DotConv.Cost),
        new("i8-gemm-conv", I8Product.Fits, Simd.Make<I8Conv>, I8Conv.Cost),

        // Fewer multiplications for more additions, for weights several times as large, and for a part of the accuracy.
        Row<F32Winograd<Winograd2>>("f32-winograd-2", F32Winograd<Winograd2>.Fits, F32Winograd<Winograd2>.Cost),
        Row<F32Winograd<Winograd4>>("f32-winograd-4", F32Winograd<Winograd4>.Fits, F32Winograd<Winograd4>.Cost),

        // Worth it where most weights are zeros, or where zeros stand side by side.
        Row<F32BlockSparse>("f32-block-sparse", F32BlockSparse.Fits, F32BlockSparse.Cost),
        Row<F32Sparse>("f32-sparse", F32Sparse.Fits, F32Sparse.Cost),

        // What the talk compares: behind the product that reads pixels where they lie, and never cheaper.
        Row<F32Direct>("f32-direct", F32Direct.Fits, F32Direct.Cost),
        Row<F32Im2col>(F32Im2col.Name, F32Im2col.Fits, F32Im2col.Cost),
        Row<F32Mec>(F32Mec.Name, F32Mec.Fits, F32Mec.Cost),

        // One row for each of what follows: the order doesn't matter.
        Dense<F32MatMul>("f32-gemm", F32MatMul.Fits, F32MatMul.Cost),
        Row<F32Elementwise>("f32-elementwise", F32Elementwise.Fits),
        new("i8-elementwise", I8Elementwise.Fits, Simd.Make<I8Elementwise>),
        new("i8-gate", I8Gate.Fits, Simd.Make<I8Gate>),
        new("i8-table", I8Table.Fits, site => new I8Table(site)),
        new("i8-softmax", I8Softmax.Fits, site => new I8Softmax(site)),
        new("i8-max-pool", I8MaxPool.Fits, I8MaxPool.Of),
        new("i8-resize", I8Resize.Fits, Simd.Make<I8Resize>),
        Row<F32Pool>("f32-pool", site => F32Pool.Fits(site.Node)),
        Row<F32Mean>("f32-mean", F32Mean.Fits),
        Dense<F32ArgMax>("f32-argmax", F32ArgMax.Fits),
        Dense<F32Softmax>("f32-softmax", F32Softmax.Fits),
        Dense<F32Resize>("f32-resize", F32Resize.Fits),

        // Fits everything, in double precision without vectors: last.
        new(Reference, site => site.IsDense, site => new ReferenceKernel(site.Node), _ => double.PositiveInfinity),
    ];

    /// <summary>The row that a site gets where nothing forces another.</summary>
    public static KernelRow Choose(Site site) => Rows.Where(row => row.Fits(site)).MinBy(row => row.Cost?.Invoke(site) ?? 0)!;

    /// <summary>A row of kernels of floats that find all values lying by themselves.</summary>
    private static KernelRow Dense<K>(string name, Func<Node, bool> fits, Func<Site, double>? cost = null) where K : struct, IKernelMaker =>
        Row<K>(name, site => site.IsDense && fits(site.Node), cost);

    /// <summary>A row of kernels of floats, none of which computes an empty value or reads one.</summary>
    private static KernelRow Row<K>(string name, Func<Site, bool> fits, Func<Site, double>? cost = null) where K : struct, IKernelMaker =>
        new(name, site => IsFilled(site.Node) && fits(site), Simd.Make<K>, cost);

    private static bool IsFilled(Node node) =>
        node.Shape.Elements > 0 && node.Inputs.All(input => input.Info.Type == ElementType.Float32 && input.Shape.Elements > 0);
}
