namespace Penjing;

/// <content>Products of matrices.</content>
public static partial class Reference
{
    private static Tensor Multiply(Gemm gemm, Tensor left, Tensor right, Tensor? addend, ValueInfo result)
    {
        Shape shape = result.Shape;
        var output = new double[shape.Elements];
        ReadOnlySpan<float> a = left.Floats, b = right.Floats;
        double[] c = addend is null ? [] : Reals(addend);
        int rows = shape[0], columns = shape[1], depth = left.Shape[gemm.TransposeA ? 0 : 1];
        int[] fromAddend = addend is null ? [] : Offsets(shape, Strides(addend.Shape, 2));
        var sums = new double[columns];
        for (int row = 0; row < rows; row++)
        {
            Multiply(gemm.TransposeA ? a[row..] : a[(row * depth)..], gemm.TransposeA ? rows : 1, b, gemm.TransposeB ? 1 : columns, gemm.TransposeB ? depth : 1, depth, sums);
            for (int column = 0; column < columns; column++)
            {
                int at = row * columns + column;
                double sum = gemm.Alpha * sums[column] + (addend is null ? 0 : gemm.Beta * c[fromAddend[at]]);
                output[at] = gemm.Then is null ? sum : gemm.Then.Apply(sum);
            }
        }
        return Stored(result, output);
    }

    private static Tensor Multiply(Tensor left, Tensor right, ValueInfo result)
    {
        var output = new double[result.Shape.Elements];
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
                for (int column = 0; column < columns; column++) output[(i * rows + row) * columns + column] = sums[column];
            }
        return Stored(result, output);
    }

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

    private static Tensor Multiply(Einsum einsum, ReadOnlySpan<Tensor> inputs, Shape shape)
    {
        Tensor[] factors = [.. inputs];
        (string[] terms, string output) = einsum.Terms([.. factors.Select(factor => factor.Shape.Rank)]);
        Dictionary<char, int> extents = einsum.Extents(terms, [.. factors.Select(factor => factor.Shape)]);
        string summed = string.Concat(extents.Keys.Where(letter => !output.Contains(letter)));
        Shape inner = [.. summed.Select(letter => extents[letter])];
        int[][] outerOffsets = [.. terms.Select((term, i) => Offsets(shape, Strides(output, i)))];
        int[][] innerOffsets = [.. terms.Select((term, i) => Offsets(inner, Strides(summed, i)))];
        return Tensor.Build<float>(shape, sums =>
        {
            for (int i = 0; i < sums.Length; i++)
            {
                double sum = 0;
                for (int k = 0; k < inner.Elements; k++)
                {
                    double product = 1;
                    for (int factor = 0; factor < factors.Length; factor++)
                        product *= factors[factor].Floats[outerOffsets[factor][i] + innerOffsets[factor][k]];
                    sum += product;
                }
                sums[i] = (float)sum;
            }
        });

        int[] Strides(string letters, int factor) => [.. letters.Select(letter =>
            Enumerable.Range(0, terms[factor].Length).Where(axis => terms[factor][axis] == letter && factors[factor].Shape[axis] > 1)
                .Sum(axis => factors[factor].Shape.Product(axis + 1, factors[factor].Shape.Rank)))];
    }

    /// <summary>The products of the extents before an axis, at it, and after it.</summary>
    private static (int Outer, int Extent, int Inner) Around(Shape shape, int axis)
    {
        if (axis < 0) axis += shape.Rank;
        return (shape.Product(0, axis), shape[axis], shape.Product(axis + 1, shape.Rank));
    }
}
