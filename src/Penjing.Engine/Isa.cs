using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>The vector width that kernels compute with; a wider one than the machine accelerates gives right answers slowly.</summary>
public enum Isa
{
    /// <summary>No vectors: scalar code.</summary>
    None,
    /// <summary>128-bit vectors (SSE, NEON).</summary>
    Vector128,
    /// <summary>256-bit vectors (AVX2 and FMA).</summary>
    Vector256,
    /// <summary>512-bit vectors (AVX-512).</summary>
    Vector512,
}

/// <summary>Properties of the <see cref="Isa"/>s.</summary>
public static class Isas
{
    /// <summary>The widest vectors that this process's hardware accelerates.</summary>
    public static Isa Best { get; } =
        Vector512.IsHardwareAccelerated ? Isa.Vector512
        : Vector256.IsHardwareAccelerated ? Isa.Vector256
        : Vector128.IsHardwareAccelerated ? Isa.Vector128
        : Isa.None;

    /// <summary>The rows of a register tile two vectors wide.</summary>
    internal static int TileRows(this Isa isa) => isa switch
    {
        Isa.Vector512 => Simd512.TileRows,
        Isa.Vector256 => Simd256.TileRows,
        Isa.Vector128 => Simd128.TileRows,
        _ => Scalar.TileRows,
    };

    /// <summary>Float32 elements in one vector; 1 without vectors.</summary>
    public static int Lanes(this Isa isa) => isa switch { Isa.Vector512 => 16, Isa.Vector256 => 8, Isa.Vector128 => 4, _ => 1 };
}
