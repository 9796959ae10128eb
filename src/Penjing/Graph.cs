using System.Collections.Immutable;

namespace Penjing;

/// <summary>A network: its outputs, and all that they reach. Immutable; order and dead-code removal follow from reachability.</summary>
public sealed class Graph
{
    /// <summary>The graph of these outputs.</summary>
    /// <param name="outputs">The values a run yields, in this order.</param>
    /// <param name="inputs">The order in which a run takes its inputs; by default that of first use. An input that no output needs may be listed: it is kept.</param>
    /// <exception cref="ShapeException">Two nodes have one name, there is no output, a reachable input is not listed, or one is listed twice.</exception>
    public Graph(ImmutableArray<Node> outputs, ImmutableArray<Node> inputs = default)
    {
        if (outputs.IsDefaultOrEmpty) throw new ShapeException("a graph needs at least one output");
        Outputs = outputs;
        Nodes = Sort(inputs.IsDefault ? outputs : inputs.AddRange(outputs));
        ImmutableArray<Node> reached = [.. Nodes.Where(node => node.Op is Input)];
        Inputs = inputs.IsDefault ? reached : inputs;
        if (Inputs.FirstOrDefault(input => input.Op is not Input) is { } wrong) throw new ShapeException($"'{wrong.Name}' is listed as an input, but is a {wrong.Op.Name}");
        HashSet<Node> listed = [.. Inputs];
        if (reached.FirstOrDefault(input => !listed.Contains(input)) is { } missing) throw new ShapeException($"the input '{missing.Name}' is not listed among the graph's inputs");
        if (Inputs.GroupBy(input => input).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new ShapeException($"the input '{twice.Key.Name}' is listed twice");
        var names = new HashSet<string>();
        foreach (Node node in Nodes)
            if (!names.Add(node.Name)) throw new ShapeException($"two nodes of the graph are named '{node.Name}'");
    }

    /// <summary>The graph of one output.</summary>
    public Graph(Node output) : this([output]) { }

    /// <summary>The values that a run yields.</summary>
    public ImmutableArray<Node> Outputs { get; }

    /// <summary>The values that a run takes.</summary>
    public ImmutableArray<Node> Inputs { get; }

    /// <summary>All nodes, each after its inputs.</summary>
    public ImmutableArray<Node> Nodes { get; }

    /// <summary>The weights, in the order of <see cref="Nodes"/>.</summary>
    public IEnumerable<Node> Weights => Nodes.Where(node => node.Op is Constant);

    /// <summary>The count of weight elements.</summary>
    public long Parameters => Weights.Sum(node => (long)node.Shape.Elements);

    /// <summary>The node of this name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Node this[string name] => Nodes.FirstOrDefault(node => node.Name == name) ?? throw new KeyNotFoundException($"the graph has no node named '{name}'");

    /// <summary>Who reads each node's value, with one entry for each reading input; outputs of the graph don't count.</summary>
    public ILookup<Node, Node> Consumers() =>
        Nodes.SelectMany(node => node.Inputs.Select(input => (input, node))).ToLookup(edge => edge.input, edge => edge.node);

    /// <summary>
    /// Rebuilds the graph node by node, inputs first: <paramref name="map"/> gets each old node and its new inputs, and returns
    /// the new node. For edits of the whole graph; nothing is offered twice.
    /// </summary>
    public Graph Map(Func<Node, ImmutableArray<Node>, Node> map)
    {
        var mapped = new Dictionary<Node, Node>(Nodes.Length);
        foreach (Node node in Nodes) mapped[node] = map(node, [.. node.Inputs.Select(input => mapped[input])]);
        return new([.. Outputs.Select(node => mapped[node])], [.. Inputs.Select(node => mapped[node])]);
    }

    /// <summary>The same network for another batch size: the first extent of every input is replaced, and all shapes follow.</summary>
    /// <exception cref="ShapeException">A node fixes the batch, for example a Reshape to a literal first extent.</exception>
    public Graph WithBatch(int batch)
    {
        if (Inputs.All(input => input.Shape.Rank == 0 || input.Shape[0] == batch)) return this;
        Graph graph = Map((node, inputs) => node.Op is Input { Shape.Rank: > 0 } input ? new(node.Name, input with { Shape = input.Shape.With(0, batch) }) : node.With(inputs));
        int before = Inputs.First(input => input.Shape.Rank > 0).Shape[0];
        foreach ((Node old, Node node) in Outputs.Zip(graph.Outputs))
            if (old.Shape.Rank > 0 && old.Shape[0] == before && old.Op is not Constant && node.Shape != old.Shape.With(0, batch))
                throw new ShapeException($"the batch is fixed on the way to '{node.Name}': {old.Shape} would become {node.Shape} at batch {batch}");
        return graph;
    }

    /// <summary>The same network for pictures of another height and width: the last two extents of every input of rank 4 are replaced, and all shapes follow.</summary>
    /// <exception cref="ShapeException">A node fixes the size, for example a product with a matrix behind a Flatten.</exception>
    public Graph WithSize(int height, int width) => Map((node, inputs) => node.Op is Input { Shape.Rank: 4 } input
        ? new(node.Name, input with { Shape = input.Shape.With(2, height).With(3, width) }) : node.With(inputs));

    private static ImmutableArray<Node> Sort(ImmutableArray<Node> roots)
    {
        var order = ImmutableArray.CreateBuilder<Node>();
        var seen = new HashSet<Node>();
        var open = new Stack<(Node Node, int Next)>();
        foreach (Node root in roots)
        {
            if (seen.Add(root)) open.Push((root, 0));
            while (open.TryPop(out (Node Node, int Next) top))
            {
                if (top.Next == top.Node.Inputs.Length)
                {
                    order.Add(top.Node);
                    continue;
                }
                open.Push((top.Node, top.Next + 1));
                if (seen.Add(top.Node.Inputs[top.Next])) open.Push((top.Node.Inputs[top.Next], 0));
            }
        }
        return order.ToImmutable();
    }
}
