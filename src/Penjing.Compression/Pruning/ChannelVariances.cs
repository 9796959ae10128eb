namespace Penjing.Compression;

/// <summary>
/// The variance of each channel over pictures and pixels, as far as the weights tell it: behind a BatchNormalization a channel is taken as normally distributed
/// about its bias by its scale; an activation's moments follow by quadrature; sums add up; what is unknown counts as 1.
/// </summary>
internal sealed class ChannelVariances
{
    private const int Points = 65;
    private const double Reach = 5;

    private readonly ChannelGroups groups;
    private readonly Dictionary<Node, double[]> variances = [];

    /// <summary>The variances of every value that has channels.</summary>
    public ChannelVariances(ChannelGroups groups)
    {
        this.groups = groups;
        foreach (Node node in groups.Graph.Nodes)
        {
            if (groups.Lane(node) is { } lane) variances.Add(node, Visit(node, lane));
        }
    }

    /// <summary>The variance of each channel of a value.</summary>
    public double[] Of(Node value) => variances[value];

    private double[] Visit(Node node, Lane lane)
    {
        Node x = node.Inputs[0];
        double[]? read = variances.GetValueOrDefault(x);
        return node.Op switch
        {
            BatchNormalization => [.. node.Inputs[1].Value!.Floats.ToArray().Select(scale => (double)scale * scale)],
            Activation activation when x.Op is BatchNormalization && read is not null =>
                [.. read.Select((variance, channel) => Behind(activation, x.Inputs[2].Value!.Floats[channel], Math.Sqrt(variance)))],
            Add when variances.TryGetValue(node.Inputs[1], out double[]? other) && read?.Length == other.Length && other.Length == lane.Count =>
                [.. read.Zip(other, (a, b) => a + b)],
            Concat when node.Inputs.All(input => groups.Lane(input)?.Axis == lane.Axis) && node.Inputs.Sum(input => groups.Lane(input)!.Count) == lane.Count =>
                [.. node.Inputs.SelectMany(input => variances[input])],
            Gather gather when read is not null && gather.Indices.Count == lane.Count && ChannelWalk.FromFront(gather.Axis, x) == lane.Axis =>
                [.. gather.Indices.Select(index => read[index])],
            Reshape or Flatten or Squeeze or Unsqueeze when read is not null && lane.Count % read.Length == 0 =>
                [.. Enumerable.Range(0, lane.Count).Select(i => read[i / (lane.Count / read.Length)])],
            Elementwise or Identity or Dropout or MaxPool or AveragePool or GlobalAveragePool or GlobalMaxPool or Resize or Transpose or Expand or Reduction
                when read?.Length == lane.Count => read,
            _ => [.. Enumerable.Repeat(1.0, lane.Count)],
        };
    }

    /// <summary>The variance of an activation of a normal distribution, by the trapezium rule.</summary>
    private static double Behind(Activation activation, double mean, double deviation)
    {
        double weight = 0, sum = 0, squares = 0;
        for (int i = 0; i < Points; i++)
        {
            double z = Reach * (2.0 * i / (Points - 1) - 1), density = Math.Exp(-z * z / 2), y = activation.Apply(mean + deviation * z);
            weight += density;
            sum += density * y;
            squares += density * y * y;
        }
        return Math.Max(0, squares / weight - sum / weight * (sum / weight));
    }
}
