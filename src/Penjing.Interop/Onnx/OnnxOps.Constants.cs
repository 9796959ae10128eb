using System.Collections.Immutable;

namespace Penjing.Interop;

/// <content>Constants, shapes, and what is decided when the network is read.</content>
internal static partial class OnnxOps
{
    private static (string, Builder)[] Constants =>
    [
        ("Constant", Constant),
        ("ConstantOfShape", ConstantOfShape),
        ("Shape", ShapeOf),
        ("Size", SizeOf),
        ("Range", Range),
        ("EyeLike", EyeLike),
        ("NonZero", NonZero),
        ("If", If),
    ];

    private static Node Constant(OnnxNode node)
    {
        node.Takes(0, 0);
        return node.Constant(node.Tensor("value") ?? node.Sparse("sparse_value")
            ?? (node.Floats("value_floats") is { } floats ? Tensor.Of<float>([floats.Length], floats.AsSpan()) : null)
            ?? (node.Longs("value_ints") is { } ints ? Tensor.Of<long>([ints.Length], ints.AsSpan()) : null)
            ?? (node.Has("value_float") ? Tensor.Of<float>([], node.Float("value_float", 0)) : null)
            ?? (node.Has("value_int") ? Tensor.Of<long>([], node.Int("value_int")) : null)
            ?? throw new ModelFormatException("it has no value; understood are value, sparse_value, value_float, value_floats, value_int and value_ints"));
    }

    private static Node ConstantOfShape(OnnxNode node)
    {
        node.Takes(1, 1);
        Tensor value = node.Tensor("value") ?? Tensor.Of<float>([1], 0);
        if (value.Shape.Elements != 1) throw new ModelFormatException($"its value is one element, not {value}");
        Shape shape = OnnxTensors.Shape(node.Longs(0, "the shape"));
        node.Import.Tensors.Charge((long)shape.Elements * value.Type.Size());
        return Stating(node, node[0], node.Constant(Fill(value, shape)));
    }

    /// <summary>A tensor that has one value everywhere.</summary>
    private static Tensor Fill(Tensor value, Shape shape)
    {
        ReadOnlySpan<byte> element = value.Bytes.Span;
        var bytes = new byte[checked(shape.Elements * element.Length)];
        for (int at = 0; at < bytes.Length; at += element.Length) element.CopyTo(bytes.AsSpan(at));
        return new(value.Type, shape, bytes);
    }

    /// <summary>A constant that is as much of shapes as what it was computed from.</summary>
    private static Node Stating(OnnxNode node, Node source, Node constant) => node.Import.IsOfShapes(source) ? node.Import.OfShapes(constant) : constant;

    /// <summary>Shapes are known when the network is read.</summary>
    private static Node ShapeOf(OnnxNode node)
    {
        node.Takes(1, 1);
        Shape shape = node[0].Shape;
        int start = Clamped(node.Int("start", 0)), end = Clamped(node.Int("end", long.MaxValue));
        long[] extents = [.. shape.Skip(start).Take(Math.Max(0, end - start)).Select(extent => (long)extent)];
        return node.Import.OfShapes(node.Constant(Tensor.Of<long>([extents.Length], extents)));

        int Clamped(long axis) => (int)Math.Clamp(axis < 0 ? axis + shape.Rank : axis, 0, shape.Rank);
    }

    private static Node SizeOf(OnnxNode node)
    {
        node.Takes(1, 1);
        return node.Import.OfShapes(node.Constant(Tensor.Of<long>([], node[0].Shape.Elements)));
    }

    private static Node Range(OnnxNode node)
    {
        node.Takes(3, 3);
        Tensor[] given = [node.Known(0, "the start"), node.Known(1, "the limit"), node.Known(2, "the delta")];
        ElementType type = given[0].Type;
        if (given.Any(value => value.Shape.Elements != 1 || value.Type != type || type is ElementType.Bool))
            throw new ModelFormatException($"start, limit and delta are one number each, not {string.Join<Tensor>(", ", given)}");
        bool whole = type.IsInteger();
        double[] wide = [.. given.Select(value => Reference.Evaluate(new Cast(ElementType.Float64), [value]).AsSpan<double>()[0])];
        (double start, double limit, double delta) = (wide[0], wide[1], wide[2]);
        double exact = Math.Ceiling((limit - start) / delta);
        if (delta == 0 || !double.IsFinite(exact)) throw new ModelFormatException($"from {start} to {limit} by {delta} there is no end");
        node.Import.Tensors.Charge(exact > int.MaxValue ? long.MaxValue : Math.Max(0, (long)exact) * 16);
        int count = Math.Max(0, (int)exact);
        Tensor numbers = whole
            ? Tensor.Build<long>([count], values => { for (int i = 0; i < count; i++) values[i] = (long)start + i * (long)delta; })
            : Tensor.Build<double>([count], values => { for (int i = 0; i < count; i++) values[i] = start + i * delta; });
        Node constant = node.Constant(Reference.Evaluate(new Cast(type), [numbers]));
        return Enumerable.Range(0, 3).Any(i => node.Import.IsOfShapes(node[i])) ? node.Import.OfShapes(constant) : constant;
    }

    private static Node EyeLike(OnnxNode node)
    {
        node.Takes(1, 1);
        Shape shape = node[0].Shape;
        if (shape.Rank != 2) throw new ModelFormatException($"{shape} is no matrix");
        ElementType type = node.Int("dtype", 0) is var said && said != 0 ? OnnxTensors.Type(OnnxNode.Small(said, "dtype")) : node[0].Info.Type;
        long k = node.Int("k", 0);
        node.Import.Tensors.Charge((long)shape.Elements * (4 + type.Size()));
        Tensor eye = Tensor.Build<float>(shape, values =>
        {
            for (long row = 0; row < shape[0]; row++)
                if (k > -shape[0] && k < shape[1] && row + k >= 0 && row + k < shape[1]) values[(int)(row * shape[1] + row + k)] = 1;
        });
        return node.Constant(Reference.Evaluate(new Cast(type), [eye]));
    }

    /// <summary>Where a value, which has to be known, is not zero: the shape hangs on it.</summary>
    private static Node NonZero(OnnxNode node)
    {
        node.Takes(1, 1);
        Tensor x = node.Known(0, "the value whose elements are counted");
        node.Import.Tensors.Charge((long)x.Shape.Elements * (8 + 16L * x.Shape.Rank));
        ReadOnlySpan<bool> held = Reference.Evaluate(new Cast(ElementType.Bool), [x]).AsSpan<bool>();
        List<int> places = [];
        for (int i = 0; i < held.Length; i++)
            if (held[i]) places.Add(i);
        return Stating(node, node[0], node.Constant(Tensor.Build<long>([x.Shape.Rank, places.Count], values =>
        {
            for (int axis = 0; axis < x.Shape.Rank; axis++)
                for (int i = 0; i < places.Count; i++) values[axis * places.Count + i] = places[i] / x.Shape.Product(axis + 1, x.Shape.Rank) % x.Shape[axis];
        })));
    }

    /// <summary>The branch that a condition, which has to be known, takes.</summary>
    private static Node If(OnnxNode node)
    {
        node.Takes(1, 1);
        Tensor condition = node.Known(0, "the condition");
        if (condition.Type is not ElementType.Bool || condition.Shape.Elements != 1)
            throw new ModelFormatException($"the condition is one BOOL, not {condition}");
        node.Ignore("then_branch", "else_branch");
        ImmutableArray<Node> values = node.Branch(condition.AsSpan<bool>()[0] ? "then_branch" : "else_branch");
        if (values.Length != node.Outputs) throw new ModelFormatException($"its branch yields {values.Length} values, not {node.Outputs}");
        if (values.Length == 0) throw new ModelFormatException("it has no outputs");
        for (int i = 1; i < values.Length; i++) node.Yield(i, values[i]);
        return values[0];
    }
}
