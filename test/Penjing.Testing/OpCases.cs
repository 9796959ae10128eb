using System.Collections.Immutable;

namespace Penjing.Testing;

/// <summary>Cases of every operation: seeded inputs, awkward sizes, all attributes. Enumerated anew each time; their names are unique.</summary>
public static partial class OpCases
{
    /// <summary>Channel counts around the vector lengths.</summary>
    public static Ints Widths => [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33, 48, 63, 65];

    /// <summary>The activations, each once or more, with awkward parameters too.</summary>
    public static ImmutableArray<Activation> Activations =>
        [new Relu(), new Clip(0, 6), new Clip(-0.3f, 0.8f), new LeakyRelu(), new LeakyRelu(0.3f), new Sigmoid(), new HardSigmoid(), new HardSigmoid(1 / 6f), new HardSwish(), new Tanh()];

    /// <summary>All cases.</summary>
    public static IEnumerable<OpCase> All => Convolutions().Concat(TransposedConvolutions()).Concat(Pools()).Concat(Resizes())
        .Concat(Elementwise()).Concat(Matrices()).Concat(Reductions()).Concat(Layouts())
        .Concat(Functions()).Concat(Pairs()).Concat(Lists()).Concat(Indexings()).Concat(Samplings()).Concat(Quantized());

    /// <summary>The cases of one operation.</summary>
    public static IEnumerable<OpCase> Of<T>() where T : Op => All.Where(one => one.Op is T);

    /// <summary>The case of this name.</summary>
    public static OpCase Named(string name) => All.First(one => one.Name == name);

    private static OpCase Case(string name, Op op, Ints weights, params ImmutableArray<Tensor> inputs) => new($"{op.Name}: {name}", op, inputs, weights);

    private static OpCase Case(string name, Op op, Ints weights, ImmutableArray<Quantization?> quantizations, params ImmutableArray<Tensor> inputs) =>
        Case(name, op, weights, inputs) with { Quantizations = quantizations };

    private static OpCase On(string name, Op op, Shape shape) => Case($"{name} of {shape}", op, [], RandomTensors.Normal(shape, Seed(name, shape)));

    /// <summary>A seed that follows from a name and a shape, the same on every machine.</summary>
    private static int Seed(string name, Shape shape)
    {
        uint hash = 2166136261;
        foreach (char letter in $"{name} {shape}") hash = (hash ^ letter) * 16777619;
        return (int)(hash >> 1);
    }
}
