using System.Collections.Immutable;

namespace Penjing;

/// <summary>An operation applied to values, and the value it yields: the whole intermediate representation. Immutable; sharing is by reference.</summary>
public sealed class Node
{
    /// <summary>A node; its output's type and shape are inferred here, so a badly shaped one can't be built.</summary>
    /// <exception cref="ShapeException">The inputs don't fit the operation; the message names the node and the shapes.</exception>
    public Node(string name, Op op, params ImmutableArray<Node> inputs)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Op = op;
        Inputs = inputs;
        try
        {
            Info = op.Infer([.. inputs.Select(input => input.Info)]);
        }
        catch (ShapeException error)
        {
            throw new ShapeException($"node '{name}': {error.Message}");
        }
    }

    /// <summary>A node that holds a weight.</summary>
    public static Node Weight(string name, Tensor value) => new(name, new Constant(value));

    /// <summary>The name of the node and of its value, unique in a graph.</summary>
    public string Name { get; }

    /// <summary>What is done.</summary>
    public Op Op { get; }

    /// <summary>The values it is done to, in the operation's order.</summary>
    public ImmutableArray<Node> Inputs { get; }

    /// <summary>The output's type, shape and quantization.</summary>
    public ValueInfo Info { get; }

    /// <summary>The output's shape.</summary>
    public Shape Shape => Info.Shape;

    /// <summary>The tensor of a <see cref="Constant"/>, else null.</summary>
    public Tensor? Value => (Op as Constant)?.Value;

    /// <summary>The same operation on other inputs; this very node where nothing differs.</summary>
    public Node With(ImmutableArray<Node> inputs) => inputs.AsSpan().SequenceEqual(Inputs.AsSpan()) ? this : new(Name, Op, inputs);

    /// <summary>Name, operation and output, as in conv1 = Conv → Float32 1×8×112×112.</summary>
    public override string ToString() => $"{Name} = {Op.Name} → {Info}";
}
