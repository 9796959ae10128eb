using System.Numerics;

namespace Penjing;

/// <content>Operations along axes.</content>
public static partial class Reference
{
    private static Tensor Reduce(Reduction op, Tensor input, ValueInfo result)
    {
        Ints axes = op.Axes.Count == 0 ? [.. Enumerable.Range(0, input.Shape.Rank)] : op.Axes;
        return input.Type.IsFloat() ? Stored(result, Reduced(op, Reals(input), input.Shape, axes)) : Stored(result, Reduced(op, Wholes(input), input, axes));
    }

    private static double[] Reduced(Reduction op, double[] x, Shape shape, Ints axes)
    {
        (int[] to, int outputs, double count) = Places(shape, axes);
        var sums = new double[outputs];
        double[] largest = op is ReduceLogSumExp ? Reduced(new ReduceMax(axes), x, shape, axes) : [];
        Array.Fill(sums, op switch { ReduceProd => 1, ReduceMax => double.NegativeInfinity, ReduceMin => double.PositiveInfinity, _ => 0 });
        for (int i = 0; i < x.Length; i++)
            sums[to[i]] = op switch
            {
                ReduceProd => sums[to[i]] * x[i],
                ReduceMax => Math.Max(sums[to[i]], x[i]),
                ReduceMin => Math.Min(sums[to[i]], x[i]),
                ReduceL1 => sums[to[i]] + Math.Abs(x[i]),
                ReduceL2 or ReduceSumSquare => sums[to[i]] + x[i] * x[i],
                ReduceLogSumExp => sums[to[i]] + (double.IsInfinity(largest[to[i]]) ? 0 : Math.Exp(x[i] - largest[to[i]])),
                _ => sums[to[i]] + x[i],
            };
        for (int i = 0; i < sums.Length; i++)
            sums[i] = op switch
            {
                ReduceMean => sums[i] / count,
                ReduceL2 => Math.Sqrt(sums[i]),
                ReduceLogSum => Math.Log(sums[i]),
                ReduceLogSumExp => double.IsInfinity(largest[i]) ? largest[i] : largest[i] + Math.Log(sums[i]),
                _ => sums[i],
            };
        return sums;
    }

    private static Int128[] Reduced(Reduction op, Int128[] x, Tensor input, Ints axes)
    {
        (int[] to, int outputs, double count) = Places(input.Shape, axes);
        Shape one = [];
        var sums = new Int128[outputs];
        Array.Fill(sums, op switch
        {
            ReduceProd => 1,
            ReduceMax => Wholes(Stored(new(input.Type, one), [double.NegativeInfinity]))[0],
            ReduceMin => Wholes(Stored(new(input.Type, one), [double.PositiveInfinity]))[0],
            _ => 0,
        });
        for (int i = 0; i < x.Length; i++)
            sums[to[i]] = op switch
            {
                ReduceProd => unchecked(sums[to[i]] * x[i]),
                ReduceMax => Int128.Max(sums[to[i]], x[i]),
                ReduceMin => Int128.Min(sums[to[i]], x[i]),
                ReduceL1 => sums[to[i]] + Int128.Abs(x[i]),
                ReduceSumSquare => sums[to[i]] + x[i] * x[i],
                _ => sums[to[i]] + x[i],
            };
        return op is ReduceMean && count > 0 ? [.. sums.Select(sum => sum / (Int128)count)] : sums;
    }

    /// <summary>Where each element is reduced to, how many outputs there are, and how many elements each has.</summary>
    private static (int[] To, int Outputs, double Count) Places(Shape shape, Ints axes)
    {
        Shape kept = shape;
        foreach (int axis in axes.AsSpan()) kept = kept.With(axis, 1);
        return (Offsets(shape, Strides(kept, kept.Rank)), kept.Elements, axes.Aggregate(1.0, (product, axis) => product * shape[axis]));
    }

    private static Tensor Mean(Tensor input, Shape shape, Ints axes) =>
        Stored(new(ElementType.Float32, shape), Reduced(new ReduceMean(axes), Reals(input), input.Shape, axes));

    /// <summary>Along an axis, for each place of the other axes, the indices of the extreme elements, the first of equals first.</summary>
    private static IEnumerable<(int Outer, int Inner, int[] Indices)> Ranked(Tensor input, int axis, bool largest, bool last)
    {
        (int outer, int extent, int inner) = Around(input.Shape, axis);
        double[] reals = input.Type.IsFloat() ? Reals(input) : [];
        Int128[] wholes = input.Type.IsFloat() ? [] : Wholes(input);
        for (int i = 0; i < outer; i++)
            for (int j = 0; j < inner; j++)
            {
                int Place(int k) => (i * extent + k) * inner + j;
                int[] indices = [.. Enumerable.Range(0, extent)];
                Array.Sort(indices, (a, b) =>
                {
                    int order = input.Type.IsFloat() ? reals[Place(a)].CompareTo(reals[Place(b)]) : wholes[Place(a)].CompareTo(wholes[Place(b)]);
                    return order != 0 ? (largest ? -order : order) : last ? b - a : a - b;
                });
                yield return (i, j, indices);
            }
    }

    private static Tensor Extreme(ArgExtreme op, Tensor input, Shape shape) =>
        Tensor.Of(shape, [.. Ranked(input, op.Axis, op is ArgMax, op.SelectLast).Select(rank => (long)rank.Indices[0])]);

    private static Tensor Top(Extremes op, Tensor input, Shape shape)
    {
        (_, int extent, int inner) = Around(input.Shape, op.Axis);
        var from = new int[shape.Elements];
        foreach ((int i, int j, int[] indices) in Ranked(input, op.Axis, op.Largest, last: false))
            for (int k = 0; k < op.K; k++) from[(i * op.K + k) * inner + j] = (i * extent + indices[k]) * inner + j;
        return op is TopK ? Moved(input, shape, from) : Tensor.Of(shape, [.. from.Select(place => (long)(place / inner % extent))]);
    }

    private static Tensor Accumulate(CumSum op, Tensor input) => input.Type.IsFloat()
        ? Stored(new(input.Type, input.Shape), Accumulated(op, Reals(input), input.Shape))
        : Stored(new(input.Type, input.Shape), Accumulated(op, Wholes(input), input.Shape));

    private static N[] Accumulated<N>(CumSum op, N[] x, Shape shape) where N : INumber<N>
    {
        (int outer, int extent, int inner) = Around(shape, op.Axis);
        var sums = new N[x.Length];
        for (int i = 0; i < outer * inner; i++)
        {
            N sum = N.Zero;
            for (int step = 0; step < extent; step++)
            {
                int at = (i / inner * extent + (op.Reverse ? extent - 1 - step : step)) * inner + i % inner;
                N next = unchecked(sum + x[at]);
                sums[at] = op.Exclusive ? sum : next;
                sum = next;
            }
        }
        return sums;
    }

    private static Tensor Normalize(BatchNormalization normalization, ReadOnlySpan<Tensor> inputs)
    {
        Tensor input = inputs[0], scale = inputs[1], bias = inputs[2], mean = inputs[3], variance = inputs[4];
        return Tensor.Build<float>(input.Shape, output =>
        {
            ReadOnlySpan<float> x = input.Floats;
            int channels = input.Shape[1], inner = input.Shape.Product(2, input.Shape.Rank);
            for (int i = 0; i < output.Length; i++)
            {
                int c = i / inner % channels;
                output[i] = (float)((x[i] - (double)mean.Floats[c]) / Math.Sqrt(variance.Floats[c] + (double)normalization.Epsilon) * scale.Floats[c] + bias.Floats[c]);
            }
        });
    }

    private static Tensor Normalize(LRN lrn, Tensor input) => Tensor.Build<float>(input.Shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        (int outer, int channels, int inner) = Around(input.Shape, 1);
        for (int i = 0; i < output.Length; i++)
        {
            int c = i / inner % channels, first = i - c * inner;
            double sum = 0;
            for (int k = Math.Max(0, c - (lrn.Size - 1) / 2); k <= Math.Min(channels - 1, c + lrn.Size / 2); k++)
                sum += (double)x[first + k * inner] * x[first + k * inner];
            output[i] = (float)(x[i] / Math.Pow(lrn.Bias + (double)lrn.Alpha / lrn.Size * sum, lrn.Beta));
        }
    });

    /// <summary>Softmax, its logarithm, or one for the largest alone.</summary>
    private static Tensor Normalize(Op op, int axis, Tensor input) => Tensor.Build<float>(input.Shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        (int outer, int extent, int inner) = Around(input.Shape, axis);
        for (int i = 0; i < outer * inner; i++)
        {
            int first = i / inner * extent * inner + i % inner, best = 0;
            double largest = double.NegativeInfinity, sum = 0;
            for (int k = 0; k < extent; k++)
            {
                if (x[first + k * inner] > x[first + best * inner]) best = k;
                largest = Math.Max(largest, x[first + k * inner]);
            }
            for (int k = 0; k < extent; k++) sum += Math.Exp(x[first + k * inner] - largest);
            for (int k = 0; k < extent; k++)
                output[first + k * inner] = op switch
                {
                    Hardmax => k == best ? 1 : 0,
                    LogSoftmax => (float)(x[first + k * inner] - largest - Math.Log(sum)),
                    _ => (float)(Math.Exp(x[first + k * inner] - largest) / sum),
                };
        }
    });
}
