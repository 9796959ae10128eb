using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>
/// Splits a vector of counts that solves homogeneous linear equations into such vectors that can't be split further: extreme rays of the cone of solutions
/// without negative elements. Of equal row and column sums, these are Birkhoff's permutations.
/// </summary>
internal static class Decomposition
{
    private const double Tolerance = 1e-7;
    private const int Largest = 128;

    /// <summary>The distinct rays in the order found; empty where there are too many unknowns, or numbers too odd to be found in floating point.</summary>
    /// <param name="equations">The coefficients of each equation.</param>
    /// <param name="whole">A solution, none of its elements negative.</param>
    public static ImmutableArray<int[]> Of(ImmutableArray<double[]> equations, int[] whole)
    {
        List<int[]> rays = [];
        int[] rest = [.. whole];
        while (whole.Length <= Largest && rest.Any(count => count > 0))
        {
            if (Ray(equations, rest) is not { } ray) break;
            int times = Enumerable.Range(0, ray.Length).Where(i => ray[i] > 0).Min(i => rest[i] / ray[i]);
            if (times == 0) break;
            rays.Add(ray);
            for (int i = 0; i < rest.Length; i++) rest[i] -= times * ray[i];
        }
        return [.. rays];
    }

    /// <summary>A ray within a solution: along directions that solve the equations, elements are brought to zero until one direction is left.</summary>
    private static int[]? Ray(ImmutableArray<double[]> equations, int[] solution)
    {
        double[] point = [.. solution.Select(count => (double)count)];
        while (true)
        {
            int[] support = [.. Enumerable.Range(0, point.Length).Where(i => point[i] > 0)];
            if (Direction(equations, support) is not { } directions) return null;
            if (directions.Length == 1) return Whole(directions[0], support, point.Length);
            // One of two directions is not the point's own.
            double[] along = directions.First(direction => !Parallel(direction, [.. support.Select(i => point[i])]));
            if (!along.Any(part => part > Tolerance)) along = [.. along.Select(part => -part)];
            double step = Enumerable.Range(0, support.Length).Where(i => along[i] > Tolerance).Min(i => point[support[i]] / along[i]);
            for (int i = 0; i < support.Length; i++)
            {
                double moved = point[support[i]] - step * along[i];
                point[support[i]] = moved < Tolerance ? 0 : moved;
            }
            if (point.All(part => part == 0)) return null;
        }
    }

    /// <summary>One or two independent directions that solve the equations and lie in the support, as many as there are; null where there is none.</summary>
    private static double[][]? Direction(ImmutableArray<double[]> equations, int[] support)
    {
        double[][] rows = [.. equations.Select(equation => support.Select(i => equation[i]).ToArray())];
        List<int> pivots = [], free = [];
        for (int column = 0; column < support.Length; column++)
        {
            int at = pivots.Count, best = at;
            for (int row = at; row < rows.Length; row++)
                if (Math.Abs(rows[row][column]) > Math.Abs(rows[best][column])) best = row;
            if (at == rows.Length || Math.Abs(rows[best][column]) < Tolerance)
            {
                free.Add(column);
                continue;
            }
            (rows[at], rows[best]) = (rows[best], rows[at]);
            double pivot = rows[at][column];
            for (int j = column; j < support.Length; j++) rows[at][j] /= pivot;
            for (int row = 0; row < rows.Length; row++)
            {
                double factor = rows[row][column];
                if (row == at || factor == 0) continue;
                for (int j = column; j < support.Length; j++) rows[row][j] -= factor * rows[at][j];
            }
            pivots.Add(column);
        }
        return free.Count == 0 ? null : [.. free.Take(2).Select(column =>
        {
            double[] direction = new double[support.Length];
            direction[column] = 1;
            for (int row = 0; row < pivots.Count; row++) direction[pivots[row]] = -rows[row][column];
            return direction;
        })];
    }

    private static bool Parallel(double[] left, double[] right)
    {
        double across = 0, along = 0, square = 0;
        for (int i = 0; i < left.Length; i++) (across, along, square) = (across + left[i] * right[i], along + left[i] * left[i], square + right[i] * right[i]);
        return along * square - across * across < Tolerance * along * square;
    }

    /// <summary>The direction in the smallest whole numbers.</summary>
    private static int[]? Whole(double[] direction, int[] support, int length)
    {
        double unit = direction.Min(Math.Abs), sign = Math.Sign(direction.Sum());
        for (int factor = 1; factor <= 64; factor++)
        {
            double[] scaled = [.. direction.Select(part => sign * part / unit * factor)];
            if (scaled.Any(part => Math.Abs(part - Math.Round(part)) > 1e-4 || part < 0.5)) continue;
            int[] whole = new int[length];
            for (int i = 0; i < support.Length; i++) whole[support[i]] = (int)Math.Round(scaled[i]);
            return whole;
        }
        return null;
    }
}
