using System.Collections.Immutable;

namespace Penjing;

/// <summary>How the integers of a value stand for reals: real = scale · (integer − zero point), per tensor or along an axis.</summary>
public sealed record Quantization(ImmutableArray<float> Scales, ImmutableArray<int> ZeroPoints, int? Axis = null)
{
    /// <summary>Per-tensor quantization.</summary>
    public Quantization(float scale, int zeroPoint) : this([scale], [zeroPoint]) { }

    /// <summary>Equal when axis, scales and zero points are.</summary>
    public bool Equals(Quantization? other) =>
        other is not null && Axis == other.Axis && Scales.SequenceEqual(other.Scales) && ZeroPoints.SequenceEqual(other.ZeroPoints);

    /// <summary>Whether a value can have it: integers, finite positive scales, zero points among the integers, one for each index of the axis.</summary>
    internal bool Fits(ElementType type, Shape shape) =>
        type.IsInteger() && Scales.Length == ZeroPoints.Length && Scales.All(scale => float.IsFinite(scale) && scale > 0)
        && ZeroPoints.All(zero => Holds(type, zero))
        && (Axis is { } axis ? axis >= -shape.Rank && axis < shape.Rank && shape[axis] == Scales.Length : Scales.Length == 1);

    /// <summary>The integer of this type that stands for the real nearest to <paramref name="value"/>, halves to the even one.</summary>
    public int Nearest(float value, ElementType type, int index = 0)
    {
        (double low, double high) = type switch
        {
            ElementType.Int8 => ((double)sbyte.MinValue, (double)sbyte.MaxValue),
            ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
            ElementType.Int16 => (short.MinValue, short.MaxValue),
            ElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
            _ => (type.IsUnsigned() ? 0 : int.MinValue, int.MaxValue),
        };
        return (int)Math.Clamp(Math.Round((double)(value / Scales[index])) + ZeroPoints[index], low, high);
    }

    private static bool Holds(ElementType type, int zero) => type switch
    {
        ElementType.Int8 => zero is >= sbyte.MinValue and <= sbyte.MaxValue,
        ElementType.UInt8 => zero is >= byte.MinValue and <= byte.MaxValue,
        ElementType.Int16 => zero is >= short.MinValue and <= short.MaxValue,
        ElementType.UInt16 => zero is >= ushort.MinValue and <= ushort.MaxValue,
        _ => !type.IsUnsigned() || zero >= 0,
    };

    /// <summary>Scale and zero point, or how many along which axis.</summary>
    public override string ToString() => Axis is { } axis ? $"{Scales.Length} scales and {ZeroPoints.Length} zero points along axis {axis}"
        : $"scale {string.Join(", ", Scales)}, zero point {string.Join(", ", ZeroPoints)}";

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Axis, Scales.Length, Scales.FirstOrDefault(), ZeroPoints.FirstOrDefault());
}

/// <summary>What is known of a value before it is computed: element type, shape and, for integers that stand for reals, the quantization.</summary>
public sealed record ValueInfo(ElementType Type, Shape Shape, Quantization? Quantization = null)
{
    /// <summary>Type and shape, as in Float32 1×3×224×224.</summary>
    public override string ToString() => $"{Type} {Shape}";
}
