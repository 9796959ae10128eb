using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// The steps of the output that sums, rounded to integers of their own, and the integers of an addend come to, by multiplications alone: own · <paramref name="Own"/> + <paramref name="Less"/>
/// + addend · <paramref name="Addend"/>. There are but 65,536 pairs of these integers; all are tried, and only factors are taken with which every pair comes to the same integer as by
/// dequantizing, adding and dividing.
/// </summary>
/// <param name="Own">What the sums' integers, less their zero point, are multiplied by.</param>
/// <param name="Addend">What the addend's bytes, read as unsigned ones, are multiplied by.</param>
/// <param name="Less">What is added besides.</param>
internal readonly record struct DotAddition(float Own, float Addend, float Less)
{
    private const int Bytes = 256, Lanes = 16;

    /// <summary>Neighbours of a factor that are tried, nearest first.</summary>
    private static readonly int[] neighbours = [0, 1, -1, 2, -2];

    /// <summary>The factors where there are any; the processor has 512-bit vectors.</summary>
    /// <param name="end">What becomes of the sums, which are rounded before something is added.</param>
    /// <param name="bounds">The ends of the output's steps.</param>
    public static DotAddition? Of(in IntegerEnd end, Clip bounds)
    {
        float own = (float)((double)end.OwnStep / end.Divisor);
        double addend = (double)end.Addend.Scale / end.Divisor;
        foreach (int one in neighbours)
            foreach (int other in neighbours)
            {
                float factor = Neighbour((float)addend, other);
                DotAddition made = new(Neighbour(own, one), factor, (float)((double)end.Addend.Less * factor));
                if (made.Holds(end, bounds)) return made;
            }
        return null;
    }

    private static float Neighbour(float value, int steps) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) + steps);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Holds(in IntegerEnd end, Clip bounds)
    {
        Vector512<float> least = Vector512.Create(bounds.Min), most = Vector512.Create(bounds.Max), factor = Vector512.Create(Addend);
        Vector512<float> less = Vector512.Create(end.Addend.Less), scale = Vector512.Create(end.Addend.Scale), divisor = Vector512.Create(end.Divisor);
        for (float integer = end.OwnLeast; integer <= end.OwnMost; integer++)
        {
            Vector512<float> real = Vector512.Create(integer * end.OwnStep), term = Vector512.FusedMultiplyAdd(Vector512.Create(integer), Vector512.Create(Own), Vector512.Create(Less));
            for (int first = 0; first < Bytes; first += Lanes)
            {
                Vector512<float> addends = Vector512.CreateSequence((float)first, 1f);
                Vector512<float> steps = (real + (addends + less) * scale) / divisor, made = Vector512.FusedMultiplyAdd(addends, factor, term);
                if (Vector512.Round(Vector512.Clamp(steps, least, most)) != Vector512.Round(Vector512.Clamp(made, least, most))) return false;
            }
        }
        return true;
    }
}
