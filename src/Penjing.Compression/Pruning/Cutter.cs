using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Builds the graph without the doomed channels.</summary>
internal sealed class Cutter
{
    private readonly ChannelGroups groups;
    private readonly IReadOnlySet<int> doomed;
    private readonly WeightNames names;

    /// <summary>A cutter of these channels out of the groups' graph.</summary>
    public Cutter(ChannelGroups groups, IReadOnlySet<int> doomed)
    {
        this.groups = groups;
        this.doomed = doomed;
        names = new(groups.Graph);
    }

    /// <summary>The smaller graph.</summary>
    public Graph Cut() => doomed.Count == 0 ? groups.Graph : groups.Graph.Map(Cut);

    private Node Cut(Node node, ImmutableArray<Node> inputs)
    {
        if (node.Inputs.IsEmpty) return node;
        Lane? read = groups.Lane(node.Inputs[0]), lane = groups.Lane(node);
        if (Mixer.Of(node) is { } mixer) return Mix(node, inputs, mixer, read, lane);
        if (lane is null || !lane.Ids.Any(doomed.Contains) && (read is null || !read.Ids.Any(doomed.Contains))) return node.With(inputs);
        return node.Op switch
        {
            BatchNormalization => new(node.Name, node.Op, [inputs[0], .. node.Inputs.Skip(1).Select(vector => Selected(vector, 0, lane))]),
            Binary or PRelu or Where => new(node.Name, node.Op,
                [.. node.Inputs.Select((operand, i) => operand.Op is Constant ? Broadcast(operand, node, lane) : inputs[i])]),
            Slice slice when Along(slice.Axis) => new(node.Name, Taken(slice.Axis, [.. SliceSource(slice, read!.Count)], read), inputs),
            Gather gather when Along(gather.Axis) => new(node.Name, Gathered(gather.Axis, gather.Indices.Items, read!), inputs),
            Pad pad when Along(pad.Axis) => new(node.Name, pad with
            {
                Before = pad.Before < 0 ? -Alive(read!.Ids[..-pad.Before]) : Alive(lane.Ids[..pad.Before]),
                After = pad.After < 0 ? -Alive(read!.Ids[^-pad.After..]) : Alive(lane.Ids[^pad.After..]),
            }, inputs),
            Reshape reshape => new(node.Name, Resized(reshape, lane), inputs),
            Expand expand when expand.Shape.Rank - node.Shape.Rank + lane.Axis is >= 0 and var axis => new(
                node.Name, new Expand(expand.Shape.With(axis, Math.Min(expand.Shape[axis], lane.Kept(doomed).Length))), inputs),
            _ => node.With(inputs),
        };

        bool Along(int axis) => read is not null && ChannelWalk.FromFront(axis, node.Inputs[0]) == read.Axis;
    }

    private int Alive(IEnumerable<int> ids) => ids.Count(id => !doomed.Contains(id));

    private Node Mix(Node node, ImmutableArray<Node> inputs, Mixer mixer, Lane? read, Lane? yield)
    {
        ImmutableArray<int> keptInputs = Kept(read, mixer.Inputs), keptOutputs = Kept(yield, mixer.Outputs);
        if (keptInputs.Length == mixer.Inputs && keptOutputs.Length == mixer.Outputs) return node.With(inputs);
        Mixer small = mixer with { Groups = mixer.Carries ? keptInputs.Length : mixer.Groups, Inputs = keptInputs.Length, Outputs = keptOutputs.Length };
        ILookup<int, int> ofGroup = keptInputs.ToLookup(input => input / mixer.Fan, input => input % mixer.Fan);
        int[] yields = [.. keptOutputs.GroupBy(output => output / mixer.Yield).Select(group => group.Count())];
        if (ofGroup.Any(group => group.Count() != small.Fan) || yields.Any(count => count != small.Yield) || yields.Length != small.Groups)
            throw new PenjingException($"cutting these channels would leave the groups of '{node.Name}' unequal: cut as many of each");
        Tensor old = node.Inputs[1].Value!, weights = Tensor.Build<float>(Mixer.Resized(node, small), values =>
        {
            for (int output = 0; output < small.Outputs; output++)
            {
                int from = keptOutputs[output], next = 0;
                foreach (int input in ofGroup[from / mixer.Yield])
                    old.Floats.Slice(mixer.Index(from, input), mixer.Taps).CopyTo(values[small.Index(output, next++)..]);
            }
        });
        return new(node.Name, node.Op switch
        {
            Conv conv => conv with { Groups = small.Groups },
            ConvTranspose conv => conv with { Groups = small.Groups },
            _ => node.Op,
        }, [inputs[0], names.Weight(node.Inputs[1], weights), .. node.Inputs.Skip(2).Select(bias => yield is null ? bias : Broadcast(bias, node, yield))]);
    }

    private ImmutableArray<int> Kept(Lane? lane, int count) => lane?.Kept(doomed) ?? [.. Enumerable.Range(0, count)];

    /// <summary>A constant operand of an operation whose result has this lane, cut where it doesn't spread.</summary>
    private Node Broadcast(Node constant, Node result, Lane lane)
    {
        // The bias of a convolution lies along the result's channels, not by the rule of broadcasting.
        int axis = result.Op is Conv or ConvTranspose ? 0 : lane.Axis + constant.Shape.Rank - result.Shape.Rank;
        return axis < 0 || constant.Shape[axis] == 1 && lane.Count > 1 ? constant : Selected(constant, axis, lane);
    }

    private Node Selected(Node constant, int axis, Lane lane)
    {
        ImmutableArray<int> kept = lane.Kept(doomed);
        if (kept.Length == lane.Count) return constant;
        Tensor old = constant.Value!;
        int outer = old.Shape.Product(0, axis), inner = old.Shape.Product(axis + 1, old.Shape.Rank) * old.Type.Size();
        var bytes = new byte[outer * kept.Length * inner];
        for (int row = 0; row < outer; row++)
        {
            for (int i = 0; i < kept.Length; i++)
                old.Bytes.Span.Slice((row * lane.Count + kept[i]) * inner, inner).CopyTo(bytes.AsSpan((row * kept.Length + i) * inner));
        }
        return names.Weight(constant, new(old.Type, old.Shape.With(axis, kept.Length), bytes));
    }

    private static IEnumerable<int> SliceSource(Slice slice, int extent)
    {
        (int first, int count) = slice.Range(extent);
        return Enumerable.Range(0, count).Select(i => first + i * slice.Step);
    }

    /// <summary>The kept ones of these source positions, as a slice where they still lie side by side.</summary>
    private Op Taken(int axis, ImmutableArray<int> sources, Lane read)
    {
        Gather gather = Gathered(axis, sources, read);
        int first = gather.Indices.FirstOrDefault();
        return gather.Indices.Where((index, i) => index != first + i).Any() ? gather : new Slice(axis, first, first + gather.Indices.Count);
    }

    private Gather Gathered(int axis, ImmutableArray<int> sources, Lane read)
    {
        int[] places = new int[read.Count];
        for (int i = 0, next = 0; i < read.Count; i++) places[i] = doomed.Contains(read.Ids[i]) ? -1 : next++;
        return new(axis, new([.. sources.Select(source => places[source]).Where(place => place >= 0)]));
    }

    private Reshape Resized(Reshape reshape, Lane lane)
    {
        int target = reshape.Target[lane.Axis];
        return target == -1 ? reshape : new(new Ints(reshape.Target.Items.SetItem(lane.Axis, lane.Kept(doomed).Length)));
    }
}
