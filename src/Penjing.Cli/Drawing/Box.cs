using System.Collections.Immutable;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>What a box does, as its colour tells it.</summary>
internal enum BoxKind
{
    /// <summary>An input or output of the network.</summary>
    Door,
    /// <summary>A convolution over channels.</summary>
    Convolution,
    /// <summary>A convolution of each channel by itself.</summary>
    Depthwise,
    /// <summary>A product of matrices.</summary>
    Matrix,
    /// <summary>A window or whole picture that becomes one value.</summary>
    Pool,
    /// <summary>Several values that become one.</summary>
    Join,
    /// <summary>Elements by themselves, or normalized together.</summary>
    Pointwise,
    /// <summary>Elements moved about.</summary>
    Layout,
}

/// <summary>A box of a drawn network: a node, and the nodes that do no more than finish its value.</summary>
/// <param name="Nodes">The nodes, each of which reads the one before it; empty for an output of the network.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Title">The first node's operation, such as Conv 3×3 /2.</param>
/// <param name="Then">The operations behind it, such as BatchNorm · Relu.</param>
/// <param name="Name">The name of the value that it yields.</param>
/// <param name="Info">Type and shape of that value.</param>
/// <param name="Parameters">Weight elements.</param>
/// <param name="Bytes">What these weights take, in bytes.</param>
/// <param name="Macs">Multiply-accumulates.</param>
/// <param name="Ms">Time of a run that is spent on it, in milliseconds, where measured.</param>
/// <param name="Kernels">The kernels that compute it, where measured.</param>
/// <param name="Inputs">The boxes whose values it reads, by index.</param>
internal sealed record Box(
    ImmutableArray<Node> Nodes, BoxKind Kind, string Title, string Then, string Name, ValueInfo Info, long Parameters, long Bytes, long Macs, double? Ms,
    ImmutableArray<string> Kernels, ImmutableArray<int> Inputs)
{
    /// <summary>The boxes of a graph, each after those that it reads; every node that isn't a constant is in one.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="bytes">What a weight takes.</param>
    /// <param name="steps">What the steps of a run took, where measured.</param>
    public static ImmutableArray<Box> Of(Graph graph, Func<Node, long> bytes, IReadOnlyList<StepTime>? steps = null)
    {
        ILookup<Node, Node> readers = graph.Consumers();
        HashSet<Node> outputs = [.. graph.Outputs], counted = [];
        Dictionary<Node, int> at = [];
        List<List<Node>> chains = [];
        foreach (Node node in graph.Nodes.Where(node => node.Op is not Constant || outputs.Contains(node)))
        {
            Node[] read = [.. node.Inputs.Where(input => input.Op is not Constant)];
            if (read is [{ Op: not Input } only] && Finishes(node) && !outputs.Contains(only) && readers[only].Count() == 1)
            {
                at[node] = at[only];
                chains[at[only]].Add(node);
                continue;
            }
            at[node] = chains.Count;
            chains.Add([node]);
        }
        ILookup<int, StepTime> times = Attribute(steps ?? [], at);
        var boxes = ImmutableArray.CreateBuilder<Box>();
        foreach ((int index, List<Node> chain) in chains.Index())
        {
            Node[] weights = [.. chain.SelectMany(node => node.Inputs).Where(input => input.Op is Constant && counted.Add(input))];
            Node last = chain[^1];
            (BoxKind kind, string title) = BoxTitle.Of(chain[0]);
            boxes.Add(new([.. chain], kind, title, string.Join(" · ", chain.SelectMany(BoxTitle.Behind)), last.Name, last.Info,
                weights.Sum(weight => (long)weight.Shape.Elements), weights.Sum(bytes),
                chain.Sum(Cost.Macs), steps is null ? null : times[index].Sum(step => step.MedianMs),
                [.. times[index].Select(step => step.Step.Kernel).Distinct()],
                [.. chain[0].Inputs.Where(at.ContainsKey).Select(input => at[input]).Distinct()]));
        }
        foreach (Node output in graph.Outputs)
            boxes.Add(new([], BoxKind.Door, "Output", "", output.Name, output.Info, 0, 0, 0, null, [], [at[output]]));
        return boxes.ToImmutable();
    }

    /// <summary>Whether a node only finishes the value that it reads: element by element, by channel, or by another shape.</summary>
    private static bool Finishes(Node node) => node.Op is BatchNormalization or Elementwise or Binary or PRelu or Dropout or Identity or Flatten or Reshape
        or Squeeze or Unsqueeze or Transpose
        or Softmax or LogSoftmax or Pad or QuantizeLinear or DequantizeLinear or Reinterpret;

    /// <summary>The steps by the box of the node whose name they bear; what a pass made of a node bears that name with more behind it.</summary>
    private static ILookup<int, StepTime> Attribute(IReadOnlyList<StepTime> steps, Dictionary<Node, int> boxes)
    {
        Dictionary<string, int> names = boxes.ToDictionary(pair => pair.Key.Name, pair => pair.Value);
        return steps.Where(step => step.Step.Op is not ("Input" or "Output")).Select(step => (Step: step, Box: Find(step.Step.Name)))
            .Where(pair => pair.Box >= 0).ToLookup(pair => pair.Box, pair => pair.Step);

        int Find(string name)
        {
            if (names.TryGetValue(name, out int box)) return box;
            string? longest = names.Keys.Where(known => name.StartsWith(known, StringComparison.Ordinal)).MaxBy(known => known.Length);
            return longest is null ? -1 : names[longest];
        }
    }
}
