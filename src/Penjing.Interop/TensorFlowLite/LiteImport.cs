using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>
/// The graph of a TensorFlow Lite model under construction: from numbers of values to nodes. A value of rank 4, N×H×W×C there, is N×C×H×W here; one of integers
/// that stand for reals is these reals, rounded to what the integers can say by a QuantizeLinear and a DequantizeLinear.
/// </summary>
internal sealed class LiteImport
{
    private const int NodeBytes = 256;

    /// <summary>Where each axis of N×C×H×W is in N×H×W×C, and the other way round.</summary>
    private static readonly Ints fromLast = [0, 3, 1, 2], toLast = [0, 2, 3, 1];

    private readonly LiteModel model;
    private readonly FlatFile file;
    private readonly Node?[] values;
    private readonly Dictionary<(int, Ints), Node> constants = [];
    private readonly Dictionary<string, int> names = [];
    private readonly List<Node> inputs = [];

    /// <summary>Imports a model of a file.</summary>
    /// <exception cref="ModelFormatException">A node is not understood; the message names it.</exception>
    public LiteImport(LiteModel model, FlatFile file)
    {
        (this.model, this.file) = (model, file);
        values = new Node?[model.Tensors.Length];
        foreach (int input in model.Inputs)
        {
            LiteTensor tensor = Tensor(input);
            bool real = IsQuantized(tensor);
            Node node = Fresh(tensor.Name, new Input(real ? ElementType.Float32 : tensor.Type, [.. Order(tensor).Select(axis => tensor.Shape[axis])]));
            inputs.Add(node);
            Yield(input, real ? Rounded(tensor, node, $"{tensor.Name}/real") : node);
        }
        foreach (LiteOperator one in model.Operators)
        {
            string where = one.Outputs is [var first, ..] && first >= 0 ? model.Tensors[first].Name : one.Op.Name;
            LiteFile.Naming($"node '{where}' ({one.Op.Name})", () =>
            {
                ImmutableArray<Node> made = LiteOps.Builders[one.Op.Name](new LiteNode(this, model, one));
                if (made.Length < one.Outputs.Length) throw new ModelFormatException($"it has {one.Outputs.Length} outputs, not {made.Length}");
                foreach ((int output, Node node) in one.Outputs.Zip(made)) Yield(output, Finished(Tensor(output), node));
                return made;
            });
        }
    }

    /// <summary>What SpaceToBatchND made of which padded value by which block: a convolution of that is a dilated one of the value.</summary>
    public Dictionary<Node, (Node Padded, Size Block)> Spaced { get; } = [];

    /// <summary>The finished graph.</summary>
    /// <exception cref="ModelFormatException">Nothing yields an output.</exception>
    public Graph Graph() => new([.. model.Outputs.Select(output => Value(output))], [.. inputs]);

    /// <summary>The order of a value's axes in the graph, by those of the file.</summary>
    public static Ints Order(LiteTensor tensor) => tensor.Shape.Count == 4 ? fromLast : [.. Enumerable.Range(0, tensor.Shape.Count)];

    /// <summary>A value in the order of the file.</summary>
    public Node ToLast(string name, Node x) => x.Shape.Rank == 4 ? Transposed(name, x, toLast) : x;

    /// <summary>A value that has the order of the file in that of the graph.</summary>
    public Node FromLast(string name, Node x) => x.Shape.Rank == 4 ? Transposed(name, x, fromLast) : x;

    /// <summary>The value of a number.</summary>
    /// <exception cref="ModelFormatException">Nothing before yields it.</exception>
    public Node Value(int number)
    {
        LiteTensor tensor = Tensor(number);
        return values[number] ?? (tensor.Constant is null ? throw new ModelFormatException($"it reads '{tensor.Name}', which no input, weight or earlier node yields") : Constant(number, Order(tensor)));
    }

    /// <summary>A constant whose axes are those of the file in this order; one of integers as the reals that they stand for.</summary>
    public Node Constant(int number, Ints order)
    {
        if (constants.TryGetValue((number, order), out Node? known)) return known;
        LiteTensor tensor = Tensor(number);
        if (order.Count != tensor.Shape.Count) throw new ModelFormatException($"'{tensor.Name}' has rank {tensor.Shape.Count}, not {order.Count}");
        Node node = LiteFile.Naming($"the weight '{tensor.Name}'", () =>
        {
            Tensor value = Data(number);
            file.Charge(6L * value.Bytes.Length);
            value = order.Order().SequenceEqual(order) ? value : Reference.Evaluate(new Transpose(order), [value]);
            if (tensor.Quantization is not { } quantization) return Fresh(tensor.Name, new Constant(value));
            if (quantization.Axis is { } axis) quantization = quantization with { Axis = order.Items.IndexOf(axis) };
            return Fresh(tensor.Name, new DequantizeLinear(), Fresh($"{tensor.Name}/quantized", new Constant(value, quantization)));
        });
        return constants[(number, order)] = node;
    }

    /// <summary>The bytes of a constant as a tensor, its axes in the order of the file.</summary>
    /// <exception cref="ModelFormatException">It is none, or its data aren't those of its shape and type.</exception>
    public Tensor Data(int number)
    {
        LiteTensor tensor = Tensor(number);
        return new(tensor.Type, new(tensor.Shape), tensor.Constant ?? throw new ModelFormatException($"'{tensor.Name}' must be known when the network is read, but is computed"));
    }

    /// <summary>A node, or the constant that it yields where all inputs are constants.</summary>
    public Node Make(string name, Op op, params ImmutableArray<Node> from)
    {
        if (op is not QuantizeLinear && from.Length > 0 && from.All(input => input.Op is Constant { Quantization: null }))
        {
            Node known = new(name, op, from);
            if (file.AffordValue(known)) return Fresh(name, new Constant(Reference.Evaluate(op, [.. from.Select(input => input.Value!)])));
        }
        return Fresh(name, op, from);
    }

    private LiteTensor Tensor(int number) => number >= 0 && number < model.Tensors.Length ? model.Tensors[number] : throw new ModelFormatException($"there is no value {number}: it has {model.Tensors.Length}");

    private static bool IsQuantized(LiteTensor tensor) => tensor is { Quantization: not null, Type: ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.UInt16 };

    private Node Finished(LiteTensor tensor, Node node)
    {
        if (IsQuantized(tensor)) return Rounded(tensor, node, tensor.Name);
        return node.Info.Type == tensor.Type || tensor.Type is ElementType.Float16 ? node : throw new ModelFormatException($"it yields {node.Info}, but its output is {tensor.Type}");
    }

    /// <summary>Reals as what a value's integers can say of them.</summary>
    private Node Rounded(LiteTensor tensor, Node real, string name)
    {
        Quantization quantization = tensor.Quantization!;
        if (quantization.Axis is { } axis) quantization = quantization with { Axis = Order(tensor).Items.IndexOf(axis) };
        return Fresh(name, new DequantizeLinear(), Fresh($"{tensor.Name}/quantized", new QuantizeLinear(tensor.Type, quantization), real));
    }

    private void Yield(int number, Node node)
    {
        if (number < 0) return;
        if (values[number] is not null) throw new ModelFormatException($"'{Tensor(number).Name}' is yielded twice");
        values[number] = node;
    }

    private Node Transposed(string name, Node x, Ints order)
    {
        if (x is not { Op: Transpose before }) return Make(name, new Transpose(order), x);
        Ints both = [.. order.Select(axis => before.Permutation[axis])];
        return both.SequenceEqual(both.Order()) ? x.Inputs[0] : Make(name, new Transpose(both), x.Inputs[0]);
    }

    private Node Fresh(string wish, Op op, params ImmutableArray<Node> from)
    {
        file.Charge(NodeBytes + wish.Length);
        string name = wish;
        while (!names.TryAdd(name, 1)) name = $"{wish}/{++names[wish]}";
        Node node = new(name, op, from);
        return node;
    }
}
