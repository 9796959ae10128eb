namespace Penjing.Bench;

/// <summary>What ideas for coding a pruned and shared weight would take: exact costs in bytes of fixed or adaptive codes, their tables not counted.</summary>
internal static class CodeIdeas
{
    /// <summary>The ways to say which weights are not zero.</summary>
    public static IEnumerable<(string Idea, long Bytes)> Zeros(Model model)
    {
        Layer[] layers = Layer.Of(model);
        foreach (int bits in (int[])[2, 3, 4, 5, 6, 8]) yield return ($"gaps of {bits} bits, with fillers", Sum(layers, layer => bits * (double)layer.Gaps((1 << bits) - 1).Length));
        foreach (int most in (int[])[15, 255]) yield return ($"gaps up to {most}, entropy", Sum(layers, layer => Entropy(layer.Gaps(most))));
        yield return ("a bit each", Sum(layers, layer => layer.Count));
        yield return ("a bit each, entropy", Sum(layers, layer => Entropy([.. layer.Levels.Select(level => level == 0 ? 1 : 0)])));
        foreach ((string idea, Func<Place, int> context) in ((string, Func<Place, int>)[])
            [
                ("adaptive bits", _ => 0),
                ("by the place in the filter", at => at.Kernel),
                ("by the output channel", at => at.Output),
                ("by the input channel", at => at.Input),
                ("by the channels' mean size", at => at.MeanClass),
                ("by the neighbours in the filter", at => at.NearClass),
                ("by the same place of the output before", at => at.Before == 0 ? 0 : 1),
                ("by the channels' mean and the neighbours (chosen)", at => 8 * at.MeanClass + at.NearClass),
            ]) yield return (idea, Sum(layers, layer => layer.Walk((place, cost) => cost(context(place), 1, place.Level == 0 ? 1 : 0))));
    }

    /// <summary>The ways to say which value a weight has that is not zero.</summary>
    public static IEnumerable<(string Idea, long Bytes)> Values(Model model)
    {
        Layer[] layers = Layer.Of(model);
        yield return ("8 bits each", Sum(layers, layer => 8 * layer.Levels.Count(level => level != 0)));
        yield return ("entropy", Sum(layers, layer => Entropy([.. layer.Levels.Where(level => level != 0)])));
        foreach ((string idea, int guided, bool even, Func<Place, int> context) in ((string, int, bool, Func<Place, int>)[])
            [
                ("adaptive bits", 0, false, _ => 0),
                ("the same, low bits believed to be even at first", 0, true, _ => 0),
                ("first four bits by the place in the filter", 4, true, at => at.Kernel),
                ("first four bits by the output channel", 4, true, at => at.Output),
                ("first four bits by the same place of the output before", 4, true, at => Math.Sign(at.Before) + 1),
                ("first four bits by the channels' mean size", 4, true, at => at.OthersClass),
                ("first four bits by the neighbours' signed sum", 4, true, at => at.SideClass),
                ("all bits by both", 8, true, at => at.SideClass * 10 + at.OthersClass),
                ("first five bits by both", 5, true, at => at.SideClass * 10 + at.OthersClass),
                ("first four bits by both (chosen)", 4, true, at => at.SideClass * 10 + at.OthersClass),
                ("first three bits by both", 3, true, at => at.SideClass * 10 + at.OthersClass),
            ]) yield return (idea, Sum(layers, layer => layer.Walk((place, cost) =>
            {
                if (place.Level == 0) return;
                int index = place.Level + layer.Zero, node = 1;
                for (int bit = 7; bit >= 0; bit--)
                {
                    cost((7 - bit < guided ? context(place) + 1 : 0) << 8 | node, even ? 1 << Math.Min(6, 7 - bit) : 1, index >> bit & 1);
                    node = node << 1 | index >> bit & 1;
                }
            })));
    }

    /// <summary>The ways to store codebooks and biases.</summary>
    public static IEnumerable<(string Idea, long Bytes)> Floats(Model model, FileReport report)
    {
        Layer[] layers = Layer.Of(model);
        yield return ("codebooks, plain", layers.Sum(layer => 4L * layer.Values.Length));
        yield return ("codebooks rising, distances under the best Rice code", Sum(layers, layer => 40 + Enumerable.Range(0, 32).Min(parameter => layer.Distances.Sum(distance => (double)(distance >> parameter) + 1 + parameter))));
        yield return ("codebooks rising, distances by their length's change, three bits modelled (chosen)", Sum(layers, layer => layer.DistanceBits()));
        TensorReport[] biases = [.. report.Tensors.Where(tensor => tensor.Shape.Rank == 1)];
        foreach (TensorEncoding encoding in (TensorEncoding[])[TensorEncoding.Plain, TensorEncoding.Planes, TensorEncoding.Modelled])
            yield return ($"biases, {encoding}", biases.Sum(bias => bias.Costs.GetValueOrDefault(encoding, bias.Costs[TensorEncoding.Plain])));
        yield return ("biases, each the best way (chosen)", biases.Sum(bias => bias.Bytes));
    }

    private static long Sum(Layer[] layers, Func<Layer, double> bits) => (long)Math.Round(layers.Sum(layer => bits(layer) / 8));

    private static double Entropy(int[] symbols) => symbols.CountBy(symbol => symbol).Sum(one => one.Value * Math.Log2((double)symbols.Length / one.Value));
}
