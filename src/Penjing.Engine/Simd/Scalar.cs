using System.Runtime.CompilerServices;

namespace Penjing.Engine;

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

    public static bool SignedDots => false;
    public static bool SaturatesDots => false;

    public static float AddDots(float left, float right, float sums)
    {
        (int a, int b, int sum) = (BitConverter.SingleToInt32Bits(left), BitConverter.SingleToInt32Bits(right), BitConverter.SingleToInt32Bits(sums));
        for (int shift = 0; shift < 32; shift += 8) sum += (byte)(a >> shift) * (sbyte)(b >> shift);
        return BitConverter.Int32BitsToSingle(sum);
    }

    public static float AddWords(float left, float right) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(left) + BitConverter.SingleToInt32Bits(right));

    public static float SubtractWords(float left, float right) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(left) - BitConverter.SingleToInt32Bits(right));

    public static float ToFloats(float integers) => BitConverter.SingleToInt32Bits(integers);

    public static float LoadBytes(byte* source, byte flip, int count) => (byte)(*source ^ flip);

    public static void StoreBytes(byte* target, float floats, int zero, int count) => *target = (byte)((int)MathF.Round(floats) + zero);

    public static void StoreBytes(byte* first, byte* second, float a, float b, int zero)
    {
        StoreBytes(first, a, zero, Lanes);
        StoreBytes(second, b, zero, Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float PowerOfTwo(float shifted) => BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) << 23) + 0x3F800000);
}
