using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Rounds the numbers of channels that families keep by how long the layers around them take. Within a step of 16 about what is wanted, the price of a channel is
/// what the whole step costs more, divided by its channels; the number is taken whose time exceeds the price of its channels least.
/// </summary>
internal sealed class TimedRounding
{
    private const int Step = 16, Finest = 4;
    private const double Noise = 0.02;

    private readonly ChannelGroups groups;
    private readonly Func<Node, double> milliseconds;
    private readonly Dictionary<(Node Layer, int Inputs, int Outputs), double> times;
    private readonly Dictionary<int, (int Size, double Kept)> wanted;
    private readonly ILookup<int, Node> layers;

    /// <summary>A rounding of these families, by number: how many channels each has, and how many it would keep. What layers take is kept in <paramref name="times"/>.</summary>
    public TimedRounding(
        ChannelGroups groups, Func<Node, double> milliseconds, Dictionary<(Node Layer, int Inputs, int Outputs), double> times, IEnumerable<KeyValuePair<int, (int Size, double Kept)>> wanted)
    {
        (this.groups, this.milliseconds, this.times) = (groups, milliseconds, times);
        this.wanted = new(wanted);
        layers = groups.Graph.Nodes.Where(node => Mixer.Of(node) is not null)
            .SelectMany(node => groups.Channels(node.Inputs[0]).Concat(groups.Channels(node)).Select(groups.Family).Distinct().Select(family => (family, node)))
            .ToLookup(entry => entry.family, entry => entry.node);
    }

    /// <summary>How many channels a family keeps; what follows is rounded with that.</summary>
    public int Round(int family, int least)
    {
        (int size, double kept) = wanted[family];
        if (kept >= size) return size;
        int middle = Math.Clamp((int)Math.Round(kept, MidpointRounding.AwayFromZero), least, size);
        int low = (middle - 1) / Step * Step, high = Math.Min(size, low + Step);
        ImmutableArray<int> counts = [.. Enumerable.Range(low, high - low + 1).Where(count => count >= least && (count == low || count == middle || count == high || count % Finest == 0))];
        Dictionary<int, double> takes = counts.Union([low, high]).ToDictionary(count => count, count => count == 0 ? 0 : layers[family].Sum(layer => Time(layer, family, count)));
        double price = high > low ? Math.Max(0, (takes[high] - takes[low]) / (high - low)) : 0, tolerance = Noise * takes[middle];
        double fewest = counts.Min(Excess);
        int best = counts.Where(count => Excess(count) <= fewest + tolerance).OrderBy(count => Math.Abs(count - middle)).ThenByDescending(count => count).First();
        // Channels that cost nothing stay.
        best = counts.Where(count => takes[count] <= takes[best]).Max();
        wanted[family] = (size, best);
        return best;

        double Excess(int count) => takes[count] - price * count;
    }

    /// <summary>What a layer takes if the family keeps so many channels.</summary>
    private double Time(Node layer, int family, int count)
    {
        Mixer mixer = Mixer.Of(layer)!.Value;
        (Node, int Inputs, int Outputs) key = (layer, Kept(layer.Inputs[0], mixer.Inputs), Kept(layer, mixer.Outputs));
        if (!times.TryGetValue(key, out double time)) times.Add(key, time = milliseconds(Resized(layer, mixer, key.Inputs, key.Outputs)));
        return time;

        int Kept(Node value, int all) => groups.Channels(value) is not { IsEmpty: false } channels ? all
            : Math.Max(1, (int)Math.Round(channels.Sum(group => groups.Family(group) is var of && of == family ? (double)count / wanted[of].Size
                : wanted.TryGetValue(of, out (int Size, double Kept) other) ? other.Kept / other.Size : 1)));
    }

    /// <summary>A layer by itself, with about so many channels.</summary>
    private static Node Resized(Node node, Mixer mixer, int inputs, int outputs)
    {
        Mixer small = mixer.Carries
            ? mixer with { Groups = inputs, Inputs = inputs, Outputs = inputs * mixer.Yield }
            : mixer with { Inputs = Whole(inputs), Outputs = Whole(outputs) };
        Shape shape = node.Inputs[0].Shape.With(mixer.InputAxis, small.Inputs);
        Node input = new("input", new Input(ElementType.Float32, shape.With(0, 1)));
        ReadOnlyMemory<float> old = node.Inputs[1].Value!.Floats.ToArray();
        Node weights = Node.Weight("weights", Tensor.Build<float>(Mixer.Resized(node, small), values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = old.Span[i % old.Length];
        }));
        return new(node.Name, node.Op is Conv conv ? conv with { Groups = small.Groups } : node.Op is ConvTranspose transpose ? transpose with { Groups = small.Groups } : node.Op,
            input, weights);

        int Whole(int channels) => Math.Max(1, (channels + mixer.Groups - 1) / mixer.Groups) * mixer.Groups;
    }
}
