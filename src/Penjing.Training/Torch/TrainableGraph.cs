using System.Collections.Immutable;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// A graph as a function that torch trains: kernels, matrices, biases, slopes and BatchNormalization's scale and bias are its parameters;
/// BatchNormalization's mean and variance are updated in training as PyTorch does (momentum 0.1, unbiased variance). Takes any batch size.
/// </summary>
public sealed class TrainableGraph : IDisposable
{
    private readonly Graph graph;
    private readonly ImmutableArray<WeightSlot> slots;
    private readonly ImmutableArray<Node> statistics;
    private readonly ImmutableDictionary<Node, int> offsets;
    private readonly List<Replica> replicas = [];

    /// <summary>A graph made trainable.</summary>
    /// <param name="graph">The network; its own batch size doesn't matter.</param>
    /// <param name="parameterize">How each trained weight is made up; by default every element is free.</param>
    /// <exception cref="PenjingException">The graph is quantized, or a BatchNormalization's statistics are not constants, or torch can't be loaded.</exception>
    public TrainableGraph(Graph graph, Func<Node, Parameterization>? parameterize = null) : this(graph, parameterize, []) { }

    /// <summary>Throws where a graph holds integers in place of reals.</summary>
    /// <exception cref="PenjingException">It does; the message names a node.</exception>
    public static void Check(Graph graph)
    {
        if (graph.Nodes.FirstOrDefault(node => node.Info.Quantization is not null) is { } quantized)
            throw new PenjingException($"node '{quantized.Name}' is quantized ({quantized.Info}): only a network of floats can be trained");
    }

    /// <summary>A graph made trainable, of which the values of these nodes are wanted besides the outputs.</summary>
    internal TrainableGraph(Graph graph, Func<Node, Parameterization>? parameterize, ImmutableArray<Node> kept)
    {
        this.graph = graph;
        Check(graph);
        TorchRuntime.Start();
        Function = new(graph, kept);
        slots = [.. Trained.Find(graph).Select(weight => new WeightSlot(weight.Node, (parameterize ?? Parameterizations.Free)(weight.Node), weight.IsKernel)).OrderByDescending(slot => slot.Decays)];
        int offset = 0;
        foreach (WeightSlot slot in slots)
        {
            slot.Offset = offset;
            offset += slot.Count;
        }
        statistics = [.. Trained.Statistics(graph)];
        var starts = ImmutableDictionary.CreateBuilder<Node, int>();
        int start = 0;
        foreach (Node node in statistics)
        {
            starts[node] = start;
            start += node.Shape.Elements;
        }
        offsets = starts.ToImmutable();
        Numbers = TorchTensors.Of([.. slots.SelectMany(slot => slot.Initial)]).DetachFromDisposeScope();
        Master = NewReplica();
    }

    /// <summary>The count of numbers that are trained: elements of free weights, entries of codebooks.</summary>
    public int Parameters => (int)Numbers.NumberOfElements;

    /// <summary>All trained numbers, those that weight decay always acts on first.</summary>
    internal TorchTensor Numbers { get; }

    /// <summary>The trained weights in the order of <see cref="Numbers"/>.</summary>
    internal ImmutableArray<WeightSlot> Slots => slots;

    /// <summary>How many of <see cref="Numbers"/>, from the first, belong to kernels and matrices.</summary>
    internal int Decayed => slots.Where(slot => slot.Decays).Sum(slot => slot.Count);

    /// <summary>Where each mean and variance begins in <see cref="Replica.Statistics"/>.</summary>
    internal ImmutableDictionary<Node, int> Offsets => offsets;

    /// <summary>The order of evaluation.</summary>
    internal GraphFunction Function { get; }

    /// <summary>The replica that holds the network's statistics.</summary>
    internal Replica Master { get; }

    /// <summary>The graph's outputs at inference, for inputs of any one batch size.</summary>
    /// <exception cref="ShapeException">An input doesn't fit.</exception>
    public Tensor[] Run(params ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != graph.Inputs.Length) throw new ShapeException($"the graph takes {graph.Inputs.Length} input(s), not {inputs.Length}");
        for (int i = 0; i < inputs.Length; i++)
        {
            Node input = graph.Inputs[i];
            if (inputs[i].Type != input.Info.Type || inputs[i].Shape.Rank != input.Shape.Rank || (input.Shape.Rank > 0 && inputs[i].Shape.With(0, 0) != input.Shape.With(0, 0)))
                throw new ShapeException($"the input '{input.Name}' takes {input.Info} or another batch of these, not {inputs[i]}");
        }
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable mode = torch.inference_mode();
        TorchTensor[] outputs = Master.Forward([.. inputs.ToArray().Select(input => input.ToTorch())], training: false);
        return [.. outputs.Select((output, i) => output.ToPenjing(graph.Outputs[i].Info.Type))];
    }

    /// <summary>The graph with the weights and statistics as they are now; every node that has not changed is the very node it was made from.</summary>
    public Graph ToGraph()
    {
        var written = new Dictionary<Node, Node>();
        ReadOnlySpan<float> numbers = Parameters > 0 ? Numbers.Floats() : [], means = statistics.Length > 0 ? Master.Statistics.Floats() : [];
        foreach (WeightSlot slot in slots) written[slot.Node] = slot.Written(numbers.Slice(slot.Offset, slot.Count));
        foreach (Node node in statistics)
        {
            Tensor value = Tensor.Of(node.Shape, means.Slice(offsets[node], node.Shape.Elements));
            if (!value.BitsEqual(node.Value!)) written[node] = new(node.Name, (Constant)node.Op with { Value = value });
        }
        return graph.Map((node, inputs) => written.TryGetValue(node, out Node? replacement) ? replacement : node.With(inputs));
    }

    /// <summary>Frees torch's memory.</summary>
    public void Dispose()
    {
        foreach (Replica replica in replicas) replica.Dispose();
        foreach (WeightSlot slot in slots) slot.Dispose();
        Numbers.Dispose();
    }

    /// <summary>Another replica: the same numbers, its own gradients and statistics, for a thread of its own.</summary>
    internal Replica NewReplica()
    {
        Replica replica = new(this, [.. statistics], offsets);
        replicas.Add(replica);
        return replica;
    }
}
