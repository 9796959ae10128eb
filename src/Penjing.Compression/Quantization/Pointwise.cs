namespace Penjing.Compression;

/// <summary>Functions of one value, each element by itself: of 256 integers they are a table of 256, so that they need no arithmetic between integers.</summary>
internal sealed class Pointwise
{
    private readonly Dictionary<Node, Node?> known = [];

    /// <summary>
    /// The value that a node computes each of its elements from, by activations and scalars: x of HardSwish(x), of x · Sigmoid(x), and of x · Clip(x + 3) / 6; null where there
    /// is no such one, or more. What a product's clamp yields counts as a value, since its integers are clamped for nothing.
    /// </summary>
    public Node? Source(Node node)
    {
        Node? source = Before(node);
        while (source is not null && Before(source) is { } before && !(source.Op is Relu or Clip && Before(before) is null)) source = before;
        return source;
    }

    private Node? Before(Node node)
    {
        if (known.TryGetValue(node, out Node? before) || node is not { Op: Elementwise or Binary, Info.Type: ElementType.Float32 }) return before;
        Node[] read = [.. node.Inputs.Where(input => input.Value is not { Shape.Elements: 1 }).Distinct()];
        return known[node] = read.Any(input => input.Shape != node.Shape) ? null : read switch
        {
            [var x] => x,
            [var one, var other] => Chain(one).Intersect(Chain(other)).FirstOrDefault(),
            _ => null,
        };
    }

    private IEnumerable<Node> Chain(Node node)
    {
        for (Node? part = node; part is not null; part = Before(part)) yield return part;
    }
}
