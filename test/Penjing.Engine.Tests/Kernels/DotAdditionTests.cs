using System.Runtime.Intrinsics;
using Xunit;

namespace Penjing.Engine.Tests;

/// <summary>Sums of two integers' reals, by multiplications alone.</summary>
public sealed class DotAdditionTests
{
    /// <summary>For most scales there are factors, and with these all pairs of integers come to what dequantizing, adding and dividing comes to.</summary>
    [Fact]
    public void AllPairsComeToTheSame()
    {
        if (!Vector512.IsHardwareAccelerated) Assert.Skip("the processor has no 512-bit vectors");
        int found = 0;
        const int seeds = 100;
        for (int seed = 0; seed < seeds; seed++)
        {
            Random random = new(seed);
            float Scale() => MathF.Exp(6 * random.NextSingle() - 6);
            int zero = random.Next(256);
            IntegerEnd end = new() { OwnStep = Scale(), OwnLeast = -zero, OwnMost = 255 - zero, Addend = new(random.Next(2) == 0 ? ElementType.Int8 : ElementType.UInt8, new(Scale(), random.Next(128))), Divisor = Scale() };
            Clip bounds = random.Next(2) == 0 ? new(-zero, 255 - zero) : new(0, 20.5f);
            if (DotAddition.Of(end, bounds) is not { } made) continue;
            found++;
            for (int own = -zero; own < 256 - zero; own++)
                for (int addend = 0; addend < 256; addend++)
                {
                    float expected = (own * end.OwnStep + (addend + end.Addend.Less) * end.Addend.Scale) / end.Divisor;
                    float actual = MathF.FusedMultiplyAdd(addend, made.Addend, MathF.FusedMultiplyAdd(own, made.Own, made.Less));
                    Assert.True(Steps(expected) == Steps(actual), $"seed {seed}: {own} and {addend} come to {expected} and {actual}");
                }

            float Steps(float reals) => MathF.Round(Math.Clamp(reals, bounds.Min, bounds.Max));
        }
        Assert.InRange(found, 0.8 * seeds, seeds);
    }
}
