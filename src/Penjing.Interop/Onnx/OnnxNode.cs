using System.Collections.Immutable;
using Penjing.Interop.Onnx;
using AttributeType = Penjing.Interop.Onnx.AttributeProto.Types.AttributeType;

namespace Penjing.Interop;

/// <summary>One ONNX node on its way in: its inputs as nodes, its attributes by type, and what is made of it.</summary>
internal sealed class OnnxNode
{
    private readonly OnnxImport import;
    private readonly NodeProto proto;
    private readonly OnnxImport.Scope scope;
    private readonly string what;
    private readonly Dictionary<string, AttributeProto>? references;
    private readonly Dictionary<string, AttributeProto> attributes = [];
    private readonly HashSet<string> read = [];
    private readonly ImmutableArray<Node?> inputs;
    private readonly string? role;

    /// <summary>The node, its inputs found and its references to a function's attributes resolved.</summary>
    /// <exception cref="ModelFormatException">An input is not there yet, or an attribute is given twice.</exception>
    public OnnxNode(OnnxImport import, NodeProto proto, string what, string where, OnnxImport.Scope scope, Dictionary<string, AttributeProto>? references)
    {
        this.import = import;
        this.proto = proto;
        this.scope = scope;
        this.what = what;
        this.references = references;
        (Where, Version) = (where, scope.Version);
        foreach (AttributeProto attribute in proto.Attribute)
        {
            AttributeProto? value = attribute;
            if (attribute.RefAttrName.Length > 0 && (references is null || !references.TryGetValue(attribute.RefAttrName, out value))) continue;
            if (!attributes.TryAdd(attribute.Name, value)) throw new ModelFormatException($"the attribute '{attribute.Name}' is given twice");
        }
        int count = proto.Input.Count;
        while (count > 0 && proto.Input[count - 1].Length == 0) count--;
        inputs = [.. proto.Input.Take(count).Select(name => name.Length == 0 ? null
            : scope.Find(name) ?? throw new ModelFormatException($"it reads '{name}', which no input, weight or earlier node yields"))];
    }

    /// <summary>The node with its attributes, but other inputs, its output a step on the way to that of the node.</summary>
    private OnnxNode(OnnxNode node, string? role, ImmutableArray<Node> inputs, int version)
    {
        (import, proto, scope, what, references, attributes, read) = (node.import, node.proto, node.scope, node.what, node.references, node.attributes, node.read);
        (this.role, this.inputs, Where, Version) = (role, [.. inputs], node.Where, version);
    }

    /// <summary>The node's name, or that of its first output.</summary>
    public string Where { get; }

    /// <summary>The version of ONNX's own operators.</summary>
    public int Version { get; }

    /// <summary>How many inputs are listed, those left out in between counted.</summary>
    public int Count => inputs.Length;

    /// <summary>How many outputs are listed.</summary>
    public int Outputs => proto.Output.Count;

    /// <summary>The import that the node is part of.</summary>
    public OnnxImport Import => import;

    /// <summary>An input.</summary>
    /// <exception cref="ModelFormatException">It is left out.</exception>
    public Node this[int index] => Optional(index) ?? throw new ModelFormatException($"input {index} is missing");

    /// <summary>An input, or null where it is left out.</summary>
    public Node? Optional(int index) => index < inputs.Length ? inputs[index] : null;

    /// <summary>All inputs, of which none may be left out.</summary>
    public ImmutableArray<Node> All() => [.. Enumerable.Range(0, Count).Select(index => this[index])];

    /// <summary>The same node on other inputs, for an operator that does a part of what it does.</summary>
    /// <param name="role">What it is on the way to the node's output; null where it yields that.</param>
    /// <param name="inputs">What it reads.</param>
    /// <param name="version">The version of ONNX's own operators, if another.</param>
    public OnnxNode Of(string? role, ImmutableArray<Node> inputs, int? version = null) => new(this, role, inputs, version ?? Version);

    /// <summary>Throws unless there are between <paramref name="least"/> and <paramref name="most"/> inputs.</summary>
    public void Takes(int least, int most)
    {
        if (Count < least || Count > most)
            throw new ModelFormatException($"it takes {(least == most ? $"{least}" : $"{least} to {most}")} inputs, not {Count}");
    }

    /// <summary>The node that is the first output's value.</summary>
    public Node Make(Op op, params ImmutableArray<Node> from) => Make(0, op, from);

    /// <summary>The node that is an output's value.</summary>
    public Node Make(int output, Op op, params ImmutableArray<Node> from) => import.Make(Output(output), op, from);

    /// <summary>A node on the way to the outputs.</summary>
    public Node Part(string role, Op op, params ImmutableArray<Node> from) => import.Make($"{Output(0)}/{role}", op, from);

    /// <summary>A constant on the way to the outputs.</summary>
    public Node Weight(string role, Tensor value, Quantization? quantization = null) => import.Weight($"{Output(0)}/{role}", value, quantization);

    /// <summary>A scalar constant of the type of a value.</summary>
    public Node Number(string role, Node like, double value) =>
        import.Make($"{Output(0)}/{role}", new Cast(like.Info.Type), [new Node("value", new Constant(Penjing.Tensor.Of<double>([], value)))]);

    /// <summary>The constant that is an output's value.</summary>
    public Node Constant(Tensor value, int output = 0) => import.Weight(Output(output), value);

    /// <summary>The name of an output, or the node's where it has none; of a part of an operator, what that is on the way to it.</summary>
    public string Output(int index)
    {
        string name = Wants(index) ? proto.Output[index] : index == 0 ? Where : $"{Where}/{index}";
        return role is null ? name : $"{name}/{role}";
    }

    /// <summary>Whether the node lists an output.</summary>
    public bool Wants(int output) => output < proto.Output.Count && proto.Output[output].Length > 0;

    /// <summary>Gives an output its value.</summary>
    public void Yield(int output, Node value)
    {
        if (Wants(output)) scope.Define(proto.Output[output], new(value));
    }

    /// <summary>Gives an output its value, which is made when somebody reads it.</summary>
    public void Yield(int output, Func<Node> value)
    {
        if (Wants(output)) scope.Define(proto.Output[output], new(() => OnnxImport.Naming(what, Where, value)));
    }

    /// <summary>The values of a branch that stands in an attribute.</summary>
    public ImmutableArray<Node> Branch(string name) =>
        import.Branch(Required(name, AttributeType.Graph).G ?? throw new ModelFormatException($"the attribute '{name}' is empty"), scope, references);

    /// <summary>The value of an input that has to be known.</summary>
    /// <exception cref="UnboundInputException">It hangs on an input of the network.</exception>
    public Tensor Known(int index, string role) => OnnxImport.Known(this[index], role);

    /// <summary>The whole numbers of an input that has to be known.</summary>
    /// <exception cref="UnboundInputException">It hangs on an input of the network.</exception>
    public ImmutableArray<long> Longs(int index, string role)
    {
        Tensor tensor = Known(index, role);
        import.Tensors.Charge(8L * tensor.Shape.Elements);
        if (tensor.Shape.Rank > 1) throw new ModelFormatException($"{role} of {tensor} are no list");
        return Longs(tensor, role);
    }

    /// <summary>The whole numbers of a tensor.</summary>
    public static ImmutableArray<long> Longs(Tensor tensor, string role) => tensor.Type switch
    {
        ElementType.Int64 => [.. tensor.AsSpan<long>()],
        ElementType.Int32 => [.. tensor.AsSpan<int>().ToArray().Select(value => (long)value)],
        ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.UInt16 or ElementType.UInt32 =>
            [.. Reference.Evaluate(new Cast(ElementType.Int64), [tensor]).AsSpan<long>()],
        _ => throw new ModelFormatException($"{role} are whole numbers, not {tensor}"),
    };

    /// <summary>The numbers of an input that has to be known, as floats.</summary>
    /// <exception cref="UnboundInputException">It hangs on an input of the network.</exception>
    public ImmutableArray<float> Floats(int index, string role)
    {
        Tensor tensor = Known(index, role);
        import.Tensors.Charge(4L * tensor.Shape.Elements);
        return tensor.Type is ElementType.Float32 ? [.. tensor.Floats] : [.. Reference.Evaluate(new Cast(ElementType.Float32), [tensor]).Floats];
    }

    /// <summary>The one number of an input that has to be known.</summary>
    /// <exception cref="UnboundInputException">It hangs on an input of the network.</exception>
    public float One(int index, string role) => Floats(index, role) is [var only] ? only
        : throw new ModelFormatException($"{role} is one number, not {this[index].Info}");

    /// <summary>Whether an attribute is given.</summary>
    public bool Has(string name) => attributes.ContainsKey(name);

    /// <summary>A whole number that is given as an attribute.</summary>
    public long Int(string name) => Required(name, AttributeType.Int).I;

    /// <summary>A whole number.</summary>
    public long Int(string name, long otherwise) => Find(name, AttributeType.Int)?.I ?? otherwise;

    /// <summary>A whole number of 32 bits.</summary>
    public int Small(string name, int otherwise) => Small(Int(name, otherwise), $"the attribute '{name}'");

    /// <summary>A number of 32 bits.</summary>
    /// <exception cref="ModelFormatException">It has more.</exception>
    public static int Small(long value, string role) => value is >= int.MinValue and <= int.MaxValue ? (int)value
        : throw new ModelFormatException($"{role} is {value}, beyond all measure");

    /// <summary>The numbers as those of 32 bits.</summary>
    public static Ints Small(ImmutableArray<long> values, string role) => [.. values.Select(value => Small(value, role))];

    /// <summary>A switch.</summary>
    public bool Flag(string name, bool otherwise = false) => Int(name, otherwise ? 1 : 0) != 0;

    /// <summary>A number.</summary>
    public float Float(string name, float otherwise) => Find(name, AttributeType.Float)?.F ?? otherwise;

    /// <summary>Numbers, or null.</summary>
    public ImmutableArray<float>? Floats(string name) => Find(name, AttributeType.Floats) is { } attribute ? [.. attribute.Floats] : null;

    /// <summary>Whole numbers, or null.</summary>
    public ImmutableArray<long>? Longs(string name) => Find(name, AttributeType.Ints) is { } attribute ? [.. attribute.Ints] : null;

    /// <summary>Whole numbers of 32 bits, or null.</summary>
    public Ints? Ints(string name) => Longs(name) is { } values ? Small(values, $"the attribute '{name}'") : null;

    /// <summary>A word.</summary>
    public string Text(string name, string otherwise) => Find(name, AttributeType.String)?.S.ToStringUtf8() ?? otherwise;

    /// <summary>A word out of a table.</summary>
    /// <exception cref="ModelFormatException">It is not in the table; the message lists that.</exception>
    public T Choice<T>(string name, string otherwise, params ReadOnlySpan<(string Word, T Meaning)> table)
    {
        string word = Text(name, otherwise);
        foreach ((string known, T meaning) in table)
            if (known == word) return meaning;
        throw new ModelFormatException($"the attribute '{name}' is '{word}'; understood are {string.Join(", ", table.ToArray().Select(row => row.Word))}");
    }

    /// <summary>A tensor, or null.</summary>
    public Tensor? Tensor(string name) => Find(name, AttributeType.Tensor) is { } attribute
        ? import.Tensors.Read(attribute.T ?? throw new ModelFormatException($"the attribute '{name}' is empty")) : null;

    /// <summary>A sparse tensor as a dense one, or null.</summary>
    public Tensor? Sparse(string name) =>
        Find(name, AttributeType.SparseTensor) is { } attribute
            ? import.Tensors.Read(attribute.SparseTensor ?? throw new ModelFormatException($"the attribute '{name}' is empty")) : null;

    /// <summary>Attributes that change nothing here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) read.Add(name);
    }

    /// <summary>Attributes that are understood with one value only.</summary>
    public void Only(string name, long value)
    {
        if (Int(name, value) is var given && given != value)
            throw new ModelFormatException($"the attribute '{name}' is {given}, but only {value} is understood");
    }

    /// <summary>Throws where an attribute has not been asked for, since then nobody understood it.</summary>
    public void Finish()
    {
        if (attributes.Keys.FirstOrDefault(name => !read.Contains(name)) is { } strange)
            throw new ModelFormatException($"the attribute '{strange}' is not understood; understood are: {string.Join(", ", read.Order())}");
    }

    /// <summary>The attributes that a function gets from this call, or has by default.</summary>
    public Dictionary<string, AttributeProto> Given(FunctionProto function)
    {
        Dictionary<string, AttributeProto> given = [];
        foreach (AttributeProto attribute in function.AttributeProto) given[attribute.Name] = attribute;
        foreach ((string name, AttributeProto attribute) in attributes) given[name] = attribute;
        return given;
    }

    private AttributeProto Required(string name, AttributeType type) => Find(name, type)
        ?? throw new ModelFormatException($"the attribute '{name}' is missing");

    private AttributeProto? Find(string name, AttributeType type)
    {
        read.Add(name);
        if (!attributes.TryGetValue(name, out AttributeProto? attribute)) return null;
        if (attribute.Type != type && attribute.Type != AttributeType.Undefined)
            throw new ModelFormatException($"the attribute '{name}' is of type {Word(attribute.Type)}, not {Word(type)}");
        return attribute;

        static string Word(AttributeType type) => type.ToString().ToUpperInvariant();
    }
}
