namespace Penjing.Testing;

/// <content>Operations on single elements, along axes, and of matrices.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Elementwise()
    {
        foreach (Activation activation in Activations)
        {
            foreach (Shape shape in (Shape[])[[], [1], [67], [3, 13], [2, 5, 3, 7], [0, 4]])
                yield return Case($"{activation} of {shape}", activation, [], RandomTensors.Normal(shape, Seed("activation", shape), 4));
        }
        (Shape Left, Shape Right)[] pairs =
        [
            ([2, 13, 3, 5], [2, 13, 3, 5]), ([2, 13, 3, 5], [1, 13, 1, 1]), ([2, 13, 3, 5], [13, 1, 1]), ([2, 13, 3, 5], []), ([], [3, 4]), ([2, 13, 3, 5], [5]),
            ([1, 16, 1, 1], [2, 16, 3, 5]), ([2, 1, 3, 5], [2, 12, 3, 5]), ([3, 1, 5], [1, 4, 1]), ([2, 24, 4, 4], [2, 24, 1, 1]), ([17], [17]), ([0, 3], [1, 3]), ([4, 33], [33]),
        ];
        foreach ((Shape left, Shape right) in pairs)
        {
            int seed = Seed("pair", left) ^ Seed("pair", right);
            Tensor a = RandomTensors.Normal(left, seed), b = RandomTensors.Normal(right, seed + 1), divisor = RandomTensors.Uniform(right, seed + 2, 0.5, 2);
            string name = $"{left} with {right}";
            yield return Case(name, new Add(), [], a, b);
            yield return Case($"{name} then Relu", new Add(new Relu()), [], a, b);
            yield return Case($"{name}, right constant", new Add(new Clip(0, 6)), [1], a, b);
            yield return Case(name, new Sub(), [], a, b);
            yield return Case($"{name}, left constant", new Sub(), [0], a, b);
            yield return Case(name, new Mul(), [], a, b);
            yield return Case($"{name}, right constant", new Mul(), [1], a, b);
            yield return Case(name, new Div(), [], a, divisor);
        }
        foreach (int channels in Widths)
        {
            Shape shape = [2, channels, 3, 3];
            int seed = Seed("width", shape);
            yield return Case($"{channels} channels", new Add(), [], RandomTensors.Normal(shape, seed), RandomTensors.Normal(shape, seed + 1));
            yield return Case($"{channels} channels", new PRelu(), [1], RandomTensors.Normal(shape, seed), RandomTensors.Normal([channels, 1, 1], seed + 1));
            yield return Case($"{channels} channels", new BatchNormalization(), [1, 2, 3, 4], RandomTensors.Normal(shape, seed), RandomTensors.Normal([channels], seed + 1),
                RandomTensors.Normal([channels], seed + 2), RandomTensors.Normal([channels], seed + 3), RandomTensors.Uniform([channels], seed + 4, 0.1, 2));
            yield return On("channels", new Softmax(1), shape);
            yield return On("row", new Softmax(), [2, channels]);
        }
        yield return Case("scalar slope", new PRelu(), [1], RandomTensors.Normal([2, 5, 4], 1), RandomTensors.Normal([1], 2));
        yield return Case("whole slope", new PRelu(), [1], RandomTensors.Normal([1, 5, 4, 3], 1), RandomTensors.Normal([5, 4, 3], 2));
        yield return Case("of a matrix", new BatchNormalization(1e-3f), [1, 2, 3, 4], RandomTensors.Normal([7, 13], 1), RandomTensors.Normal([13], 2),
            RandomTensors.Normal([13], 3), RandomTensors.Normal([13], 4), RandomTensors.Uniform([13], 5, 0.1, 2));
        foreach (int axis in (int[])[0, 2, -1]) yield return On($"axis {axis}", new Softmax(axis), [3, 4, 5, 6]);
        yield return Case("large", new Softmax(), [], RandomTensors.Normal([3, 17], 1, 50));
    }

    private static IEnumerable<OpCase> Matrices()
    {
        foreach (int size in Widths)
        {
            int rows = Widths[size * 3 % Widths.Count], columns = Widths[size * 11 % Widths.Count];
            yield return Product("columns", new Gemm(), 1, 24, size, [size]);
            yield return Product("depth", new Gemm(TransposeB: true), 2, size, columns, size % 2 == 0 ? null : [columns]);
            yield return Product("rows", new Gemm(TransposeA: true), size, 13, columns, null);
            yield return Case($"{rows} by {size} by {columns}", new MatMul(), [1], RandomTensors.Normal([rows, size], size), RandomTensors.Normal([size, columns], size + 1));
        }
        foreach (Activation then in Activations) yield return Product($"then {then}", new Gemm(TransposeB: true, Then: then), 3, 16, 17, [17]);
        yield return Product("both transposed", new Gemm(true, true, 0.5f, 2), 5, 7, 9, [5, 9]);
        yield return Product("column addend", new Gemm(Alpha: -1.5f), 5, 7, 9, [5, 1]);
        yield return Product("row addend", new Gemm(Beta: 0.5f), 5, 7, 9, [1, 9]);
        yield return Product("scalar addend", new Gemm(), 5, 7, 9, []);
        (Shape Left, Shape Right)[] pairs =
            [([2, 3, 4, 5], [2, 3, 5, 6]), ([2, 3, 4, 5], [5, 6]), ([3, 1, 4, 5], [2, 5, 6]), ([4, 5], [3, 5, 6]), ([5], [5, 6]), ([4, 5], [5]), ([5], [5]), ([2, 4, 5], [5]), ([5], [2, 5, 3])];
        foreach ((Shape left, Shape right) in pairs)
            yield return Case($"{left} by {right}", new MatMul(), [], RandomTensors.Normal(left, Seed("left", left)), RandomTensors.Normal(right, Seed("right", right)));
    }

    private static OpCase Product(string name, Gemm gemm, int rows, int depth, int columns, Shape? addend)
    {
        int seed = Seed(name, [rows, depth, columns]);
        Tensor a = RandomTensors.Normal(gemm.TransposeA ? [depth, rows] : [rows, depth], seed), b = RandomTensors.Normal(gemm.TransposeB ? [columns, depth] : [depth, columns], seed + 1);
        string full = $"{name}, {rows} by {depth} by {columns}";
        return addend is { } shape ? Case($"{full} + {shape}", gemm, [1, 2], a, b, RandomTensors.Normal(shape, seed + 2)) : Case(full, gemm, [1], a, b);
    }

    private static IEnumerable<OpCase> Reductions()
    {
        foreach (bool keep in (bool[])[true, false])
        {
            string kept = keep ? "kept" : "dropped";
            foreach (Ints axes in (Ints[])[[2, 3], [1], [0, 2], [-1], [], [0, 1, 2, 3]])
                yield return On($"axes {axes} {kept}", new ReduceMean(axes, keep), [2, 13, 4, 5]);
            foreach (int axis in (int[])[0, 1, 3, -2])
                yield return On($"axis {axis} {kept}", new ArgMax(axis, keep), [3, 13, 4, 5]);
        }
        yield return Case("first of equals", new ArgMax(1), [], Tensor.Of<float>([2, 5], 1, 3, 3, 2, 3, 0, 0, 0, 0, 0));
        yield return Case("last of equals", new ArgMax(1, false, true), [], Tensor.Of<float>([2, 5], 1, 3, 3, 2, 3, 0, 0, 0, 0, 0));
    }
}
