using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<float> integers) => Vector512.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadPairs(byte* first, byte* second, byte flip, int count)
    {
        (Vector128<byte> low, Vector128<byte> high) = Bytes.Zip(Bytes.Load(first, count), Bytes.Load(second, count));
        Vector256<byte> bytes = Vector256.Create(low, high) ^ Vector256.Create(flip);
        if (Avx512BW.IsSupported) return Avx512BW.ConvertToVector512Int16(bytes).AsSingle();
        return Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBytes(byte* source, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Load(source, count) ^ Vector128.Create(flip);
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
        return Vector512.Create(Simd256.ToFloats(Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)).AsSingle()),
            Simd256.ToFloats(Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high)).AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* target, Vector512<float> floats, int zero, int count)
    {
        Vector512<int> whole = Vector512.ConvertToInt32Native(Vector512.Round(floats)) + Vector512.Create(zero);
        Vector256<short> halves = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
        Bytes.Store(target, Vector128.Narrow(halves.GetLower(), halves.GetUpper()).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> First(int count) => Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<float> integers) => Vector256.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadPairs(byte* first, byte* second, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Zip(Bytes.Load(first, count), Bytes.Load(second, count)).Low ^ Vector128.Create(flip);
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int16(bytes).AsSingle();
        return Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsSingle();
    }

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
        Vector256<int> whole = Vector256.ConvertToInt32Native(Vector256.Round(floats)) + Vector256.Create(zero);
        Vector128<short> halves = Vector128.Narrow(whole.GetLower(), whole.GetUpper());
        Bytes.Store(target, Vector128.Narrow(halves, halves).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> First(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloats(Vector128<float> integers) => Vector128.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadPairs(byte* first, byte* second, byte flip, int count)
    {
        return Vector128.WidenLower(Bytes.Zip(Bytes.Load(first, count), Bytes.Load(second, count)).Low ^ Vector128.Create(flip)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBytes(byte* source, byte flip, int count)
    {
        Vector128<byte> bytes = Bytes.Load(source, count) ^ Vector128.Create(flip);
        return ToFloats(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* target, Vector128<float> floats, int zero, int count)
    {
        Vector128<int> whole = Vector128.ConvertToInt32Native(Vector128.Round(floats)) + Vector128.Create(zero);
        Vector128<short> halves = Vector128.Narrow(whole, whole);
        Bytes.Store(target, Vector128.Narrow(halves, halves).AsByte(), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> First(int count) => Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();
}

/// <summary>One float at a time, for machines without vectors and for the ends of runs.</summary>
internal readonly unsafe struct Scalar : ISimd<float>
{
    public static int TileRows => 4;
    public static int Lanes => 1;
    public static float Fill(float value) => value;
    public static float Load(float* source) => *source;
    public static float LoadPart(float* source, int count) => *source;
    public static void Store(float* target, float value) => *target = value;
    public static void StorePart(float* target, float value, int count) => *target = value;
    public static float Add(float left, float right) => left + right;
    public static float Multiply(float left, float right) => left * right;
    public static float Divide(float left, float right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float left, float right, float addend) => float.MultiplyAddEstimate(left, right, addend);

    public static float AtLeast(float bound, float value) => bound > value ? bound : value;
    public static float AtMost(float bound, float value) => bound < value ? bound : value;
    public static float Largest(float left, float right) => MathF.Max(left, right);
    public static float IfNegative(float test, float then, float otherwise) => test < 0 ? then : otherwise;

    public static float ZipLow(float a, float b) => a;
    public static float ZipHigh(float a, float b) => b;
    public static float EvenQuads(float a, float b) => a;
    public static float OddQuads(float a, float b) => b;

    public static float AddPairs(float left, float right, float sums)
    {
        (int a, int b) = (BitConverter.SingleToInt32Bits(left), BitConverter.SingleToInt32Bits(right));
        return BitConverter.Int32BitsToSingle((short)a * (short)b + (a >> 16) * (b >> 16) + BitConverter.SingleToInt32Bits(sums));
    }

    public static float ToFloats(float integers) => BitConverter.SingleToInt32Bits(integers);

    public static float LoadPairs(byte* first, byte* second, byte flip, int count) => BitConverter.Int32BitsToSingle((byte)(*first ^ flip) | (byte)(*second ^ flip) << 16);

    public static float LoadBytes(byte* source, byte flip, int count) => (byte)(*source ^ flip);

    public static void StoreBytes(byte* target, float floats, int zero, int count) => *target = (byte)((int)MathF.Round(floats) + zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float PowerOfTwo(float shifted) => BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) << 23) + 0x3F800000);
}
