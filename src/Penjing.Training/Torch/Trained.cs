namespace Penjing.Training;

/// <summary>Which constants of a graph are trained.</summary>
internal static class Trained
{
    /// <summary>The trained constants in the graph's order, and whether each is a kernel or a matrix.</summary>
    public static IEnumerable<(Node Node, bool IsKernel)> Find(Graph graph)
    {
        var kernels = new HashSet<Node>();
        var others = new HashSet<Node>();
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
                if (Role(node, i) is { } isKernel) Mark(node.Inputs[i], isKernel ? kernels : others);
        HashSet<Node> held = [.. Statistics(graph)];
        foreach (Node node in graph.Weights)
            if (!held.Contains(node) && (kernels.Contains(node) || others.Contains(node))) yield return (node, kernels.Contains(node));
    }

    /// <summary>The means and variances of the graph's BatchNormalizations.</summary>
    /// <exception cref="PenjingException">One is not a constant.</exception>
    public static IEnumerable<Node> Statistics(Graph graph) => graph.Nodes.Where(node => node.Op is BatchNormalization)
        .SelectMany(node => node.Inputs.Skip(3).Select(input => input.Value is null
            ? throw new PenjingException($"node '{node.Name}': mean and variance must be constants to be trained, but '{input.Name}' is a {input.Op.Name}")
            : input)).Distinct();

    /// <summary>The scales of the graph's BatchNormalizations that are constants.</summary>
    public static IEnumerable<Node> Scales(Graph graph) =>
        graph.Nodes.Where(node => node.Op is BatchNormalization && node.Inputs[1].Op is Constant).Select(node => node.Inputs[1]).Distinct();

    /// <summary>True for a kernel or matrix, false for another trained input, null for what is not trained.</summary>
    private static bool? Role(Node node, int input) => node.Op switch
    {
        Conv or ConvTranspose => input == 0 ? null : input == 1,
        Gemm => input < 2,
        MatMul => true,
        BatchNormalization => input is 1 or 2 ? false : null,
        LearnedStep => input == 0,
        PRelu => input == 1 ? false : null,
        Add or Mul => node.Inputs[input].Shape.Elements > 1 ? false : null,
        _ => null,
    };

    /// <summary>Marks a constant, also one seen through operations that only move elements.</summary>
    private static void Mark(Node node, HashSet<Node> marked)
    {
        if (node.Op is Constant && node.Info.Type is ElementType.Float32) marked.Add(node);
        if (node.Op is Reshape or Flatten or Transpose or Squeeze or Unsqueeze or Slice or Concat or Identity)
            foreach (Node input in node.Inputs) Mark(input, marked);
    }
}
