using System.Globalization;

namespace Penjing.Testing;

/// <summary>How far an answer lies from the oracle's.</summary>
public static class Closeness
{
    private const double HalfTolerance = 1e-3;

    /// <summary>
    /// The largest |actual − expected| / max(|expected|, scale), where scale is the root mean square of what was expected: near zero an
    /// error counts by the size of its neighbours. Infinite where only one is NaN or infinities differ.
    /// </summary>
    public static double Error(Tensor expected, Tensor actual) => Worst(expected, actual).Error;

    /// <summary>
    /// Throws, naming the case, the worst element and both values, unless types and shapes agree and the error is at most the tolerance; integers agree to
    /// the bit, and halves are allowed their own rounding.
    /// </summary>
    /// <exception cref="ClosenessException">The answers differ.</exception>
    public static void Check(Tensor expected, Tensor actual, double tolerance, string what)
    {
        if (expected.Type != actual.Type || expected.Shape != actual.Shape) throw new ClosenessException($"{what}: {expected} was expected, {actual} came");
        if (expected.Type is ElementType.Float64 or ElementType.Float16)
        {
            Tensor Single(Tensor tensor) => Reference.Evaluate(new Cast(ElementType.Float32), [tensor]);
            Check(Single(expected), Single(actual), expected.Type is ElementType.Float16 ? Math.Max(tolerance, HalfTolerance) : tolerance, what);
            return;
        }
        if (expected.Type != ElementType.Float32)
        {
            if (!expected.BitsEqual(actual)) throw new ClosenessException($"{what}: the elements of {expected} differ");
            return;
        }
        (double error, int index) = Worst(expected, actual);
        if (!(error <= tolerance))
            throw new ClosenessException(string.Create(CultureInfo.InvariantCulture,
                $"{what}: element {index} of {expected} should be {expected.Floats[index]:R}, is {actual.Floats[index]:R}: relative error {error:E2} > {tolerance:E2}"));
    }

    /// <summary>Throws, naming the case and the first element that differs, unless type, shape and every bit agree.</summary>
    /// <exception cref="ClosenessException">A bit differs.</exception>
    public static void CheckBits(Tensor expected, Tensor actual, string what)
    {
        if (expected.BitsEqual(actual)) return;
        if (expected.Type != actual.Type || expected.Shape != actual.Shape) throw new ClosenessException($"{what}: {expected} was expected, {actual} came");
        int at = expected.Bytes.Span.CommonPrefixLength(actual.Bytes.Span) / expected.Type.Size();
        throw new ClosenessException(expected.Type is ElementType.Float32
            ? string.Create(CultureInfo.InvariantCulture, $"{what}: element {at} of {expected} should be {expected.Floats[at]:R} to the bit, is {actual.Floats[at]:R}")
            : $"{what}: element {at} of {expected} differs");
    }

    private static (double Error, int Index) Worst(Tensor expected, Tensor actual)
    {
        ReadOnlySpan<float> oracle = expected.Floats, answer = actual.Floats;
        double squares = 0, worst = 0;
        int finite = 0, index = 0;
        foreach (float value in oracle)
        {
            if (!float.IsFinite(value)) continue;
            squares += (double)value * value;
            finite++;
        }
        double scale = Math.Max(Math.Sqrt(squares / Math.Max(1, finite)), 1e-30);
        for (int i = 0; i < oracle.Length; i++)
        {
            bool same = oracle[i].Equals(answer[i]) || oracle[i] == answer[i];
            double error = same ? 0 : Math.Abs((double)answer[i] - oracle[i]) / Math.Max(Math.Abs((double)oracle[i]), scale);
            if (!double.IsFinite(error)) error = double.PositiveInfinity;
            if (error > worst) (worst, index) = (error, i);
        }
        return (worst, index);
    }
}

/// <summary>An answer that lies too far from the oracle's.</summary>
public sealed class ClosenessException : Exception
{
    /// <summary>A difference with its message.</summary>
    public ClosenessException(string message) : base(message) { }
}
