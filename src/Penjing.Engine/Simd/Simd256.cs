using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>256-bit vectors: the tile is made for 16 registers.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int TileRows => 6;
    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fill(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadPart(float* source, int count)
    {
        if (Avx.IsSupported) return Avx.MaskLoad(source, First(count));
        Vector128<float> low = Simd128.LoadPart(source, Math.Min(count, 4));
        return Vector256.Create(low, count > 4 ? Simd128.LoadPart(source + 4, count - 4) : default);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector256<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* target, Vector256<float> value, int count)
    {
        if (Avx.IsSupported)
        {
            Avx.MaskStore(target, First(count), value);
            return;
        }
        Simd128.StorePart(target, value.GetLower(), Math.Min(count, 4));
        if (count > 4) Simd128.StorePart(target + 4, value.GetUpper(), count - 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AtLeast(Vector256<float> bound, Vector256<float> value) => Vector256.MaxNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AtMost(Vector256<float> bound, Vector256<float> value) => Vector256.MinNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Largest(Vector256<float> left, Vector256<float> right) => Vector256.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> IfNegative(Vector256<float> test, Vector256<float> then, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.LessThan(test, Vector256<float>.Zero), then, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipLow(Vector256<float> a, Vector256<float> b) => Avx.IsSupported ? Avx.UnpackLow(a, b)
        : Vector256.Create(Simd128.ZipLow(a.GetLower(), b.GetLower()), Simd128.ZipLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ZipHigh(Vector256<float> a, Vector256<float> b) => Avx.IsSupported ? Avx.UnpackHigh(a, b)
        : Vector256.Create(Simd128.ZipHigh(a.GetLower(), b.GetLower()), Simd128.ZipHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> EvenQuads(Vector256<float> a, Vector256<float> b) => Vector256.Create(a.GetLower(), b.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> OddQuads(Vector256<float> a, Vector256<float> b) => Vector256.Create(a.GetUpper(), b.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> PowerOfTwo(Vector256<float> shifted) => ((shifted.AsInt32() << 23) + Vector256.Create(0x3F800000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddPairs(Vector256<float> left, Vector256<float> right, Vector256<float> sums)
    {
        if (Avx2.IsSupported) return (Avx2.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums.AsInt32()).AsSingle();
        return Vector256.Create(Simd128.AddPairs(left.GetLower(), right.GetLower(), sums.GetLower()), Simd128.AddPairs(left.GetUpper(), right.GetUpper(), sums.GetUpper()));
    }

    public static bool SignedDots => !Avx2.IsSupported && Simd128.SignedDots;
    public static bool SaturatesDots => Avx2.IsSupported ? !AvxVnni.IsSupported : Simd128.SaturatesDots;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddDots(Vector256<float> left, Vector256<float> right, Vector256<float> sums)
    {
        if (AvxVnni.IsSupported) return AvxVnni.MultiplyWideningAndAdd(sums.AsInt32(), left.AsByte(), right.AsSByte()).AsSingle();
        if (Avx2.IsSupported) return (Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(left.AsByte(), right.AsSByte()), Vector256<short>.One) + sums.AsInt32()).AsSingle();
        return Vector256.Create(Simd128.AddDots(left.GetLower(), right.GetLower(), sums.GetLower()), Simd128.AddDots(left.GetUpper(), right.GetUpper(), sums.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddWords(Vector256<float> left, Vector256<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SubtractWords(Vector256<float> left, Vector256<float> right) => (left.AsInt32() - right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<float> integers) => Vector256.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBytes(byte* source, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Load(source, count) ^ Vector128.Create(flip);
        if (Avx2.IsSupported) return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes));
        Vector128<ushort> halves = Vector128.WidenLower(bytes);
        return ToFloats(Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* target, Vector256<float> floats, int zero, int count)
    {
        Vector256<int> whole = Whole(floats) + Vector256.Create(zero);
        Vector128<short> halves = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
        Bytes.Store(target, Vector128.Narrow(halves, halves).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* first, byte* second, Vector256<float> a, Vector256<float> b, int zero)
    {
        if (!Avx2.IsSupported)
        {
            StoreBytes(first, a, zero, Lanes);
            StoreBytes(second, b, zero, Lanes);
            return;
        }
        // Packing keeps to each half: a₀ … a₃, b₀ … b₃, then the rest of both.
        Vector256<short> halves = Avx2.And(Avx2.Add(Avx2.PackSignedSaturate(Whole(a), Whole(b)), Vector256.Create((short)zero)), Vector256.Create((short)0xFF));
        Vector256<int> bytes = Avx2.PackUnsignedSaturate(halves, halves).AsInt32();
        Vector128<float> both = Avx2.PermuteVar8x32(bytes, Vector256.Create(0, 4, 1, 5, 0, 4, 1, 5)).GetLower().AsSingle();
        Sse.StoreLow((float*)first, both);
        Sse.StoreHigh((float*)second, both);
    }

    /// <summary>The nearest integers, halves to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Whole(Vector256<float> floats) => Avx.IsSupported ? Avx.ConvertToVector256Int32(floats) : Vector256.ConvertToInt32Native(Vector256.Round(floats));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> First(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}
