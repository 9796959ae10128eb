using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Testing;

/// <summary>
/// Seeded small networks of residual sums, concatenations, grouped and depthwise convolutions, shuffles, pools, resizes, slices and moves,
/// with awkward channel counts; the same seed gives the same network on every machine.
/// </summary>
public sealed class RandomGraphs
{
    private static readonly ImmutableArray<int> widths = [1, 2, 3, 5, 6, 8, 12, 13, 16, 17, 24];

    private readonly Random random;
    private readonly int seed;
    private readonly List<Node> values = [];
    private int count;

    private RandomGraphs(int seed)
    {
        this.seed = seed;
        random = new(seed);
    }

    /// <summary>The network of a seed: one or two inputs, one to three outputs.</summary>
    public static Graph Network(int seed) => new RandomGraphs(seed).Build();

    /// <summary>Inputs for a network, normally distributed.</summary>
    public static Tensor[] Fed(Graph graph, int seed) => [.. graph.Inputs.Select((input, i) => RandomTensors.Normal(input.Shape, seed + i))];

    private Graph Build()
    {
        int batch = random.Next(1, 3), channels = Pick(widths), side = random.Next(5, 12);
        var inputs = new List<Node> { new("input0", new Input(ElementType.Float32, [batch, channels, side, side + random.Next(3)])) };
        if (random.Next(3) == 0) inputs.Add(new("input1", new Input(ElementType.Float32, inputs[0].Shape)));
        values.AddRange(inputs);
        for (int i = random.Next(6, 18); i > 0; i--) values.Add(Grow(Recent()));
        var outputs = new List<Node> { Head(values[^1]) };
        if (random.Next(3) == 0) outputs.Add(Recent());
        if (random.Next(6) == 0) outputs.Add(Pick([.. values]));
        return new([.. outputs], [.. inputs]);
    }

    private Node Grow(Node x) => random.Next(16) switch
    {
        0 or 1 => Convolution(x, Pick(widths), 1, 1),
        2 or 3 => Convolution(x, Pick(widths), 3, 1),
        4 => Convolution(x, x.Shape[1], 3, x.Shape[1]),
        5 => Grouped(x),
        6 => New(new BatchNormalization(), x, Vector(x, "scale", 1), Vector(x, "bias"), Vector(x, "mean"), Variance(x)),
        7 or 8 => New(Activation(), x),
        9 => Sum(x),
        10 => Join(x),
        11 => x.Shape[1] % 2 == 0 ? New(Gather.Shuffle(x.Shape[1], 2), x) : New(new Gather(1, [.. Enumerable.Range(0, x.Shape[1]).Reverse()]), x),
        12 => Pool(x),
        13 => Scale(x),
        14 => x.Shape[1] > 1 ? New(new Slice(1, random.Next(x.Shape[1] / 2), int.MaxValue, random.Next(1, 3)), x) : New(new Pad(1, 1, 2), x),
        _ => Move(x),
    };

    private Node Convolution(Node x, int outputs, int side, int groups)
    {
        int perGroup = x.Shape[1] / groups, stride = x.Shape[2] > 4 && x.Shape[3] > 4 ? random.Next(1, 3) : 1;
        int dilation = side > 1 && random.Next(4) == 0 ? 2 : 1;
        Conv conv = new(Size.Square(stride), Padding.All(side / 2 * dilation), Size.Square(dilation), groups);
        Node weights = Weight("weight", RandomTensors.Kernel([outputs, perGroup, side, side], Seed()));
        return random.Next(2) == 0 ? New(conv, x, weights) : New(conv, x, weights, Weight("bias", RandomTensors.Normal([outputs], Seed(), 0.2)));
    }

    private Node Grouped(Node x)
    {
        int groups = new[] { 4, 3, 2, 1 }.First(groups => x.Shape[1] % groups == 0);
        return Convolution(x, groups * random.Next(1, 7), random.Next(2) == 0 ? 1 : 3, groups);
    }

    private Node Sum(Node x)
    {
        Node? other = values.LastOrDefault(value => value != x && value.Shape == x.Shape);
        Op op = random.Next(4) switch { 0 => new Mul(), 1 => new Sub(), _ => new Add() };
        return other is not null ? New(op, x, other) : New(op, x, Weight("addend", RandomTensors.Normal([x.Shape[1], 1, 1], Seed())));
    }

    private Node Join(Node x)
    {
        int axis = random.Next(4) == 0 ? 2 : 1;
        ImmutableArray<Node> fitting =
            [.. values.Where(value => value.Shape.Rank == 4 && value.Shape.With(axis, 1) == x.Shape.With(axis, 1) && value.Shape[axis] < 40)];
        return New(new Concat(axis), [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => fitting.Length > 0 ? Pick(fitting) : x), x]);
    }

    private Node Pool(Node x)
    {
        Size kernel = new(Math.Min(x.Shape[2], random.Next(2, 4)), Math.Min(x.Shape[3], random.Next(2, 4))), stride = Size.Square(random.Next(1, 3));
        Padding padding = kernel is { Height: 3, Width: 3 } ? Padding.All(1) : default;
        return random.Next(2) == 0
            ? New(new MaxPool(kernel, stride, padding, Size.One, random.Next(2) == 0), x)
            : New(new AveragePool(kernel, stride, padding, random.Next(2) == 0, random.Next(2) == 0), x);
    }

    private Node Scale(Node x)
    {
        Size size = new(Math.Max(1, x.Shape[2] + random.Next(-1, 4)), x.Shape[3] + random.Next(4));
        return New(new Resize(size, (ResizeMode)random.Next(2), (CoordinateMode)random.Next(4)), x);
    }

    private Node Move(Node x) => random.Next(4) switch
    {
        0 => New(new Transpose([0, 1, 3, 2]), x),
        1 => New(new Reshape([0, 0, x.Shape[3], -1]), x),
        2 when x.Shape[1] % 2 == 0 => New(new Reshape([0, 0, 0, 0]), New(new Reshape([0, x.Shape[1] / 2, x.Shape[2], -1]), x)),
        3 => New(new Unsqueeze([0]), New(new Squeeze([0]), Batch(x))) is { Shape.Rank: 4 } one && one.Shape[0] == x.Shape[0] ? one : New(new Identity(), x),
        _ => New(new Dropout(), x),
    };

    private Node Batch(Node x) => x.Shape[0] == 1 ? x : New(new Slice(0, 0, 1), x);

    private Node Head(Node x) => random.Next(5) switch
    {
        0 => x,
        1 => New(new Softmax(1), x),
        2 => New(new ReduceMean([2, 3], random.Next(2) == 0), x),
        3 when x.Shape.Elements / x.Shape[0] < 5000 => Classify(New(new Flatten(), x)),
        _ => Classify(New(new Flatten(), New(new GlobalAveragePool(), x))),
    };

    private Node Classify(Node x)
    {
        Node weights = Weight("weight", RandomTensors.Kernel([10, x.Shape[1]], Seed()));
        return New(new Softmax(), New(new Gemm(TransposeB: true), x, weights, Weight("bias", RandomTensors.Normal([10], Seed()))));
    }

    private Activation Activation() => random.Next(7) switch
    {
        0 => new Clip(0, 6),
        1 => new LeakyRelu(0.1f),
        2 => new Sigmoid(),
        3 => new HardSwish(),
        4 => new Tanh(),
        _ => new Relu(),
    };

    private Node Vector(Node x, string role, double mean = 0) => Weight(role, RandomTensors.Normal([x.Shape[1]], Seed(), 0.3, mean));

    private Node Variance(Node x) => Weight("variance", RandomTensors.Uniform([x.Shape[1]], Seed(), 0.5, 2));

    private Node New(Op op, params ImmutableArray<Node> inputs) => new(Name(op.Name), op, inputs);

    private Node Weight(string role, Tensor value) => Node.Weight(Name(role), value);

    private string Name(string what) => string.Create(CultureInfo.InvariantCulture, $"{what.ToLowerInvariant()}{count++}");

    private int Seed() => seed * 1000 + count;

    private Node Recent() => values[^random.Next(1, Math.Min(values.Count, 3) + 1)];

    private T Pick<T>(ImmutableArray<T> choices) => choices[random.Next(choices.Length)];
}
