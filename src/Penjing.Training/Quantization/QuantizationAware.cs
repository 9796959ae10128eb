using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Training;

/// <summary>Training that sees the rounding of 8-bit integers: reals are rounded by steps that are trained, and in the end become the integers.</summary>
internal static class QuantizationAware
{
    private const string Trained = "trained";
    private const int MostDoublings = 60;

    /// <summary>A prepared graph whose values and weights are rounded by trainable steps, those of the ranges to begin with.</summary>
    public static Graph Begin(Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits = PostTraining.WeightBits)
    {
        Dictionary<Quantization, Node> steps = new(ReferenceEqualityComparer.Instance);
        return PostTraining.Rounded(graph, ranges, floats, (value, type, quantization) =>
        {
            ImmutableArray<float> factors = value.Value is { } weight && quantization.Axis is { } axis ? Factors(weight, axis) : [];
            if (!steps.TryGetValue(quantization, out Node? step))
                steps.Add(quantization, step = Node.Weight($"{value.Name}/step", Tensor.Of<float>([quantization.Scales.Length], [.. quantization.Scales.Select((scale, i) => factors.IsEmpty ? scale : scale / factors[i])])));
            Node real = factors.IsEmpty ? value : Node.Weight($"{value.Name}/{Trained}", Times(value.Value!, [.. factors.Select(factor => 1 / factor)], quantization.Axis!.Value));
            return new($"{value.Name}/real", new LearnedStep(type, quantization.ZeroPoints[0], quantization.Axis, weightBits, factors), real, step);
        }, weightBits);
    }

    /// <summary>The integers that a trained graph of <see cref="Begin"/> stands for.</summary>
    public static Graph End(Graph graph)
    {
        Dictionary<Node, Quantization> quantizations = [];
        return graph.Map((node, inputs) =>
        {
            if (node.Op is not LearnedStep op) return node.With(inputs);
            if (!quantizations.TryGetValue(node.Inputs[1], out Quantization? quantization))
            {
                float[] steps = [.. inputs[1].Value!.Floats.ToArray().Select((step, i) => Math.Max(Math.Abs(step), LearnedStep.Least) * (op.Factors.IsEmpty ? 1 : op.Factors[i]))];
                quantizations.Add(node.Inputs[1], quantization = new([.. steps], [.. steps.Select(_ => op.Zero)], op.Axis));
            }
            Node real = op.Factors.IsEmpty ? inputs[0] : Node.Weight(inputs[0].Name[..^(Trained.Length + 1)], Times(inputs[0].Value!, op.Factors, op.Axis!.Value));
            return PostTraining.Round(real, op.Type, quantization, op.WeightBits);
        }).Rewrite(Passes.ToIntegers);
    }

    /// <summary>
    /// What each channel's weights are divided by while they are trained: the power of two that brings them next to the size that they had when their training began. Folded
    /// normalization makes channels of one layer small and large, and a gradient that doesn't know of it changes the small ones by many times their size.
    /// </summary>
    private static ImmutableArray<float> Factors(Tensor weight, int axis)
    {
        int channels = weight.Shape[axis], inner = weight.Shape.Product(axis + 1, weight.Shape.Rank);
        ReadOnlySpan<float> values = weight.Floats;
        var squares = new double[channels];
        for (int i = 0; i < values.Length; i++) squares[i / inner % channels] += (double)values[i] * values[i];
        // By He et al. 2015 the squares of a channel's weights add up to 2 at the beginning.
        return [.. squares.Select(sum => sum > 0 ? (float)Math.Pow(2, Math.Clamp(Math.Round(Math.Log2(sum / 2) / 2), -MostDoublings, MostDoublings)) : 1)];
    }

    private static Tensor Times(Tensor weight, ImmutableArray<float> factors, int axis)
    {
        int inner = weight.Shape.Product(axis + 1, weight.Shape.Rank);
        ReadOnlySpan<float> values = weight.Floats;
        var products = new float[values.Length];
        for (int i = 0; i < products.Length; i++) products[i] = values[i] * factors[i / inner % factors.Length];
        return Tensor.Of<float>(weight.Shape, products);
    }
}
