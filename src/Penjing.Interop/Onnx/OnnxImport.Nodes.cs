using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>How nodes are made: named, computed where they are constant, and in single precision where ONNX has halves.</content>
internal sealed partial class OnnxImport
{
    private readonly HashSet<string> names = [], reserved = [];
    private readonly Dictionary<string, int> counts = [];
    private readonly Dictionary<Node, string> wishes = [];
    private readonly HashSet<Node> ofShapes = [];
    private readonly Dictionary<Node, Node> computed = [], widened = [];

    /// <summary>A constant of this name, or one like it where another node has that.</summary>
    public Node Weight(string wish, Tensor value, Quantization? quantization = null) => Wished(wish, new Constant(value, quantization), []);

    /// <summary>Marks a constant as one that states shapes.</summary>
    public Node OfShapes(Node node)
    {
        ofShapes.Add(node);
        return node;
    }

    /// <summary>Whether a constant was computed from shapes, so that it would be another for another batch.</summary>
    public bool IsOfShapes(Node node) => ofShapes.Contains(node);

    /// <summary>
    /// A node, or the constant that it yields where all inputs are constants. What the core computes in single precision only, and what is
    /// computed from that, stays in single precision; its value as a half is a cast that nobody reads but an output. So it is with doubles,
    /// but for one operation at a time.
    /// </summary>
    public Node Make(string wish, Op op, ImmutableArray<Node> from)
    {
        if (TakesSingles(op) && from.Any(input => input.Info.Type is ElementType.Float64))
        {
            ImmutableArray<Node> narrow = [.. from.Select(input => input.Info.Type is ElementType.Float64
                ? Folded($"{input.Name}/single", new Cast(ElementType.Float32), [input]) : input)];
            Node answer = Folded($"{wish}/single", op, narrow);
            return answer.Info.Type is ElementType.Float32 ? Folded(wish, new Cast(ElementType.Float64), [answer]) : answer;
        }
        bool halves = from.Any(input => input.Info.Type is ElementType.Float16);
        if (!halves || !(TakesSingles(op) || from.Any(computed.ContainsKey))) return Folded(wish, op, from);
        ImmutableArray<Node> singles = [.. from.Select(Single)];
        if (op is Cast { To: ElementType.Float32 }) return singles[0];
        Node single = Folded(wish, op, singles);
        Node leader = op is Where ? from[1] : from[0];
        if (op is Cast || single.Info.Type is not ElementType.Float32 || leader.Info.Type is not ElementType.Float16) return single;
        Node half = Wished($"{wish}/half", new Cast(ElementType.Float16), [single]);
        computed[half] = single;
        return half;
    }

    /// <summary>The value in single precision, if it is a half.</summary>
    public Node Single(Node node)
    {
        if (node.Info.Type is not ElementType.Float16) return node;
        if (computed.TryGetValue(node, out Node? single) || widened.TryGetValue(node, out single)) return single;
        single = node.Op is Cast && node.Inputs[0].Info.Type is ElementType.Float32
            ? node.Inputs[0]
            : node.Value is { } value
                ? Weight(node.Name, Reference.Evaluate(new Cast(ElementType.Float32), [value]))
                : Wished($"{node.Name}/single", new Cast(ElementType.Float32), [node]);
        return widened[node] = single;
    }

    /// <summary>The value of a constant.</summary>
    /// <exception cref="UnboundInputException">It hangs on an input.</exception>
    public static Tensor Known(Node node, string role)
    {
        if (node.Value is { } value) return value;
        var seen = new HashSet<Node> { node };
        var open = new Stack<Node>([node]);
        while (open.TryPop(out Node? next))
        {
            if (next.Op is Input)
                throw new UnboundInputException(next.Name,
                    $"{role} must be known when the network is read, but comes from the input '{next.Name}': bind that to a constant (OnnxOptions.Bound)");
            foreach (Node input in next.Inputs)
                if (seen.Add(input)) open.Push(input);
        }
        throw new ModelFormatException($"{role} must be known when the network is read, but is not computed there");
    }

    private static bool TakesSingles(Op op) =>
        op is Conv or ConvTranspose or Gemm or MatMul or Einsum or BatchNormalization or LRN or PRelu or Softmax or LogSoftmax or Hardmax
        or AveragePool or GlobalAveragePool or Resize or GridSample or RoiAlign or QuantizeLinear;

    private Node Folded(string wish, Op op, ImmutableArray<Node> from)
    {
        bool known = from.Length > 0 && from.All(input => input.Op is Constant { Quantization: null });
        Node node = known ? new(wish.Length > 0 ? wish : "value", op, from) : Wished(wish, op, from);
        if (node.Shape.Rank > 0) OnnxTensors.Shape([.. node.Shape.AsSpan().ToArray().Select(extent => (long)extent)]);
        if (!known) return node;
        if (node.Info.Quantization is not null || !Tensors.AffordValue(node)) return Wished(wish, op, from);
        Node constant = Weight(wish, Reference.Evaluate(op, [.. from.Select(input => input.Value!)]));
        if (from.Any(ofShapes.Contains)) ofShapes.Add(constant);
        return constant;
    }

    private Node Wished(string wish, Op op, ImmutableArray<Node> from)
    {
        Tensors.Charge(NodeBytes);
        Node node = new(Claim(wish), op, from);
        if (node.Name != wish) wishes[node] = wish;
        return node;
    }

    /// <summary>
    /// A name that no other node has: the wished one if it is free, and those that the file gives are free for the values that it gives them to.
    /// </summary>
    private string Claim(string wish)
    {
        if (wish.Length == 0) wish = "value";
        if (reserved.Remove(wish) && names.Add(wish)) return wish;
        if (!reserved.Contains(wish) && names.Add(wish)) return wish;
        for (int i = counts.GetValueOrDefault(wish, 2); ; i++)
        {
            string name = $"{wish}/{i}";
            if (reserved.Contains(name) || !names.Add(name)) continue;
            counts[wish] = i + 1;
            return name;
        }
    }

    /// <summary>The graph with its outputs under the file's names, and other nodes under the wished names that are free in the end.</summary>
    private Graph Named(Graph graph)
    {
        var given = new Dictionary<Node, string>();
        var taken = new HashSet<string>();
        var last = new List<Node>();
        foreach ((string name, Node node) in outputs)
        {
            taken.Add(name);
            bool own = (node.Op is not Input || node.Name == name) && given.TryAdd(node, name);
            last.Add(own || given.GetValueOrDefault(node, node.Name) == name ? node : new(name, new Identity(), node));
        }
        foreach (Node node in graph.Nodes)
            if (!given.ContainsKey(node) && !wishes.ContainsKey(node) && taken.Add(node.Name)) given[node] = node.Name;
        foreach (Node node in graph.Nodes)
            if (!given.ContainsKey(node) && wishes.TryGetValue(node, out string? wish) && taken.Add(wish)) given[node] = wish;
        foreach (Node node in graph.Nodes)
        {
            string name = node.Name;
            for (int i = 2; !given.ContainsKey(node) && !taken.Add(name); i++) name = $"{node.Name}/{i}";
            given.TryAdd(node, name);
        }
        return new Graph([.. last], graph.Inputs).Map((node, from) => given.TryGetValue(node, out string? name) && name != node.Name
            ? new(name, node.Op, from) : node.With(from));
    }
}
