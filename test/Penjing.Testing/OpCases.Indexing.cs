namespace Penjing.Testing;

/// <content>Computed indices and repetition.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Indexings()
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            Tensor x = RandomTensors.Any(type, [3, 4, 5], 1), updates = RandomTensors.Any(type, [3, 2, 5], 2);
            yield return Case($"{type}", new Expand([2, 3, 4, 5]), [], x);
            yield return Case($"{type}", new Tile([2, 1, 3]), [], x);
            yield return Case($"{type}", new Trilu(), [], x);
            yield return Case($"{type}", new Take(1), [], x, Tensor.Of<long>([2, 3], 0, 3, -1, 2, 2, -4));
            yield return Case($"{type}", new GatherElements(1), [], x, Indices([3, 2, 5], 4));
            yield return Case($"{type}", new GatherND(), [], x, Tensor.Of<long>([2, 2], 0, 3, -1, 2));
            yield return Case($"{type}", new ScatterElements(1), [], x, Rows(4), updates);
            yield return Case($"{type}", new ScatterND(), [], x, Tensor.Of<long>([2, 1], 2, 0), RandomTensors.Any(type, [2, 4, 5], 2));
            yield return Case($"{type}", new OneHot(6), [1], Tensor.Of<long>([2, 3], 0, 5, -1, 2, 2, -6), RandomTensors.Any(type, [2], 3));
        }
        (Shape Input, Shape To)[] expansions = [([3, 1], [3, 4]), ([3, 1], [2, 1, 6]), ([], [2, 3]), ([2, 13, 1, 1], [2, 13, 3, 5]), ([1, 4], [0, 4])];
        foreach ((Shape input, Shape to) in expansions) yield return On($"to {to}", new Expand(to), input);
        yield return On("by 2×2", new Tile([1, 1, 2, 2]), [1, 13, 3, 5]);
        yield return On("by nothing", new Tile([0, 2]), [3, 4]);
        foreach (bool upper in (bool[])[true, false])
            foreach (long k in (long[])[0, 1, -2, 9, -9])
                yield return On($"upper {upper}, by {k}", new Trilu(upper, k), [2, 4, 5]);
        foreach (int axis in (int[])[0, 2, -2])
        {
            Tensor x = RandomTensors.Normal([3, 4, 5], 1);
            yield return Case($"axis {axis}", new Take(axis), [], x, Tensor.Of<int>([2, 2], 0, 2, -1, 1));
            yield return Case($"axis {axis}, a scalar", new Take(axis), [], x, Tensor.Of<long>([], -2));
            yield return Case($"axis {axis}", new GatherElements(axis), [], x, Converted(ElementType.Int32, Converted(ElementType.Float32, Indices([2, 3, 4], 3))));
            yield return Case($"axis {axis} of Int32", new ScatterElements(axis), [], x, Tensor.Of<int>([1, 1, 1], -1), RandomTensors.Normal([1, 1, 1], 2));
        }
        yield return Case("constant data", new Take(), [0], RandomTensors.Normal([9, 3], 1), Tensor.Of<long>([4], 8, 0, -1, 3));
        yield return Case("a shared axis", new GatherND(1), [], RandomTensors.Normal([2, 3, 4], 1), Tensor.Of<long>([2, 2, 1], 1, 0, 2, -1));
        yield return Case("two shared axes", new GatherND(2), [], RandomTensors.Normal([2, 3, 4], 1), Tensor.Of<long>([2, 3, 1], 0, 1, 2, 3, -1, 0));
        yield return Case("elements", new GatherND(), [], RandomTensors.Normal([2, 3, 4], 1), Tensor.Of<int>([2, 3], 0, 1, 2, -1, 0, 3));
        foreach (ScatterReduction reduction in (ScatterReduction[])[ScatterReduction.Add, ScatterReduction.Mul])
            foreach (ElementType type in (ElementType[])[ElementType.Float32, ElementType.Int64])
            {
                yield return Case($"{reduction} {type}", new ScatterElements(1, reduction), [], RandomTensors.Any(type, [2, 4], 1), Tensor.Of<long>([2, 3], 0, 0, -1, 2, 2, 2), RandomTensors.Any(type, [2, 3], 2));
                yield return Case($"{reduction} {type}", new ScatterND(reduction), [], RandomTensors.Any(type, [4, 2], 1), Tensor.Of<long>([3, 1], 0, 3, 0), RandomTensors.Any(type, [3, 2], 2));
            }
        foreach (int axis in (int[])[0, 1, -1])
            yield return Case($"axis {axis}", new OneHot(5, axis), [1], Tensor.Of<long>([2, 2], 0, 7, -5, 4), Tensor.Of<float>([2], 0.5f, 2));
    }

    private static Tensor Indices(Shape shape, int extent)
    {
        var random = new Random(extent);
        return RandomTensors.Of<long>(shape, () => random.Next(-extent, extent));
    }

    /// <summary>Indices 3×2×5 along axis 1 that are different in each column.</summary>
    private static Tensor Rows(int extent) => Tensor.Of([3, 2, 5], [.. Enumerable.Range(0, 30).Select(i => (long)((i / 5 % 2 * 2 + i) % extent))]);
}
