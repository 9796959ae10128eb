namespace Penjing.Compression;

/// <summary>
/// The k-means optimum of values on a line by dynamic programming (Wang and Song 2011): the best cut of the first n values into k runs extends the best cut of
/// fewer into k − 1. The last run's beginning never moves back as n grows, so each k takes n·log n steps by halving.
/// </summary>
internal static class OptimalClusters
{
    /// <summary>The means of the best clusters, rising; fewer where there are fewer distinct values.</summary>
    public static double[] Means(SortedValues values, int clusters)
    {
        int count = values.Count;
        clusters = Math.Min(clusters, values.Values.Distinct().Count());
        double[] costs = [0, .. Enumerable.Range(1, count).Select(n => values.Error(0, n))];
        int[][] begins = new int[clusters][];
        begins[0] = new int[count + 1];
        for (int k = 1; k < clusters; k++)
        {
            double[] next = new double[count + 1];
            int[] begin = begins[k] = new int[count + 1];
            Array.Fill(next, double.PositiveInfinity);
            Halve(k + 1, count, k, count - 1);
            costs = next;

            // Fills next[least..most], whose last runs begin within [low, high].
            void Halve(int least, int most, int low, int high)
            {
                if (least > most) return;
                int n = (least + most) / 2;
                for (int from = low; from <= Math.Min(high, n - 1); from++)
                {
                    double cost = costs[from] + values.Error(from, n);
                    if (cost < next[n]) (next[n], begin[n]) = (cost, from);
                }
                Halve(least, n - 1, low, begin[n]);
                Halve(n + 1, most, begin[n], high);
            }
        }
        double[] means = new double[clusters];
        for (int k = clusters - 1, end = count; k >= 0; end = begins[k--][end]) means[k] = values.Mean(begins[k][end], end);
        return means;
    }
}
