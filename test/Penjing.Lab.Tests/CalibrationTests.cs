using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Training;
using Xunit;

namespace Penjing.Lab.Tests;

/// <summary>What calibration with its refinements comes to.</summary>
public sealed class CalibrationTests
{
    private static readonly ImmutableHashSet<string> none = [];

    private static Model Prepared => Samples.Network with { Graph = PostTraining.Prepare(Samples.Network.Graph) };

    /// <summary>Corrected, each channel of each layer has the mean that it has in the real network, but for the half step of its sums that a bias of whole steps may be off; without, most layers' are further off.</summary>
    [Theory]
    [InlineData(Refinements.Bias)]
    [InlineData(Refinements.Equalize | Refinements.Bias)]
    public void Means_are_those_of_reals(Refinements refinements)
    {
        Calibration calibration = Calibration.Of(Prepared, Samples.Data, 24, 1, stop: TestContext.Current.CancellationToken);
        Calibrated corrected = calibration.Run(RangeMethod.MinMax, refinements, none), plain = calibration.Run(RangeMethod.MinMax, refinements & ~Refinements.Bias, none);
        IReadOnlyCollection<Tensor> inputs = Calibration.Inputs(Prepared, Samples.Data, Samples.Data.Train.Sample(24, 1));
        Graph integers = corrected.Quantized.Rewrite(Passes.ForInference);
        double before = 0, after = 0;
        foreach (Node layer in PostTraining.Layers(plain.Graph))
        {
            double[] real = Means(plain.Graph, layer.Name, inputs), off = Distances(real, Means(plain.Simulated, layer.Name, inputs)), left = Distances(real, Means(corrected.Simulated, layer.Name, inputs));
            ImmutableArray<float> steps = integers[$"{layer.Name}/sums"].Info.Quantization!.Scales;
            for (int channel = 0; channel < left.Length; channel++)
                Assert.True(left[channel] <= 0.5 * steps[steps.Length == 1 ? 0 : channel] + 1e-5 * (1 + Math.Abs(real[channel])), $"{layer}, channel {channel}: {off[channel]} before, {left[channel]} after, a step is {steps[channel % steps.Length]}");
            Assert.True(Length(left) < 0.2 * Length(off) + 1e-4 * Length(real), $"{layer}: {Length(off)} before, {Length(left)} after");
            (before, after) = (before + off.Sum(), after + left.Sum());
        }
        Assert.True(after < 0.1 * before, $"{before} before, {after} after");
    }

    /// <summary>Normalized, each channel of each layer has the deviation that it has in the real network.</summary>
    [Fact]
    public void Deviations_are_those_of_reals()
    {
        const int bits = 4;
        Calibration calibration = Calibration.Of(Prepared, Samples.Data, 24, 1, stop: TestContext.Current.CancellationToken);
        Calibrated plain = calibration.Run(RangeMethod.MinMax, Refinements.None, none, bits), normal = calibration.Run(RangeMethod.MinMax, Refinements.Normalize, none, bits);
        IReadOnlyCollection<Tensor> inputs = Calibration.Inputs(Prepared, Samples.Data, Samples.Data.Train.Sample(24, 1));
        List<double> before = [], after = [];
        foreach (Node layer in PostTraining.Layers(plain.Graph))
        {
            double[] real = Deviations(plain.Graph, layer.Name, inputs), off = Deviations(plain.Simulated, layer.Name, inputs), left = Deviations(normal.Simulated, layer.Name, inputs);
            double typical = Math.Sqrt(real.Average(value => value * value));
            for (int channel = 0; channel < real.Length; channel++)
            {
                // A channel of next to no deviation stays what it is.
                if (real[channel] < 0.02 * typical) continue;
                before.Add(Math.Abs(off[channel] / real[channel] - 1));
                after.Add(Math.Abs(left[channel] / real[channel] - 1));
            }
        }
        Assert.InRange(after.Average(), 0, 0.1 * before.Average());
    }

    /// <summary>Corrected biases and learnt rounding bring the answers to pictures that they haven't seen nearer to those of reals.</summary>
    [Fact]
    public void Refined_answers_are_nearer()
    {
        Calibration calibration = Calibration.Of(Prepared, Samples.Data, 64, 1, stop: TestContext.Current.CancellationToken);
        IReadOnlyCollection<Tensor> unseen = Calibration.Inputs(Prepared, Samples.Data, Samples.Data.Test);
        // Of weights of 8 bits the rounding of values hides most of it.
        const int bits = 5;
        double Noise(Refinements refinements) => Precision.Noise(Prepared.Graph, calibration.Run(RangeMethod.MinMax, refinements, none, bits).Quantized, unseen, TestContext.Current.CancellationToken);
        Refinements[] ways = [Refinements.None, Refinements.Bias, Refinements.Round, Refinements.Round | Refinements.Bias];
        double[] decibels = [.. ways.Select(way => Precision.Decibels(Noise(way)))];
        Assert.True(decibels[1..].Min() > decibels[0] + 0.5 && decibels[3] > decibels[0] + 1.5, string.Join(", ", ways.Zip(decibels, (way, ratio) => $"{way}: {ratio:F1} dB")));
    }

    /// <summary>Of the two ways that come nearest without biases the one that does so with them is taken; where there is no choice, nothing is compared.</summary>
    [Fact]
    public void The_nearest_of_all_ways_is_taken()
    {
        const int bits = 6;
        ImmutableArray<RangeMethod> methods = [.. Enum.GetValues<RangeMethod>()];
        ImmutableArray<Refinements> refinements = [Refinements.Bias, Refinements.Equalize | Refinements.Bias];
        List<string> told = [];
        Calibration calibration = new(Prepared.Graph, Calibration.Inputs(Prepared, Samples.Data, Samples.Data.Train.Sample(24, 1)), (_, what) => told.Add(what), TestContext.Current.CancellationToken);
        IReadOnlyCollection<Tensor> others = Calibration.Inputs(Prepared, Samples.Data, Samples.Data.Train.Sample(24, 2));
        Calibrated only = calibration.Nearest([RangeMethod.Entropy], [Refinements.Bias], none, bits, null, others);
        Assert.Equal((RangeMethod.Entropy, Refinements.Bias), (only.Method, only.Refinements));
        Assert.DoesNotContain(told, what => what.StartsWith("comparing", StringComparison.Ordinal));
        Calibrated nearest = calibration.Nearest(methods, refinements, none, bits, null, others);
        Assert.Contains(told, what => what == "comparing 8 of 8 ways");
        (RangeMethod Method, Refinements Refined)[] best = [.. methods.SelectMany(_ => refinements, (method, refined) => (method, refined)).OrderBy(way => Noise(way.method, way.refined & ~Refinements.Bias)).Take(2)];
        Assert.Equal((nearest.Method, nearest.Refinements), best.MinBy(way => Noise(way.Method, way.Refined)));
        Assert.InRange(methods.Select(other => Noise(other, Refinements.None)).Distinct().Count(), 3, methods.Length);
        Assert.Throws<PenjingException>(() => calibration.Run(RangeMethod.MinMax, Refinements.Normalize, none, bits, ImmutableDictionary<string, ImmutableArray<float>>.Empty));

        double Noise(RangeMethod method, Refinements refined) => Precision.Noise(Prepared.Graph, calibration.Run(method, refined, none, bits).Quantized, others, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_layer_that_stays_real_stays_as_it_is()
    {
        string layer = PostTraining.Layers(Prepared.Graph)[2].Name;
        Calibrated calibrated = Calibration.Of(Prepared, Samples.Data, 8, 1, stop: TestContext.Current.CancellationToken).Run(RangeMethod.MinMax, Refinements.Round | Refinements.Bias, [layer]);
        foreach (int input in (int[])[1, 2]) Assert.True(calibrated.Graph[layer].Inputs[input].Value!.BitsEqual(Prepared.Graph[layer].Inputs[input].Value!));
        Assert.Contains("nobody", Assert.Throws<PenjingException>(() => Calibration.Of(Prepared, Samples.Data, 8, 1, stop: TestContext.Current.CancellationToken).Run(RangeMethod.MinMax, Refinements.None, ["nobody"])).Message);
    }

    private static double[] Deviations(Graph graph, string layer, IReadOnlyCollection<Tensor> inputs)
    {
        double[] means = Means(graph, layer, inputs), squares = Means(graph, layer, inputs, 2);
        return [.. means.Zip(squares, (mean, square) => Math.Sqrt(Math.Max(0, square - mean * mean)))];
    }

    private static double[] Means(Graph graph, string layer, IReadOnlyCollection<Tensor> inputs, int power = 1)
    {
        Graph open = new Graph([graph[layer]], graph.Inputs).Rewrite(Passes.ForInference);
        var sums = new double[graph[layer].Shape[1]];
        foreach (Tensor input in inputs)
        {
            float[] values = Reference.Run(open, [input])[0].Floats.ToArray();
            for (int i = 0; i < values.Length; i++) sums[i / (values.Length / sums.Length)] += Math.Pow(values[i], power) / ((double)inputs.Count * values.Length / sums.Length);
        }
        return sums;
    }

    private static double Length(double[] values) => Math.Sqrt(values.Sum(value => value * value));

    private static double[] Distances(double[] one, double[] other) => [.. one.Zip(other, (a, b) => Math.Abs(a - b))];
}
