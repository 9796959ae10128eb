namespace Penjing.Engine;

/// <summary>Moves vectors of floats to and from memory, whole or the first <c>count</c> lanes; the rest is zero or left alone.</summary>
internal unsafe interface IVectorMemory<V> where V : unmanaged
{
    /// <summary>The lanes at <paramref name="source"/>; no alignment is asked for.</summary>
    static abstract V Load(float* source);

    /// <summary>The first lanes at <paramref name="source"/>, 1 ≤ count ≤ lanes, the others 0; nothing beyond them is read.</summary>
    static abstract V LoadPart(float* source, int count);

    /// <summary>Writes all lanes.</summary>
    static abstract void Store(float* target, V value);

    /// <summary>Writes the first lanes, 1 ≤ count ≤ lanes, and nothing beyond them.</summary>
    static abstract void StorePart(float* target, V value, int count);
}

/// <summary>The four operations on vectors of floats.</summary>
internal interface IVectorArithmetic<V> where V : unmanaged
{
    /// <summary>left + right.</summary>
    static abstract V Add(V left, V right);

    /// <summary>left · right.</summary>
    static abstract V Multiply(V left, V right);

    /// <summary>left / right.</summary>
    static abstract V Divide(V left, V right);

    /// <summary>left · right + addend, rounded once where the hardware fuses it.</summary>
    static abstract V MultiplyAdd(V left, V right, V addend);
}

/// <summary>Comparisons of vectors of floats, lane by lane.</summary>
internal interface IVectorOrder<V> where V : unmanaged
{
    /// <summary>The larger; <paramref name="value"/> where it is NaN and <paramref name="bound"/> is not.</summary>
    static abstract V AtLeast(V bound, V value);

    /// <summary>The smaller; <paramref name="value"/> where it is NaN and <paramref name="bound"/> is not.</summary>
    static abstract V AtMost(V bound, V value);

    /// <summary>The larger; NaN where either is.</summary>
    static abstract V Largest(V left, V right);

    /// <summary><paramref name="then"/> where <paramref name="test"/> is below 0, else <paramref name="otherwise"/>.</summary>
    static abstract V IfNegative(V test, V then, V otherwise);
}

/// <summary>What turns rows into columns: vectors as quads of four lanes each.</summary>
internal interface IVectorQuads<V> where V : unmanaged
{
    /// <summary>In each quad a₀, b₀, a₁, b₁.</summary>
    static abstract V ZipLow(V a, V b);

    /// <summary>In each quad a₂, b₂, a₃, b₃.</summary>
    static abstract V ZipHigh(V a, V b);

    /// <summary>The quads 0, 2, … of a, then those of b.</summary>
    static abstract V EvenQuads(V a, V b);

    /// <summary>The quads 1, 3, … of a, then those of b.</summary>
    static abstract V OddQuads(V a, V b);
}

/// <summary>What products of integers need of vectors, whose lanes are taken as words of 32 bits.</summary>
internal unsafe interface IVectorIntegers<V> where V : unmanaged
{
    /// <summary>In each lane the 32-bit sum and both products of 16-bit integers.</summary>
    static abstract V AddPairs(V left, V right, V sums);

    /// <summary>
    /// In each lane the 32-bit sum and the four products of bytes, the left ones unsigned, or signed where <see cref="SignedDots"/>, the right ones signed. Exact where no two
    /// right bytes side by side, the first and second or the third and fourth of a word, exceed 128 in size together, and everywhere unless <see cref="SaturatesDots"/>.
    /// </summary>
    static abstract V AddDots(V left, V right, V sums);

    /// <summary>Whether <see cref="AddDots"/> takes the left bytes as signed.</summary>
    static abstract bool SignedDots { get; }

    /// <summary>Whether <see cref="AddDots"/> adds two products in 16 bits.</summary>
    static abstract bool SaturatesDots { get; }

    /// <summary>left + right of 32-bit integers.</summary>
    static abstract V AddWords(V left, V right);

    /// <summary>left − right of 32-bit integers.</summary>
    static abstract V SubtractWords(V left, V right);

    /// <summary>32-bit integers as floats.</summary>
    static abstract V ToFloats(V integers);
}

/// <summary>Floats from bytes and to bytes.</summary>
internal unsafe interface IVectorBytes<V> where V : unmanaged
{
    /// <summary>The unsigned bytes at <paramref name="source"/>, each ⊻ <paramref name="flip"/>, as floats; of the first lanes, and nothing beyond them is read.</summary>
    static abstract V LoadBytes(byte* source, byte flip, int count);

    /// <summary>Floats below 2³⁰ in size rounded, halves to even, with <paramref name="zero"/> added; the lowest bytes of the first lanes.</summary>
    static abstract void StoreBytes(byte* target, V floats, int zero, int count);

    /// <summary>The same of all lanes of two vectors, of floats below 2¹⁵ in size.</summary>
    static abstract void StoreBytes(byte* first, byte* second, V a, V b, int zero);
}

/// <summary>
/// The vocabulary that kernels are written in, once for every vector width: a struct type parameter, so that the JIT compiles each width to
/// its own instructions. <typeparamref name="V"/> is the vector, or float where there is none.
/// </summary>
internal interface ISimd<V> : IVectorMemory<V>, IVectorArithmetic<V>, IVectorOrder<V>, IVectorQuads<V>, IVectorIntegers<V>, IVectorBytes<V> where V : unmanaged
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>The rows of a register tile two vectors wide, as many as the registers hold.</summary>
    static abstract int TileRows { get; }

    /// <summary>One value in all lanes.</summary>
    static abstract V Fill(float value);

    /// <summary>2ⁿ for values 1.5·2²³ + n, whose low bits hold n; 0 at n = −127 and infinite at 128.</summary>
    static abstract V PowerOfTwo(V shifted);
}

/// <summary>
/// What makes a kernel once the vector width is known. Makers are structs: through code shared by classes the native compiler finds no
/// static method.
/// </summary>
internal interface IKernelMaker
{
    /// <summary>The kernel of a site for one width.</summary>
    static abstract Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged;
}

/// <summary>Turns an <see cref="Isa"/> into type parameters.</summary>
internal static class Simd
{
    /// <summary>The kernel that <typeparamref name="K"/> makes of a site.</summary>
    public static Kernel Make<K>(Site site) where K : struct, IKernelMaker => site.Isa switch
    {
        Isa.Vector512 => K.Make<Simd512, System.Runtime.Intrinsics.Vector512<float>>(site),
        Isa.Vector256 => K.Make<Simd256, System.Runtime.Intrinsics.Vector256<float>>(site),
        Isa.Vector128 => K.Make<Simd128, System.Runtime.Intrinsics.Vector128<float>>(site),
        _ => K.Make<Scalar, float>(site),
    };
}
