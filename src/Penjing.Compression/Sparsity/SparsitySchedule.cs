namespace Penjing.Compression;

/// <summary>The share of zeros at a point of the way: of the last share, and the progress from 0 to 1.</summary>
public delegate double SparsitySchedule(double ratio, double progress);

/// <summary>How the share of zeros rises from round to round.</summary>
public static class SparsitySchedules
{
    /// <summary>The schedule of a name: constant, linear, cubic or geometric.</summary>
    /// <exception cref="PenjingException">There is none of this name.</exception>
    public static SparsitySchedule Named(string name) => name switch
    {
        "constant" => Constant,
        "linear" => Linear,
        "cubic" => Cubic,
        "geometric" => Geometric,
        _ => throw new PenjingException($"there is no schedule '{name}': give constant, linear, cubic or geometric"),
    };

    /// <summary>All at once: the whole share from the first round on.</summary>
    public static double Constant(double ratio, double progress) => ratio;

    /// <summary>The same number of weights each time.</summary>
    public static double Linear(double ratio, double progress) => ratio * progress;

    /// <summary>Many at first, while much is superfluous, and ever fewer: s(1 − (1 − t)³) (automated gradual pruning, Zhu and Gupta 2017).</summary>
    public static double Cubic(double ratio, double progress) => ratio * (1 - Math.Pow(1 - progress, 3));

    /// <summary>The same share of what is left each time: 1 − (1 − s)ᵗ (iterative pruning, Han et al. 2015).</summary>
    public static double Geometric(double ratio, double progress) => progress == 1 ? ratio : 1 - Math.Pow(1 - ratio, progress);
}
