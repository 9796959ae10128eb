using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Training;
using Xunit;

namespace Penjing.Lab.Tests;

/// <summary>Layers that stay real.</summary>
public sealed class PrecisionTests
{
    /// <summary>The fewest that hold are found, whatever their number, by few trials.</summary>
    [Fact]
    public void The_fewest_layers_are_found()
    {
        for (int layers = 0; layers < 40; layers++)
            for (int needed = 0; needed <= layers; needed++)
            {
                int trials = 0;
                Assert.Equal(needed, Precision.Fewest(layers, count =>
                {
                    trials++;
                    return count >= needed;
                }));
                Assert.InRange(trials, 0, 13);
            }
    }

    /// <summary>Each layer's error is what the reference finds, and the largest comes first.</summary>
    [Fact]
    public void Layers_come_in_the_order_of_their_errors()
    {
        Model model = Samples.Network;
        Graph graph = PostTraining.Prepare(model.Graph);
        ImmutableHashSet<string> layers = [.. PostTraining.Layers(graph).Select(layer => layer.Name)];
        IReadOnlyCollection<Tensor> inputs = Calibration.Inputs(model, Samples.Data, Samples.Data.Train.First(6));
        ImmutableDictionary<string, ValueRange> ranges = new Calibration(graph, inputs, stop: TestContext.Current.CancellationToken).Run(RangeMethod.MinMax, Refinements.None, []).Ranges;
        ImmutableArray<LayerNoise> order = Precision.Order(new(graph, ranges, []), inputs, stop: TestContext.Current.CancellationToken);
        Assert.Equal(layers.Order(), order.Select(one => one.Layer).Order());
        Assert.Equal(order.OrderByDescending(one => one.Error), order);
        foreach (LayerNoise noise in order)
        {
            Graph quantized = PostTraining.Quantize(graph, ranges, layers.Remove(noise.Layer));
            double error = 0, power = 0;
            foreach (Tensor input in inputs)
            {
                float[] real = Reference.Run(graph, [input])[0].Floats.ToArray(), rounded = Reference.Run(quantized, [input])[0].Floats.ToArray();
                error += real.Zip(rounded, (a, b) => Math.Pow(a - b, 2)).Sum();
                power += real.Sum(value => Math.Pow(value, 2));
            }
            Assert.InRange(noise.Error, 0.9 * error / power, 1.1 * error / power + 1e-9);
        }
    }
}
