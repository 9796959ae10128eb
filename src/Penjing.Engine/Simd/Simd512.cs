using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>512-bit vectors: 32 registers.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int TileRows => 14;
    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fill(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadPart(float* source, int count)
    {
        if (Avx512F.IsSupported) return Avx512F.MaskLoad(source, First(count), Vector512<float>.Zero);
        Vector256<float> low = Simd256.LoadPart(source, Math.Min(count, 8));
        return Vector512.Create(low, count > 8 ? Simd256.LoadPart(source + 8, count - 8) : default);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector512<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* target, Vector512<float> value, int count)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.MaskStore(target, First(count), value);
            return;
        }
        Simd256.StorePart(target, value.GetLower(), Math.Min(count, 8));
        if (count > 8) Simd256.StorePart(target + 8, value.GetUpper(), count - 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AtLeast(Vector512<float> bound, Vector512<float> value) => Vector512.MaxNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AtMost(Vector512<float> bound, Vector512<float> value) => Vector512.MinNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Largest(Vector512<float> left, Vector512<float> right) => Vector512.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> IfNegative(Vector512<float> test, Vector512<float> then, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.LessThan(test, Vector512<float>.Zero), then, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipLow(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.UnpackLow(a, b)
        : Vector512.Create(Simd256.ZipLow(a.GetLower(), b.GetLower()), Simd256.ZipLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ZipHigh(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.UnpackHigh(a, b)
        : Vector512.Create(Simd256.ZipHigh(a.GetLower(), b.GetLower()), Simd256.ZipHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> EvenQuads(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.Shuffle4x128(a, b, 0b10_00_10_00)
        : Vector512.Create(Simd256.EvenQuads(a.GetLower(), a.GetUpper()), Simd256.EvenQuads(b.GetLower(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> OddQuads(Vector512<float> a, Vector512<float> b) => Avx512F.IsSupported ? Avx512F.Shuffle4x128(a, b, 0b11_01_11_01)
        : Vector512.Create(Simd256.OddQuads(a.GetLower(), a.GetUpper()), Simd256.OddQuads(b.GetLower(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwo(Vector512<float> shifted) => ((shifted.AsInt32() << 23) + Vector512.Create(0x3F800000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddPairs(Vector512<float> left, Vector512<float> right, Vector512<float> sums)
    {
        if (Avx512BW.IsSupported) return (Avx512BW.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums.AsInt32()).AsSingle();
        return Vector512.Create(Simd256.AddPairs(left.GetLower(), right.GetLower(), sums.GetLower()), Simd256.AddPairs(left.GetUpper(), right.GetUpper(), sums.GetUpper()));
    }

    public static bool SignedDots => !Avx512BW.IsSupported && Simd256.SignedDots;
    public static bool SaturatesDots => Avx512BW.IsSupported || Simd256.SaturatesDots;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddDots(Vector512<float> left, Vector512<float> right, Vector512<float> sums)
    {
        if (Avx512BW.IsSupported) return (Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(left.AsByte(), right.AsSByte()), Vector512<short>.One) + sums.AsInt32()).AsSingle();
        return Vector512.Create(Simd256.AddDots(left.GetLower(), right.GetLower(), sums.GetLower()), Simd256.AddDots(left.GetUpper(), right.GetUpper(), sums.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddWords(Vector512<float> left, Vector512<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SubtractWords(Vector512<float> left, Vector512<float> right) => (left.AsInt32() - right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<float> integers) => Vector512.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBytes(byte* source, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Load(source, count) ^ Vector128.Create(flip);
        if (Avx512F.IsSupported) return Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes));
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
        return Vector512.Create(Simd256.ToFloats(Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)).AsSingle()),
            Simd256.ToFloats(Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high)).AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* target, Vector512<float> floats, int zero, int count)
    {
        if (Avx512F.IsSupported)
        {
            Bytes.Store(target, Avx512F.ConvertToVector128Byte(Avx512F.ConvertToVector512Int32(floats) + Vector512.Create(zero)), count);
            return;
        }
        Vector512<int> whole = Vector512.ConvertToInt32Native(Vector512.Round(floats)) + Vector512.Create(zero);
        Vector256<short> halves = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
        Bytes.Store(target, Vector128.Narrow(halves.GetLower(), halves.GetUpper()).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* first, byte* second, Vector512<float> a, Vector512<float> b, int zero)
    {
        StoreBytes(first, a, zero, Lanes);
        StoreBytes(second, b, zero, Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> First(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}
