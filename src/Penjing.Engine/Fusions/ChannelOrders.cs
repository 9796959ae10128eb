using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>
/// Shuffles and selections of channels as index arithmetic. A value that is but channels of another one in some order stays unmade as long as all that
/// read it can take the other one in its place: convolutions by the order of their weights or of their reading, depthwise ones, pools and functions of
/// elements by yielding their own channels in that order, concatenations by being ones of whole values, of which channels are selected behind.
/// </summary>
internal sealed class ChannelOrders
{
    private const int Deepest = 16;

    private readonly Selection selection;
    private readonly ILookup<Node, Node> readers;
    private readonly HashSet<Node> outputs;
    private readonly Dictionary<Node, Node> made = [];
    private readonly Dictionary<Node, Ordered> unmade = [];

    private ChannelOrders(Graph graph, Selection selection)
    {
        this.selection = selection;
        readers = graph.Consumers();
        outputs = [.. graph.Outputs];
    }

    /// <summary>The channels of a value in an order: those of the value that stands for it.</summary>
    private readonly record struct Ordered(Node Whole, Ints Order)
    {
        /// <summary>Whether every channel has a place.</summary>
        public bool IsPermutation => IsPermutation(Order, Whole.Shape[1]);
    }

    /// <summary>Gather | Slice of channels => the order in which convolutions read, or their weights' order.</summary>
    public static Graph Absorb(Graph graph, Selection selection)
    {
        if (!graph.Nodes.Any(Selects)) return graph;
        ChannelOrders orders = new(graph, selection);
        foreach (Node node in graph.Nodes)
        {
            Node? rewritten = orders.Rewrite(node);
            if (rewritten is not null) orders.made.Add(node, rewritten);
        }
        return new([.. graph.Outputs.Select(orders.Made)], [.. graph.Inputs.Select(orders.Made)]);
    }

    /// <summary>Whether the node picks channels of a picture otherwise than side by side.</summary>
    private static bool Selects(Node node) => node is { Shape.Rank: 4, Info.Quantization: null, Op: Gather { Axis: 1 or -3 } or Slice { Axis: 1 or -3, Step: not 1 } };

    private static Ints? Picked(Node node) => node is { Shape.Rank: 4, Info.Quantization: null } ? node.Op switch
    {
        Gather { Axis: 1 or -3 } gather => gather.Indices,
        Slice { Axis: 1 or -3 } slice => new([.. Enumerable.Range(0, node.Shape[1]).Select(i => slice.Range(node.Inputs[0].Shape[1]).First + i * slice.Step)]),
        _ => null,
    } : null;

    /// <summary>The node in the new graph, or null where it stays unmade.</summary>
    private Node? Rewrite(Node node)
    {
        if (Picked(node) is { } picked && (Selects(node) || unmade.ContainsKey(node.Inputs[0]))) return Select(node, Compose(Of(node.Inputs[0]), picked));
        if (node.Op is Concat { Axis: 1 or -3 } && node.Inputs.Any(unmade.ContainsKey) && Joined(node) is { } joined) return Leave(node, joined);
        if (node.Inputs.Length == 0 || !unmade.TryGetValue(node.Inputs[0], out Ordered x) || node.Inputs.Skip(1).Any(unmade.ContainsKey)) return Plain(node);
        if (node.Op is Conv conv && HasWeights(node))
        {
            if (IsDepthwise(node)) return x.IsPermutation ? Leave(node, new(Depthwise(node, x), x.Order)) : Plain(node);
            return x.IsPermutation && conv.Groups == 1 ? Convolution(node, conv, x.Whole, Reordered(node, node.Inputs[1], 1, Inverse(x.Order)), node.Inputs[2..])
                : Fused(node, x.Whole, x.Order) is { } fused && selection.HasKernel(fused) ? fused
                : Plain(node);
        }
        return Follows(node) && x.IsPermutation ? Leave(node, new(new(node.Name, node.Op, x.Whole), x.Order)) : Plain(node);
    }

    /// <summary>A selection of channels: into the convolution before it, where that is its alone, or unmade, or a step of its own.</summary>
    private Node? Select(Node node, Ordered value)
    {
        Node x = value.Whole, before = node.Inputs[0];
        if (value.IsPermutation && value.Order.SequenceEqual(Enumerable.Range(0, x.Shape[1]))) return x;
        if (x.Op is Conv { Groups: 1 } conv && HasWeights(x) && made.GetValueOrDefault(before) == x && readers[before].Count() == 1 && !outputs.Contains(before))
            return Convolution(node, conv, x.Inputs[0], Rows(node, x.Inputs[1], value.Order), [.. x.Inputs.Skip(2).Select(bias => Rows(node, bias, value.Order))]);
        if (AllTake(node, value.Order, x.Shape[1], 0)) return Leave(node, value);
        // Channels that must be copied are copied in the order in which they lie, if those who read them can take it: in longer runs.
        Ints sorted = new([.. value.Order.Order()]);
        Ordered copied = new(Gathered(node.Name, value with { Order = sorted }), new([.. value.Order.Select(channel => sorted.Items.IndexOf(channel))]));
        return copied.IsPermutation && !sorted.Equals(value.Order) && AllTake(node, copied.Order, copied.Order.Count, 0)
            ? Leave(node, copied)
            : Gathered(node.Name, value);
    }

    private Node? Leave(Node node, Ordered value)
    {
        unmade.Add(node, value);
        return null;
    }

    private Node Plain(Node node) => node.With([.. node.Inputs.Select(Made)]);

    /// <summary>The node of the new graph whose value is the old one's.</summary>
    private Node Made(Node old)
    {
        if (made.TryGetValue(old, out Node? node)) return node;
        Ordered value = unmade[old];
        return made[old] = Gathered(value.Whole.Name == old.Name ? $"{old.Name}/ordered" : old.Name, value);
    }

    private static Node Gathered(string name, Ordered value)
    {
        (Node x, Ints order) = value;
        bool sideBySide = order.Count > 0 && order.SequenceEqual(Enumerable.Range(order[0], order.Count));
        return new(name, sideBySide ? new Slice(1, order[0], order[0] + order.Count) : new Gather(1, order), x);
    }

    private Ordered Of(Node old) => unmade.TryGetValue(old, out Ordered value) ? value : new(made[old], new([.. Enumerable.Range(0, old.Shape[1])]));

    private Ordered? Joined(Node node)
    {
        Ordered[] parts = [.. node.Inputs.Select(Of)];
        int[] order = new int[node.Shape[1]];
        int place = 0, first = 0;
        foreach (Ordered part in parts)
        {
            foreach (int channel in part.Order.AsSpan()) order[place++] = first + channel;
            first += part.Whole.Shape[1];
        }
        return AllTake(node, new(order.ToImmutableArray()), first, 0) ? new(new(node.Name, new Concat(1), [.. parts.Select(part => part.Whole)]), new(order.ToImmutableArray())) : null;
    }

    /// <summary>Whether all that read a value take another one of so many channels with an order in its place.</summary>
    private bool AllTake(Node value, Ints order, int channels, int depth) =>
        depth < Deepest && !outputs.Contains(value) && readers[value].All(reader => Takes(reader, value, order, channels, depth + 1));

    private bool Takes(Node reader, Node value, Ints order, int channels, int depth)
    {
        bool permutes = IsPermutation(order, channels);
        if (Picked(reader) is { } picked)
        {
            // A part of the value is a step of its own, or none, either way.
            return !IsPermutation(picked, value.Shape[1]) || AllTake(reader, Compose(order, picked), channels, depth);
        }
        if (reader.Inputs.Skip(1).Contains(value) && reader.Op is not Concat) return false;
        if (reader.Op is Concat { Axis: 1 or -3 })
        {
            if (reader.Inputs.Count(input => input == value) > 1) return false;
            int place = reader.Inputs.TakeWhile(input => input != value).Sum(input => input.Shape[1]), more = channels - value.Shape[1];
            int[] joined = [.. Enumerable.Range(0, place), .. order.Select(channel => place + channel), .. Enumerable.Range(place + channels, reader.Shape[1] - place - value.Shape[1])];
            return AllTake(reader, new(joined.ToImmutableArray()), reader.Shape[1] + more, depth);
        }
        if (reader.Op is Conv conv && HasWeights(reader))
        {
            if (IsDepthwise(reader)) return permutes && AllTake(reader, order, channels, depth);
            if (permutes && conv.Groups == 1) return true;
            Node whole = new("whole", new Input(ElementType.Float32, value.Shape.With(1, channels)));
            return Fused(reader, whole, order) is { } fused && selection.HasKernel(fused);
        }
        return Follows(reader) && permutes && AllTake(reader, order, channels, depth);
    }

    /// <summary>Whether an operation does the same to every channel.</summary>
    private static bool Follows(Node node) => node is { Info.Quantization: null, Inputs: [{ Shape.Rank: 4 }], Shape.Rank: 4 }
        && node.Op is Elementwise or MaxPool or AveragePool or GlobalAveragePool or GlobalMaxPool;

    private static bool HasWeights(Node node) => node.Inputs[0].Info.Type == ElementType.Float32 && node.Inputs.Skip(1).All(input => input.Value is not null);

    private static bool IsDepthwise(Node node) => node.Op is Conv { Groups: > 1 and var groups } && groups == node.Shape[1] && groups == node.Inputs[0].Shape[1];

    private static Node Fused(Node node, Node x, Ints order) =>
        new(node.Name, new FusedConv((Conv)node.Op, order, Adds: false), x, node.Inputs[1], FusedConv.Bias(node));

    private static Node Convolution(Node node, Conv conv, Node x, Node weights, ImmutableArray<Node> bias) => new(node.Name, conv, [x, weights, .. bias]);

    private static Node Depthwise(Node node, Ordered x) =>
        new(node.Name, node.Op, [x.Whole, .. node.Inputs.Skip(1).Select(weights => Rows(node, weights, Inverse(x.Order)))]);

    /// <summary>A weight with its rows in another order.</summary>
    private static Node Rows(Node node, Node weight, Ints order) => Reordered(node, weight, 0, order);

    private static Node Reordered(Node node, Node weight, int axis, Ints order)
    {
        (Tensor old, Op gather) = (weight.Value!, new Gather(axis, order));
        string name = $"{node.Name}/{weight.Name}";
        ValueInfo info = gather.Infer([weight.Info]);
        return Node.Weight(name, old.Altered(info.Type, info.Shape, bytes =>
        {
            Tensor kept = old.Kept();
            Reference.Evaluate(new Node(name, gather, Node.Weight("old", kept)), [kept]).Bytes.Span.CopyTo(bytes);
        }));
    }

    private static Ordered Compose(Ordered value, Ints picked) => value with { Order = Compose(value.Order, picked) };

    private static Ints Compose(Ints order, Ints picked) => new([.. picked.Select(place => order[place])]);

    private static Ints Inverse(Ints order)
    {
        int[] inverse = new int[order.Count];
        for (int place = 0; place < inverse.Length; place++) inverse[order[place]] = place;
        return new([.. inverse]);
    }

    private static bool IsPermutation(Ints order, int channels) => order.Count == channels && order.Distinct().Count() == channels;
}
