using System.Collections.Immutable;

namespace Penjing.Training;

/// <summary>A graph prepared for evaluation in torch with any batch size: the order of nodes, where each input's value is, and which activations may overwrite theirs.</summary>
internal sealed class GraphFunction
{
    /// <summary>One step: a node, the indices of its inputs' values, whether it may overwrite its input, and the values that nothing reads after it.</summary>
    public readonly record struct Step(Node Node, ImmutableArray<int> Inputs, bool InPlace, ImmutableArray<int> Dead);

    /// <summary>The order of evaluation of a graph's outputs.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="kept">Nodes of it whose values are wanted besides the outputs.</param>
    public GraphFunction(Graph graph, ImmutableArray<Node> kept)
    {
        Graph = graph;
        var indices = graph.Nodes.Select((node, index) => (node, index)).ToDictionary(pair => pair.node, pair => pair.index);
        ILookup<Node, Node> consumers = graph.Consumers();
        var last = new int[graph.Nodes.Length];
        for (int i = 0; i < graph.Nodes.Length; i++)
            foreach (Node input in graph.Nodes[i].Inputs) last[indices[input]] = i;
        foreach (Node wanted in (IEnumerable<Node>)[.. graph.Outputs, .. kept]) last[indices[wanted]] = int.MaxValue;
        last[indices[LogitsOf(graph.Outputs[0])]] = int.MaxValue;
        ILookup<int, int> dead = Enumerable.Range(0, graph.Nodes.Length).Where(i => graph.Nodes[i].Op is not (Input or Constant)).ToLookup(i => last[i]);
        HashSet<Node> fed = Fed(graph);
        int batch = graph.Inputs.Length > 0 && graph.Inputs[0].Shape.Rank > 0 ? graph.Inputs[0].Shape[0] : 0;
        Steps = [.. graph.Nodes.Select((node, index) => new Step(
            node.Op is Reshape reshape && fed.Contains(node) ? Rebatched(node, reshape, batch) : node,
            [.. node.Inputs.Select(input => indices[input])],
            node.Inputs.Length == 1 && TorchOps.Overwritable(node.Inputs[0].Op) && consumers[node.Inputs[0]].Count() == 1
                && !graph.Outputs.Contains(node.Inputs[0]) && !kept.Contains(node.Inputs[0]),
            [.. dead[index]]))];
        Inputs = [.. graph.Inputs.Select(input => indices[input])];
        Outputs = [.. graph.Outputs.Select(output => indices[output])];
        Kept = [.. kept.Select(node => indices[node])];
        Logits = indices[LogitsOf(graph.Outputs[0])];
    }

    /// <summary>The graph itself.</summary>
    public Graph Graph { get; }

    /// <summary>All steps, inputs first.</summary>
    public ImmutableArray<Step> Steps { get; }

    /// <summary>The indices of the inputs' values.</summary>
    public ImmutableArray<int> Inputs { get; }

    /// <summary>The indices of the outputs' values.</summary>
    public ImmutableArray<int> Outputs { get; }

    /// <summary>The indices of the values wanted besides.</summary>
    public ImmutableArray<int> Kept { get; }

    /// <summary>The index of the first output's value before a closing Softmax: what cross-entropy is taken of.</summary>
    public int Logits { get; }

    /// <summary>A literal first extent that is the batch becomes "keep".</summary>
    private static Node Rebatched(Node node, Reshape reshape, int batch) =>
        reshape.Target.Count > 0 && reshape.Target[0] == batch && node.Inputs[0].Shape.Rank > 0 && node.Inputs[0].Shape[0] == batch
            ? new(node.Name, new Reshape(new(reshape.Target.Items.SetItem(0, 0))), node.Inputs)
            : node;

    private static HashSet<Node> Fed(Graph graph)
    {
        var fed = new HashSet<Node>();
        foreach (Node node in graph.Nodes)
            if (node.Op is Input || node.Inputs.Any(fed.Contains)) fed.Add(node);
        return fed;
    }

    private static Node LogitsOf(Node output)
    {
        Node node = output;
        while (node.Op is Reshape or Flatten or Squeeze or Identity) node = node.Inputs[0];
        return node.Op is Softmax ? node.Inputs[0] : output;
    }
}
