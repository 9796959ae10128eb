using System.Collections.Immutable;

namespace Penjing;

/// <summary>Rewrites that keep the answer, up to rounding: a pass's name is its formula. Use: <c>graph.Rewrite(Passes.ForInference)</c>.</summary>
public static class Passes
{
    /// <summary>What is a copy at inference goes.</summary>
    public static Pass DropIdentities { get; } = new("Identity | Dropout => x", (node, _) => node.Op is Identity or Dropout ? node.Inputs[0] : null);

    /// <summary>What depends on constants only is computed once, by the reference.</summary>
    public static Pass FoldConstants { get; } = new("any(Constant, …) => Constant", (node, _) =>
        node.Inputs.Length > 0 && node.Inputs.All(input => input.Op is Constant)
            ? new(node.Name, new Constant(Reference.Evaluate(node, [.. node.Inputs.Select(input => input.Value!)]), node.Info.Quantization))
            : null);

    /// <summary>A product of two matrices gets the form that takes a bias.</summary>
    public static Pass MatricesToGemm { get; } = new("MatMul(M×K, K×N) => Gemm", (node, _) =>
        node is { Op: MatMul, Inputs: [{ Shape.Rank: 2 }, { Shape.Rank: 2 }], Info.Type: ElementType.Float32 } ? new(node.Name, new Gemm(), node.Inputs) : null);

    /// <summary>A scale and shift of each channel goes, in double precision, into the weights and bias before it.</summary>
    public static Pass FoldAffine { get; } = new("Conv | ConvTranspose | Gemm, BatchNormalization | Add | Sub | Mul | Div by constants per channel => Conv | ConvTranspose | Gemm", Affine.Fold);

    /// <summary>What normalization is left becomes a depthwise 1×1 convolution, into which more can be folded; below rank 4, a product and a sum.</summary>
    public static Pass LowerBatchNormalization { get; } = new("BatchNormalization => Conv(depthwise 1×1) | Mul, Add", Affine.Fold, Affine.Lower);

    /// <summary>Zeros around a picture become the padding of the window that reads it, where that is exact.</summary>
    public static Pass FusePadding { get; } = new("Pad(0, height | width), Conv | AveragePool | MaxPool of non-negatives => Conv | AveragePool | MaxPool", Padded.Fuse);

    /// <summary>A channel shuffle, however the axis is split and merged, becomes the selection that it is: one that pruning can shorten.</summary>
    public static Pass ShufflesToGather { get; } = new("Reshape, Transpose, Reshape => Gather", Shuffles.Fuse);

    /// <summary>What a join's values are cut off at is done to each of them before, where it may cost nothing: values that share a range then need no other one behind the join.</summary>
    public static Pass ClampBeforeConcat { get; } = new("Relu | Clip(Concat(x, …)) => Concat(Relu | Clip(x), …), without Relu of non-negatives", (node, readers) =>
        node is { Op: Relu or Clip, Inputs: [{ Op: Concat join, Inputs: var parts } joined] } && readers(joined) == 1
            ? new(node.Name, join, [.. parts.Select((part, i) => node.Op is Relu && Padded.NonNegative(part) ? part : new Node($"{node.Name}/{i}", node.Op, part))]) : null);

    /// <summary>An activation moves into what yields its input, where nothing else reads that.</summary>
    public static Pass FuseActivation { get; } = new("Conv | Gemm | Add, Activation => Conv | Gemm | Add", (node, readers) =>
        node is not { Op: Activation then, Inputs: [{ Info.Type: ElementType.Float32 } before] } || readers(before) != 1 ? null : before.Op switch
        {
            Conv { Then: null } conv => new(node.Name, conv with { Then = then }, before.Inputs),
            Gemm { Then: null } gemm => new(node.Name, gemm with { Then = then }, before.Inputs),
            Add { Then: null } => new(node.Name, new Add(then), before.Inputs),
            _ => null,
        });

    /// <summary>The mean of reals that integers stand for, which becomes integers again, becomes the integers' sum, which stands for it.</summary>
    public static Pass AveragesToSums { get; } = new("QuantizeLinear(AveragePool | GlobalAveragePool(DequantizeLinear(x))) of whole windows => QuantizeLinear(Conv(x, ones))", Integers.Average);

    /// <summary>What is computed with reals that integers stand for is computed with the integers.</summary>
    public static Pass ToIntegers { get; } = new("QuantizeLinear(f(DequantizeLinear(x), …)) => f(x, …) | QuantizeLinear(Conv | Gemm(x, …))",
        Integers.Multiply, Integers.Requantize, Integers.Clamp, Integers.Move);

    /// <summary>Pixels between pixels of integers are integers at once, in steps of 1/256 of the way: for those who compute, while a file says what was meant.</summary>
    public static Pass ResizeIntegers { get; } = new("QuantizeLinear(Resize(DequantizeLinear(x))) => Resize(x)", Integers.Resize);

    /// <summary>The way back, where it is exact: what other engines find their own integers with.</summary>
    public static Pass ToReals { get; } = new("QuantizeLinear | DequantizeLinear(Conv | Gemm | MatMul(x, …)), f(x, …) of integers => QuantizeLinear(f(DequantizeLinear(x), …))", Reals.Multiply, Reals.Move);

    /// <summary>A network of integers as one of floats, to be trained on: values are rounded no more, and weights are the reals that their integers stand for.</summary>
    public static Pass ToFloats { get; } = new("DequantizeLinear(QuantizeLinear(x)) => x; DequantizeLinear(Constant) => Constant", Reals.Unrounded);

    /// <summary>Whether an operation yields elements of its inputs, or zeros, and depends on nothing but their order: of integers the same as of what they stand for.</summary>
    public static bool Moves(Op op) => op is MaxPool or GlobalMaxPool or Concat or Slice or Gather or Reshape or Flatten or Squeeze or Unsqueeze or Transpose
        or Pad { Mode: not PadMode.Constant } or Pad { Value: 0 } or Identity or Dropout;

    /// <summary>Whether what an operation yields lies between elements of its inputs, so that integers of their quantization stand for it: what moves, and a resize that has none beyond.</summary>
    public static bool KeepsRange(Op op) => Moves(op) || op is Resize { IsMean: true };

    /// <summary>What leaves of a network only what computes, its activations by themselves.</summary>
    public static ImmutableArray<Pass> Folding { get; } = [DropIdentities, MatricesToGemm, FoldConstants, FoldAffine, LowerBatchNormalization, FusePadding];

    /// <summary>What the engine applies when it loads a network, in the order in which each finds what those before it have cleared.</summary>
    public static ImmutableArray<Pass> ForInference { get; } = [.. Folding.InsertRange(2, AveragesToSums, ToIntegers, ResizeIntegers), FuseActivation];
}
