using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Testing;

namespace Penjing.Training.Tests;

/// <summary>Rounding that is learnt: up or down and nothing else, the integers that quantization makes of it, and a smaller error on pictures that it hasn't seen.</summary>
public sealed class AdaptiveRoundingTests
{
    private static readonly ImmutableHashSet<string> none = [];

    [Theory]
    [InlineData("dense")]
    [InlineData("strided")]
    [InlineData("grouped")]
    [InlineData("depthwise")]
    [InlineData("pointwise")]
    [InlineData("gemm")]
    [InlineData("gemm-transposed")]
    public void It_beats_the_nearest_on_unseen_pictures(string kind)
    {
        for (int seed = 0; seed < 3; seed++)
        {
            Graph graph = Layer(kind, seed);
            Node layer = graph.Outputs[0];
            Dictionary<string, ValueRange> ranges = new() { ["x"] = new(0, 4) };
            Graph simulated = PostTraining.Simulate(graph, ranges, none);
            Quantization quantization = simulated["y"].Inputs[1].Inputs[0].Info.Quantization!;
            using AdaptiveRounding rounding = new(layer);
            Graph input = new(simulated["y"].Inputs[0]);
            for (int picture = 0; picture < 40; picture++)
            {
                Tensor real = Picture(layer.Inputs[0].Shape, 100 * seed + picture);
                rounding.Add(real, Reference.Run(input, [real])[0]);
            }
            Tensor kernel = rounding.Round(quantization), nearest = simulated["y"].Inputs[1] is var node ? Reference.Evaluate(node, [node.Inputs[0].Value!]) : null!;
            for (int i = 0; i < kernel.Shape.Elements; i++)
                Assert.InRange(Math.Abs(kernel.Floats[i] - layer.Inputs[1].Value!.Floats[i]), 0, 1.001 * quantization.Scales.Max());
            Assert.False(kernel.BitsEqual(nearest));

            Graph learnt = LayerWeights.WithKernel(graph, "y", kernel), after = PostTraining.Simulate(learnt, ranges, none);
            Assert.Equal(quantization, after["y"].Inputs[1].Inputs[0].Info.Quantization);
            Closeness.Check(kernel, Reference.Evaluate(after["y"].Inputs[1], [after["y"].Inputs[1].Inputs[0].Value!]), 1e-6, kind);
            double before = Error(graph, simulated, seed), now = Error(graph, after, seed);
            Assert.True(now < 0.9 * before, $"{kind}, seed {seed}: {before} before, {now} after");
        }
    }

    /// <summary>The squared error of the layer's answer on pictures that nothing has seen.</summary>
    private static double Error(Graph real, Graph rounded, int seed) => Enumerable.Range(0, 20).Sum(picture =>
    {
        Tensor[] fed = [Picture(real.Inputs[0].Shape, 10_000 + 100 * seed + picture)];
        return Reference.Run(real, fed)[0].Floats.ToArray().Zip(Reference.Run(rounded, fed)[0].Floats.ToArray(), (one, other) => Math.Pow(one - (double)other, 2)).Sum();
    });

    /// <summary>Values that depend on each other, as those inside a network do: few causes, many channels, smooth over pixels.</summary>
    private static Tensor Picture(Shape shape, int seed)
    {
        var random = new Random(seed);
        int pixels = shape.Product(2, shape.Rank), width = shape.Rank == 4 ? shape[3] : 1;
        (double Row, double Column, double Phase)[] causes = [.. Enumerable.Range(0, 3).Select(_ => (random.NextDouble(), random.NextDouble(), 6 * random.NextDouble()))];
        return Tensor.Build<float>(shape, values =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                int channel = i / pixels, row = i % pixels / width, column = i % pixels % width;
                double sum = causes.Select((cause, k) => Math.Sin(cause.Row * row + cause.Column * column + cause.Phase) * Math.Cos(1.7 * channel * (k + 1))).Sum();
                values[i] = (float)Math.Max(0, 1 + sum + 0.1 * random.NextDouble());
            }
        });
    }

    private static Graph Layer(string kind, int seed)
    {
        Node Of(Shape input, Shape weights, Op op) => new("y", op, new Node("x", new Input(ElementType.Float32, input)), Node.Weight("w", RandomTensors.Normal(weights, seed)),
            Node.Weight("b", RandomTensors.Normal([op is Gemm { TransposeB: false } ? weights[1] : weights[0]], seed + 50)));
        return new(kind switch
        {
            "dense" => Of([1, 6, 9, 8], [5, 6, 3, 3], new Conv(Size.One, Padding.All(1), Size.One)),
            "strided" => Of([1, 6, 9, 8], [5, 6, 3, 2], new Conv(Size.Square(2), new(0, 1, 2, 0), Size.Square(2))),
            "grouped" => Of([1, 8, 7, 7], [6, 4, 3, 3], new Conv(Size.One, Padding.All(1), Size.One, 2)),
            "depthwise" => Of([1, 6, 9, 8], [6, 1, 3, 3], new Conv(Size.One, Padding.All(1), Size.One, 6)),
            "pointwise" => Of([1, 24, 5, 5], [7, 24, 1, 1], new Conv()),
            "gemm" => Of([1, 30], [30, 9], new Gemm()),
            _ => Of([1, 30], [9, 30], new Gemm(TransposeB: true)),
        });
    }
}
