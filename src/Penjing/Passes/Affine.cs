using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>y = Scale · x + Shift for each channel (axis 1) of a value.</summary>
internal sealed record Affine(Node X, double[] Scale, double[] Shift)
{
    /// <summary>Conv | ConvTranspose | Gemm, then an affine node that is its only reader => one node with other weights and bias.</summary>
    public static Node? Fold(Node node, Func<Node, int> readers)
    {
        if (Of(node) is not { } affine || readers(affine.X) != 1) return null;
        ImmutableArray<Node> inputs = affine.X.Inputs;
        if (!inputs.Skip(1).All(IsWeight)) return null;
        Op? op = affine.X.Op switch
        {
            Conv { Then: null } conv => conv,
            ConvTranspose conv => conv,
            Gemm { Then: null } gemm when inputs.Length == 2 || PerChannel(inputs[2].Value!, affine.X.Shape) is not null => gemm with { Beta = 1 },
            _ => null,
        };
        if (op is null) return null;
        double[] bias = inputs.Length == 2 ? new double[affine.Scale.Length] : PerChannel(inputs[2].Value!, op is Gemm ? affine.X.Shape : [1, affine.Scale.Length])!;
        double beta = (affine.X.Op as Gemm)?.Beta ?? 1;
        return new(node.Name, op, inputs[0],
            Node.Weight(Named(inputs[1], node, readers), affine.Scaled(op, inputs[1].Value!)),
            Node.Weight(inputs.Length == 2 ? $"{node.Name}/bias" : Named(inputs[2], node, readers),
                Vector([affine.Scale.Length], bias.Select((b, c) => b * beta * affine.Scale[c] + affine.Shift[c]))));
    }

    /// <summary>BatchNormalization => Conv(depthwise 1×1), or Mul, Add where there is no picture.</summary>
    public static Node? Lower(Node node, Func<Node, int> readers)
    {
        if (node.Op is not BatchNormalization || Of(node) is not { } affine) return null;
        int channels = affine.Scale.Length, rank = node.Shape.Rank;
        if (rank == 4)
            return new(node.Name, new Conv(Size.One, default, Size.One, channels), affine.X,
                Node.Weight($"{node.Name}/scale", Vector([channels, 1, 1, 1], affine.Scale)), Node.Weight($"{node.Name}/bias", Vector([channels], affine.Shift)));
        Shape shape = [channels, .. Enumerable.Repeat(1, rank - 2)];
        var scaled = new Node($"{node.Name}/scaled", new Mul(), affine.X, Node.Weight($"{node.Name}/scale", Vector(shape, affine.Scale)));
        return new(node.Name, new Add(), scaled, Node.Weight($"{node.Name}/bias", Vector(shape, affine.Shift)));
    }

    /// <summary>The node as an affine function of one input, or null where it isn't one.</summary>
    private static Affine? Of(Node node)
    {
        if (node.Op is BatchNormalization normalization)
        {
            if (!node.Inputs.Skip(1).All(IsWeight)) return null;
            Tensor[] p = [.. node.Inputs.Skip(1).Select(input => input.Value!)];
            double[] scale = [.. Enumerable.Range(0, node.Shape[1]).Select(c => p[0].Floats[c] / Math.Sqrt(p[3].Floats[c] + (double)normalization.Epsilon))];
            return new(node.Inputs[0], scale, [.. scale.Select((k, c) => p[1].Floats[c] - p[2].Floats[c] * k)]);
        }
        if (node.Op is not Binary || node.Op is Add { Then: not null } || node.Shape.Rank < 2) return null;
        bool right = IsWeight(node.Inputs[1]);
        Node x = node.Inputs[right ? 0 : 1], constant = node.Inputs[right ? 1 : 0];
        if (!IsWeight(constant) || x.Shape != node.Shape || PerChannel(constant.Value!, x.Shape) is not { } values) return null;
        double[] ones = Filled(values.Length, 1), zeros = Filled(values.Length, 0);
        return node.Op switch
        {
            Add => new(x, ones, values),
            Sub => right ? new(x, ones, [.. values.Select(value => -value)]) : new(x, Filled(values.Length, -1), values),
            Mul => new(x, values, zeros),
            Div when right => new(x, [.. values.Select(value => 1 / value)], zeros),
            _ => null,
        };
    }

    /// <summary>The weights of a Conv, ConvTranspose or Gemm whose outputs are scaled; axis 1 of the output is the channel.</summary>
    private Tensor Scaled(Op op, Tensor weights) => weights.Altered(weights.Type, weights.Shape, bytes =>
    {
        weights.Fill(bytes);
        Rescale(op, weights.Shape, MemoryMarshal.Cast<byte, float>(bytes));
    });

    private void Rescale(Op op, Shape shape, Span<float> scaled)
    {
        // The weights of one channel that follow each other: all of it in a Conv, a row of a transposed Gemm, a kernel of a ConvTranspose.
        int inner = shape.Product(op is Conv or Gemm { TransposeB: true } ? 1 : 2, shape.Rank);
        for (int run = 0, at = 0; at < scaled.Length; run++, at += inner)
        {
            int channel = op switch
            {
                Gemm { TransposeB: false } => run % shape[1],
                ConvTranspose conv => run / shape[1] / (shape[0] / conv.Groups) * shape[1] + run % shape[1],
                _ => run,
            };
            Multiply(scaled.Slice(at, inner), Scale[channel]);
        }
    }

    /// <summary>Values become their products, in double precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(Span<float> values, double scale)
    {
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            System.Numerics.Vector.Widen(new Vector<float>(values[i..]), out Vector<double> low, out Vector<double> high);
            System.Numerics.Vector.Narrow(low * scale, high * scale).CopyTo(values[i..]);
        }
        for (; i < values.Length; i++) values[i] = (float)(values[i] * scale);
    }

    /// <summary>A constant as one value for each channel of <paramref name="x"/>, or null where it varies along another axis or is not of x's rank or less.</summary>
    private static double[]? PerChannel(Tensor constant, Shape x)
    {
        int rank = x.Rank, channels = x[1];
        if (constant.Shape.Rank > rank) return null;
        for (int back = 1; back <= constant.Shape.Rank; back++)
            if (constant.Shape[-back] != (rank - back == 1 && constant.Shape[-back] != 1 ? channels : 1)) return null;
        return [.. Enumerable.Range(0, channels).Select(c => (double)constant.Floats[constant.Shape.Elements == 1 ? 0 : c])];
    }

    private static bool IsWeight(Node node) => node.Op is Constant { Quantization: null, Value.Type: ElementType.Float32 };

    /// <summary>The name of a weight's successor: its own where only one node reads it.</summary>
    private static string Named(Node weight, Node node, Func<Node, int> readers) => readers(weight) <= 1 ? weight.Name : $"{node.Name}/{weight.Name}";

    private static double[] Filled(int count, double value) => [.. Enumerable.Repeat(value, count)];

    private static Tensor Vector(Shape shape, IEnumerable<double> values) => Tensor.Of<float>(shape, [.. values.Select(value => (float)value)]);
}
