using System.Collections.Immutable;

namespace Penjing;

/// <summary>One local rewrite: the node that replaces <paramref name="node"/>, or null where the rule doesn't apply. A rule must not match what it yields.</summary>
/// <param name="node">The node on offer; its inputs are rewritten already.</param>
/// <param name="readers">How many inputs and graph outputs read a node's value; a fusion that swallows a node asks for one.</param>
public delegate Node? Rule(Node node, Func<Node, int> readers);

/// <summary>A named list of rules, such as "Conv, BatchNormalization => Conv".</summary>
public sealed record Pass(string Name, params ImmutableArray<Rule> Rules);

/// <summary>The driver of local rewrites.</summary>
public static class Rewriter
{
    private const int Bound = 1000;

    /// <summary>Applies the passes in order, each until none of its rules matches anywhere.</summary>
    /// <exception cref="InvalidOperationException">A rule matches its own output without end.</exception>
    public static Graph Rewrite(this Graph graph, params ImmutableArray<Pass> passes)
    {
        foreach (Pass pass in passes)
        {
            for (int round = 0; ; round++)
            {
                if (round == Bound) throw new InvalidOperationException($"the pass '{pass.Name}' doesn't end: a rule matches its own output");
                Graph next = Sweep(graph, pass);
                if (ReferenceEquals(next, graph)) break;
                graph = next;
            }
        }
        return graph;
    }

    private static Graph Sweep(Graph graph, Pass pass)
    {
        var readers = new Dictionary<Node, int>();
        foreach (Node read in graph.Nodes.SelectMany(node => node.Inputs).Concat(graph.Outputs))
            readers[read] = readers.GetValueOrDefault(read) + 1;
        bool changed = false;
        Graph swept = graph.Map((old, inputs) =>
        {
            Node node = old.With(inputs);
            for (int round = 0; Offer(pass, node, readers) is { } replacement; round++)
            {
                if (round == Bound) throw new InvalidOperationException($"the pass '{pass.Name}' doesn't end at '{node.Name}'");
                changed = true;
                node = replacement;
                readers[node] = Math.Max(readers.GetValueOrDefault(node), readers.GetValueOrDefault(old));
            }
            readers[node] = Math.Max(readers.GetValueOrDefault(node), readers.GetValueOrDefault(old));
            return node;
        });
        return changed ? swept : graph;
    }

    private static Node? Offer(Pass pass, Node node, Dictionary<Node, int> readers)
    {
        foreach (Rule rule in pass.Rules)
            if (rule(node, read => readers.GetValueOrDefault(read)) is { } replacement) return replacement;
        return null;
    }
}
