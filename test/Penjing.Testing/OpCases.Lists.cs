namespace Penjing.Testing;

/// <content>Operations along axes, and sums of products along named ones.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Lists()
    {
        foreach (bool keep in (bool[])[true, false])
            foreach (Ints axes in (Ints[])[[2, 3], [1], [0, 2], [-1], []])
                foreach (Func<Ints, bool, Reduction> make in Reductors)
                {
                    Reduction op = make(axes, keep);
                    string name = $"axes {axes} {(keep ? "kept" : "dropped")}";
                    yield return op is ReduceLogSum ? Case(name, op, [], RandomTensors.Uniform([2, 13, 4, 5], 1, 0.1, 1)) : On(name, op, [2, 13, 4, 5]);
                }
        foreach (Func<Ints, bool, Reduction> make in Reductors)
        {
            yield return Case("doubles", make([1], true), [], Converted(ElementType.Float64, RandomTensors.Uniform([3, 5], 1, 0.1, 2)));
            if (make([], true) is not (ReduceL2 or ReduceLogSum or ReduceLogSumExp or ReduceMean))
                foreach (ElementType type in Integers)
                    yield return Case($"{type}", make([1], false), [], Converted(type, RandomTensors.Uniform([3, 4], 2, type.IsUnsigned() ? 0 : -4, 4)));
        }
        yield return Case("large", new ReduceLogSumExp([1]), [], RandomTensors.Normal([3, 17], 1, 200));
        foreach (bool keep in (bool[])[true, false])
            foreach (int axis in (int[])[0, 1, 3, -2])
                yield return On($"axis {axis} {(keep ? "kept" : "dropped")}", new ArgMin(axis, keep), [3, 13, 4, 5]);
        yield return Case("first of equals", new ArgMin(1), [], Tensor.Of<float>([2, 5], 1, 3, 3, 1, 3, 0, 0, 0, 0, 0));
        yield return Case("last of equals", new ArgMin(1, false, true), [], Tensor.Of<float>([2, 5], 1, 3, 3, 1, 3, 0, 0, 0, 0, 0));
        foreach (ElementType type in Integers)
        {
            yield return Case($"{type}", new ArgMin(1), [], RandomTensors.Any(type, [3, 9], 1));
            yield return Case($"{type}", new ArgMax(1), [], RandomTensors.Any(type, [3, 9], 1));
            yield return Case($"{type}", new CumSum(1), [], RandomTensors.Any(type, [3, 4], 1));
            yield return Case($"{type}", new TopK(1, 4), [], Distinct(type, [3, 9]));
        }
        foreach (int axis in (int[])[0, 2, -1])
        {
            yield return On($"axis {axis}", new LogSoftmax(axis), [3, 4, 5, 6]);
            yield return On($"axis {axis}", new Hardmax(axis), [3, 4, 5, 6]);
            foreach ((bool exclusive, bool reverse) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
                yield return On($"axis {axis}, exclusive {exclusive}, reverse {reverse}", new CumSum(axis, exclusive, reverse), [3, 4, 5, 6]);
            foreach (bool largest in (bool[])[true, false])
            {
                yield return On($"axis {axis}, largest {largest}", new TopK(axis, 3, largest), [3, 4, 5, 6]);
                yield return On($"axis {axis}, largest {largest}", new TopKIndices(axis, 3, largest), [3, 4, 5, 6]);
            }
        }
        yield return Case("large", new LogSoftmax(), [], RandomTensors.Normal([3, 17], 1, 50));
        yield return Case("equals", new Hardmax(), [], Tensor.Of<float>([2, 5], 1, 3, 3, 1, 3, 0, 0, 0, 0, 0));
        yield return Case("equals", new TopKIndices(1, 3), [], Tensor.Of<float>([2, 5], 1, 3, 3, 1, 3, 0, 0, 0, 0, 0));
        foreach (int size in (int[])[1, 3, 5, 9])
            yield return On($"size {size}", new LRN(0.3f, 0.75f, 1.5f, size), [2, 7, 3, 4]);
        yield return On("AlexNet's", new LRN(1e-4f, 0.75f, 1, 5), [1, 13, 3, 4]);

        (string Equation, Shape[] Shapes)[] sums =
        [
            ("ij->ji", [[3, 4]]), ("ij->i", [[3, 4]]), ("i,i", [[5], [5]]), ("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]]), ("...ii->...i", [[2, 3, 3]]),
            ("nchw,nhwkc->nkh", [[2, 3, 4, 5], [2, 4, 5, 6, 3]]), ("i,j,k->ijk", [[2], [3], [4]]), ("ij,jk", [[3, 4], [4, 2]]), ("...ij,...jk->...ik", [[2, 3, 4], [2, 4, 5]]),
        ];
        foreach ((string equation, Shape[] shapes) in sums)
            yield return Case($"{equation}", new Einsum(equation), [], [.. shapes.Select((shape, i) => RandomTensors.Normal(shape, i))]);
    }

    private static IEnumerable<Func<Ints, bool, Reduction>> Reductors =>
    [
        (axes, keep) => new ReduceSum(axes, keep), (axes, keep) => new ReduceProd(axes, keep), (axes, keep) => new ReduceMax(axes, keep), (axes, keep) => new ReduceMin(axes, keep),
        (axes, keep) => new ReduceL1(axes, keep), (axes, keep) => new ReduceL2(axes, keep), (axes, keep) => new ReduceLogSum(axes, keep),
        (axes, keep) => new ReduceLogSumExp(axes, keep), (axes, keep) => new ReduceSumSquare(axes, keep),
    ];

    /// <summary>Elements that are different in each row.</summary>
    private static Tensor Distinct(ElementType type, Shape shape) =>
        Converted(type, Tensor.Of(shape, [.. Enumerable.Range(0, shape.Elements).Select(i => (float)(i * 7 % shape.Elements))]));
}
