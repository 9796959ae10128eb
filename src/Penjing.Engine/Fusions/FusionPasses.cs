using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A rewrite of the engine's own: a pass's name is its formula. It asks what kernels there are, and never trades one for the reference.</summary>
internal sealed record FusionPass(string Name, Func<Graph, Selection, Graph> Apply)
{
    /// <summary>A pass of local rewrites.</summary>
    public FusionPass(string name, Func<Node, Func<Node, int>, Selection, Node?> rule)
        : this(name, (graph, selection) => graph.Rewrite(new Pass(name, (node, readers) => rule(node, readers, selection)))) { }
}

/// <summary>What lowering rewrites after <see cref="Passes.ForInference"/>, in this order.</summary>
internal static class FusionPasses
{
    /// <summary>The passes.</summary>
    public static ImmutableArray<FusionPass> All { get; } =
    [
        new(Passes.ShufflesToGather.Name, (graph, _) => graph.Rewrite(Passes.ShufflesToGather)),
        new("Gather | Slice of channels, …, Conv => …, Conv of another order | FusedConv(Order)", ChannelOrders.Absorb),
        new(Passes.FuseActivation.Name, (graph, _) => graph.Rewrite(Passes.FuseActivation)),
        new("Concat, Activation => Conv | Gemm | Add with activation | Activation, …, Concat", Concats.Activate),
        new("Conv, Add => FusedConv(Adds)", Residuals.Fuse),
        new("Conv | Gemm of integers, QuantizeLinear | nothing, DequantizeLinear, Add, QuantizeLinear => IntegerProduct(Adds)", IntegerProduct.FuseSum),
        new("Conv | Gemm of integers, QuantizeLinear | DequantizeLinear => IntegerProduct", IntegerProduct.Fuse),
        new("DequantizeLinear, DequantizeLinear, Add, QuantizeLinear => QuantizedAdd", QuantizedAdd.Fuse),
        new("DequantizeLinear, Mul by a real of each channel, QuantizeLinear => QuantizedGate", QuantizedGate.Fuse),
        new("DequantizeLinear, Softmax, QuantizeLinear => QuantizedSoftmax", QuantizedSoftmax.Fuse),
        new("QuantizeLinear(f(DequantizeLinear(x), …, scalars)) => QuantizedFunction(x)", QuantizedFunction.Fuse),
        new("Resize, Output => Reshape, Resize of planes, Output", Planes.Enlarge),
        new("depthwise Conv, pointwise Conv | FusedConv => SeparableConv", SeparableConv.Fuse),
    ];

    /// <summary>The graph with all passes applied; none where the reference shall compute all.</summary>
    public static Graph Apply(Graph graph, Selection selection) => selection.OnlyReference ? graph : All.Aggregate(graph, (rewritten, pass) => pass.Apply(rewritten, selection));
}
