using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine;

/// <summary>128-bit vectors: 32 registers on Arm, 16 elsewhere.</summary>
internal readonly unsafe struct Simd128 : ISimd<Vector128<float>>
{
    public static int TileRows => AdvSimd.Arm64.IsSupported ? 12 : 6;
    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fill(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadPart(float* source, int count)
    {
        if (Avx.IsSupported) return Avx.MaskLoad(source, First(count));
        if (count >= 4) return Load(source);
        Vector128<float> value = Vector128.CreateScalar(source[0]);
        if (count > 1) value = value.WithElement(1, source[1]);
        return count > 2 ? value.WithElement(2, source[2]) : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector128<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* target, Vector128<float> value, int count)
    {
        if (Avx.IsSupported)
        {
            Avx.MaskStore(target, First(count), value);
            return;
        }
        if (count >= 4)
        {
            Store(target, value);
            return;
        }
        target[0] = value.GetElement(0);
        if (count > 1) target[1] = value.GetElement(1);
        if (count > 2) target[2] = value.GetElement(2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AtLeast(Vector128<float> bound, Vector128<float> value) => Vector128.MaxNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AtMost(Vector128<float> bound, Vector128<float> value) => Vector128.MinNative(bound, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Largest(Vector128<float> left, Vector128<float> right) => Vector128.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> IfNegative(Vector128<float> test, Vector128<float> then, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(Vector128.LessThan(test, Vector128<float>.Zero), then, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    public static Vector128<float> EvenQuads(Vector128<float> a, Vector128<float> b) => a;
    public static Vector128<float> OddQuads(Vector128<float> a, Vector128<float> b) => b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> PowerOfTwo(Vector128<float> shifted) => ((shifted.AsInt32() << 23) + Vector128.Create(0x3F800000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddPairs(Vector128<float> left, Vector128<float> right, Vector128<float> sums)
    {
        if (Sse2.IsSupported) return (Sse2.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums.AsInt32()).AsSingle();
        if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<int> low = AdvSimd.MultiplyWideningLower(left.AsInt16().GetLower(), right.AsInt16().GetLower()), high = AdvSimd.MultiplyWideningUpper(left.AsInt16(), right.AsInt16());
            return (AdvSimd.Arm64.AddPairwise(low, high) + sums.AsInt32()).AsSingle();
        }
        Vector128<int> a = left.AsInt32(), b = right.AsInt32();
        return (((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16) + sums.AsInt32()).AsSingle();
    }

    public static bool SignedDots => Dp.IsSupported;
    public static bool SaturatesDots => Ssse3.IsSupported && !AvxVnni.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddDots(Vector128<float> left, Vector128<float> right, Vector128<float> sums)
    {
        if (AvxVnni.IsSupported) return AvxVnni.MultiplyWideningAndAdd(sums.AsInt32(), left.AsByte(), right.AsSByte()).AsSingle();
        if (Dp.IsSupported) return Dp.DotProduct(sums.AsInt32(), left.AsSByte(), right.AsSByte()).AsSingle();
        if (Ssse3.IsSupported) return (Sse2.MultiplyAddAdjacent(Ssse3.MultiplyAddAdjacent(left.AsByte(), right.AsSByte()), Vector128<short>.One) + sums.AsInt32()).AsSingle();
        (Vector128<uint> a, Vector128<int> b, Vector128<int> sum) = (left.AsUInt32(), right.AsInt32(), sums.AsInt32());
        for (int byteOf = 0; byteOf < 4; byteOf++) sum += (a << 24 - 8 * byteOf >>> 24).AsInt32() * (b << 24 - 8 * byteOf >> 24);
        return sum.AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddWords(Vector128<float> left, Vector128<float> right) => (left.AsInt32() + right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SubtractWords(Vector128<float> left, Vector128<float> right) => (left.AsInt32() - right.AsInt32()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<float> integers) => Vector128.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBytes(byte* source, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Load(source, count) ^ Vector128.Create(flip);
        return ToFloats(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* target, Vector128<float> floats, int zero, int count)
    {
        Vector128<int> whole = Whole(floats) + Vector128.Create(zero);
        Vector128<short> halves = Vector128.Narrow(whole, whole);
        Bytes.Store(target, Vector128.Narrow(halves, halves).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* first, byte* second, Vector128<float> a, Vector128<float> b, int zero)
    {
        Vector128<short> halves = Vector128.Narrow(Whole(a) + Vector128.Create(zero), Whole(b) + Vector128.Create(zero));
        Vector128<uint> bytes = Vector128.Narrow(halves, halves).AsUInt32();
        Unsafe.WriteUnaligned(first, bytes.ToScalar());
        Unsafe.WriteUnaligned(second, bytes.GetElement(1));
    }

    /// <summary>The nearest integers, halves to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Whole(Vector128<float> floats) => Sse2.IsSupported ? Sse2.ConvertToVector128Int32(floats)
        : AdvSimd.IsSupported ? AdvSimd.ConvertToInt32RoundToEven(floats) : Vector128.ConvertToInt32Native(Vector128.Round(floats));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> First(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();
}
