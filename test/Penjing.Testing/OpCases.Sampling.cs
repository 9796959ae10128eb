namespace Penjing.Testing;

/// <content>Pictures sampled at computed places.</content>
public static partial class OpCases
{
    private static IEnumerable<OpCase> Samplings()
    {
        foreach (ResizeMode mode in Enum.GetValues<ResizeMode>())
            foreach (GridPadding padding in Enum.GetValues<GridPadding>())
                foreach (bool corners in (bool[])[false, true])
                    yield return Case($"{mode}, {padding}, corners {corners}", new GridSample(mode, padding, corners), [],
                        RandomTensors.Normal([2, 3, 5, 7], 1), RandomTensors.Uniform([2, 4, 3, 2], 2, -1.6, 1.6));
        Tensor regions = Tensor.Of<float>([4, 4], 0, 0, 9, 9, 2, 3, 7.5f, 11, -2, 4, 3, 6, 5, 5, 5.2f, 5.4f), pictures = Tensor.Of<long>([4], 0, 1, 1, 0);
        foreach (RoiMode mode in Enum.GetValues<RoiMode>())
            foreach (bool half in (bool[])[true, false])
                foreach (int ratio in (int[])[0, 2])
                    yield return Case($"{mode}, half a pixel {half}, ratio {ratio}", new RoiAlign(new(3, 4), ratio, 0.7f, mode, half), [],
                        RandomTensors.Normal([2, 5, 8, 9], 1), regions, pictures);
    }
}
