using System.Diagnostics.CodeAnalysis;

namespace Penjing;

/// <summary>The type of one element of a tensor.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "The field's standard names.")]
public enum ElementType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,
    /// <summary>IEEE 754 binary16.</summary>
    Float16,
    /// <summary>Signed 8-bit integer.</summary>
    Int8,
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8,
    /// <summary>Signed 32-bit integer.</summary>
    Int32,
    /// <summary>Signed 64-bit integer.</summary>
    Int64,
}

/// <summary>Sizes and .NET types of <see cref="ElementType"/>s.</summary>
public static class ElementTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is not a defined element type.</exception>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Float32 or ElementType.Int32 => 4,
        ElementType.Float16 => 2,
        ElementType.Int8 or ElementType.UInt8 => 1,
        ElementType.Int64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };

    /// <summary>The element type that stores <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">No element type stores <typeparamref name="T"/>.</exception>
    public static ElementType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? ElementType.Float32
        : typeof(T) == typeof(Half) ? ElementType.Float16
        : typeof(T) == typeof(sbyte) ? ElementType.Int8
        : typeof(T) == typeof(byte) ? ElementType.UInt8
        : typeof(T) == typeof(int) ? ElementType.Int32
        : typeof(T) == typeof(long) ? ElementType.Int64
        : throw new NotSupportedException($"no element type stores {typeof(T)}");
}
