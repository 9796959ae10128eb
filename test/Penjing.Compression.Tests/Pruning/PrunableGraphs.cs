using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>
/// Seeded networks of the blocks that make pruning hard: residual sums, dense concatenations, depthwise convolutions with multipliers, grouped convolutions
/// with shuffles, squeeze-and-excite, splits, transposed convolutions, PRelu, added channels, comparisons, flattening heads.
/// </summary>
internal sealed class PrunableGraphs
{
    private readonly Random random;
    private readonly int seed;
    private int count;

    private PrunableGraphs(int seed)
    {
        this.seed = seed;
        random = new(seed);
    }

    /// <summary>The network of a seed.</summary>
    public static Graph Network(int seed) => new PrunableGraphs(seed).Build();

    private Graph Build()
    {
        Node x = new("input", new Input(ElementType.Float32, [random.Next(1, 3), random.Next(1, 4), 7, 6]));
        x = Behind(Conv(x, 4 * random.Next(2, 5), 3));
        for (int i = random.Next(2, 5); i > 0; i--) x = Block(x);
        return new(Head(x));
    }

    private Node Block(Node x) => random.Next(17) switch
    {
        0 => New(new Add(), x, Behind(Conv(Behind(Conv(x, 6, 1)), Channels(x), 3))),
        1 => New(new Concat(1), x, Behind(Conv(x, 5, 3))),
        2 => Separable(x),
        3 or 4 => Shuffled(x),
        5 => Excited(x),
        6 => Split(x),
        7 => Behind(Transposed(x)),
        8 => New(new PRelu(), x, Weight(RandomTensors.Normal([Channels(x), 1, 1], Seed()))),
        9 => Residual(x),
        10 => Wider(x),
        11 => Chosen(x),
        12 => Spread(x),
        13 => Curved(x),
        14 => New(new Tile([1, 2, 1, 1]), x),
        15 => Normalized(x),
        _ => Moved(x),
    };

    private Node Separable(Node x)
    {
        int multiplier = random.Next(1, 3);
        Node deep = Behind(Conv(x, Channels(x) * multiplier, 3, Channels(x)));
        return Behind(Conv(deep, 8, 1));
    }

    private Node Shuffled(Node x)
    {
        int groups = random.Next(2, 4), width = groups * groups * random.Next(1, 3);
        Node wide = Behind(Conv(x, width, 1));
        Node first = Shuffle(Behind(Conv(wide, width, 1, groups)), groups);
        Node deep = Behind(Conv(first, width, 3, width));
        Node second = Conv(deep, width, 1, groups);
        return random.Next(2) == 0 ? New(new Relu(), New(new Add(), wide, second)) : Behind(second);
    }

    /// <summary>A shuffle as the Gather that it is, or as it is written in other frameworks.</summary>
    private Node Shuffle(Node x, int groups)
    {
        Shape shape = x.Shape;
        if (random.Next(2) == 0) return New(Gather.Shuffle(shape[1], groups), x);
        Node parted = New(new Reshape([0, groups, shape[1] / groups, shape[2], shape[3]]), x);
        return New(new Reshape([0, shape[1], shape[2], shape[3]]), New(new Transpose([0, 2, 1, 3, 4]), parted));
    }

    /// <summary>A shortcut with channels of a constant, as in the residual networks for CIFAR.</summary>
    private Node Wider(Node x)
    {
        int more = random.Next(1, 5);
        return New(new Add(), New(new Pad(1, more, 0, Value: random.Next(2)), x), Behind(Conv(x, Channels(x) + more, 3)));
    }

    private Node Chosen(Node x)
    {
        Node small = New(new Less(), x, Weight(RandomTensors.Normal([1, Channels(x), 1, 1], Seed())));
        return New(new Where(), small, New(new Mul(), x, Weight(RandomTensors.Normal([1], Seed()))), Behind(Conv(x, Channels(x), 1)));
    }

    /// <summary>A gate of a channel's largest or mean square over the picture, written out to the picture's size.</summary>
    private Node Spread(Node x)
    {
        Node gate = random.Next(2) == 0 ? New(new GlobalMaxPool(), x) : New(new ReduceSumSquare([-1, 2]), x);
        return New(new Max(), x, New(new Expand(random.Next(2) == 0 ? x.Shape : [1, x.Shape[2], 1]), gate));
    }

    private Node Curved(Node x) => random.Next(5) switch
    {
        0 => New(new Unary(UnaryFunction.Softplus), x),
        1 => New(new Gelu(false), x),
        2 => New(new Cast(ElementType.Float32), New(new Cast(ElementType.Float16), x)),
        3 => New(new DequantizeLinear(), New(new QuantizeLinear(ElementType.Int8, new(0.05f, 3)), x)),
        _ => New(new Div(), x, New(new Sub(), Weight(RandomTensors.Normal([1], Seed(), 0.1, 3)), New(new Tanh(), x))),
    };

    /// <summary>By neighbouring channels, which all have to stay then, or by each channel's picture.</summary>
    private Node Normalized(Node x)
    {
        if (random.Next(3) == 0) return New(new LRN(0.1f, 0.75f, 1, 3), x);
        Node centred = New(new Sub(), x, New(new ReduceMean([2, 3]), x));
        return New(new Div(), centred, New(new Add(), New(new ReduceMax([2, 3]), centred), Weight(RandomTensors.Uniform([1], Seed(), 1, 2))));
    }

    private Node Excited(Node x)
    {
        Node squeezed = New(new Flatten(), New(new GlobalAveragePool(), x)), gate = Gemm(New(new Relu(), Gemm(squeezed, 4)), Channels(x));
        Node spread = random.Next(2) == 0 ? New(new Reshape([0, -1, 1, 1]), gate) : New(new Unsqueeze([2, 3]), gate);
        return New(new Mul(), x, New(new Sigmoid(), spread));
    }

    private Node Split(Node x)
    {
        int half = Channels(x) / 2;
        Node left = New(new Slice(1, 0, half), x), right = New(new Slice(1, half, int.MaxValue, random.Next(1, 3)), x);
        return New(new Concat(1), New(new Pad(1, 1, -1, Value: 0.5f), Behind(Conv(left, 6, 1))), right);
    }

    private Node Transposed(Node x)
    {
        bool deep = random.Next(2) == 0;
        int groups = deep ? Channels(x) : 1, outputs = deep ? Channels(x) : 7;
        ConvTranspose conv = new(Size.Square(2), Padding.All(1), Size.One, Size.One, groups);
        return New(conv, x, Weight(RandomTensors.Normal([Channels(x), outputs / groups, 3, 3], Seed(), 0.3)), Weight(RandomTensors.Normal([outputs], Seed())));
    }

    private Node Residual(Node x)
    {
        // One single-channel attention map spreads over all channels, and a constant over space.
        Node map = New(new Sigmoid(), Conv(x, 1, 1));
        return New(new Add(), New(new Mul(), map, x), New(new Sub(), Conv(x, Channels(x), 1), Weight(RandomTensors.Normal([1, Channels(x), 1, 1], Seed()))));
    }

    private Node Moved(Node x)
    {
        Node turned = New(new Transpose([0, 2, 3, 1]), x);
        Node mixed = New(new MatMul(), turned, Weight(RandomTensors.Kernel([Channels(x), 9], Seed())));
        Node pooled = New(new MaxPool(Size.Square(2), Size.One), New(new Transpose([0, 3, 1, 2]), New(new Tanh(), mixed)));
        return New(new Pad(2, 1, 0, Value: 1), New(new Pad(3, 0, 1, PadMode.Edge), pooled));
    }

    private Node Head(Node x) => random.Next(4) switch
    {
        0 => Gemm(New(new Flatten(), x), 5),
        1 => Gemm(Gemm(New(new ReduceMean([2, 3], KeepDims: false), x), 6), 4),
        2 => Conv(New(new Resize(new(9, 9), ResizeMode.Linear), x), 3, 1),
        _ => New(new Softmax(1), Gemm(New(new Reshape([0, -1]), New(new AveragePool(Size.Square(2), Size.Square(2)), x)), 5)),
    };

    private Node Conv(Node x, int outputs, int side, int groups = 1)
    {
        Conv conv = new(Size.One, Padding.All(side / 2), Size.One, groups);
        Node weights = Weight(RandomTensors.Kernel([outputs, Channels(x) / groups, side, side], Seed()));
        return random.Next(2) == 0 ? New(conv, x, weights) : New(conv, x, weights, Weight(RandomTensors.Normal([outputs], Seed())));
    }

    private Node Gemm(Node x, int outputs)
    {
        bool transposed = random.Next(2) == 0;
        Node weights = Weight(RandomTensors.Normal(transposed ? [outputs, x.Shape[1]] : [x.Shape[1], outputs], Seed(), 0.2));
        Gemm gemm = new(TransposeB: transposed, Alpha: 0.5f, Beta: 2);
        return random.Next(3) switch
        {
            0 => New(gemm, x, weights),
            1 => New(gemm, x, weights, Weight(RandomTensors.Normal([1, outputs], Seed()))),
            _ => New(gemm, x, weights, Weight(RandomTensors.Normal([1], Seed()))),
        };
    }

    /// <summary>BatchNormalization and an activation, or one of them.</summary>
    private Node Behind(Node x)
    {
        if (random.Next(3) > 0)
        {
            Node Vector(double mean) => Weight(RandomTensors.Normal([Channels(x)], Seed(), 0.3, mean));
            x = New(new BatchNormalization(), x, Vector(1), Vector(0), Vector(0), Weight(RandomTensors.Uniform([Channels(x)], Seed(), 0.5, 2)));
        }
        return random.Next(4) switch { 0 => x, 1 => New(new HardSwish(), x), _ => New(new Relu(), x) };
    }

    private static int Channels(Node x) => x.Shape[1];

    private Node New(Op op, params ImmutableArray<Node> inputs) => new($"{op.Name}{count++}", op, inputs);

    private Node Weight(Tensor value) => Node.Weight($"weight{count++}", value);

    private int Seed() => seed * 1000 + count;
}
