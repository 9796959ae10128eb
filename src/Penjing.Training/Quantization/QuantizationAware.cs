using Penjing.Compression;

namespace Penjing.Training;

/// <summary>Training that sees the rounding of 8-bit integers: reals are rounded by steps that are trained, and in the end become the integers.</summary>
internal static class QuantizationAware
{
    /// <summary>A prepared graph whose values and weights are rounded by trainable steps, those of the ranges to begin with.</summary>
    public static Graph Begin(Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits = PostTraining.WeightBits)
    {
        Dictionary<Quantization, Node> steps = new(ReferenceEqualityComparer.Instance);
        return PostTraining.Rounded(graph, ranges, floats, (value, type, quantization) =>
        {
            if (!steps.TryGetValue(quantization, out Node? step))
                steps.Add(quantization, step = Node.Weight($"{value.Name}/step", Tensor.Of<float>([quantization.Scales.Length], [.. quantization.Scales])));
            return new($"{value.Name}/real", new LearnedStep(type, quantization.ZeroPoints[0], quantization.Axis, weightBits), value, step);
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
                float[] steps = [.. inputs[1].Value!.Floats.ToArray().Select(step => Math.Max(Math.Abs(step), LearnedStep.Least))];
                quantizations.Add(node.Inputs[1], quantization = new([.. steps], [.. steps.Select(_ => op.Zero)], op.Axis));
            }
            return PostTraining.Round(inputs[0], op.Type, quantization, op.WeightBits);
        }).Rewrite(Passes.ToIntegers);
    }
}
