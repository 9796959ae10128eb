using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>Enlargements whose answers leave the engine: planes are turned while they are small.</summary>
internal static class Planes
{
    /// <summary>Resize, Output => Reshape to planes, Resize of planes, Output; for bilinear ones that enlarge. The answer is row-major then, as the caller's memory is.</summary>
    public static Graph Enlarge(Graph graph, Selection selection)
    {
        ILookup<Node, Node> readers = graph.Consumers();
        ImmutableArray<Node> outputs = [.. graph.Outputs.Select(output => readers[output].Any() ? output : Turned(output, selection) ?? output)];
        return outputs.SequenceEqual(graph.Outputs) ? graph : new(outputs, graph.Inputs);
    }

    private static Node? Turned(Node output, Selection selection)
    {
        if (output is not { Op: Resize { Mode: ResizeMode.Linear } resize, Inputs: [{ Value: null, Info.Type: ElementType.Float32, Shape: { Rank: 4 } from } small], Shape: var to }) return null;
        if (from[1] == 1 || to.Elements <= from.Elements) return null;
        Node planes = new($"{output.Name}/planes", new Reshape(new([from[0] * from[1], 1, from[2], from[3]])), small), enlarged = new(output.Name, resize, planes);
        return selection.HasKernel(enlarged) ? enlarged : null;
    }
}
