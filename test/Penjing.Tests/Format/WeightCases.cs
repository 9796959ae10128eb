using System.Runtime.InteropServices;
using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>Tensors of every kind that a file may hold: their values random, few, sparse, odd or none.</summary>
internal static class WeightCases
{
    private static readonly int[] Counts = [0, 1, 2, 3, 7, 31, 64, 255, 256, 257, 1000, 4097];

    /// <summary>All cases, named.</summary>
    public static IEnumerable<(string Name, Tensor Tensor)> All
    {
        get
        {
            foreach (ElementType type in Enum.GetValues<ElementType>())
                foreach (int count in Counts)
                {
                    foreach ((string kind, Func<Random, int, ulong> value) in Kinds)
                        yield return ($"{kind} {type} × {count}", Of(type, [count], new Random(count), value));
                    if (count > 0) yield return ($"bell {type} × {count}", RandomTensors.Any(type, [1, count, 1], count));
                }
            foreach (ElementType type in Enum.GetValues<ElementType>())
            {
                yield return ($"scalar {type}", RandomTensors.Any(type, [], 1));
                yield return ($"no {type}", RandomTensors.Any(type, [3, 0, 2], 1));
            }
            foreach ((string name, float[] values) in Odd) yield return (name, Tensor.Of([values.Length], values));
            foreach (int distinct in (int[])[2, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097])
                yield return ($"{distinct} distinct", Of(ElementType.Float32, [5000], new Random(distinct), (_, i) => (ulong)(i % distinct) * 0x01010101));
            foreach (Shape shape in (Shape[])[[5, 3, 3, 3], [13, 1, 3, 3], [24, 12, 1, 1], [4, 3, 5, 7], [1, 1, 1, 1], [12, 13], [17, 40], [3, 2, 9], [2, 3, 2, 2, 3], [1, 5000], [5000, 1]])
                foreach (double density in (double[])[0.01, 0.3, 1])
                    yield return ($"{shape} of density {density}", Of(ElementType.Float32, shape, new Random(shape.Elements), (random, i) => random.NextDouble() > density
                        ? 0 : BitConverter.SingleToUInt32Bits((random.Next(-20, 20) + i % 3) * 0.37f)));
            foreach (double zeros in (double[])[0.1, 0.5, 0.9, 0.99, 0.999])
                foreach (int distinct in (int[])[1, 2, 16, 300, int.MaxValue])
                    yield return ($"{zeros} zeros, {distinct} distinct others", Sparse(6000, zeros, distinct));
        }
    }

    private static (string, Func<Random, int, ulong>)[] Kinds =>
    [
        ("noise", (random, _) => (ulong)random.NextInt64(long.MinValue, long.MaxValue)),
        ("zeros", (_, _) => 0),
        ("constant", (_, _) => 0x3C3C3C3C3C3C3C3C),
        ("few", (random, _) => 0x0101010101010101UL * (ulong)random.Next(5)),
        ("skewed", (random, _) => 0x0101010101010101UL * (ulong)(255 * Math.Pow(random.NextDouble(), 8))),
        ("sparse", (random, _) => random.Next(10) == 0 ? (ulong)random.NextInt64() : 0),
        ("last alone", (random, i) => i % 600 == 599 ? (ulong)random.NextInt64() : 0),
    ];

    private static (string, float[])[] Odd =>
    [
        ("zeros of both signs", [0f, -0f, 0f, 0f, -0f, 0f, 0f, 0f, -0f]),
        ("zeros of both signs and ones", [.. Enumerable.Range(0, 100).Select(i => i % 7 == 0 ? 1f : i % 3 == 0 ? -0f : 0f)]),
        ("NaN payloads", [.. Enumerable.Range(0, 50).Select(i => BitConverter.UInt32BitsToSingle((i % 2 == 0 ? 0x7F800001 : 0xFF800001) + (uint)i * 12345))]),
        ("NaN among halves", [1, 2, float.NaN, 4, BitConverter.Int32BitsToSingle(0x7FC02000)]),
        ("infinities", [float.PositiveInfinity, float.NegativeInfinity, 1, float.MaxValue, float.MinValue]),
        ("denormals", [.. Enumerable.Range(0, 100).Select(i => float.Epsilon * i * i)]),
        ("denormal halves", [.. Enumerable.Range(0, 100).Select(i => (float)BitConverter.Int16BitsToHalf((short)i))]),
        ("halves", [.. Enumerable.Range(0, 3000).Select(i => (float)(Half)(i * 0.37 - 500))]),
        ("255 zeros between", [.. Enumerable.Range(0, 2000).Select(i => i % 256 == 255 ? i : 0f)]),
        ("254 zeros between", [.. Enumerable.Range(0, 2000).Select(i => i % 255 == 254 ? i : 0f)]),
        ("510 zeros at the end", [1, 2, .. new float[510]]),
        ("511 zeros in front", [.. new float[511], 1]),
    ];

    private static Tensor Sparse(int count, double zeros, int distinct)
    {
        var random = new Random(distinct);
        float[] values = [.. Enumerable.Range(0, Math.Min(distinct, count)).Select(_ => (float)(random.NextDouble() - 0.5))];
        return Tensor.Of<float>([count], [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < zeros ? 0 : values[random.Next(values.Length)])]);
    }

    private static Tensor Of(ElementType type, Shape shape, Random random, Func<Random, int, ulong> value)
    {
        var bytes = new byte[shape.Elements * type.Size()];
        for (int i = 0; i < shape.Elements; i++)
        {
            ulong bits = value(random, i);
            MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref bits, 1))[..type.Size()].CopyTo(bytes.AsSpan(i * type.Size()));
        }
        return new(type, shape, bytes);
    }
}
