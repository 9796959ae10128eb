using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>Several plain nodes that one kernel computes; lowering makes them, and no file holds them.</summary>
internal abstract record Fusion : Op
{
    /// <summary>The plain nodes that it stands for, applied to these inputs: its definition, from which type, shape and reference follow.</summary>
    /// <exception cref="ShapeException">The inputs don't fit.</exception>
    public abstract Node Meaning(ImmutableArray<Node> inputs);

    /// <summary>Multiply-accumulates of one run of a node: of a fusion, those of the nodes that it stands for.</summary>
    public static long MacsOf(Node node) => node.Op is Fusion fusion ? fusion.Macs(node.Inputs) : Cost.Macs(node);

    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => Meaning(Given(inputs)).Info;

    /// <summary>The value of these inputs, by the reference.</summary>
    public Tensor Evaluate(ReadOnlySpan<Tensor> inputs)
    {
        ImmutableArray<Node> given = Given([.. inputs.ToArray().Select(input => new ValueInfo(input.Type, input.Shape))]);
        return Reference.Run(new Graph([Meaning(given)], given), inputs)[0];
    }

    /// <summary>Multiply-accumulates of one run on these inputs.</summary>
    public long Macs(ImmutableArray<Node> inputs)
    {
        ImmutableArray<Node> given = Given([.. inputs.Select(input => input.Info)]);
        return Cost.Macs(new Graph([Meaning(given)], given));
    }

    private static ImmutableArray<Node> Given(ReadOnlySpan<ValueInfo> inputs) =>
        [.. inputs.ToArray().Select((input, i) => new Node($"input{i}", new Input(input.Type, input.Shape)))];
}
