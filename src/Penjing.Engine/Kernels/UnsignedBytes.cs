using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>How 8-bit integers of either type are read as unsigned ones: the signed, their highest bit flipped, are those 128 further up.</summary>
internal readonly struct UnsignedBytes
{
    /// <summary>That of integers of a type with a zero point.</summary>
    public UnsignedBytes(ElementType type, int zeroPoint) => (Flip, Zero) = type is ElementType.Int8 ? ((byte)0x80, zeroPoint + 0x80) : ((byte)0, zeroPoint);

    /// <summary>What each byte is combined with (⊻), on the way in and on the way out.</summary>
    public byte Flip { get; }

    /// <summary>The unsigned integer that stands for zero.</summary>
    public int Zero { get; }

    /// <summary>The byte that stands for zero as it lies in memory.</summary>
    public byte ZeroByte => (byte)(Zero ^ Flip);
}

/// <summary>The reals that 8-bit integers stand for.</summary>
internal readonly unsafe struct ByteReals
{
    /// <summary>What each byte is combined with (⊻).</summary>
    public readonly byte Flip;

    /// <summary>What is added to the unsigned integer that this yields.</summary>
    public readonly float Less;

    /// <summary>The step from integer to integer.</summary>
    public readonly float Scale;

    /// <summary>Those of integers of a type with one quantization.</summary>
    public ByteReals(ElementType type, Quantization quantization)
    {
        UnsignedBytes read = new(type, quantization.ZeroPoints[0]);
        (Flip, Less, Scale) = (read.Flip, -read.Zero, quantization.Scales[0]);
    }

    /// <summary>Those of some bytes, at most a vector of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load<S, V>(byte* source, int count) where S : struct, ISimd<V> where V : unmanaged => S.Multiply(S.Add(S.LoadBytes(source, Flip, count), S.Fill(Less)), S.Fill(Scale));
}
