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
    public static TorchTensor Plus(this TorchTensor x, TorchTensor y)
    {
        using Scalar one = 1L.ToScalar();
        return x.add(y, one);
    }

    /// <summary>x + a number.</summary>
    public static TorchTensor Plus(this TorchTensor x, double number)
    {
        using Scalar scalar = number.ToScalar(), one = 1L.ToScalar();
        return x.add(scalar, one);
    }

    /// <summary>x + an integer; integers stay such.</summary>
    public static TorchTensor Plus(this TorchTensor x, long number)
    {
        using Scalar scalar = number.ToScalar(), one = 1L.ToScalar();
        return x.add(scalar, one);
    }

    /// <summary>A number − x.</summary>
    public static TorchTensor From(this TorchTensor x, double number) => x.neg().Plus(number);

    /// <summary>x × a number.</summary>
    public static TorchTensor Times(this TorchTensor x, double factor)
    {
        using Scalar scalar = factor.ToScalar();
        return x.mul(scalar);
    }

    /// <summary>x / a number.</summary>
    public static TorchTensor Over(this TorchTensor x, double divisor)
    {
        using Scalar scalar = divisor.ToScalar();
        return x.div(scalar);
    }

    /// <summary>Each element to a power.</summary>
    public static TorchTensor Power(this TorchTensor x, double exponent)
    {
        using Scalar scalar = exponent.ToScalar();
        return x.pow(scalar);
    }

    /// <summary>The larger of each element and a number.</summary>
    public static TorchTensor AtLeast(this TorchTensor x, double least)
    {
        using Scalar scalar = least.ToScalar();
        return x.clamp_min(scalar);
    }

    /// <summary>The smaller of each element and a number.</summary>
    public static TorchTensor AtMost(this TorchTensor x, double most)
    {
        using Scalar scalar = most.ToScalar();
        return x.clamp_max(scalar);
    }

    /// <summary>Each element, or the bound that it is beyond.</summary>
    public static TorchTensor Within(this TorchTensor x, double least, double most)
    {
        using Scalar low = least.ToScalar(), high = most.ToScalar();
        return x.clamp(low, high);
    }

    /// <summary>x becomes what is <see cref="Within"/>.</summary>
    public static TorchTensor Bound(this TorchTensor x, double least, double most)
    {
        using Scalar low = least.ToScalar(), high = most.ToScalar();
        return x.hardtanh_(low, high);
    }

    /// <summary>Whether each element is less than a number.</summary>
    public static TorchTensor IsBelow(this TorchTensor x, double number)
    {
        using Scalar scalar = number.ToScalar();
        return x.lt(scalar);
    }

    /// <summary>Whether each element is greater than a number.</summary>
    public static TorchTensor IsAbove(this TorchTensor x, double number)
    {
        using Scalar scalar = number.ToScalar();
        return x.gt(scalar);
    }

    /// <summary>Whether each element is a number.</summary>
    public static TorchTensor Is(this TorchTensor x, double number)
    {
        using Scalar scalar = number.ToScalar();
        return x.eq(scalar);
    }

    /// <summary>Whether each element is an integer.</summary>
    public static TorchTensor Is(this TorchTensor x, long number)
    {
        using Scalar scalar = number.ToScalar();
        return x.eq(scalar);
    }

    /// <summary>x becomes x × a number.</summary>
    public static TorchTensor Scale(this TorchTensor x, double factor)
    {
        using Scalar scalar = factor.ToScalar();
        return x.mul_(scalar);
    }

    /// <summary>x becomes x + a factor × y.</summary>
    public static TorchTensor Accumulate(this TorchTensor x, TorchTensor y, double factor = 1)
    {
        using Scalar scalar = factor.ToScalar();
        return x.add_(y, scalar);
    }

    /// <summary>x where it is positive, else its product with a slope.</summary>
    public static TorchTensor Leaky(this TorchTensor x, double slope)
    {
        using Scalar scalar = slope.ToScalar();
        return x.leaky_relu(scalar);
    }

    /// <summary>x where it is positive, else alpha (exp x − 1).</summary>
    public static TorchTensor Elu(this TorchTensor x, double alpha)
    {
        using Scalar scalar = alpha.ToScalar(), one = 1L.ToScalar();
        return x.elu(scalar, one, one);
    }

    /// <summary>x where it is positive, else alpha (exp(x / alpha) − 1).</summary>
    public static TorchTensor Celu(this TorchTensor x, double alpha)
    {
        using Scalar scalar = alpha.ToScalar();
        return x.celu(scalar);
    }

    /// <summary>log(1 + exp x).</summary>
    public static TorchTensor Softplus(this TorchTensor x) => x.logaddexp(torch.zeros_like(x));
}
