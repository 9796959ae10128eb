using System.Collections.Immutable;

namespace Penjing.Interop.TensorFlowLite;

/// <content>What each operation is in TensorFlow Lite.</content>
internal sealed partial class LiteGraph
{
    private int Write(Node node) => node.Op switch
    {
        QuantizeLinear op => Write(node, op),
        DequantizeLinear op => Write(node, op),
        Reinterpret op => Write(node, op),
        Conv or Gemm or ConvTranspose when node.Info.Type is not ElementType.Float32 => throw Unsaid(node, "it has no sums of integers that are not requantized at once"),
        Conv or Gemm or ConvTranspose => Write(node, node.Name, node.Info, [(Of(node.Inputs[0]), node.Inputs[0].Info)]),
        _ when node.Inputs.FirstOrDefault(input => !Takes(node.Op, input.Info)) is { } strange => throw Unsaid(node, $"it doesn't take {strange.Info.Type} there"),
        _ => Write(node, node.Name, node.Info, [.. node.Inputs.Select(input => (Of(input), input.Info))]),
    };

    /// <summary>Whether TensorFlow Lite's interpreter has an operation for values of this type.</summary>
    private static bool Takes(Op op, ValueInfo x) => x.Type switch
    {
        ElementType.Float32 => true,
        ElementType.Int8 or ElementType.UInt8 => x.Quantization is not null || op is ArgExtreme or Cast || Passes.Moves(op),
        ElementType.Int32 when op is ArgExtreme => true,
        ElementType.Int32 or ElementType.Int64 => op is Binary and not Pow or Reduction or Cast or Tile or Expand || Passes.Moves(op) && op is not (MaxPool or GlobalMaxPool),
        ElementType.Bool => op is Equal or Cast || Passes.Moves(op),
        _ => false,
    };

    /// <summary>What an operation yields for these values, which may be integers where the node computes the reals that they stand for.</summary>
    private int Write(Node node, string name, ValueInfo info, ImmutableArray<(int Number, ValueInfo Info)> from)
    {
        (int x, ValueInfo of) = from[0];
        return node.Op switch
        {
            Conv op => Write(node, op, name, info, x, of),
            ConvTranspose op => Write(node, op, name, info, x, of),
            Gemm op => Write(node, op, name, info, x, of),
            MaxPool op => Write(node, op, x, of),
            AveragePool op => Write(node, op, name, info, x, of),
            Resize op => Write(node, op, name, info, x),
            GlobalAveragePool => Add("MEAN", name, info, [x, List(node, "axes", 1, 2)], ("keep_dims", 1)),
            GlobalMaxPool => Add("REDUCE_MAX", name, info, [x, List(node, "axes", 1, 2)], ("keep_dims", 1)),
            Reduction op => Write(node, op, x, of),
            ArgExtreme op => Write(node, op, x, of),
            Softmax op when IsLast(op, node) => Add("SOFTMAX", name, info, [x], ("beta", 1)),
            LogSoftmax op when Axis(op.Axis, info.Shape.Rank) == info.Shape.Rank - 1 => Add("LOG_SOFTMAX", name, info, [x]),
            LRN op when op.Size % 2 == 1 && info.Shape.Rank == 4 => Add("LOCAL_RESPONSE_NORMALIZATION", name, info, [x],
                ("radius", op.Size / 2), ("bias", op.Bias), ("alpha", op.Alpha / op.Size), ("beta", op.Beta)),

            Activation op => Write(node, op, name, info, x, of),
            Elementwise op => Write(node, op, x, of),
            Add op => Finish(node, op.Then, name, info, (called, fused) => Pair("ADD", node, called, from, info, ("fused_activation_function", fused))),
            PRelu when node.Inputs[1].Value is { Shape.Elements: 1 } slope => Add("LEAKY_RELU", name, info, [x], ("alpha", slope.Floats[0])),
            PRelu => Pair("PRELU", node, name, from, info),
            Binary op when Pairs.GetValueOrDefault(op.GetType()) is { } type => Pair(type, node, name, from, info),

            Concat op => Add("CONCATENATION", name, info, from.Select(one => one.Number), ("axis", Axis(op.Axis, of.Shape.Rank))),
            Slice op => Sliced(node, name, info, x, [op]),
            Gather op => Add("GATHER", name, info, [x, List(node, "indices", op.Indices.AsSpan())], ("axis", Axis(op.Axis, of.Shape.Rank))),
            Pad op => Write(node, op, x, of),
            Reshape or Flatten or Squeeze or Unsqueeze => Reshaped(node, x, of),
            Transpose op => Turned(name, info, x, of.Shape.Rank != 4 ? op.Permutation : [.. toLast.Select(axis => Axis(op.Permutation[axis], 4))]),
            Expand op => Write(node, op, x, of),
            Tile op => Add("TILE", name, info, [x, List(node, "counts", LiteNode.Last(Shape.Create(op.Repeats.AsSpan())).AsSpan())]),
            Identity or Dropout => Reshaped(node, x, of),

            _ => throw Unsaid(node, "it has no such operation"),
        };
    }

    /// <summary>Operations of pairs that have their counterpart.</summary>
    private static Dictionary<Type, string> Pairs { get; } = new()
    {
        [typeof(Sub)] = "SUB", [typeof(Mul)] = "MUL", [typeof(Div)] = "DIV", [typeof(Pow)] = "POW", [typeof(Max)] = "MAXIMUM", [typeof(Min)] = "MINIMUM",
        [typeof(Less)] = "LESS", [typeof(LessOrEqual)] = "LESS_EQUAL", [typeof(Greater)] = "GREATER", [typeof(GreaterOrEqual)] = "GREATER_EQUAL", [typeof(Equal)] = "EQUAL",
    };

    /// <summary>Functions of elements that have their counterpart.</summary>
    private static Dictionary<UnaryFunction, string> Functions { get; } = new()
    {
        [UnaryFunction.Abs] = "ABS", [UnaryFunction.Ceil] = "CEIL", [UnaryFunction.Cos] = "COS", [UnaryFunction.Exp] = "EXP", [UnaryFunction.Floor] = "FLOOR",
        [UnaryFunction.Log] = "LOG", [UnaryFunction.Neg] = "NEG", [UnaryFunction.Round] = "ROUND", [UnaryFunction.Sin] = "SIN", [UnaryFunction.Sqrt] = "SQRT",
    };

    /// <summary>Reductions that have their counterpart.</summary>
    private static Dictionary<Type, string> Reductions { get; } = new()
    {
        [typeof(ReduceMean)] = "MEAN", [typeof(ReduceSum)] = "SUM", [typeof(ReduceProd)] = "REDUCE_PROD", [typeof(ReduceMax)] = "REDUCE_MAX", [typeof(ReduceMin)] = "REDUCE_MIN",
    };

    private static bool IsLast(Softmax op, Node node) => Axis(op.Axis, node.Shape.Rank) == node.Shape.Rank - 1;

    /// <summary>What the fused activation makes of a value: fused there too where TensorFlow Lite knows it so.</summary>
    private int Finish(Node node, Activation? then, string name, ValueInfo info, Func<string, double, int> add)
    {
        double fused = then switch { Relu => 1, Clip(-1, 1) => 2, Clip(0, 6) => 3, _ => 0 };
        return then is null || fused > 0 ? add(name, fused) : Write(node, then, name, info, add($"{name}/unactivated", 0), info);
    }

    private int Write(Node node, Activation op, string name, ValueInfo info, int x, ValueInfo of)
    {
        return op switch
        {
            Relu => Add("RELU", name, info, [x]),
            Clip(0, 6) => Add("RELU6", name, info, [x]),
            Clip clip => float.IsPositiveInfinity(clip.Max) ? Least(name) : Add("MINIMUM", name, info, [float.IsNegativeInfinity(clip.Min) ? x : Least($"{name}/least"), Bound($"{name}/max", of, clip.Max)]),
            LeakyRelu leaky => Add("LEAKY_RELU", name, info, [x], ("alpha", leaky.Alpha)),
            Sigmoid => Add("LOGISTIC", name, info, [x]),
            Tanh => Add("TANH", name, info, [x]),
            HardSwish => Add("HARD_SWISH", name, info, [x]),
            HardSigmoid hard => Add("MINIMUM", name, info, [Add("RELU", $"{name}/positive", info, [Line(hard)]), Bound($"{name}/one", of, 1)]),
            _ => throw Unsaid(node, "it has no such activation"),
        };

        int Least(string called) => Add("MAXIMUM", called, info, [x, Bound($"{name}/min", of, ((Clip)op).Min)]);

        int Line(HardSigmoid hard) => Add("ADD", $"{name}/line", info, [Add("MUL", $"{name}/scaled", info, [x, Bound($"{name}/alpha", of, hard.Alpha)]), Bound($"{name}/beta", of, hard.Beta)]);
    }

    /// <summary>A scalar like a value's elements: a number, or the integer that stands for it.</summary>
    private int Bound(string name, ValueInfo like, float value) => like.Quantization is { } quantization
        ? Stored(name, Reference.Evaluate(new Cast(like.Type), [Tensor.Of<int>([], quantization.Nearest(value, like.Type))]), quantization)
        : Stored(name, Reference.Evaluate(new Cast(like.Type), [Tensor.Of<float>([], value)]));

    private int Write(Node node, Elementwise op, int x, ValueInfo of) => op switch
    {
        Elu { Alpha: 1 } => Add("ELU", node, [x]),
        Cast { To: var to } when of.Quantization is null && to is ElementType.Float32 or ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.Int32 or ElementType.Int64 or ElementType.Bool => Add("CAST", node, [x], ("in_data_type", LiteFile.Types.IndexOf(of.Type)), ("out_data_type", LiteFile.Types.IndexOf(to))),
        Unary { Function: UnaryFunction.Reciprocal } => Add("DIV", node, [Bound($"{node.Name}/one", of, 1), x]),
        Unary unary when Functions.TryGetValue(unary.Function, out string? type) => Add(type, node, [x]),
        _ => throw Unsaid(node, "it has no such function"),
    };

    /// <summary>An operation of two values, of which one of fewer axes is given as many as the result has.</summary>
    private int Pair(string type, Node node, string name, ImmutableArray<(int Number, ValueInfo Info)> from, ValueInfo info, params ReadOnlySpan<(string, double)> options)
    {
        return Add(type, name, info, [Raised(0), Raised(1)], options);

        int Raised(int side)
        {
            (int number, ValueInfo one) = from[side];
            if (info.Shape.Rank != 4 || one.Shape.Rank is 0 or 4) return number;
            Shape raised = [.. Enumerable.Repeat(1, 4 - one.Shape.Rank), .. one.Shape];
            return node.Inputs[side].Value is { } value ? Weight($"{node.Inputs[side].Name}/raised", value.Reshape(raised)) : Reshaped(node, $"{name}/raised {side}", one with { Shape = raised }, number, one);
        }
    }

    /// <summary>The ways to resize that TensorFlow Lite has.</summary>
    private static ImmutableArray<Resize> Resizes { get; } =
    [
        new(default, ResizeMode.Linear, CoordinateMode.HalfPixel),
        new(default, ResizeMode.Linear, CoordinateMode.AlignCorners),
        new(default, ResizeMode.Linear, CoordinateMode.Asymmetric),
        new(default, ResizeMode.Nearest, CoordinateMode.Asymmetric, NearestMode.Floor),
        new(default, ResizeMode.Nearest, CoordinateMode.TfHalfPixelForNN, NearestMode.Floor),
        new(default, ResizeMode.Nearest, CoordinateMode.AlignCorners, NearestMode.RoundPreferCeil),
    ];

    /// <summary>The first way that finds each pixel where the operation finds it: by one name or another.</summary>
    private int Write(Node node, Resize op, string name, ValueInfo info, int x)
    {
        (int height, int width) = (node.Inputs[0].Shape[2], node.Inputs[0].Shape[3]);
        // Each pixel of this picture says its row and its column.
        Tensor places = Tensor.Build<float>([1, 2, height, width], values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = i < height * width ? i / width : i % width;
        });
        float[] wanted = Reference.Evaluate(op, [places]).Floats.ToArray();
        Resize way = Resizes.FirstOrDefault(way => way.Mode == op.Mode && Reference.Evaluate(way with { Output = op.Output }, [places]).Floats.ToArray().Zip(wanted).All(pair => Math.Abs(pair.First - pair.Second) < 1e-3f))
            ?? throw Unsaid(node, $"it finds no pixels by {op.Mode}, {op.Coordinates} and {op.Nearest}");
        return Add(op.Mode is ResizeMode.Linear ? "RESIZE_BILINEAR" : "RESIZE_NEAREST_NEIGHBOR", name, info, [x, List(node, "size", op.Output.Height, op.Output.Width)],
            ("align_corners", way.Coordinates is CoordinateMode.AlignCorners ? 1 : 0), ("half_pixel_centers", way.Coordinates is CoordinateMode.HalfPixel or CoordinateMode.TfHalfPixelForNN ? 1 : 0));
    }

    private int Write(Node node, Reduction op, int x, ValueInfo of)
    {
        if (!Reductions.TryGetValue(op.GetType(), out string? type)) throw Unsaid(node, "it has no such reduction");
        int rank = of.Shape.Rank;
        int[] axes = [.. op.Axes.Count == 0 ? Enumerable.Range(0, rank) : op.Axes.Select(axis => axis < 0 ? axis + rank : axis)];
        ValueInfo kept = of with { Shape = [.. of.Shape.Select((extent, axis) => axes.Contains(axis) ? 1 : extent)] };
        bool keep = op.KeepDims || rank == 4;
        int reduced = Add(type, op.KeepDims || !keep ? node.Name : $"{node.Name}/kept", keep ? kept : node.Info, [x, List(node, "axes", [.. axes.Select(axis => Axis(axis, rank))])], ("keep_dims", keep ? 1 : 0));
        return op.KeepDims || !keep ? reduced : Reshaped(node, reduced, kept);
    }

    private int Write(Node node, ArgExtreme op, int x, ValueInfo of)
    {
        if (op.SelectLast) throw Unsaid(node, "of equal elements it takes the first");
        ValueInfo bare = node.Info with { Shape = LastWithout(of.Shape, op.Axis) };
        int axis = Stored($"{node.Name}/axis", Tensor.Of<int>([], Axis(op.Axis, of.Shape.Rank)));
        int index = Add(op is ArgMax ? "ARG_MAX" : "ARG_MIN", $"{node.Name}/bare", bare, [x, axis], ("output_type", LiteFile.Types.IndexOf(ElementType.Int64)));
        // What is left is in TensorFlow Lite's order: of pictures, that of N, H, W, C without an axis.
        return Add("RESHAPE", node, [index, List(node, "shape", LiteNode.Last(Ordered()).AsSpan())]);

        Shape Ordered() => of.Shape.Rank != 4 || op.KeepDims || op.Axis is 1 or -3 || of.Shape[1] == 1 || of.Shape[2] * of.Shape[3] == 1 ? node.Shape
            : throw Unsaid(node, "of pictures it is found along channels alone");
    }

    private static Shape LastWithout(Shape shape, int axis)
    {
        int gone = Axis(axis, shape.Rank);
        return [.. LiteNode.Last(shape).Where((_, at) => at != gone)];
    }
}
