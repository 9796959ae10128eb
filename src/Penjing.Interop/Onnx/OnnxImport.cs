using System.Collections.Immutable;
using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <summary>The graph of an ONNX model under construction: from names of values to nodes, constants computed as they come.</summary>
internal sealed partial class OnnxImport
{
    private const int Deepest = 32, NodeBytes = 256;

    private readonly OnnxOptions options;
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> functions = [];
    private readonly List<Node> inputs = [];
    private readonly List<(string Name, Node Node)> outputs = [];
    private readonly HashSet<string> yielded;
    private readonly bool isOwn;
    private int depth;

    /// <summary>Imports a model whose own operators have this version.</summary>
    /// <exception cref="ModelFormatException">A node is not understood; the message names it.</exception>
    public OnnxImport(ModelProto model, int version, OnnxOptions options, OnnxTensors tensors)
    {
        this.options = options;
        Tensors = tensors;
        isOwn = model.ProducerName == OnnxWriter.Producer;
        foreach (FunctionProto function in model.Functions)
            if (!functions.TryAdd((Domain(function.Domain), function.Name, function.Overload), function))
                throw new ModelFormatException($"two functions are named '{function.Name}'");
        GraphProto graph = model.Graph;
        yielded = [.. graph.Output.Select(output => output.Name)];
        reserved.UnionWith(graph.Input.Select(input => input.Name));
        reserved.UnionWith(graph.Initializer.Select(weight => weight.Name));
        reserved.UnionWith(graph.Node.SelectMany(node => node.Output));
        if (options.Dimensions.Count > 0 && OnnxReader.OpenExtents(graph) is var open && options.Dimensions.Keys.FirstOrDefault(name => !open.Contains(name)) is { } strange)
            throw new PenjingException($"no input has an extent named '{strange}': {(open.IsEmpty ? "none is left open by name" : $"open are {string.Join(", ", open)}")}");
        var scope = new Scope(null, version);
        Declare(graph, scope);
        foreach (NodeProto node in graph.Node) Build(node, scope, null);
        foreach (ValueInfoProto output in graph.Output)
        {
            Node value = scope.Find(output.Name) ?? throw new ModelFormatException($"nothing yields the output '{output.Name}'");
            outputs.Add((IsCopy(output.Name, value) ? value.Name : output.Name, value));
        }
    }

    /// <summary>The file's tensors and what it may still claim.</summary>
    public OnnxTensors Tensors { get; }

    /// <summary>Whether an output is the copy that the writer makes of an input, a weight or an output that is given twice.</summary>
    public bool IsCopy(string output, Node value) => isOwn && yielded.Contains(output) && output.StartsWith($"{value.Name}/output", StringComparison.Ordinal);

    /// <summary>Values by name: of a graph, within that of its branches, or of a function's body.</summary>
    internal sealed class Scope(Scope? outer, int version)
    {
        private readonly Dictionary<string, Lazy<Node>> values = [];

        /// <summary>The version of ONNX's own operators.</summary>
        public int Version => version;

        /// <summary>The value of a name, or null.</summary>
        public Node? Find(string name)
        {
            for (Scope? scope = this; scope is not null; scope = scope.Outer)
                if (scope.values.TryGetValue(name, out Lazy<Node>? value)) return value.Value;
            return null;
        }

        /// <summary>Gives a name its value, made when it is first read.</summary>
        /// <exception cref="ModelFormatException">The name has one.</exception>
        public void Define(string name, Lazy<Node> value)
        {
            if (!values.TryAdd(name, value)) throw new ModelFormatException($"two values are named '{name}'");
        }

        /// <summary>Whether the name has a value in this very scope.</summary>
        public bool Has(string name) => values.ContainsKey(name);

        private Scope? Outer { get; } = outer;
    }

    /// <summary>The finished graph.</summary>
    /// <exception cref="ShapeException">It has no outputs.</exception>
    public Graph Graph() => Named(new([.. outputs.Select(output => output.Node)], [.. inputs])).Rewrite(Passes.ShufflesToGather);

    /// <summary>Evaluates the nodes of a branch and yields its outputs.</summary>
    public ImmutableArray<Node> Branch(GraphProto graph, Scope outer, Dictionary<string, AttributeProto>? references)
    {
        using Level level = new(this);
        var scope = new Scope(outer, outer.Version);
        if (graph.Input.Count > 0) throw new ModelFormatException("a branch takes no inputs");
        Declare(graph, scope);
        foreach (NodeProto node in graph.Node) Build(node, scope, references);
        return [.. graph.Output.Select(output => scope.Find(output.Name)
            ?? throw new ModelFormatException($"nothing yields the branch's output '{output.Name}'"))];
    }

    private void Declare(GraphProto graph, Scope scope)
    {
        foreach (ValueInfoProto input in graph.Input)
            if (options.Bound.TryGetValue(input.Name, out Tensor? bound)) scope.Define(input.Name, new(() => Weight(input.Name, Fitting(input, bound))));
        if (graph.Initializer.Any(weight => weight.Name.Length == 0) || graph.SparseInitializer.Any(weight => weight.Values is not { Name.Length: > 0 }))
            throw new ModelFormatException("a weight has no name");
        foreach (TensorProto weight in graph.Initializer)
            if (!scope.Has(weight.Name) || !options.Bound.ContainsKey(weight.Name))
                scope.Define(weight.Name, new(() => Weight(weight.Name, Tensors.Read(weight))));
        foreach (SparseTensorProto weight in graph.SparseInitializer)
            scope.Define(weight.Values.Name, new(() => Weight(weight.Values.Name, Tensors.Read(weight))));
        foreach (ValueInfoProto input in graph.Input)
        {
            if (scope.Has(input.Name)) continue;
            if (input.Name.Length == 0) throw new ModelFormatException("an input has no name");
            (ElementType type, Shape shape) = Describe(input);
            Tensors.Charge(NodeBytes);
            Node node = new(Claim(input.Name), new Input(type, shape));
            inputs.Add(node);
            scope.Define(input.Name, new(node));
        }
    }

    private static Tensor Fitting(ValueInfoProto input, Tensor bound)
    {
        if (input.Type?.TensorType is { } tensor && tensor.ElemType != 0 && OnnxTensors.Type(tensor.ElemType) is var type && type != bound.Type)
            throw new PenjingException($"the input '{input.Name}' takes {type}, but is bound to {bound}");
        return bound;
    }

    private (ElementType Type, Shape Shape) Describe(ValueInfoProto input)
    {
        if (input.Type?.TensorType is not { } tensor)
            throw new ModelFormatException($"the input '{input.Name}' is no tensor, but a sequence, a map or an optional, which are not supported");
        ElementType type;
        try
        {
            type = OnnxTensors.Type(tensor.ElemType);
        }
        catch (ModelFormatException error)
        {
            throw new ModelFormatException($"the input '{input.Name}': {error.Message}", error);
        }
        if (tensor.Shape is null)
            throw new UnboundInputException(input.Name,
                $"the input '{input.Name}' has no shape: bind it to a constant (OnnxOptions.Bound), or export the network with shapes");
        var extents = new List<long>();
        foreach (TensorShapeProto.Types.Dimension dim in tensor.Shape.Dim)
        {
            bool known = dim.ValueCase is TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue && dim.DimValue >= 0;
            string name = dim.ValueCase is TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam ? dim.DimParam : "";
            extents.Add(known ? dim.DimValue
                : options.Dimensions.TryGetValue(name, out int said) ? said
                : extents.Count == 0 ? options.Batch
                : throw new PenjingException($"the input '{input.Name}' leaves axis {extents.Count} open: " + (name.Length > 0
                    ? $"give its extent under the name '{name}' (OnnxOptions.Dimensions; in the tool --dim {name}=EXTENT)"
                    : "it has no name under which an extent could be given; export the network with this extent fixed or named")));
        }
        return (type, OnnxTensors.Shape(extents));
    }

    private void Build(NodeProto proto, Scope scope, Dictionary<string, AttributeProto>? references)
    {
        string where = proto.Name.Length > 0 ? proto.Name : proto.Output.FirstOrDefault(output => output.Length > 0) ?? "";
        string domain = Domain(proto.Domain);
        string what = $"node '{where}' ({(domain.Length > 0 ? domain + "." : "")}{proto.OpType}, opset {scope.Version})";
        Naming(what, where, () =>
        {
            Tensors.Charge(NodeBytes);
            if (functions.TryGetValue((domain, proto.OpType, proto.Overload), out FunctionProto? function))
                Inline(function, new(this, proto, what, where, scope, references), scope);
            else if (OnnxOps.Of(domain) is not { } operators)
                throw new ModelFormatException($"the domain '{domain}' is not understood; understood are ONNX's own operators and {OnnxOps.RuntimeDomain}");
            else if (!operators.TryGetValue(proto.OpType, out OnnxOps.Builder? build))
                throw new ModelFormatException($"the operator is not understood; understood are {string.Join(", ", operators.Keys.Order(StringComparer.Ordinal))}");
            else
            {
                OnnxNode node = new(this, proto, what, where, scope, references);
                node.Yield(0, build(node));
                node.Finish();
            }
            return true;
        });
    }

    /// <summary>What is made for a node; errors on the way name the node and its operator.</summary>
    public static T Naming<T>(string what, string where, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (UnboundInputException error)
        {
            throw new UnboundInputException(error.Input, $"{what}: {error.Message}");
        }
        catch (PenjingException error)
        {
            string doubled = $"node '{where}': ";
            string said = error.Message.StartsWith(doubled, StringComparison.Ordinal) ? error.Message[doubled.Length..] : error.Message;
            throw new ModelFormatException($"{what}: {said}", error);
        }
    }

    /// <summary>A domain, ONNX's own being the empty one.</summary>
    private static string Domain(string domain) => OnnxReader.IsOwn(domain) ? "" : domain;

    /// <summary>A function's body in the place of the node that calls it.</summary>
    private void Inline(FunctionProto function, OnnxNode call, Scope scope)
    {
        using Level level = new(this);
        int version = function.OpsetImport.Any(import => OnnxReader.IsOwn(import.Domain)) ? OnnxReader.Opset(function.OpsetImport) : scope.Version;
        var body = new Scope(null, version);
        if (call.Count > function.Input.Count) throw new ModelFormatException($"the function takes {function.Input.Count} inputs, not {call.Count}");
        for (int i = 0; i < function.Input.Count; i++)
            if (call.Optional(i) is { } given) body.Define(function.Input[i], new(given));
        Dictionary<string, AttributeProto> attributes = call.Given(function);
        foreach (NodeProto node in function.Node) Build(node, body, attributes);
        for (int i = 0; i < function.Output.Count; i++)
            if (body.Find(function.Output[i]) is { } output) call.Yield(i, output);
    }

    /// <summary>How deep branches and functions stand in each other.</summary>
    private readonly struct Level : IDisposable
    {
        private readonly OnnxImport import;

        /// <summary>One level deeper.</summary>
        public Level(OnnxImport import)
        {
            this.import = import;
            if (++import.depth > Deepest) throw new ModelFormatException($"branches and functions stand more than {Deepest} deep in each other");
        }

        /// <inheritdoc/>
        public void Dispose() => import.depth--;
    }
}
