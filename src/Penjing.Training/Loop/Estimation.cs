namespace Penjing.Training;

/// <summary>The means and variances of many pictures from those of batches of them.</summary>
internal static class Estimation
{
    /// <summary>Pictures of a batch at most; a batch has at least two.</summary>
    public const int Batch = 128;

    /// <summary>
    /// The statistics over all batches, as <see cref="Replica.Statistics"/> holds them: means, and unbiased variances that hold the spread of the batches' means.
    /// Summed in the order of the batches, in doubles.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="batches">How many pictures each batch has, and its statistics.</param>
    public static float[] Merge(TrainableGraph graph, IReadOnlyList<(int Pictures, float[] Statistics)> batches)
    {
        float[] merged = [.. batches[0].Statistics];
        foreach (Node node in graph.Function.Graph.Nodes.Where(node => node.Op is BatchNormalization))
        {
            int means = graph.Offsets[node.Inputs[3]], variances = graph.Offsets[node.Inputs[4]], pixels = node.Shape.Product(2, node.Shape.Rank);
            for (int channel = 0; channel < node.Inputs[3].Shape.Elements; channel++)
            {
                double count = 0, mean = 0, squares = 0;
                foreach ((int pictures, float[] statistics) in batches)
                {
                    double n = (double)pictures * pixels, difference = statistics[means + channel] - mean;
                    squares += (n - 1) * statistics[variances + channel] + difference * difference * n * count / (n + count);
                    mean += difference * n / (n + count);
                    count += n;
                }
                merged[means + channel] = (float)mean;
                merged[variances + channel] = (float)(squares / (count - 1));
            }
        }
        return merged;
    }
}
