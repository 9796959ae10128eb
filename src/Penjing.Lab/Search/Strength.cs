using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Lab;

/// <summary>Every part of a network cut as far as it loses no more than a threshold by itself: the one number that says how strongly it is compressed.</summary>
internal sealed class Strength(SensitivityResult sensitivity)
{
    /// <summary>The thresholds that matter, mildest first: one where nothing is cut, then one for each loss that was measured.</summary>
    public ImmutableArray<double> Thresholds { get; } =
        [-1, .. sensitivity.Curves.SelectMany(curve => curve.Points).Select(point => sensitivity.Whole.Fraction - point.Accuracy.Fraction).Where(loss => loss > 0).Prepend(0).Distinct().Order()];

    /// <summary>The strongest level of each part that loses no more, it and all milder ones; parts that bear none are left out.</summary>
    public ImmutableSortedDictionary<string, double> At(double threshold) => sensitivity.Curves
        .Select(curve => (curve.Part.Name, Borne: curve.Points.TakeWhile(point => sensitivity.Whole.Fraction - point.Accuracy.Fraction <= threshold).Select(point => (double?)point.Level).LastOrDefault()))
        .Where(part => part.Borne is not null).ToImmutableSortedDictionary(part => part.Name, part => part.Borne!.Value);

    /// <summary>The mildest threshold at which a cost is within a bound; the strongest where none is.</summary>
    public double Least(Func<double, double> cost, double bound)
    {
        int low = 0, high = Thresholds.Length - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (cost(Thresholds[middle]) <= bound) high = middle;
            else low = middle + 1;
        }
        return Thresholds[low];
    }
}
