using Penjing.Testing;

namespace Penjing.Engine.Tests;

/// <summary>What kernels make of NaN, infinities and extreme values is what the reference makes of them.</summary>
public class SpecialValueTests
{
    private static readonly float[] specials =
    [
        float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e-40f, -1e-40f, 1e-7f, float.MaxValue, float.MinValue,
        88.5f, -88.5f, 120, -120, 6, 3, -3,
    ];

    /// <summary>Every vector width.</summary>
    public static TheoryData<Isa> Widths => new(Enum.GetValues<Isa>());

    /// <summary>Activations of special values, at every lane and in the rest of a run.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void ActivationsOfSpecialValues(Isa isa)
    {
        Tensor input = Special([1, 83]);
        foreach (Activation activation in OpCases.Activations) Check(new($"{activation}", activation, [input], []), isa, 1e-6);
    }

    /// <summary>Activations fused into a convolution, a depthwise one and a sum.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void FusedActivationsOfSpecialValues(Isa isa)
    {
        Tensor one = Tensor.Of<float>([1, 1, 1, 1], 1), picture = Special([1, 1, 5, 17]), ones = Tensor.Build<float>([17, 1, 1, 1], weights => weights.Fill(1));
        foreach (Activation then in OpCases.Activations)
        {
            Check(new($"Conv then {then}", new Conv { Then = then }, [picture, one], [1]), isa, 1e-6);
            Check(new($"depthwise then {then}", new Conv { Groups = 17, Then = then }, [Special([1, 17, 3, 5]), ones], [1]), isa, 1e-6);
            Check(new($"Add then {then}", new Add(then), [Special([83]), Tensor.Zeros(ElementType.Float32, [83])], []), isa, 1e-6);
        }
    }

    /// <summary>A NaN in a window is its largest element, and a window of negative infinities has that.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void PoolsOfSpecialValues(Isa isa)
    {
        foreach (int channels in (int[])[1, 13, 16, 33])
        {
            Tensor mixed = Special([2, channels, 7, 6]), low = Tensor.Build<float>([1, channels, 4, 4], values => values.Fill(float.NegativeInfinity));
            MaxPool pool = new(Size.Square(3), Size.Square(2), Padding.All(1));
            Check(new($"{channels} mixed", pool, [mixed], []), isa, 0);
            Check(new($"{channels} low", pool, [low], []), isa, 0);
        }
    }

    /// <summary>A softmax over a NaN is NaN, and negative infinities get no share.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void SoftmaxOfSpecialValues(Isa isa)
    {
        foreach (int extent in (int[])[1, 5, 16, 37])
        {
            Tensor row = Tensor.Build<float>([3, extent], values =>
            {
                for (int i = 0; i < values.Length; i++) values[i] = i % 3 == 1 ? float.NegativeInfinity : i % 7 * 20;
                values[2 * extent + extent / 2] = float.NaN;
            });
            Check(new($"row of {extent}", new Softmax(), [row], []), isa, 1e-6);
            Check(new($"columns of {extent}", new Softmax(0), [row], []), isa, 1e-6);
        }
    }

    /// <summary>Sigmoid and Tanh keep their relative accuracy near 0 and far from it.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void SigmoidAndTanhAreAccurate(Isa isa)
    {
        Tensor input = Tensor.Build<float>([40001], values =>
        {
            for (int i = 0; i < values.Length; i++) values[i] = i < 20000 ? (i - 10000) * 0.008f : MathF.Pow(10, (i - 40000) / 1000f) * (i % 2 * 2 - 1);
        });
        foreach (Activation activation in (Activation[])[new Sigmoid(), new Tanh()])
        {
            OpCase one = new($"{activation}", activation, [input], []);
            Tensor expected = one.Expected(), actual = KernelCase.Run(KernelTable.Choose(new(KernelCase.Node(one), isa)), one, isa);
            for (int i = 0; i < input.Floats.Length; i++)
                Assert.True(Math.Abs(actual.Floats[i] - expected.Floats[i]) <= 1e-6 * Math.Abs(expected.Floats[i]),
                    $"{activation} of {input.Floats[i]:R} is {expected.Floats[i]:R}, not {actual.Floats[i]:R}, with {isa}");
        }
    }

    private static Tensor Special(Shape shape) => Tensor.Build<float>(shape, values =>
    {
        for (int i = 0; i < values.Length; i++) values[i] = specials[i * 7 % specials.Length];
    });

    private static void Check(OpCase one, Isa isa, double tolerance)
    {
        Node node = KernelCase.Node(one);
        KernelRow row = KernelTable.Choose(new(node, isa));
        Assert.NotEqual("reference", row.Name);
        Tensor actual = KernelCase.Run(row, one, isa);
        // Next to infinities and the largest floats nothing finite counts: each element is compared by itself.
        Tensor expected = one.Expected();
        for (int i = 0; i < expected.Floats.Length; i++)
        {
            float oracle = expected.Floats[i], answer = actual.Floats[i];
            double allowed = tolerance * Math.Max(1e-30, Math.Abs((double)oracle));
            bool close = oracle.Equals(answer) || oracle == answer || Math.Abs((double)answer - oracle) <= allowed;
            Assert.True(close, $"{one} with {row.Name}, {isa}: element {i} should be {oracle:R}, is {answer:R}");
        }
    }
}
