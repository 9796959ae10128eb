namespace Penjing;

/// <summary>An operation on each element by itself, with no parameter but its attributes.</summary>
public abstract record Elementwise : Op
{
    /// <inheritdoc/>
    public sealed override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        ValueInfo x = inputs[0];
        Require(Takes(x.Type) && (x.Quantization is null || TakesQuantized(x)), $"it doesn't compute with {x}");
        return Yields(x);
    }

    /// <summary>The function, in double precision; a truth value is 1 or 0.</summary>
    public abstract double Apply(double x);

    /// <summary>The function of an integer, exactly; results are cut to the type's bits.</summary>
    internal virtual Int128 Apply(Int128 x) => throw new NotSupportedException($"{Name} is no function of integers");

    /// <summary>Whether the function is defined for elements of this type.</summary>
    private protected virtual bool Takes(ElementType type) => type.IsFloat();

    /// <summary>Whether the function is defined for integers that stand for reals.</summary>
    private protected virtual bool TakesQuantized(ValueInfo x) => false;

    /// <summary>The output for an input that it takes.</summary>
    private protected virtual ValueInfo Yields(ValueInfo x) => x;
}

/// <summary>The functions without attributes, by ONNX's names.</summary>
public enum UnaryFunction
{
    /// <summary>|x|.</summary>
    Abs,
    /// <summary>Inverse cosine.</summary>
    Acos,
    /// <summary>Inverse hyperbolic cosine.</summary>
    Acosh,
    /// <summary>Inverse sine.</summary>
    Asin,
    /// <summary>Inverse hyperbolic sine.</summary>
    Asinh,
    /// <summary>Inverse tangent.</summary>
    Atan,
    /// <summary>Inverse hyperbolic tangent.</summary>
    Atanh,
    /// <summary>The smallest whole number that is not less.</summary>
    Ceil,
    /// <summary>Cosine.</summary>
    Cos,
    /// <summary>Hyperbolic cosine.</summary>
    Cosh,
    /// <summary>The error function, 2/√π · ∫₀ˣ exp(−t²) dt.</summary>
    Erf,
    /// <summary>The exponential.</summary>
    Exp,
    /// <summary>The largest whole number that is not greater.</summary>
    Floor,
    /// <summary>Whether x is not a number, as Bool.</summary>
    IsNaN,
    /// <summary>Natural logarithm.</summary>
    Log,
    /// <summary>x · tanh(softplus(x)), of Misra 2019.</summary>
    Mish,
    /// <summary>−x.</summary>
    Neg,
    /// <summary>The other truth value.</summary>
    Not,
    /// <summary>1 / x.</summary>
    Reciprocal,
    /// <summary>The nearest whole number, halves to the even one.</summary>
    Round,
    /// <summary>−1, 0 or 1.</summary>
    Sign,
    /// <summary>Sine.</summary>
    Sin,
    /// <summary>Hyperbolic sine.</summary>
    Sinh,
    /// <summary>log(1 + exp(x)).</summary>
    Softplus,
    /// <summary>x / (1 + |x|).</summary>
    Softsign,
    /// <summary>Square root.</summary>
    Sqrt,
    /// <summary>Tangent.</summary>
    Tan,
}

/// <summary>A function without attributes; its name is the function's.</summary>
public sealed record Unary(UnaryFunction Function) : Elementwise
{
    /// <inheritdoc/>
    public override string Name => Function.ToString();

    /// <inheritdoc/>
    public override double Apply(double x) => Function switch
    {
        UnaryFunction.Abs => Math.Abs(x),
        UnaryFunction.Acos => Math.Acos(x),
        UnaryFunction.Acosh => Math.Acosh(x),
        UnaryFunction.Asin => Math.Asin(x),
        UnaryFunction.Asinh => Math.Asinh(x),
        UnaryFunction.Atan => Math.Atan(x),
        UnaryFunction.Atanh => Math.Atanh(x),
        UnaryFunction.Ceil => Math.Ceiling(x),
        UnaryFunction.Cos => Math.Cos(x),
        UnaryFunction.Cosh => Math.Cosh(x),
        UnaryFunction.Erf => Erf(x),
        UnaryFunction.Exp => Math.Exp(x),
        UnaryFunction.Floor => Math.Floor(x),
        UnaryFunction.IsNaN => double.IsNaN(x) ? 1 : 0,
        UnaryFunction.Log => Math.Log(x),
        UnaryFunction.Mish => x * Math.Tanh(Softplus(x)),
        UnaryFunction.Neg => -x,
        UnaryFunction.Not => x == 0 ? 1 : 0,
        UnaryFunction.Reciprocal => 1 / x,
        UnaryFunction.Round => Math.Round(x),
        UnaryFunction.Sign => x > 0 ? 1 : x < 0 ? -1 : x,
        UnaryFunction.Sin => Math.Sin(x),
        UnaryFunction.Sinh => Math.Sinh(x),
        UnaryFunction.Softplus => Softplus(x),
        UnaryFunction.Softsign => x / (1 + Math.Abs(x)),
        UnaryFunction.Sqrt => Math.Sqrt(x),
        _ => Math.Tan(x),
    };

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 x) => Function switch
    {
        UnaryFunction.Abs => Int128.Abs(x),
        UnaryFunction.Neg => -x,
        UnaryFunction.Sign => Int128.Sign(x),
        UnaryFunction.Not => x == 0 ? 1 : 0,
        _ => base.Apply(x),
    };

    /// <summary>The error function: Kummer's series, 2x/√π · exp(−x²) · Σ (2x²)ⁿ / (2n + 1)!!, whose terms are all positive.</summary>
    internal static double Erf(double x)
    {
        if (!(Math.Abs(x) < 6)) return double.IsNaN(x) ? x : Math.Sign(x);
        double sum = 0, term = 1;
        for (int n = 1; term > 1e-18 * sum; n++)
        {
            sum += term;
            term *= 2 * x * x / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * x * Math.Exp(-x * x) * sum;
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Log1P(Math.Exp(-Math.Abs(x)));

    /// <summary>log(1 + x) without the loss of x's low digits.</summary>
    private static double Log1P(double x)
    {
        double sum = 1 + x;
        return sum == 1 ? x : Math.Log(sum) * (x / (sum - 1));
    }

    private protected override bool Takes(ElementType type) => Function switch
    {
        UnaryFunction.Not => type is ElementType.Bool,
        UnaryFunction.Abs or UnaryFunction.Sign => type is not ElementType.Bool,
        UnaryFunction.Neg => !type.IsUnsigned(),
        _ => type.IsFloat(),
    };

    private protected override ValueInfo Yields(ValueInfo x) => Function is UnaryFunction.IsNaN ? x with { Type = ElementType.Bool } : x;
}

/// <summary>Whether x is infinite, on the sides that count, as Bool.</summary>
public sealed record IsInf(bool Negative = true, bool Positive = true) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => (Negative && double.IsNegativeInfinity(x)) || (Positive && double.IsPositiveInfinity(x)) ? 1 : 0;

    private protected override ValueInfo Yields(ValueInfo x) => x with { Type = ElementType.Bool };
}

/// <summary>x where positive, else Alpha · (exp(x) − 1); of Clevert 2015.</summary>
public sealed record Elu(float Alpha = 1) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => x < 0 ? Alpha * (Math.Exp(x) - 1) : x;
}

/// <summary>max(0, x) + min(0, Alpha · (exp(x / Alpha) − 1)); of Barron 2017.</summary>
public sealed record Celu(float Alpha = 1) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => Math.Max(0, x) + Math.Min(0, Alpha * (Math.Exp(x / Alpha) - 1));
}

/// <summary>Gamma · x where positive, else Gamma · Alpha · (exp(x) − 1); of Klambauer 2017.</summary>
public sealed record Selu(float Alpha = 1.67326319f, float Gamma = 1.05070102f) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => Gamma * (double)(x > 0 ? x : Alpha * (Math.Exp(x) - 1));
}

/// <summary>x where above Alpha, else 0.</summary>
public sealed record ThresholdedRelu(float Alpha = 1) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => x > Alpha ? x : 0;
}

/// <summary>x + Bias below −Lambda, x − Bias above Lambda, else 0.</summary>
public sealed record Shrink(float Lambda = 0.5f, float Bias = 0) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => x < -(double)Lambda ? x + Bias : x > Lambda ? x - Bias : 0;
}

/// <summary>x · Φ(x) with the normal distribution's Φ, or its approximation by a hyperbolic tangent; of Hendrycks 2016.</summary>
public sealed record Gelu(bool Tanh = false) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) =>
        0.5 * x * (1 + (Tanh ? Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)) : Unary.Erf(x / Math.Sqrt(2))));
}

/// <summary>
/// The elements in another type: whole numbers from reals towards zero, at most the type's largest; from wider integers by their low bits; Bool is
/// whether x is not 0. Integers that stand for reals are taken as plain integers.
/// </summary>
public sealed record Cast(ElementType To) : Elementwise
{
    /// <inheritdoc/>
    public override double Apply(double x) => x;

    /// <inheritdoc/>
    internal override Int128 Apply(Int128 x) => x;

    private protected override bool Takes(ElementType type) => true;

    private protected override bool TakesQuantized(ValueInfo x) => true;

    private protected override ValueInfo Yields(ValueInfo x) => new(To, x.Shape);
}
