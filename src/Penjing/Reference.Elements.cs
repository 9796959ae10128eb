namespace Penjing;

/// <content>Operations on single elements, along axes, and of matrices.</content>
public static partial class Reference
{
    private static Tensor Activate(Activation activation, Tensor input) => Tensor.Build<float>(input.Shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        for (int i = 0; i < output.Length; i++) output[i] = (float)activation.Apply(x[i]);
    });

    private static Tensor Pairwise(Func<double, double, double> function, Tensor left, Tensor right, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> a = left.Floats, b = right.Floats;
        int[] fromLeft = Offsets(shape, Strides(left.Shape, shape.Rank)), fromRight = Offsets(shape, Strides(right.Shape, shape.Rank));
        for (int i = 0; i < output.Length; i++) output[i] = (float)function(a[fromLeft[i]], b[fromRight[i]]);
    });

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

    private static Tensor Normalize(Softmax softmax, Tensor input) => Tensor.Build<float>(input.Shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        (int outer, int extent, int inner) = Around(input.Shape, softmax.Axis);
        for (int i = 0; i < outer * inner; i++)
        {
            int first = i / inner * extent * inner + i % inner;
            double largest = double.NegativeInfinity, sum = 0;
            for (int k = 0; k < extent; k++) largest = Math.Max(largest, x[first + k * inner]);
            for (int k = 0; k < extent; k++) sum += Math.Exp(x[first + k * inner] - largest);
            for (int k = 0; k < extent; k++) output[first + k * inner] = (float)(Math.Exp(x[first + k * inner] - largest) / sum);
        }
    });

    private static Tensor Mean(Tensor input, Shape shape, Ints axes) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        Shape kept = input.Shape;
        foreach (int axis in axes.AsSpan()) kept = kept.With(axis, 1);
        int[] to = Offsets(input.Shape, Strides(kept, kept.Rank));
        var sums = new double[output.Length];
        for (int i = 0; i < x.Length; i++) sums[to[i]] += x[i];
        double count = axes.Aggregate(1.0, (product, axis) => product * input.Shape[axis]);
        for (int i = 0; i < output.Length; i++) output[i] = (float)(sums[i] / count);
    });

    private static Tensor Largest(ArgMax arg, Tensor input, Shape shape) => Tensor.Build<long>(shape, output =>
    {
        ReadOnlySpan<float> x = input.Floats;
        (_, int extent, int inner) = Around(input.Shape, arg.Axis);
        for (int i = 0; i < output.Length; i++)
        {
            int first = i / inner * extent * inner + i % inner, best = 0;
            for (int k = 1; k < extent; k++)
            {
                float value = x[first + k * inner], champion = x[first + best * inner];
                if (value > champion || (arg.SelectLast && value == champion)) best = k;
            }
            output[i] = best;
        }
    });

    private static Tensor Multiply(Gemm gemm, Tensor left, Tensor right, Tensor? addend, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> a = left.Floats, b = right.Floats, c = addend is null ? default : addend.Floats;
        int rows = shape[0], columns = shape[1], depth = left.Shape[gemm.TransposeA ? 0 : 1];
        int[] fromAddend = addend is null ? [] : Offsets(shape, Strides(addend.Shape, 2));
        var sums = new double[columns];
        for (int row = 0; row < rows; row++)
        {
            Multiply(gemm.TransposeA ? a[row..] : a[(row * depth)..], gemm.TransposeA ? rows : 1, b, gemm.TransposeB ? 1 : columns, gemm.TransposeB ? depth : 1, depth, sums);
            for (int column = 0; column < columns; column++)
            {
                int at = row * columns + column;
                double sum = gemm.Alpha * sums[column] + (addend is null ? 0 : (double)gemm.Beta * c[fromAddend[at]]);
                output[at] = (float)(gemm.Then is null ? sum : gemm.Then.Apply(sum));
            }
        }
    });

    private static Tensor Multiply(Tensor left, Tensor right, Shape shape) => Tensor.Build<float>(shape, output =>
    {
        ReadOnlySpan<float> a = left.Floats, b = right.Floats;
        Shape of = left.Shape.Rank == 1 ? [1, left.Shape[0]] : left.Shape, by = right.Shape.Rank == 1 ? [right.Shape[0], 1] : right.Shape;
        int rows = of[-2], depth = of[-1], columns = by[-1];
        Shape outer = Shape.Broadcast(of.With(-1, 1).With(-2, 1), by.With(-1, 1).With(-2, 1))!.Value;
        int[] lefts = Offsets(outer, Strides(of.With(-1, 1).With(-2, 1), outer.Rank)), rights = Offsets(outer, Strides(by.With(-1, 1).With(-2, 1), outer.Rank));
        var sums = new double[columns];
        for (int i = 0; i < lefts.Length; i++)
            for (int row = 0; row < rows; row++)
            {
                Multiply(a[((lefts[i] * rows + row) * depth)..], 1, b[(rights[i] * depth * columns)..], columns, 1, depth, sums);
                for (int column = 0; column < columns; column++) output[(i * rows + row) * columns + column] = (float)sums[column];
            }
    });

    /// <summary>One row of a product, summed in the order of the depth.</summary>
    private static void Multiply(ReadOnlySpan<float> a, int stride, ReadOnlySpan<float> b, int down, int across, int depth, Span<double> sums)
    {
        sums.Clear();
        for (int k = 0; k < depth; k++)
        {
            double factor = a[k * stride];
            for (int column = 0, at = k * down; column < sums.Length; column++, at += across) sums[column] += factor * b[at];
        }
    }

    /// <summary>The products of the extents before an axis, at it, and after it.</summary>
    private static (int Outer, int Extent, int Inner) Around(Shape shape, int axis)
    {
        if (axis < 0) axis += shape.Rank;
        return (shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank));
    }
}
