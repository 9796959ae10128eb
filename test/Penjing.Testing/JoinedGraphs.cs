using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Testing;

/// <summary>
/// Seeded networks whose values share memory wherever they can: concatenations of concatenations, parts that others read too or that stand there twice,
/// slices, shuffles and selections before everything, sums of either order, and the units of SqueezeNet, ShuffleNet, DenseNet and ResNet in small.
/// Pictures keep their size, so that anything joins with anything.
/// </summary>
public sealed class JoinedGraphs
{
    private static readonly ImmutableArray<int> widths = [1, 2, 3, 4, 6, 8, 12, 13, 16, 18, 24];

    private readonly Random random;
    private readonly int seed;
    private readonly List<Node> values = [];
    private int count;

    private JoinedGraphs(int seed)
    {
        this.seed = seed;
        random = new(seed);
    }

    /// <summary>The network of a seed: one input, one to three outputs.</summary>
    public static Graph Network(int seed) => new JoinedGraphs(seed).Build();

    private Graph Build()
    {
        Node input = new("input", new Input(ElementType.Float32, [random.Next(1, 3), Pick(widths), random.Next(1, 7), random.Next(1, 7)]));
        values.Add(input);
        for (int i = random.Next(4, 14); i > 0; i--)
        {
            Node grown = Grow(Recent());
            if (grown.Shape[1] <= 96) values.Add(grown);
        }
        return new([values[^1], .. Enumerable.Range(0, random.Next(3)).Select(_ => Recent())], [input]);
    }

    private Node Grow(Node x) => random.Next(18) switch
    {
        0 => Conv(x, Pick(widths), 1),
        1 => Conv(x, Pick(widths), 3),
        2 => Depthwise(x),
        3 => Grouped(x, x.Shape[1]),
        4 or 5 => Join(x),
        6 => Active(Join(x)),
        7 => Sliced(x),
        8 => Shuffled(x),
        9 => New(new Gather(1, [.. Enumerable.Range(0, random.Next(1, x.Shape[1] + 3)).Select(_ => random.Next(x.Shape[1]))]), x),
        10 or 11 => Sum(x),
        12 => Pool(x),
        13 => Active(x),
        14 => Fire(x),
        15 => ShuffleUnit(x),
        16 => SplitUnit(x),
        _ => DenseBlock(x),
    };

    private Node Fire(Node x)
    {
        Node squeezed = Active(Conv(x, Pick(widths), 1));
        return New(new Concat(1), Active(Conv(squeezed, Pick(widths), 1)), Active(Conv(squeezed, Pick(widths), 3)));
    }

    private Node ShuffleUnit(Node x)
    {
        int groups = Groups(x), narrow = groups * random.Next(1, 4);
        Node reduced = Active(Convolve(x, narrow, 1, random.Next(4) == 0 ? 1 : groups));
        Node y = Convolve(Depthwise(New(Gather.Shuffle(narrow, groups), reduced)), x.Shape[1], 1, groups);
        return random.Next(3) switch
        {
            0 => Active(New(new Concat(1), Pool(x), y)),
            1 => Active(New(new Add(), x, y)),
            _ => Active(New(new Add(), y, x)),
        };
    }

    private Node SplitUnit(Node x)
    {
        if (x.Shape[1] % 2 != 0) return Conv(x, Pick(widths), 1);
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int half = x.Shape[1] / 2;
            Node kept = New(new Slice(1, 0, half), x), changed = New(new Slice(1, half, 2 * half), x);
            Node y = Active(Conv(Depthwise(Active(Conv(changed, half, 1))), half, 1));
            x = New(Gather.Shuffle(2 * half, 2), New(new Concat(1), kept, y));
        }
        return x;
    }

    private Node DenseBlock(Node x)
    {
        for (int i = random.Next(1, 4); i > 0; i--) x = New(new Concat(1), x, Conv(Active(x), random.Next(1, 6), random.Next(2) == 0 ? 1 : 3));
        return x;
    }

    private Node Join(Node x)
    {
        Node[] parts = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(8) == 0 ? Constant(x) : Recent()), x];
        random.Shuffle(parts);
        int axis = random.Next(6) == 0 ? 2 : 1;
        return axis == 2 ? New(new Slice(2, 0, x.Shape[2]), New(new Concat(2), x, Active(x))) : New(new Concat(1), [.. parts]);
    }

    private Node Sum(Node x)
    {
        Node other = values.LastOrDefault(value => value != x && value.Shape == x.Shape) ?? Conv(x, x.Shape[1], 1);
        if (random.Next(2) == 0) other = Conv(other, x.Shape[1], random.Next(2) == 0 ? 1 : 3);
        if (random.Next(3) == 0) x = Conv(x, x.Shape[1], 1);
        Node sum = random.Next(2) == 0 ? New(new Add(), x, other) : New(new Add(), other, x);
        return random.Next(2) == 0 ? Active(sum) : sum;
    }

    private Node Sliced(Node x)
    {
        int first = random.Next(x.Shape[1]);
        return New(new Slice(1, first, random.Next(first + 1, x.Shape[1] + 1), random.Next(5) == 0 ? 2 : 1), x);
    }

    private Node Shuffled(Node x) => Groups(x) is > 1 and var groups
        ? New(Gather.Shuffle(x.Shape[1], groups), x)
        : New(new Gather(1, [.. Enumerable.Range(0, x.Shape[1]).Reverse()]), x);

    private Node Pool(Node x) => random.Next(2) == 0
        ? New(new MaxPool(Size.Square(3), Size.One, Padding.All(1)), x)
        : New(new AveragePool(Size.Square(3), Size.One, Padding.All(1), CountIncludePad: random.Next(2) == 0), x);

    private Node Active(Node x) => New(random.Next(5) switch { 0 => new HardSwish(), 1 => new Clip(-0.5f, 2), 2 => new Sigmoid(), _ => new Relu() }, x);

    private Node Conv(Node x, int outputs, int side) => Convolve(x, outputs, side, 1);

    private Node Depthwise(Node x) => Convolve(x, x.Shape[1], 3, x.Shape[1]);

    private Node Grouped(Node x, int outputs) => Convolve(x, outputs, random.Next(2) == 0 ? 1 : 3, Groups(x));

    private Node Convolve(Node x, int outputs, int side, int groups)
    {
        Conv conv = new(Size.One, Padding.All(side / 2), Size.One, groups);
        Node weights = Node.Weight(Name("weight"), RandomTensors.Kernel([outputs, x.Shape[1] / groups, side, side], Seed()));
        return random.Next(2) == 0 ? New(conv, x, weights) : New(conv, x, weights, Node.Weight(Name("bias"), RandomTensors.Normal([outputs], Seed(), 0.2)));
    }

    private Node Constant(Node like) => Node.Weight(Name("constant"), RandomTensors.Normal(like.Shape.With(1, random.Next(1, 5)), Seed()));

    private static int Groups(Node x) => new[] { 4, 3, 2, 1 }.First(groups => x.Shape[1] % groups == 0);

    private Node New(Op op, params ImmutableArray<Node> inputs) => new(Name(op.Name), op, inputs);

    private string Name(string what) => string.Create(CultureInfo.InvariantCulture, $"{what.ToLowerInvariant()}{count++}");

    private int Seed() => seed * 1000 + count;

    private Node Recent() => values[^random.Next(1, Math.Min(values.Count, 5) + 1)];

    private T Pick<T>(ImmutableArray<T> choices) => choices[random.Next(choices.Length)];
}
