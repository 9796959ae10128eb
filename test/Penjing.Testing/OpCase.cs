using System.Collections.Immutable;

namespace Penjing.Testing;

/// <summary>One operation on given inputs, of which those in <see cref="Weights"/> never change between runs.</summary>
/// <param name="Name">A unique name that says what is special about it.</param>
/// <param name="Op">The operation.</param>
/// <param name="Inputs">All its inputs.</param>
/// <param name="Weights">The indices of those inputs that are constants of the graph.</param>
public sealed record OpCase(string Name, Op Op, ImmutableArray<Tensor> Inputs, Ints Weights)
{
    /// <summary>By which quantization the integers of an input stand for reals; none where the array is shorter.</summary>
    public ImmutableArray<Quantization?> Quantizations { get; init; } = [];

    /// <summary>A graph of this one operation, named "output": weights as constants, the rest as inputs "input0", "input1", ….</summary>
    public Graph Graph()
    {
        ImmutableArray<Node> nodes = [.. Inputs.Select((tensor, i) => Weights.Contains(i)
            ? new Node($"weight{i}", new Constant(tensor, Quantizations.ElementAtOrDefault(i)))
            : new Node($"input{i}", new Input(tensor.Type, tensor.Shape)))];
        ImmutableArray<Node> operands = [.. nodes.Select((node, i) => node.Op is Input && Quantizations.ElementAtOrDefault(i) is { } quantization
            ? new Node($"quantized{i}", new Reinterpret(quantization), node) : node)];
        return new([new Node("output", Op, operands)], [.. nodes.Where(node => node.Op is Input)]);
    }

    /// <summary>What the graph's inputs are fed with.</summary>
    public Tensor[] Fed() => [.. Inputs.Where((_, i) => !Weights.Contains(i))];

    /// <summary>What the reference answers.</summary>
    public Tensor Expected() => Reference.Evaluate(Graph().Outputs[0], Inputs.AsSpan());

    /// <inheritdoc/>
    public override string ToString() => Name;
}
