using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>What brings values to a common scale; all but BatchNormalization, LRN and the Softmaxes is taken apart.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Normalizations =>
    [
        ("BatchNormalization", BatchNormalization),
        ("InstanceNormalization", InstanceNormalization),
        ("GroupNormalization", GroupNormalization),
        ("LayerNormalization", LayerNormalization),
        ("RMSNormalization", RmsNormalization),
        ("MeanVarianceNormalization", MeanVarianceNormalization),
        ("LpNormalization", LpNormalization),
        ("LRN", node => One(node, new LRN(node.Float("alpha", 1e-4f), node.Float("beta", 0.75f), node.Float("bias", 1), node.Small("size", 0)))),
        ("Softmax", node => Coerced(node, axis => new Softmax(axis))),
        ("LogSoftmax", node => Coerced(node, axis => new LogSoftmax(axis))),
        ("Hardmax", node => Coerced(node, axis => new Hardmax(axis))),
    ];

    private static Node BatchNormalization(OnnxNode node)
    {
        node.Takes(5, 5);
        node.Ignore("is_test", "consumed_inputs");
        if (node.Version < 9) node.Only("spatial", 1);
        float epsilon = node.Float("epsilon", 1e-5f), momentum = node.Float("momentum", 0.9f);
        if (node.Version >= 14 && node.Flag("training_mode")) return Trained(node, epsilon, momentum);
        foreach (int output in Enumerable.Range(1, 4))
            node.Yield(output, () => throw new ModelFormatException(
                $"output {output} of '{node.Where}' is one of training, but something reads it: export the network for inference"));
        return node.Make(new BatchNormalization(epsilon), node.All());
    }

    /// <summary>By the batch's own mean and variance; the running ones move towards those.</summary>
    private static Node Trained(OnnxNode node, float epsilon, float momentum)
    {
        Node x = node[0];
        if (x.Shape.Rank < 2) throw new ModelFormatException($"it takes N×C and more axes, not {x.Shape}");
        Ints axes = [.. Enumerable.Range(0, x.Shape.Rank).Where(axis => axis != 1)];
        Node mean = node.Part("mean", new ReduceMean(axes, false), x),
            centred = node.Part("centred", new Sub(), x, Channelwise(node, mean, x, "mean of channels"));
        Node variance = node.Part("variance", new ReduceMean(axes, false), node.Part("squares", new Mul(), centred, centred));
        node.Yield(1, Running(1, node[3], mean));
        node.Yield(2, Running(2, node[4], variance));
        return node.Make(new BatchNormalization(epsilon), x, node[1], node[2], mean, variance);

        Node Running(int output, Node before, Node now) => node.Make(output, new Add(),
            node.Part($"{output}/old", new Mul(), before, node.Number($"{output}/momentum", before, momentum)),
            node.Part($"{output}/new", new Mul(), now, node.Number($"{output}/rest", now, 1 - momentum)));
    }

    private static Node InstanceNormalization(OnnxNode node)
    {
        node.Takes(3, 3);
        node.Ignore("consumed_inputs");
        Node x = node[0];
        if (x.Shape.Rank < 3) throw new ModelFormatException($"it takes pictures, not {x.Shape}");
        Node normal = Normal(node, x, [.. Enumerable.Range(2, x.Shape.Rank - 2)], node.Float("epsilon", 1e-5f)).Value;
        return Affine(node, normal, Channelwise(node, node[1], x, "scale"), Channelwise(node, node[2], x, "bias"));
    }

    /// <summary>Scale and bias are of the groups at opset 18, of the channels since.</summary>
    private static Node GroupNormalization(OnnxNode node)
    {
        node.Takes(3, 3);
        node.Ignore("stash_type");
        Node x = node[0];
        int groups = node.Small("num_groups", 0), channels = x.Shape.Rank > 2 ? x.Shape[1] : 0;
        if (groups < 1 || channels % groups != 0 || channels == 0) throw new ModelFormatException($"the channels of {x.Shape} don't fall into {groups} groups");
        Node grouped = node.Part("groups", new Reshape([0, groups, -1]), x);
        Node normal = Normal(node, grouped, [2], node.Float("epsilon", 1e-5f)).Value;
        if (node.Version >= 21)
            return Affine(node, node.Part("channels", new Reshape([0, .. x.Shape.AsSpan()[1..]]), normal), Channelwise(node, node[1], x, "scale"),
                Channelwise(node, node[2], x, "bias"));
        Node scaled = node.Part("scaled", new Mul(), normal, Channelwise(node, node[1], grouped, "scale"));
        return node.Make(new Reshape([0, .. x.Shape.AsSpan()[1..]]), node.Part("shifted", new Add(), scaled, Channelwise(node, node[2], grouped, "bias")));
    }

    private static Node LayerNormalization(OnnxNode node)
    {
        node.Takes(2, 3);
        node.Ignore("stash_type");
        Node x = node[0];
        (Node value, Node mean, Node inverse) = Normal(node, x, From(node.Small("axis", -1), x.Shape.Rank), node.Float("epsilon", 1e-5f));
        node.Yield(1, () => node.Make(1, new Identity(), mean));
        node.Yield(2, () => node.Make(2, new Identity(), inverse));
        return Affine(node, value, node[1], node.Optional(2));
    }

    private static Node RmsNormalization(OnnxNode node)
    {
        node.Takes(2, 2);
        node.Ignore("stash_type");
        Node x = node[0], squares = node.Part("mean-square", new ReduceMean(From(node.Small("axis", -1), x.Shape.Rank)), node.Part("squares", new Mul(), x, x));
        Node root = node.Part("root", new Unary(UnaryFunction.Sqrt),
            node.Part("safe", new Add(), squares, node.Number("epsilon", x, node.Float("epsilon", 1e-5f))));
        return node.Make(new Mul(), node.Part("normal", new Div(), x, root), node[1]);
    }

    private static Node MeanVarianceNormalization(OnnxNode node)
    {
        node.Takes(1, 1);
        Ints axes = node.Ints("axes") ?? [0, 2, 3];
        Node x = node[0], centred = node.Part("centred", new Sub(), x, node.Part("mean", new ReduceMean(axes), x));
        Node deviation = node.Part("deviation", new Unary(UnaryFunction.Sqrt),
            node.Part("variance", new ReduceMean(axes), node.Part("squares", new Mul(), centred, centred)));
        return node.Make(new Div(), centred, node.Part("safe", new Add(), deviation, node.Number("epsilon", x, 1e-9)));
    }

    private static Node LpNormalization(OnnxNode node)
    {
        node.Takes(1, 1);
        Ints axes = [node.Small("axis", -1)];
        Op norm = node.Int("p", 2) switch
        {
            1 => new ReduceL1(axes),
            2 => new ReduceL2(axes),
            var p => throw new ModelFormatException($"the attribute 'p' is {p}; understood are 1 and 2"),
        };
        Node length = node.Part("norm", norm, node[0]), none = node.Number("zero", length, 0);
        Node divisor = node.Part("safe", new Where(), node.Part("is-zero", new Equal(), length, none), node.Number("one", length, 1), length);
        return node.Make(new Div(), node[0], divisor);
    }

    /// <summary>x less its mean, by the root of its variance and epsilon; the mean; and the reciprocal of that root.</summary>
    private static (Node Value, Node Mean, Node Inverse) Normal(OnnxNode node, Node x, Ints axes, float epsilon)
    {
        Node mean = node.Part("mean", new ReduceMean(axes), x), centred = node.Part("centred", new Sub(), x, mean);
        Node variance = node.Part("variance", new ReduceMean(axes), node.Part("squares", new Mul(), centred, centred));
        Node root = node.Part("root", new Unary(UnaryFunction.Sqrt), node.Part("safe", new Add(), variance, node.Number("epsilon", variance, epsilon)));
        Node inverse = node.Part("inverse", new Unary(UnaryFunction.Reciprocal), root);
        return (node.Part("normal", new Mul(), centred, inverse), mean, inverse);
    }

    private static Node Affine(OnnxNode node, Node normal, Node scale, Node? bias) => bias is null
        ? node.Make(new Mul(), normal, scale)
        : node.Make(new Add(), node.Part("scaled", new Mul(), normal, scale), bias);

    /// <summary>A vector that broadcasts along axis 1 of a value.</summary>
    private static Node Channelwise(OnnxNode node, Node vector, Node like, string role) => vector.Shape.Rank == 1
        ? node.Part($"{role}/wide", new Unsqueeze([.. Enumerable.Range(1, like.Shape.Rank - 2)]), vector)
        : throw new ModelFormatException($"its {role} is a vector, not {vector.Shape}");

    /// <summary>All axes from one on.</summary>
    private static Ints From(int axis, int rank)
    {
        if (axis < -rank || axis >= rank) throw new ModelFormatException($"axis {axis} lies outside a value of {rank} axes");
        if (axis < 0) axis += rank;
        return [.. Enumerable.Range(axis, rank - axis)];
    }

    /// <summary>Before opset 13 the axes from one on (1 by default) count as one; since, the axis is one, by default the last.</summary>
    private static Node Coerced(OnnxNode node, Func<int, Op> op)
    {
        node.Takes(1, 1);
        Node x = node[0];
        if (node.Version >= 13) return node.Make(op(node.Small("axis", -1)), x);
        int given = node.Small("axis", 1), axis = given < 0 ? given + x.Shape.Rank : given;
        if (axis < 0 || axis > x.Shape.Rank) throw new ModelFormatException($"axis {given} lies outside {x.Shape}");
        int[] wide = [.. Enumerable.Range(axis, x.Shape.Rank - axis).Where(i => x.Shape[i] != 1)];
        if (axis < x.Shape.Rank && wide.Length <= 1) return node.Make(op(wide.Length == 1 ? wide[0] : given), x);
        Node flat = node.Part("rows", op(1), node.Part("flat", new Flatten(axis), x));
        return node.Make(new Reshape(axis == 0 ? x.Shape.Extents : [axis == 1 ? 0 : x.Shape[0], .. x.Shape.AsSpan()[1..]]), flat);
    }
}
