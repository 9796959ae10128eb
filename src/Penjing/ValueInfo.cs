using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Penjing;

/// <summary>How the integers of a value stand for reals: real = scale · (integer − zero point), per tensor or along an axis.</summary>
[method: JsonConstructor]
public sealed record Quantization(ImmutableArray<float> Scales, ImmutableArray<int> ZeroPoints, int? Axis = null)
{
    /// <summary>Per-tensor quantization.</summary>
    public Quantization(float scale, int zeroPoint) : this([scale], [zeroPoint]) { }

    /// <summary>Equal when axis, scales and zero points are.</summary>
    public bool Equals(Quantization? other) =>
        other is not null && Axis == other.Axis && Scales.SequenceEqual(other.Scales) && ZeroPoints.SequenceEqual(other.ZeroPoints);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Axis, Scales.Length, Scales.FirstOrDefault(), ZeroPoints.FirstOrDefault());
}

/// <summary>What is known of a value before it is computed: element type, shape and, for integers that stand for reals, the quantization.</summary>
public sealed record ValueInfo(ElementType Type, Shape Shape, Quantization? Quantization = null)
{
    /// <summary>Type and shape, as in Float32 1×3×224×224.</summary>
    public override string ToString() => $"{Type} {Shape}";
}
