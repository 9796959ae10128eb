using System.Numerics;

namespace Penjing.Compression;

/// <summary>How far each kernel of a layer lies from all the others.</summary>
internal static class GeometricMedians
{
    /// <summary>The scores of <see cref="Importances.GeometricMedian"/>.</summary>
    public static double[] Scores(ChannelGroups groups)
    {
        double[] scores = new double[groups.Count];
        foreach (Node node in groups.Graph.Nodes)
        {
            if (Mixer.Of(node) is not { } mixer || groups.Lane(node) is not { } lane) continue;
            float[][] kernels = Kernels(node.Inputs[1].Value!, mixer);
            double[] sums = new double[kernels.Length];
            Parallel.For(0, kernels.Length, i =>
            {
                foreach (float[] other in kernels) sums[i] += Distance(kernels[i], other);
            });
            for (int output = 0; output < mixer.Outputs; output++) scores[lane.Ids[output]] += sums[output];
        }
        return scores;
    }

    private static float[][] Kernels(Tensor weights, Mixer mixer) => [.. Enumerable.Range(0, mixer.Outputs).Select(output =>
    {
        float[] kernel = new float[mixer.Fan * mixer.Taps];
        for (int input = 0; input < mixer.Fan; input++) weights.Floats.Slice(mixer.Index(output, input), mixer.Taps).CopyTo(kernel.AsSpan(input * mixer.Taps));
        return kernel;
    })];

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sums = Vector<float>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> difference = new Vector<float>(a[i..]) - new Vector<float>(b[i..]);
            sums += difference * difference;
        }
        double sum = Vector.Sum(sums);
        for (; i < a.Length; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return Math.Sqrt(sum);
    }
}
