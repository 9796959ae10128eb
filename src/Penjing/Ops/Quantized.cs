namespace Penjing;

/// <summary>
/// Reals as integers: round(x / scale) + zero point, halves to even, within the type. From Float32, or from Int32 that stand for reals, which are
/// multiplied in Float32 by their scale / the new scale: the one requantization of simulator, reference and kernels.
/// </summary>
public sealed record QuantizeLinear(ElementType To, Quantization Quantization) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        ValueInfo x = inputs[0];
        Require(x.Type is ElementType.Float32 || x is { Type: ElementType.Int32, Quantization: not null },
            $"it takes Float32, or Int32 that is quantized, not {x}");
        Require(To is ElementType.Int8 or ElementType.UInt8 or ElementType.Int16 or ElementType.UInt16, $"it yields integers of 8 or 16 bits, not {To}");
        Require(Quantization.Fits(To, x.Shape), $"the quantization by {Quantization} doesn't fit {To} {x.Shape}");
        return new(To, x.Shape, Quantization);
    }
}

/// <summary>The reals that quantized integers stand for, scale · (x − zero point), as Float32.</summary>
public sealed record DequantizeLinear : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        Require(inputs[0].Quantization is not null, $"it takes integers that are quantized, not {inputs[0]}");
        return new(ElementType.Float32, inputs[0].Shape);
    }
}

/// <summary>The same integers, which from here on stand for reals by another quantization, or by none.</summary>
public sealed record Reinterpret(Quantization? Quantization = null) : Op
{
    /// <inheritdoc/>
    public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs)
    {
        Arity(inputs, 1, 1);
        if (Quantization is not null)
            Require(Quantization.Fits(inputs[0].Type, inputs[0].Shape), $"the quantization by {Quantization} doesn't fit {inputs[0]}");
        return inputs[0] with { Quantization = Quantization };
    }
}

/// <summary>What sums of products of quantized integers stand for.</summary>
internal static class QuantizedProduct
{
    private static readonly Quantization Plain = new(1, 0);

    /// <summary>Whether both factors are 8-bit integers; if so, the sums are Int32.</summary>
    public static bool Of(ValueInfo x, ValueInfo w) => Is8Bit(x.Type) && Is8Bit(w.Type);

    /// <summary>
    /// The quantization of the Int32 sums: scale = x's · w's, for each index of w's axis <paramref name="from"/> where w has a scale for each; zero point 0.
    /// Integers without quantization have scale 1 and zero point 0. Null where the factors are quantized along other axes.
    /// </summary>
    public static Quantization? Sums(ValueInfo x, ValueInfo w, int from, int to)
    {
        Quantization left = x.Quantization ?? Plain, right = w.Quantization ?? Plain;
        if (left.Axis is not null || right.Axis is { } axis && (axis < 0 ? axis + w.Shape.Rank : axis) != from) return null;
        return new([.. right.Scales.Select(scale => left.Scales[0] * scale)], [.. right.Scales.Select(_ => 0)], right.Axis is null ? null : to);
    }

    private static bool Is8Bit(ElementType type) => type is ElementType.Int8 or ElementType.UInt8;
}
