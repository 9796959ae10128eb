using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>One operation of a TensorFlow Lite file on its way in: its inputs as nodes, its options by name, and what is made of it.</summary>
internal sealed class LiteNode(LiteImport import, LiteModel model, LiteOperator given)
{
    /// <summary>The operation's name in the schema.</summary>
    public string Type => given.Op.Name;

    /// <summary>The import that the node is part of.</summary>
    public LiteImport Import => import;

    /// <summary>How many inputs are listed.</summary>
    public int Count => given.Inputs.Length;

    /// <summary>How many outputs are listed.</summary>
    public int Outputs => given.Outputs.Length;

    /// <summary>An input.</summary>
    /// <exception cref="ModelFormatException">It is left out.</exception>
    public Node this[int index] => Optional(index) ?? throw new ModelFormatException($"input {index} is missing");

    /// <summary>An input, or null where it is left out.</summary>
    public Node? Optional(int index) => index < Count && given.Inputs[index] >= 0 ? import.Value(given.Inputs[index]) : null;

    /// <summary>All inputs, of which none may be left out.</summary>
    public ImmutableArray<Node> All() => [.. Enumerable.Range(0, Count).Select(index => this[index])];

    /// <summary>Throws unless there are between <paramref name="least"/> and <paramref name="most"/> inputs.</summary>
    public void Takes(int least, int most)
    {
        if (Count < least || Count > most) throw new ModelFormatException($"it takes {(least == most ? $"{least}" : $"{least} to {most}")} inputs, not {Count}");
    }

    /// <summary>An input whose axes are those of the file in this order.</summary>
    public Node Ordered(int index, params ReadOnlySpan<int> order)
    {
        if (index < Count && given.Inputs[index] is >= 0 and var number && model.Tensors[number].Constant is not null) return import.Constant(number, new([.. order]));
        Node value = import.ToLast($"{this[index].Name}/last", this[index]);
        return import.Make($"{Output(0)}/weights", new Transpose(new([.. order])), value);
    }

    /// <summary>The first output's value.</summary>
    public Node Make(Op op, params ImmutableArray<Node> from) => import.Make(Wish(0), op, from);

    /// <summary>An output's value.</summary>
    public Node Make(int output, Op op, params ImmutableArray<Node> from) => import.Make(Wish(output), op, from);

    /// <summary>A node on the way to the outputs.</summary>
    public Node Part(string role, Op op, params ImmutableArray<Node> from) => import.Make($"{Output(0)}/{role}", op, from);

    /// <summary>A constant on the way to the outputs.</summary>
    public Node Number(string role, float value) => Part(role, new Identity(), Node.Weight(role, Tensor.Of<float>([], value)));

    /// <summary>What the fused activation makes of the value that is computed of these inputs.</summary>
    public Node Activated(Op op, params ImmutableArray<Node> from)
    {
        Activation? then = Int("fused_activation_function") switch
        {
            0 => null,
            1 => new Relu(),
            2 => new Clip(-1, 1),
            3 => new Clip(0, 6),
            4 => new Tanh(),
            var other => throw new ModelFormatException($"its fused activation is number {other}; understood are none, RELU, RELU_N1_TO_1, RELU6 and TANH"),
        };
        return then is null ? Make(op, from) : Make(then, Part("unactivated", op, from));
    }

    /// <summary>
    /// The elements of a value, in the file's order, under another shape of the file's: a plain Reshape where both orders are the same, else one between
    /// transpositions. A first extent that stays is left open.
    /// </summary>
    public Node Reshaped(Node x, Ints target, string? name = null)
    {
        name ??= Wish(0);
        int[] extents = Extents(x, target);
        bool plain = IsPlain(x.Shape), batched = x.Shape.Rank > 0 && extents.Length > 0 && extents[0] == x.Shape[0];
        Node from = plain ? x : import.ToLast($"{name}/last", x);
        bool flat = extents.Length == 2 && batched;
        if (extents.Length != 4) return import.Make(name, flat ? new Flatten() : new Reshape(Open(extents)), from);
        int[] turned = [extents[0], extents[3], extents[1], extents[2]];
        return IsPlain(Shape.Create(turned)) ? import.Make(name, new Reshape(Open(turned)), from)
            : import.FromLast(name, import.Make($"{name}/last", new Reshape(Open(extents)), from));

        Ints Open(int[] shape) => batched ? [0, .. shape[1..]] : [.. shape];
    }

    /// <summary>The extents of a value in the file's order.</summary>
    public static Ints Last(Shape shape) => shape.Rank == 4 ? [shape[0], shape[2], shape[3], shape[1]] : shape.Extents;

    /// <summary>The axis in the graph that an axis of the file is, of a value of this rank.</summary>
    public static int Axis(long axis, int rank)
    {
        if (axis < -rank || axis >= rank) throw new ModelFormatException($"there is no axis {axis} in a value of rank {rank}");
        int front = (int)(axis < 0 ? axis + rank : axis);
        return rank != 4 || front == 0 ? front : front == 3 ? 1 : front + 1;
    }

    /// <summary>A value with as many axes as another of more has, so that it broadcasts along the file's last ones.</summary>
    public Node Raised(Node x, int rank, string role)
    {
        if (x.Shape.Rank is 0 || x.Shape.Rank >= rank || rank != 4) return x;
        Ints target = [.. Enumerable.Repeat(1, rank - x.Shape.Rank), .. x.Shape];
        return x.Shape.Rank == 1 ? Part(role, new Reshape([1, target[3], 1, 1]), x)
            : import.FromLast($"{Output(0)}/{role}", Part($"{role}/raised", new Reshape(target), x));
    }

    /// <summary>The value of an input that has to be known.</summary>
    public Tensor Known(int index) => index < Count && given.Inputs[index] is >= 0 and var number && model.Tensors[number].Constant is not null
        ? import.Data(number)
        : this[index].Value ?? throw new ModelFormatException($"input {index} must be known when the network is read, but is computed from the network's input");

    /// <summary>The one real of an input that has to be known, or that its integer stands for.</summary>
    public float Real(int index)
    {
        Tensor? value = this[index] is { Op: DequantizeLinear, Inputs: [{ Value: { } integer }] } real ? Reference.Evaluate(real, [integer]) : this[index].Value;
        return value is { Shape.Elements: 1, Type: ElementType.Float32 } ? value.Floats[0] : throw new ModelFormatException($"input {index} is one real that is known when the network is read, not {this[index].Info}");
    }

    /// <summary>The whole numbers of an input that has to be known.</summary>
    public ImmutableArray<long> Longs(int index)
    {
        Tensor tensor = Known(index);
        if (tensor.Type is not (ElementType.Int32 or ElementType.Int64)) throw new ModelFormatException($"input {index} holds whole numbers, not {tensor}");
        return [.. Reference.Evaluate(new Cast(ElementType.Int64), [tensor]).AsSpan<long>()];
    }

    /// <summary>The whole numbers of 32 bits of an input that has to be known.</summary>
    public Ints Ints(int index) => [.. Longs(index).Select(value => value == (int)value ? (int)value : throw new ModelFormatException($"input {index} holds {value}, beyond all measure"))];

    /// <summary>The one whole number of an input that has to be known.</summary>
    public int Int(int index) => Ints(index) is [var only] ? only : throw new ModelFormatException($"input {index} is one number, not {Known(index)}");

    /// <summary>An option.</summary>
    public int Int(string name) => (int)given.Options[name][0];

    /// <summary>A switch.</summary>
    public bool Flag(string name) => Int(name) != 0;

    /// <summary>An option.</summary>
    public float Float(string name) => (float)given.Options[name][0];

    /// <summary>A list that is an option.</summary>
    public Ints List(string name) => [.. given.Options[name].Select(value => (int)value)];

    /// <summary>Throws where an option has a value that is not understood.</summary>
    public void Only(string name, int value)
    {
        if (Int(name) is var found && found != value) throw new ModelFormatException($"its option '{name}' is {found}, but only {value} is understood");
    }

    /// <summary>A name of the file for an output.</summary>
    public string Output(int index) => given.Outputs.Length > index && given.Outputs[index] >= 0 ? model.Tensors[given.Outputs[index]].Name : given.Op.Name;

    /// <summary>The type of an output in the file.</summary>
    public ElementType OutputType => given.Outputs is [>= 0 and var number, ..] ? model.Tensors[number].Type : throw new ModelFormatException("it has no output");

    /// <summary>The name of what is computed for an output, before it is rounded.</summary>
    public string Wish(int output) => given.Outputs.Length > output && given.Outputs[output] >= 0 && model.Tensors[given.Outputs[output]].Quantization is not null
        ? $"{Output(output)}/unrounded" : Output(output);

    /// <summary>Whether the elements of a value lie in one order in the graph and in the file.</summary>
    public static bool IsPlain(Shape shape) => shape.Rank != 4 || shape[1] == 1 || shape[2] == 1 && shape[3] == 1;

    private static int[] Extents(Node x, Ints target)
    {
        Shape shape = new Reshape([.. target.Select(extent => extent == 0 ? throw new ModelFormatException($"{x.Shape} can't become {target}") : extent)]).Infer([new(x.Info.Type, x.Shape)]).Shape;
        return [.. shape];
    }
}
