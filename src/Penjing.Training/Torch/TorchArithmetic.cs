using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Penjing.Training;

/// <summary>
/// Arithmetic with numbers. TorchSharp's own makes a <see cref="Scalar"/> of each number, and of the factor 1 of each sum, which the garbage collector may free while torch still reads it; here every scalar
/// lives as long as the call.
/// </summary>
internal static class TorchArithmetic
{
    /// <summary>x + y.</summary>
    public static TorchTensor Plus(this TorchTensor x, TorchTensor y) => With(1, one => x.add(y, one));

    /// <summary>x + a number.</summary>
    public static TorchTensor Plus(this TorchTensor x, double number) => With(number, scalar => With(1, one => x.add(scalar, one)));

    /// <summary>x + an integer; integers stay such.</summary>
    public static TorchTensor Plus(this TorchTensor x, long number) => With(number, scalar => With(1, one => x.add(scalar, one)));

    /// <summary>A number − x.</summary>
    public static TorchTensor From(this TorchTensor x, double number) => x.neg().Plus(number);

    /// <summary>x × a number.</summary>
    public static TorchTensor Times(this TorchTensor x, double factor) => With(factor, x.mul);

    /// <summary>x / a number.</summary>
    public static TorchTensor Over(this TorchTensor x, double divisor) => With(divisor, scalar => x.div(scalar));

    /// <summary>Each element to a power.</summary>
    public static TorchTensor Power(this TorchTensor x, double exponent) => With(exponent, x.pow);

    /// <summary>The larger of each element and a number.</summary>
    public static TorchTensor AtLeast(this TorchTensor x, double least) => With(least, x.clamp_min);

    /// <summary>The smaller of each element and a number.</summary>
    public static TorchTensor AtMost(this TorchTensor x, double most) => With(most, x.clamp_max);

    /// <summary>Each element, or the bound that it is beyond.</summary>
    public static TorchTensor Within(this TorchTensor x, double least, double most) => With(least, low => With(most, high => x.clamp(low, high)));

    /// <summary>x becomes what is <see cref="Within"/>.</summary>
    public static TorchTensor Bound(this TorchTensor x, double least, double most) => With(least, low => With(most, high => x.hardtanh_(low, high)));

    /// <summary>Whether each element is less than a number.</summary>
    public static TorchTensor IsBelow(this TorchTensor x, double number) => With(number, x.lt);

    /// <summary>Whether each element is greater than a number.</summary>
    public static TorchTensor IsAbove(this TorchTensor x, double number) => With(number, x.gt);

    /// <summary>Whether each element is a number.</summary>
    public static TorchTensor Is(this TorchTensor x, double number) => With(number, x.eq);

    /// <summary>Whether each element is an integer.</summary>
    public static TorchTensor Is(this TorchTensor x, long number) => With(number, x.eq);

    /// <summary>x becomes x × a number.</summary>
    public static TorchTensor Scale(this TorchTensor x, double factor) => With(factor, x.mul_);

    /// <summary>x becomes x + a factor × y.</summary>
    public static TorchTensor Accumulate(this TorchTensor x, TorchTensor y, double factor = 1) => With(factor, scalar => x.add_(y, scalar));

    /// <summary>x where it is positive, else its product with a slope.</summary>
    public static TorchTensor Leaky(this TorchTensor x, double slope) => With(slope, x.leaky_relu);

    /// <summary>x where it is positive, else alpha (exp x − 1).</summary>
    public static TorchTensor Elu(this TorchTensor x, double alpha) => With(alpha, scalar => With(1, one => x.elu(scalar, one, one)));

    /// <summary>x where it is positive, else alpha (exp(x / alpha) − 1).</summary>
    public static TorchTensor Celu(this TorchTensor x, double alpha) => With(alpha, x.celu);

    /// <summary>log(1 + exp x).</summary>
    public static TorchTensor Softplus(this TorchTensor x) => x.logaddexp(torch.zeros_like(x));

    private static TorchTensor With(double number, Func<Scalar, TorchTensor> act)
    {
        using Scalar scalar = number.ToScalar();
        return act(scalar);
    }

    private static TorchTensor With(long number, Func<Scalar, TorchTensor> act)
    {
        using Scalar scalar = number.ToScalar();
        return act(scalar);
    }
}
