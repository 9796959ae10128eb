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

    /// <summary>Elements of any type, small enough for every type: whole numbers from −100 (0 if unsigned) to 100, or floats of a normal distribution.</summary>
    public static Tensor Any(ElementType type, Shape shape, int seed)
    {
        var random = new Random(seed);
        return type switch
        {
            ElementType.Float32 => Normal(shape, seed),
            ElementType.Float16 => Tensor.Build<Half>(shape, values => { foreach (ref Half value in values) value = (Half)Gauss(random); }),
            ElementType.Int8 => Tensor.Build<sbyte>(shape, values => { foreach (ref sbyte value in values) value = (sbyte)random.Next(-100, 101); }),
            ElementType.UInt8 => Tensor.Build<byte>(shape, values => { foreach (ref byte value in values) value = (byte)random.Next(0, 101); }),
            ElementType.Int32 => Tensor.Build<int>(shape, values => { foreach (ref int value in values) value = random.Next(-100, 101); }),
            ElementType.Int64 => Tensor.Build<long>(shape, values => { foreach (ref long value in values) value = random.Next(-100, 101); }),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
        };
    }

    private static double Gauss(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
