namespace Penjing.Compression;

/// <summary>Values in rising order with running sums, so that the mean and the squared error of any run of them take constant time.</summary>
internal sealed class SortedValues
{
    private readonly double[] sums;
    private readonly double[] squares;

    /// <summary>Sorts the values; they must be finite.</summary>
    public SortedValues(IEnumerable<float> values)
    {
        Values = [.. values];
        Array.Sort(Values);
        sums = new double[Values.Length + 1];
        squares = new double[Values.Length + 1];
        for (int i = 0; i < Values.Length; i++)
        {
            sums[i + 1] = sums[i] + Values[i];
            squares[i + 1] = squares[i] + (double)Values[i] * Values[i];
        }
    }

    /// <summary>The values, rising.</summary>
    public float[] Values { get; }

    /// <summary>How many there are.</summary>
    public int Count => Values.Length;

    /// <summary>The mean square of all.</summary>
    public double MeanSquare => squares[^1] / Math.Max(1, Count);

    /// <summary>The mean of the values from one position up to, not including, another.</summary>
    public double Mean(int from, int to) => (sums[to] - sums[from]) / (to - from);

    /// <summary>The squared error of those values against their mean.</summary>
    public double Error(int from, int to)
    {
        double sum = sums[to] - sums[from];
        return Math.Max(0, squares[to] - squares[from] - sum * sum / (to - from));
    }

    /// <summary>The position of the first value that is not below a border.</summary>
    public int Position(double border)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Values[middle] < border) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
