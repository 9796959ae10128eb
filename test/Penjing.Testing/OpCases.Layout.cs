namespace Penjing.Testing;

/// <content>Operations that only move elements.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Layouts()
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            Tensor x = RandomTensors.Any(type, [2, 6, 3, 4], 1), other = RandomTensors.Any(type, [2, 5, 3, 4], 2);
            yield return Case($"{type}", new Concat(1), [], x, other);
            yield return Case($"{type}", new Slice(1, 1, 5), [], x);
            yield return Case($"{type}", Gather.Shuffle(6, 2), [], x);
            yield return Case($"{type}", new Pad(2, 1, 2, PadMode.Constant, 3), [], x);
            yield return Case($"{type}", new Reshape([0, -1, 2]), [], x);
            yield return Case($"{type}", new Transpose([0, 2, 3, 1]), [], x);
        }
        foreach (int channels in Widths)
        {
            yield return Case($"channels of {channels}", new Concat(1), [], RandomTensors.Normal([2, channels, 3, 2], channels), RandomTensors.Normal([2, 13, 3, 2], 1));
            yield return On("half the channels", new Slice(1, channels / 2, int.MaxValue), [2, channels, 3, 2]);
            if (channels % 3 == 0) yield return On("three groups", Gather.Shuffle(channels, 3), [1, channels, 3, 2]);
        }
        foreach (int axis in (int[])[0, 2, 3, -3])
            yield return Case($"axis {axis}, three with one constant", new Concat(axis), [1], RandomTensors.Normal([2, 3, 4, 5], 1), RandomTensors.Normal([2, 3, 4, 5], 2), RandomTensors.Normal([2, 3, 4, 5], 3));
        yield return Case("one", new Concat(0), [], RandomTensors.Normal([3, 4], 1));
        yield return Case("an empty one", new Concat(0), [], RandomTensors.Normal([0, 4], 1), RandomTensors.Normal([3, 4], 2));

        (int Axis, int Start, int End, int Step)[] slices =
        [
            (0, 1, 2, 1), (2, -3, -1, 1), (3, 0, 100, 3), (1, 4, 2, 1), (2, -100, 3, 2), (3, -1, int.MinValue, -1), (1, 100, 1, -2), (2, -2, -100, -3), (-1, 3, 0, -1), (1, 2, 5, -1),
            (2, int.MaxValue, int.MinValue, -1), (2, -100, int.MinValue, -1), (1, 5, -3, -2), (3, int.MinValue, int.MaxValue, 2),
        ];
        foreach ((int axis, int start, int end, int step) in slices) yield return On($"axis {axis} from {start} to {end} by {step}", new Slice(axis, start, end, step), [2, 6, 7, 5]);
        foreach (int axis in (int[])[0, 2, -1]) yield return On($"axis {axis}", new Gather(axis, [1, 0, 1, 1]), [2, 3, 4, 5]);

        foreach (PadMode mode in Enum.GetValues<PadMode>())
            foreach ((int axis, int before, int after) in ((int, int, int)[])[(2, 1, 2), (3, 3, 0), (1, 0, 2), (0, 1, 1), (-1, 2, 2)])
                yield return On($"{mode} axis {axis} by {before}, {after}", new Pad(axis, before, after, mode, 0.5f), [2, 4, 5, 6]);
        yield return On("cut before", new Pad(2, -2, 1), [1, 3, 5, 6]);
        yield return On("cut both", new Pad(3, -1, -2, PadMode.Constant, 7), [1, 3, 5, 6]);

        foreach (Ints target in (Ints[])[[24, -1], [-1], [0, 0, -1], [2, 3, 4, 5], [1, 120]])
            yield return On($"to {target}", new Reshape(target), [2, 3, 4, 5]);
        yield return On("of a scalar", new Reshape([1, 1]), []);
        foreach (int axis in (int[])[0, 1, 2, 4, -1]) yield return On($"axis {axis}", new Flatten(axis), [2, 3, 4, 5]);
        yield return On("of a list", new Flatten(), [5]);
        foreach (Ints order in (Ints[])[[3, 2, 1, 0], [0, 1, 3, 2], [1, 0, 2, 3], [0, 3, 1, 2]]) yield return On($"{order}", new Transpose(order), [2, 13, 4, 5]);
        yield return On("matrix", new Transpose([1, 0]), [7, 13]);
        yield return On("all", new Squeeze([]), [1, 3, 1, 4]);
        yield return On("the last two", new Squeeze([2, -1]), [2, 3, 1, 1]);
        yield return On("front", new Unsqueeze([0]), [3, 4]);
        yield return On("front and back", new Unsqueeze([-1, 0]), [3, 4]);
        yield return On("same", new Identity(), [2, 13, 3, 3]);
        yield return On("same", new Dropout(), [2, 13]);
    }
}
