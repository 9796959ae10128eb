using System.Numerics;
using System.Runtime.InteropServices;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>A value of one network and the value of another that it is held against.</summary>
internal readonly record struct Pair(Node A, Node B);

/// <summary>How far a value of one network lies from that of another.</summary>
/// <param name="Pair">The two values.</param>
/// <param name="MaxError">The largest difference of two elements over all samples; infinite where only one is finite, null where types differ,
/// or shapes by more than extents of 1.</param>
/// <param name="RelativeError">The same as a share of the first value's range, from its least to its largest element, at the worst sample.</param>
internal sealed record Difference(Pair Pair, double? MaxError, double? RelativeError)
{
    /// <summary>Whether the two can't be compared, or lie further apart than the tolerance, a share of the range.</summary>
    public bool Exceeds(double tolerance) => RelativeError is not { } error || !(error <= tolerance);
}

/// <summary>Two networks on the same inputs: which values correspond, and how far they part.</summary>
internal sealed record NetworkComparison(IReadOnlyList<Difference> Outputs, IReadOnlyList<Difference> Layers, bool ByName, IReadOnlyList<Node> OnlyA,
    IReadOnlyList<Node> OnlyB)
{
    /// <summary>
    /// Runs both networks on every sample: as they ship for the outputs, and with all values kept, so that nothing is fused across them, for the layers.
    /// </summary>
    /// <exception cref="ShapeException">The networks take different inputs, or yield different counts of outputs.</exception>
    public static NetworkComparison Of(Graph a, Graph b, IReadOnlyList<Tensor[]> samples, int threads, CancellationToken stop)
    {
        RequireSameInputs(a, b);
        if (a.Outputs.Length != b.Outputs.Length)
            throw new ShapeException($"the first network yields {a.Outputs.Length} outputs, the second "
                + $"{b.Outputs.Length}: only equal counts can be compared");
        Pair[] outputs = [.. a.Outputs.Zip(b.Outputs, (first, second) => new Pair(first, second))];
        (Pair[] layers, bool byName) = Match(a, b);
        Difference[] parted = Measure(a, b, outputs, samples, threads, stop);
        Difference[] inside = Measure(a, b, layers, samples, threads, stop);
        HashSet<Node> matched = [.. layers.SelectMany(pair => new[] { pair.A, pair.B })];
        return new(parted, inside, byName, [.. Computed(a).Where(node => !matched.Contains(node))], [.. Computed(b).Where(node => !matched.Contains(node))]);
    }

    /// <summary>Throws where two networks can't be given the same inputs.</summary>
    /// <exception cref="ShapeException">They take different inputs.</exception>
    public static void RequireSameInputs(Graph a, Graph b)
    {
        if (a.Inputs.Select(Port).SequenceEqual(b.Inputs.Select(Port))) return;
        throw new ShapeException($"the first network takes {string.Join(", ", a.Inputs.Select(input => input.Info))}, "
            + $"the second {string.Join(", ", b.Inputs.Select(input => input.Info))}: "
            + "only networks of equal inputs can be compared");

        static (ElementType, Shape) Port(Node input) => (input.Info.Type, input.Shape);
    }

    /// <summary>
    /// Which values correspond: those of one name; where fewer than half of the smaller network's have one, the longest common sequence of
    /// operations and shapes, in order.
    /// </summary>
    public static (Pair[] Pairs, bool ByName) Match(Graph a, Graph b)
    {
        Node[] first = [.. Computed(a)], second = [.. Computed(b)];
        Dictionary<string, Node> names = second.ToDictionary(node => node.Name);
        Pair[] named = [.. first.Where(node => names.ContainsKey(node.Name)).Select(node => new Pair(node, names[node.Name]))];
        return 2 * named.Length >= Math.Min(first.Length, second.Length) ? (named, true) : (Align(first, second), false);
    }

    private static IEnumerable<Node> Computed(Graph graph) => graph.Nodes.Where(node => node.Op is not (Constant or Input));

    private static Pair[] Align(Node[] a, Node[] b)
    {
        var longest = new int[a.Length + 1, b.Length + 1];
        for (int i = a.Length - 1; i >= 0; i--)
            for (int j = b.Length - 1; j >= 0; j--)
                longest[i, j] = Alike(a[i], b[j]) ? longest[i + 1, j + 1] + 1 : Math.Max(longest[i + 1, j], longest[i, j + 1]);
        List<Pair> pairs = [];
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            if (Alike(a[i], b[j])) pairs.Add(new(a[i++], b[j++]));
            else if (longest[i + 1, j] >= longest[i, j + 1]) i++;
            else j++;
        }
        return [.. pairs];

        static bool Alike(Node first, Node second) => first.Op.Name == second.Op.Name && first.Shape == second.Shape;
    }

    private static Difference[] Measure(Graph a, Graph b, Pair[] pairs, IReadOnlyList<Tensor[]> samples, int threads, CancellationToken stop)
    {
        Pair[] comparable = [.. pairs.Where(pair => Extents(pair.A).SequenceEqual(Extents(pair.B)) && pair.A.Info.Type == pair.B.Info.Type).Distinct()];
        Dictionary<Pair, (double Max, double Relative)> errors = comparable.ToDictionary(pair => pair, _ => (0.0, 0.0));
        if (comparable.Length > 0)
        {
            using Session first = Keeping(a, [.. comparable.Select(pair => pair.A)], threads), second =
                Keeping(b, [.. comparable.Select(pair => pair.B)], threads);
            foreach (Tensor[] sample in samples)
            {
                Tensor[] of = first.Run(sample, stop), against = second.Run(sample, stop);
                for (int i = 0; i < comparable.Length; i++)
                {
                    (double max, double relative) = Errors(Values(of[i]), Values(against[i]));
                    (double worst, double worstRelative) = errors[comparable[i]];
                    errors[comparable[i]] = (Math.Max(max, worst), Math.Max(relative, worstRelative));
                }
            }
        }
        return [.. pairs.Select(pair => errors.TryGetValue(pair, out (double Max, double Relative) error) ? new Difference(pair, error.Max, error.Relative)
            : new Difference(pair, null, null))];
    }

    /// <summary>The extents that aren't 1: values of 1×1000 and of 1×1000×1×1 have the same elements in the same order.</summary>
    private static IEnumerable<int> Extents(Node node) => node.Shape.Where(extent => extent != 1);

    private static Session Keeping(Graph graph, Node[] values, int threads) => new(new Graph([.. values], graph.Inputs), new SessionOptions(threads));

    private static (double Max, double Relative) Errors(double[] a, double[] b)
    {
        double least = double.PositiveInfinity, most = double.NegativeInfinity, max = 0;
        for (int i = 0; i < a.Length; i++)
        {
            if (double.IsFinite(a[i])) (least, most) = (Math.Min(least, a[i]), Math.Max(most, a[i]));
            if (!a[i].Equals(b[i])) max = Math.Max(max, double.IsFinite(a[i] - b[i]) ? Math.Abs(a[i] - b[i]) : double.PositiveInfinity);
        }
        double range = most > least ? most - least : Math.Max(Math.Abs(most), double.Epsilon);
        return (max, max == 0 ? 0 : max / range);
    }

    private static double[] Values(Tensor tensor) => tensor.Type switch
    {
        ElementType.Float32 => Convert<float>(tensor),
        ElementType.Float16 => Convert<Half>(tensor),
        ElementType.Int8 => Convert<sbyte>(tensor),
        ElementType.UInt8 => Convert<byte>(tensor),
        ElementType.Int32 => Convert<int>(tensor),
        ElementType.Int64 => Convert<long>(tensor),
        ElementType.Float64 => Convert<double>(tensor),
        ElementType.Int16 => Convert<short>(tensor),
        ElementType.UInt16 => Convert<ushort>(tensor),
        ElementType.UInt32 => Convert<uint>(tensor),
        ElementType.UInt64 => Convert<ulong>(tensor),
        _ => Array.ConvertAll(tensor.Bytes.ToArray(), value => (double)value),
    };

    private static double[] Convert<T>(Tensor tensor) where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<T> from = MemoryMarshal.Cast<byte, T>(tensor.Bytes.Span);
        double[] to = new double[from.Length];
        for (int i = 0; i < to.Length; i++) to[i] = double.CreateTruncating(from[i]);
        return to;
    }
}
