using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>The forward walk that gives every channel of every value an identity, and joins those that an operation joins.</summary>
internal sealed class ChannelWalk
{
    private readonly Dictionary<Node, Lane> lanes = [];
    private readonly HashSet<int> pinned = [];
    private readonly bool scaling;

    /// <summary>Walks the graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="scaling">
    /// Whether channels are to be scaled by positive factors, not cut: depthwise convolutions then yield channels of their own, and where a scaled channel
    /// doesn't become one that is scaled as much, it is pinned.
    /// </param>
    public ChannelWalk(Graph graph, bool scaling = false)
    {
        this.scaling = scaling;
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is not (Input or Constant) && Visit(node) is { } lane) lanes.Add(node, lane);
        }
        foreach (Node output in graph.Outputs) Pin(output);
    }

    /// <summary>Which identities are one.</summary>
    public UnionFind Identities { get; } = new();

    /// <summary>The lanes that a layer's own weights yield: the channels of a layer.</summary>
    public List<Lane> Produced { get; } = [];

    /// <summary>The lanes whose kept channels must be equally many in each of so many groups: what grouped convolutions read and yield.</summary>
    public List<(Lane Lane, int Groups)> Grouped { get; } = [];

    /// <summary>The values that have channels with identities; those of any other value are never cut.</summary>
    public IReadOnlyDictionary<Node, Lane> Lanes => lanes;

    /// <summary>The identities that must stay.</summary>
    public IReadOnlySet<int> Pinned => pinned;

    private Lane? Visit(Node node)
    {
        Node x = node.Inputs[0];
        return node.Op switch
        {
            _ when scaling && !HandsScalesOn(node) => Opaque(node),
            Conv or ConvTranspose or Gemm or MatMul => Mix(node),
            BatchNormalization => node.Inputs.Skip(1).All(input => input.Op is Constant) ? Carry(x, axis: 1) : Opaque(node),
            Elementwise or Identity or Dropout => Of(x),
            QuantizeLinear { Quantization.Axis: null } => Of(x),
            DequantizeLinear or Reinterpret when x.Info.Quantization?.Axis is null && node.Info.Quantization?.Axis is null => Of(x),
            MaxPool or AveragePool or GlobalAveragePool or GlobalMaxPool or Resize => Carry(x, axis: 1),
            GridSample or RoiAlign => Sample(node, x),
            Softmax { Axis: var axis } => Except(x, [axis]),
            LogSoftmax { Axis: var axis } => Except(x, [axis]),
            Hardmax { Axis: var axis } => Except(x, [axis]),
            CumSum { Axis: var axis } => Except(x, [axis]),
            Extremes { Axis: var axis } => Except(x, [axis]),
            Binary or PRelu or Where => Join(node),
            Concat concat => Append(node, concat.Axis),
            Slice or Gather or Pad => Select(node, x),
            Tile tile => Repeat(x, tile),
            Squeeze { Axes.Count: 0 } => Opaque(node),
            Reshape or Flatten or Squeeze or Unsqueeze => Refold(node, x),
            Expand => Of(x) is { } lane && lane.Count == node.Shape[lane.Axis + node.Shape.Rank - x.Shape.Rank] ? Aligned(x, node) : Opaque(node),
            Transpose transpose => Of(x) is { } lane ? lane with { Axis = transpose.Permutation.Items.IndexOf(lane.Axis) } : null,
            Reduction { Axes.Count: 0 } => Opaque(node),
            Reduction reduction => Reduce(x, reduction.Axes, reduction.KeepDims),
            ArgExtreme extreme => Reduce(x, [extreme.Axis], extreme.KeepDims),
            _ => Opaque(node),
        };
    }

    /// <summary>Whether each channel of the result is scaled as those are that it is made of, or is one of a layer's own.</summary>
    private bool HandsScalesOn(Node node) => node.Op switch
    {
        Conv { Then: null } or ConvTranspose or Gemm { Then: null } or MatMul => Mixer.Of(node) is { } mixer && (node.Inputs.Length == 2 || node.Inputs[2].Shape is { Rank: > 0 } bias && bias[-1] == mixer.Outputs && bias.Elements == mixer.Outputs),
        Add { Then: null } or Sub => node.Inputs.All(input => Of(input) is not null && input.Shape == node.Shape),
        Pad { Mode: PadMode.Constant } pad => pad.Value == 0,
        Resize { Coordinates: not CoordinateMode.TfCropAndResize } => true,
        Relu or LeakyRelu or AveragePool or GlobalAveragePool or ReduceMean or ReduceSum or ReduceMax => true,
        _ => Passes.Moves(node.Op),
    };

    private Lane? Of(Node node) => lanes.GetValueOrDefault(node);

    private Lane? Mix(Node node)
    {
        if (Mixer.Of(node) is not { } mixer) return Opaque(node);
        Lane? read = Carry(node.Inputs[0], mixer.InputAxis);
        if (mixer.Carries && !scaling)
            return read is null ? null : new(1, [.. Enumerable.Range(0, mixer.Outputs).Select(output => read.Ids[output / mixer.Yield])]);
        Lane yield = Fresh(mixer.OutputAxis, mixer.Outputs);
        Produced.Add(yield);
        if (mixer.Grouped)
        {
            Grouped.Add((yield, mixer.Groups));
            if (read is not null) Grouped.Add((read, mixer.Groups));
        }
        return yield;
    }

    private Lane Fresh(int axis, int count) => new(axis, [.. Enumerable.Range(0, count).Select(_ => Identities.Add())]);

    private Lane PinnedLane(int axis, int count)
    {
        Lane lane = Fresh(axis, count);
        pinned.UnionWith(lane.Ids);
        return lane;
    }

    private void Pin(Node node)
    {
        if (Of(node) is { } lane) pinned.UnionWith(lane.Ids);
    }

    /// <summary>All inputs' channels stay, and those of the result have no identities.</summary>
    private Lane? Opaque(Node node)
    {
        foreach (Node input in node.Inputs) Pin(input);
        return null;
    }

    /// <summary>The input's lane where it lies along this axis; elsewhere it is pinned.</summary>
    private Lane? Carry(Node x, int axis)
    {
        if (Of(x) is { } lane && lane.Axis == axis) return lane;
        Pin(x);
        return null;
    }

    /// <summary>The input's lane where it lies along none of these axes; elsewhere it is pinned.</summary>
    private Lane? Except(Node x, Ints axes)
    {
        if (Of(x) is { } lane && !axes.Any(axis => FromFront(axis, x) == lane.Axis)) return lane;
        Pin(x);
        return null;
    }

    private Lane? Reduce(Node x, Ints axes, bool keepDims) => Except(x, axes) is not { } lane ? null
        : keepDims ? lane
        : lane with { Axis = lane.Axis - axes.Count(axis => FromFront(axis, x) < lane.Axis) };

    private Lane? Refold(Node node, Node x)
    {
        if (Of(x)?.Refold(x.Shape, node.Shape) is { } lane) return lane;
        return Opaque(node);
    }

    /// <summary>Operands under broadcasting: what lies along the same axis is one, a single channel or a constant spreads.</summary>
    private Lane? Join(Node node)
    {
        Lane?[] lanes = [.. node.Inputs.Select(operand => Aligned(operand, node))];
        if (lanes.MaxBy(lane => lane?.Count ?? 0) is not { } wide) return null;
        if (wide.Count != node.Shape[wide.Axis] || !node.Inputs.Zip(lanes, Agrees).All(agrees => agrees)) return Opaque(node);
        foreach (Lane? lane in lanes)
        {
            for (int i = 0; i < wide.Count && lane?.Count == wide.Count; i++) Identities.Union(wide.Ids[i], lane.Ids[i]);
        }
        return wide;

        bool Agrees(Node operand, Lane? lane) => lane is null
            ? operand.Op is Constant || Extent(operand, node, wide.Axis) == 1
            : lane.Axis == wide.Axis && (lane.Count == wide.Count || lane.Count == 1);
    }

    private Lane? Aligned(Node operand, Node result) =>
        Of(operand) is { } lane ? lane with { Axis = lane.Axis + result.Shape.Rank - operand.Shape.Rank } : null;

    private Lane? Append(Node node, int rawAxis)
    {
        int axis = FromFront(rawAxis, node);
        Lane?[] parts = [.. node.Inputs.Select(Of)];
        if (parts.FirstOrDefault(part => part is not null) is not { } first) return null;
        if (first.Axis == axis)
        {
            if (parts.Any(part => part is not null && part.Axis != axis)) return Opaque(node);
            return new(axis, [.. node.Inputs.SelectMany((input, i) => (parts[i] ?? PinnedLane(axis, input.Shape[axis])).Ids)]);
        }
        if (parts.Any(part => part?.Axis != first.Axis)) return Opaque(node);
        foreach (Lane? part in parts)
            for (int i = 0; i < first.Count; i++) Identities.Union(first.Ids[i], part!.Ids[i]);
        return first;
    }

    /// <summary>Pictures sampled at places that other operands name.</summary>
    private Lane? Sample(Node node, Node x)
    {
        foreach (Node places in node.Inputs.Skip(1)) Pin(places);
        return Carry(x, axis: 1);
    }

    private Lane? Repeat(Node x, Tile tile) => Of(x) is not { } lane ? null
        : lane with { Ids = [.. Enumerable.Repeat(lane.Ids, tile.Repeats[lane.Axis]).SelectMany(ids => ids)] };

    private Lane? Select(Node node, Node x)
    {
        if (Of(x) is not { } lane) return null;
        switch (node.Op)
        {
            case Slice slice when FromFront(slice.Axis, x) == lane.Axis:
                (int first, int count) = slice.Range(lane.Count);
                return lane with { Ids = [.. Enumerable.Range(0, count).Select(i => lane.Ids[first + i * slice.Step])] };
            case Gather gather when FromFront(gather.Axis, x) == lane.Axis:
                return lane with { Ids = [.. gather.Indices.Select(index => lane.Ids[index])] };
            case Pad pad when FromFront(pad.Axis, x) == lane.Axis:
                if (pad.Mode != PadMode.Constant) return Opaque(node);
                ImmutableArray<int> inside = lane.Ids[Math.Max(0, -pad.Before)..(lane.Count - Math.Max(0, -pad.After))];
                Lane before = Fresh(lane.Axis, Math.Max(0, pad.Before)), after = Fresh(lane.Axis, Math.Max(0, pad.After));
                Produced.Add(lane with { Ids = [.. before.Ids, .. after.Ids] });
                return lane with { Ids = [.. before.Ids, .. inside, .. after.Ids] };
            default:
                return lane;
        }
    }

    /// <summary>The operand's extent along an axis of the broadcast result.</summary>
    internal static int Extent(Node operand, Node result, int axis) =>
        axis + operand.Shape.Rank < result.Shape.Rank ? 1 : operand.Shape[axis + operand.Shape.Rank - result.Shape.Rank];

    /// <summary>An axis of a value, counted from the front.</summary>
    internal static int FromFront(int axis, Node value) => axis < 0 ? axis + value.Shape.Rank : axis;
}
