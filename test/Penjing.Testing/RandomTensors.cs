namespace Penjing.Testing;

/// <summary>Tensors of seeded random elements: the same seed gives the same bits on every machine.</summary>
public static class RandomTensors
{
    /// <summary>Floats of a normal distribution.</summary>
    public static Tensor Normal(Shape shape, int seed, double deviation = 1, double mean = 0) => Tensor.Build<float>(shape, values =>
    {
        var random = new Random(seed);
        foreach (ref float value in values) value = (float)(mean + deviation * Gauss(random));
    });

    /// <summary>Floats spread evenly over a range.</summary>
    public static Tensor Uniform(Shape shape, int seed, double least = -1, double most = 1) => Tensor.Build<float>(shape, values =>
    {
        var random = new Random(seed);
        foreach (ref float value in values) value = (float)(least + (most - least) * random.NextDouble());
    });

    /// <summary>Kernel weights of a layer that keeps the variance of its input: normal, of deviation √(1 / fan-in).</summary>
    public static Tensor Kernel(Shape shape, int seed) => Normal(shape, seed, Math.Sqrt(1.0 / Math.Max(1, shape.Product(1, shape.Rank))));

    /// <summary>Elements of any type, small enough for every type: whole numbers from −100 (0 if unsigned) to 100, truth values, or floats of a normal distribution.</summary>
    public static Tensor Any(ElementType type, Shape shape, int seed)
    {
        var random = new Random(seed);
        return type switch
        {
            ElementType.Float32 => Normal(shape, seed),
            ElementType.Float16 => Of(shape, () => (Half)Gauss(random)),
            ElementType.Float64 => Of(shape, () => Gauss(random)),
            ElementType.Int8 => Of(shape, () => (sbyte)random.Next(-100, 101)),
            ElementType.UInt8 => Of(shape, () => (byte)random.Next(0, 101)),
            ElementType.Int16 => Of(shape, () => (short)random.Next(-100, 101)),
            ElementType.UInt16 => Of(shape, () => (ushort)random.Next(0, 101)),
            ElementType.Int32 => Of(shape, () => random.Next(-100, 101)),
            ElementType.UInt32 => Of(shape, () => (uint)random.Next(0, 101)),
            ElementType.Int64 => Of(shape, () => (long)random.Next(-100, 101)),
            ElementType.UInt64 => Of(shape, () => (ulong)random.Next(0, 101)),
            ElementType.Bool => Of(shape, () => random.Next(2) == 1),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
        };
    }

    /// <summary>Elements from a function that is called for each.</summary>
    public static Tensor Of<T>(Shape shape, Func<T> next) where T : unmanaged => Tensor.Build<T>(shape, values =>
    {
        foreach (ref T value in values) value = next();
    });

    private static double Gauss(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
