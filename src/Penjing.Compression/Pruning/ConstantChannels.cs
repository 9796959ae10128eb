using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Channels that hold one number at every pixel of every picture, such as a BatchNormalization's bias behind a kernel of zeros, and what they add to their
/// readers.
/// </summary>
/// <remarks>
/// A reader with padding sees such a number everywhere but at the picture's border, which no bias can imitate: there, and in transposed convolutions and
/// matrix products without a bias, the contribution is dropped with the channel.
/// </remarks>
internal sealed class ConstantChannels
{
    private readonly ChannelGroups groups;
    private readonly Dictionary<Node, double?[]> numbers = [];

    private ConstantChannels(ChannelGroups groups)
    {
        this.groups = groups;
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Lane(node) is not { } lane) continue;
            numbers.Add(node, [.. Visit(node, lane).Select(number => number is { } value ? (double)(float)value : (double?)null)]);
        }
    }

    /// <summary>The graph with what constant doomed channels contribute to unpadded convolutions and to Gemms added to those layers' biases.</summary>
    public static Graph Compensate(ChannelGroups groups, IReadOnlySet<int> doomed)
    {
        ConstantChannels constants = new(groups);
        WeightNames names = new(groups.Graph);
        bool changed = false;
        Graph compensated = groups.Graph.Map((node, inputs) =>
        {
            if (constants.Contribution(node, doomed) is not { } contribution) return node.With(inputs);
            changed = true;
            if (node.Inputs.Length == 2)
            {
                Node bias = Node.Weight(names.Fresh(node.Name + ".bias"), Tensor.Of([contribution.Length], [.. contribution.Select(value => (float)value)]));
                return new(node.Name, node.Op is Gemm gemm ? gemm with { Beta = 1 } : node.Op, inputs.Add(bias));
            }
            float beta = (node.Op as Gemm)?.Beta ?? 1;
            Tensor old = node.Inputs[2].Value!;
            float[] shifted = [.. old.Floats.ToArray().Select((value, i) => (float)(value + contribution[i] / beta))];
            return new(node.Name, node.Op, inputs.SetItem(2, names.Weight(node.Inputs[2], Tensor.Of(old.Shape, shifted))));
        });
        return changed ? compensated : groups.Graph;
    }

    /// <summary>What the doomed channels add to each output of a layer, or null where that is nothing or can't be said by a bias.</summary>
    private double[]? Contribution(Node node, IReadOnlySet<int> doomed)
    {
        if (Mixer.Of(node) is not { Carries: false } mixer || node.Op is ConvTranspose or MatMul || Padded(node)) return null;
        if (groups.Lane(node.Inputs[0]) is not { } read || !numbers.TryGetValue(node.Inputs[0], out double?[]? values)) return null;
        if (node.Inputs.Length == 3 && (node.Inputs[2].Shape.Elements != mixer.Outputs || node.Op is Gemm { Beta: 0 })) return null;
        ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
        double alpha = (node.Op as Gemm)?.Alpha ?? 1;
        double[] sums = new double[mixer.Outputs];
        for (int output = 0; output < mixer.Outputs; output++)
        {
            for (int input = 0; input < mixer.Fan; input++)
            {
                int source = output / mixer.Yield * mixer.Fan + input;
                if (!doomed.Contains(read.Ids[source]) || values[source] is not { } value || value == 0) continue;
                foreach (float weight in weights.Slice(mixer.Index(output, input), mixer.Taps)) sums[output] += alpha * weight * value;
            }
        }
        return sums.Any(sum => sum != 0) ? sums : null;
    }

    private static bool Padded(Node node) => node.Op is Conv { Padding: var padding }
        && (padding.Top > 0 || padding.Left > 0 || padding.Bottom > 0 || padding.Right > 0);

    private IEnumerable<double?> Visit(Node node, Lane lane)
    {
        Node x = node.Inputs[0];
        double?[] unknown = new double?[lane.Count], values = numbers.GetValueOrDefault(x) ?? new double?[groups.Lane(x)?.Count ?? lane.Count];
        switch (node.Op)
        {
            case Conv or ConvTranspose or Gemm or MatMul:
                return Mixer.Of(node) is { } mixer ? Enumerable.Range(0, lane.Count).Select(output => Mix(node, mixer, values, output)) : unknown;
            case BatchNormalization batchNorm:
                return values.Select((value, channel) => Normalize(node, batchNorm.Epsilon, channel, value));
            case Elementwise function when x.Info.Type is ElementType.Float32 && node.Info.Type is ElementType.Float32:
                return values.Select(value => value is { } v ? function.Apply(v) : (double?)null);
            case Identity or Dropout or MaxPool or GlobalAveragePool or GlobalMaxPool or Transpose or Expand or ReduceMean or ReduceMax or ReduceMin:
            case Resize { Coordinates: not CoordinateMode.TfCropAndResize }:
                return values;
            case AveragePool pool:
                return pool.CountIncludePad ? values.Select(value => value == 0 ? value : null) : values;
            case Binary binary when binary is Add or Sub or Mul:
                double?[] left = Operand(x, node, lane), right = Operand(node.Inputs[1], node, lane);
                return left.Select((value, i) => value is { } a && right[i] is { } b ? binary.Apply(a, b) : (double?)null);
            case Concat when node.Inputs.All(input => groups.Lane(input)?.Axis == lane.Axis)
                && node.Inputs.Sum(input => groups.Lane(input)!.Count) == lane.Count:
                return node.Inputs.SelectMany(input => numbers[input]);
            case Slice slice when Along(slice.Axis):
                (int first, int count) = slice.Range(values.Length);
                return Enumerable.Range(0, count).Select(i => values[first + i * slice.Step]);
            case Gather gather when Along(gather.Axis):
                return gather.Indices.Select(index => values[index]);
            case Pad pad when Along(pad.Axis) && pad.Mode is PadMode.Constant:
                return Enumerable.Repeat((double?)pad.Value, Math.Max(0, pad.Before))
                    .Concat(values[Math.Max(0, -pad.Before)..(values.Length - Math.Max(0, -pad.After))])
                    .Concat(Enumerable.Repeat((double?)pad.Value, Math.Max(0, pad.After)));
            case Slice or Gather:
                return values;
            case Reshape or Flatten or Squeeze or Unsqueeze:
                Lane positions = new(groups.Lane(x)!.Axis, [.. Enumerable.Range(0, values.Length)]);
                return positions.Refold(x.Shape, node.Shape)?.Ids.Select(position => values[position]) ?? unknown;
            default:
                return unknown;
        }

        bool Along(int axis) => groups.Lane(x) is { } read && ChannelWalk.FromFront(axis, x) == read.Axis;
    }

    private static double? Mix(Node node, Mixer mixer, double?[] values, int output)
    {
        ReadOnlySpan<float> weights = node.Inputs[1].Value!.Floats;
        bool unpadded = node.Op is not ConvTranspose && !Padded(node);
        double sum = 0;
        for (int input = 0; input < mixer.Fan; input++)
        {
            int source = output / mixer.Yield * mixer.Fan + input;
            double? value = source < values.Length ? values[source] : null;
            foreach (float weight in weights.Slice(mixer.Index(output, input), mixer.Taps))
            {
                if (weight == 0 || value == 0) continue;
                if (value is null || !unpadded) return null;
                sum += weight * value.Value;
            }
        }
        float bias = 0;
        if (node.Inputs.Length == 3)
        {
            if (node.Inputs[2].Shape.Elements != mixer.Outputs) return null;
            bias = node.Inputs[2].Value!.Floats[output];
        }
        return node.Op switch
        {
            Gemm gemm => Then(gemm.Then, gemm.Alpha * sum + gemm.Beta * bias),
            Conv conv => Then(conv.Then, sum + bias),
            _ => sum + bias,
        };

        static double Then(Activation? activation, double value) => activation?.Apply(value) ?? value;
    }

    private static double? Normalize(Node node, float epsilon, int channel, double? value)
    {
        double Parameter(int index) => node.Inputs[index].Value!.Floats[channel];
        double scale = Parameter(1) / Math.Sqrt(Parameter(4) + epsilon);
        return scale == 0 ? Parameter(2) : value is { } number ? (number - Parameter(3)) * scale + Parameter(2) : null;
    }

    /// <summary>An operand's number for each channel of a broadcast result.</summary>
    private double?[] Operand(Node operand, Node result, Lane lane)
    {
        bool single = ChannelWalk.Extent(operand, result, lane.Axis) == 1;
        if (operand.Op is Constant && operand.Info.Type == ElementType.Float32 && operand.Shape.Elements == (single ? 1 : lane.Count))
            return [.. Enumerable.Range(0, lane.Count).Select(i => (double?)operand.Value!.Floats[single ? 0 : i])];
        return numbers.TryGetValue(operand, out double?[]? values) && (values.Length == lane.Count || single)
            ? [.. Enumerable.Range(0, lane.Count).Select(i => values[single ? 0 : i])]
            : new double?[lane.Count];
    }
}
