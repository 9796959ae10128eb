using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Quantization after training (Jacob et al. 2018; Krishnamoorthi 2018): weights as Int8 with a scale for each output channel and no zero point, values between layers as
/// UInt8 by ranges that were measured, sums as Int32. What the network then computes are integers; the same ones on every machine.
/// </summary>
public static class PostTraining
{
    /// <summary>Bits of a weight, unless fewer are asked for: of seven, processors without instructions for products of bytes add two in 16 bits, exactly, and so multiply faster.</summary>
    public const int WeightBits = 8;

    private const int MostBias = 1 << 22;

    /// <summary>The graph in which values are measured and then quantized: normalization folded away, so that a layer bears the name of what was folded into it last, and clamps before joins.</summary>
    public static Graph Prepare(Graph graph) => graph.Rewrite([.. Passes.Folding, Passes.ShufflesToGather, Passes.ClampBeforeConcat]);

    /// <summary>The layers of a graph whose weights become integers: convolutions and products by constants.</summary>
    public static ImmutableArray<Node> Layers(Graph graph) => [.. graph.Nodes.Where(IsProduct)];

    /// <summary>Throws where there is nothing to quantize, or a layer that is to stay real is none.</summary>
    /// <param name="graph">A graph of <see cref="Prepare"/>.</param>
    /// <param name="floats">The layers' names.</param>
    /// <exception cref="PenjingException">There is no layer of reals at all, or no such one; the message names those that there are.</exception>
    public static void Check(Graph graph, IEnumerable<string> floats)
    {
        string[] layers = [.. Layers(graph).Select(layer => layer.Name)];
        if (layers.Length == 0) throw new PenjingException("the network has no convolution or product of reals with constant weights: it is quantized already, or there is nothing to quantize");
        if (floats.FirstOrDefault(name => !layers.Contains(name)) is { } unknown) throw new PenjingException($"there is no layer '{unknown}' that could stay real; there are {string.Join(", ", layers)}");
    }

    /// <summary>The values of a prepared graph that become integers, and so need a range.</summary>
    /// <param name="graph">A graph of <see cref="Prepare"/>.</param>
    /// <param name="floats">Layers that stay as they are, by their names.</param>
    public static ImmutableArray<Node> Values(Graph graph, IReadOnlySet<string> floats)
    {
        ILookup<Node, Node> readers = graph.Consumers();
        HashSet<Node> outputs = [.. graph.Outputs], wanted = [];
        Pointwise functions = new();
        foreach (Node node in graph.Nodes.Reverse().Where(node => node is { Op: not Constant, Info.Type: ElementType.Float32 }))
        {
            if (readers[node].Any(reader => Takes(reader, node))) wanted.Add(node);
            if (wanted.Contains(node) && functions.Source(node) is { } source && (IsProduct(source) ? !floats.Contains(source.Name) : source.Inputs.Any(input => Yields(source, input)))) wanted.Add(source);
        }
        return [.. graph.Nodes.Where(node => wanted.Contains(node) && !IsClamped(node))];

        // Integers pay where products read them, in the end.
        bool Takes(Node reader, Node value) => !floats.Contains(reader.Name) && (IsProduct(reader) || wanted.Contains(reader) && Yields(reader, value));

        // Whether integers are made of integers without reals between them.
        static bool Yields(Node reader, Node value) => reader.Op is Add or AveragePool or GlobalAveragePool or Resize or Relu or Clip || Passes.Moves(reader.Op) || IsGate(reader, value);

        // A picture whose channels are each multiplied by a value of their own.
        static bool IsGate(Node reader, Node value) => reader is { Op: Mul, Shape: { Rank: 4 } shape } && value.Shape == shape
            && reader.Inputs.FirstOrDefault(input => input != value) is { Value: null } gate && gate.Shape != shape && gate.Shape == new Shape([shape[0], shape[1], 1, 1]);

        // What a ReLU alone reads is but a step on the way to its value.
        bool IsClamped(Node node) => !outputs.Contains(node) && node.Op is Conv or Gemm or Add && readers[node].ToArray() is [{ Op: Relu or Clip }];
    }

    /// <summary>The graph with integers in place of reals wherever it can have them; inputs and outputs stay Float32.</summary>
    /// <param name="graph">A graph of <see cref="Prepare"/>.</param>
    /// <param name="ranges">The range of each of <see cref="Values"/>, by name.</param>
    /// <param name="floats">Layers that stay as they are, by their names.</param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="scales">The scale of each output channel, by names of layers, for those that don't spread each channel over all steps: <see cref="SharedScales"/>.</param>
    /// <exception cref="PenjingException">A range is missing, or a weight is not finite.</exception>
    public static Graph Quantize(
        Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits = WeightBits, IReadOnlyDictionary<string, ImmutableArray<float>>? scales = null) =>
        Simulate(graph, ranges, floats, weightBits, scales).Rewrite(Passes.ToIntegers);

    /// <summary>The same in reals: every value and weight is rounded to what its integer stands for, and computed with as before.</summary>
    /// <inheritdoc cref="Quantize"/>
    public static Graph Simulate(
        Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, int weightBits = WeightBits, IReadOnlyDictionary<string, ImmutableArray<float>>? scales = null) =>
        Rounded(graph, ranges, floats, (value, type, quantization) => Round(value, type, quantization, weightBits), weightBits, scales);

    /// <summary>The same with another way to round.</summary>
    /// <param name="graph">A graph of <see cref="Prepare"/>.</param>
    /// <param name="ranges">The range of each of <see cref="Values"/>, by name.</param>
    /// <param name="floats">Layers that stay as they are, by their names.</param>
    /// <param name="round">
    /// The node that rounds a value, a constant where it is a weight, to what integers of this type and quantization stand for. Values that share a range have the very same quantization.
    /// </param>
    /// <param name="weightBits">Bits of a weight, 2 to 8.</param>
    /// <param name="scales">The scale of each output channel, by names of layers, for those that don't spread each channel over all steps.</param>
    public static Graph Rounded(
        Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats, Func<Node, ElementType, Quantization, Node> round, int weightBits = WeightBits,
        IReadOnlyDictionary<string, ImmutableArray<float>>? scales = null)
    {
        if (weightBits is < 2 or > 8) throw new PenjingException($"a weight has 2 to 8 bits, not {weightBits}");
        Dictionary<Node, Quantization> quantizations = Quantizations(graph, ranges, floats);
        Dictionary<Node, Node> reals = [];
        Dictionary<(Node, int), Node> weights = [];
        ILookup<Node, Node> readers = graph.Consumers();
        return graph.Map((node, inputs) =>
        {
            ImmutableArray<Node> read = [.. inputs.Select((input, i) => Real(node.Inputs[i], input))];
            return IsProduct(node) && !floats.Contains(node.Name) && quantizations.ContainsKey(node.Inputs[0])
                ? new(node.Name, node.Op, [read[0], Weight(node, node.Op is Gemm { TransposeB: false } ? 1 : 0), .. read[2..]]) : node.With(read);
        });

        Node Real(Node old, Node value)
        {
            if (!quantizations.TryGetValue(old, out Quantization? quantization)) return value;
            if (!reals.TryGetValue(old, out Node? real))
                reals.Add(old, real = round(value, ElementType.UInt8, quantization));
            return real;
        }

        Node Weight(Node layer, int axis)
        {
            Node weight = layer.Inputs[1];
            if (!weights.TryGetValue((weight, axis), out Node? real))
            {
                IEnumerable<float> own = scales?.GetValueOrDefault(layer.Name) is { IsDefault: false } given ? given : Spread(weight, axis, Most(weightBits));
                weights.Add((weight, axis), real = round(weight, ElementType.Int8, Symmetric(own, Least(weight, axis), axis)));
            }
            return real;
        }

        // A bias is a whole number of the sums' steps: where weights are next to nothing their scale must still leave it one that sums can hold.
        float[] Least(Node weight, int axis)
        {
            var least = new float[weight.Shape[axis]];
            foreach (Node reader in readers[weight])
                if (reader.Inputs is [var x, _, { Value: { } bias }] && quantizations.TryGetValue(x, out Quantization? input))
                    for (int channel = 0; channel < least.Length; channel++)
                        least[channel] = Math.Max(least[channel], Math.Abs(bias.Floats[bias.Floats.Length == 1 ? 0 : channel]) / (input.Scales[0] * MostBias));
            return least;
        }
    }

    /// <summary>The quantization of each value: one for those of which others are but moved or joined, so that this needs no arithmetic.</summary>
    private static Dictionary<Node, Quantization> Quantizations(Graph graph, IReadOnlyDictionary<string, ValueRange> ranges, IReadOnlySet<string> floats)
    {
        ImmutableArray<Node> values = Values(graph, floats);
        UnionFind classes = new();
        Dictionary<Node, int> numbers = values.ToDictionary(value => value, _ => classes.Add());
        foreach (Node value in values.Where(value => Passes.KeepsRange(value.Op)))
            foreach (Node input in value.Inputs)
                if (numbers.TryGetValue(input, out int number)) classes.Union(numbers[value], number);
        return values.GroupBy(value => classes.Find(numbers[value])).SelectMany(group =>
        {
            Quantization quantization = group.Select(RangeOf).Aggregate((one, other) => one.Or(other)).ToUInt8();
            return group.Select(value => (value, quantization));
        }).ToDictionary(pair => pair.value, pair => pair.quantization);

        ValueRange RangeOf(Node value) => ranges.TryGetValue(value.Name, out ValueRange range) ? range
            : throw new PenjingException($"the range of '{value.Name}' is not known: measure it first");
    }

    /// <summary>A value or weight rounded to what its integers stand for.</summary>
    /// <param name="value">The value; a constant becomes one of integers.</param>
    /// <param name="type">The integers' type.</param>
    /// <param name="quantization">What they stand for.</param>
    /// <param name="weightBits">Bits of a constant of Int8: what would take more becomes the nearest that doesn't.</param>
    public static Node Round(Node value, ElementType type, Quantization quantization, int weightBits = WeightBits)
    {
        QuantizeLinear op = new(type, quantization);
        Node quantized = new($"{value.Name}/quantized", op, value);
        if (value.Value is { } reals)
        {
            Tensor integers = Reference.Evaluate(quantized, [reals]);
            if (type is ElementType.Int8 && weightBits < WeightBits) integers = Tensor.Build<sbyte>(integers.Shape, kept => Clamp(integers.AsSpan<sbyte>(), kept, 1 << weightBits - 1));
            quantized = new(quantized.Name, new Constant(integers, quantization));
        }
        return new($"{value.Name}/real", new DequantizeLinear(), quantized);
    }

    private static void Clamp(ReadOnlySpan<sbyte> from, Span<sbyte> to, int end)
    {
        for (int i = 0; i < from.Length; i++) to[i] = (sbyte)Math.Clamp(from[i], -end, end - 1);
    }

    /// <summary>The largest magnitude of weights of so many bits.</summary>
    internal static int Most(int bits) => (1 << bits - 1) - 1;

    /// <summary>The scales that spread the largest magnitude of each channel of a kernel or matrix over all steps.</summary>
    private static IEnumerable<float> Spread(Node weight, int axis, int most)
    {
        int inner = weight.Shape.Product(axis + 1, weight.Shape.Rank);
        ReadOnlySpan<float> reals = weight.Value!.Floats;
        var largest = new float[weight.Shape[axis]];
        for (int i = 0; i < reals.Length; i++)
        {
            ref float channel = ref largest[i / inner % largest.Length];
            channel = Math.Max(channel, Math.Abs(reals[i]));
        }
        return largest.FirstOrDefault(value => !float.IsFinite(value)) == 0 ? largest.Select(value => value / most)
            : throw new PenjingException($"the weight '{weight.Name}' holds values that are not finite: train again from a sound checkpoint");
    }

    /// <summary>Scales without zero points, none less than asked for.</summary>
    private static Quantization Symmetric(IEnumerable<float> scales, float[] least, int axis) =>
        new([.. scales.Zip(least, (own, floor) => Math.Max(own, floor) is var scale && float.IsNormal(scale) ? scale : 1)], [.. least.Select(_ => 0)], axis);

    private static bool IsProduct(Node node) => node is { Op: Conv or Gemm { Alpha: 1, Beta: 1, TransposeA: false }, Info.Type: ElementType.Float32, Inputs: [_, { Value: not null }, .. var bias] } && bias is [] or [{ Value: not null }];
}
