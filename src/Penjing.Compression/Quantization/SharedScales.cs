using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Scales with which weights that share few values share as few integers: all channels of a layer have one step, times what normalization makes of each. A file then keeps the
/// integers of a shared network as short as it kept the values: a codebook of Int8.
/// </summary>
public static class SharedScales
{
    private const int MostValues = 256, FewestToEachValue = 8;
    private const double Tolerance = 1e-5;

    /// <summary>The scale of each output channel of each layer whose weights share values, by the layer's name.</summary>
    /// <param name="shared">The network whose weights share values (<see cref="Sharing"/>): at most 256 in a layer, each of eight weights or more in the mean.</param>
    /// <param name="prepared">The same, prepared by <see cref="PostTraining.Prepare"/>.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    public static ImmutableDictionary<string, ImmutableArray<float>> Of(Graph shared, Graph prepared, int weightBits = PostTraining.WeightBits)
    {
        Dictionary<string, Node> nodes = shared.Nodes.ToDictionary(node => node.Name);
        Dictionary<string, ImmutableArray<float>> scales = [];
        foreach (Node layer in PostTraining.Layers(prepared))
            if (nodes.TryGetValue(layer.Name, out Node? end) && Source(end) is { } source && Of(source, layer, PostTraining.Most(weightBits)) is { IsDefault: false } own)
                scales.Add(layer.Name, own);
        return scales.ToImmutableDictionary();
    }

    /// <summary>The layer that became part of this node.</summary>
    private static Node? Source(Node? node)
    {
        while (node is not null && Mixer.Of(node) is null) node = node.Inputs.FirstOrDefault(input => input.Value is null);
        return node;
    }

    private static ImmutableArray<float> Of(Node source, Node layer, int most)
    {
        if (Mixer.Of(layer) is not { } mixer || Mixer.Of(source) != mixer) return default;
        ReadOnlySpan<float> values = source.Inputs[1].Value!.Floats, weights = layer.Inputs[1].Value!.Floats;
        HashSet<float> distinct = [.. values];
        if (distinct.Count is 0 or > MostValues || distinct.Count * FewestToEachValue > values.Length || !distinct.All(float.IsFinite)) return default;
        double step = distinct.Max(Math.Abs) / most;
        (double[] products, double[] squares) = (new double[mixer.Outputs], new double[mixer.Outputs]);
        for (int i = 0; i < values.Length; i++)
        {
            products[mixer.Output(i)] += (double)values[i] * weights[i];
            squares[mixer.Output(i)] += (double)values[i] * values[i];
        }
        double[] factors = [.. products.Zip(squares, (product, square) => square > 0 ? product / square : 0)];
        // Anything else than a factor for each channel has parted what shared a value.
        for (int i = 0; i < values.Length; i++)
            if (!(Math.Abs(weights[i] - factors[mixer.Output(i)] * values[i]) <= Tolerance * Math.Abs(factors[mixer.Output(i)]) * most * step)) return default;
        return [.. factors.Select(factor => (float)(Math.Abs(factor) * step))];
    }
}
