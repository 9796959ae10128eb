namespace Penjing.Testing;

/// <summary>Whether two graphs are one and the same network.</summary>
public static class GraphComparison
{
    /// <summary>
    /// Throws, naming the first difference, unless inputs, outputs and all that they reach agree: names, operations with their attributes,
    /// weights to the bit, and order. Axes may be counted from either end, and a Pad of nothing is an Identity.
    /// </summary>
    /// <exception cref="ClosenessException">The graphs differ.</exception>
    public static void Check(Graph expected, Graph actual, string what)
    {
        if (!expected.Inputs.Select(node => node.Name).SequenceEqual(actual.Inputs.Select(node => node.Name)))
            throw new ClosenessException($"{what}: the inputs should be {Names(expected.Inputs)}, are {Names(actual.Inputs)}");
        if (!expected.Outputs.Select(node => node.Name).SequenceEqual(actual.Outputs.Select(node => node.Name)))
            throw new ClosenessException($"{what}: the outputs should be {Names(expected.Outputs)}, are {Names(actual.Outputs)}");
        Dictionary<string, Node> others = actual.Nodes.ToDictionary(node => node.Name);
        foreach (Node node in expected.Nodes)
        {
            if (!others.Remove(node.Name, out Node? other)) throw new ClosenessException($"{what}: '{node}' is missing");
            if (!node.Inputs.Select(input => input.Name).SequenceEqual(other.Inputs.Select(input => input.Name)))
                throw new ClosenessException($"{what}: '{node.Name}' should read {Names(node.Inputs)}, reads {Names(other.Inputs)}");
            if (!Plain(node).Equals(Plain(other)) || node.Info != other.Info)
                throw new ClosenessException($"{what}: '{node.Name}' should be {node.Op} → {node.Info}, is {other.Op} → {other.Info}");
        }
        if (others.Count > 0) throw new ClosenessException($"{what}: there is also {string.Join(", ", others.Values)}");
    }

    private static string Names(IEnumerable<Node> nodes) => string.Join(", ", nodes.Select(node => $"'{node.Name}'"));

    /// <summary>The operation with its axis counted from the front.</summary>
    private static Op Plain(Node node) => node.Op switch
    {
        Pad { Before: 0, After: 0 } => new Identity(),
        Pad pad => pad with { Axis = pad.Axis < 0 ? pad.Axis + node.Shape.Rank : pad.Axis },
        _ => node.Op,
    };
}
