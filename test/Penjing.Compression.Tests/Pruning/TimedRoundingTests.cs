using Penjing.Models;

namespace Penjing.Compression.Tests;

/// <summary>Rounding by time, on machines whose time follows a formula.</summary>
public sealed class TimedRoundingTests
{
    private static readonly Graph whole = MobileNetV1.Small(0.5, repeats: 1).Graph;

    /// <summary>Where vectors have so many lanes and nothing else counts, the nearest multiple of them is best; channels that fill up a vector are free.</summary>
    [Theory]
    [InlineData(4, 0.55)]
    [InlineData(8, 0.6)]
    [InlineData(8, 0.35)]
    [InlineData(16, 0.6)]
    [InlineData(16, 0.45)]
    public void Lanes_are_filled(int lanes, double ratio)
    {
        Check(layer => Vectors(layer, 0) * Vectors(layer, 1), ratio, wanted => Math.Max(lanes, (int)Math.Round((double)wanted / lanes, MidpointRounding.AwayFromZero) * lanes));

        double Vectors(Node layer, int axis) => (layer.Inputs[1].Shape[axis] + lanes - 1) / lanes;
    }

    /// <summary>Where every channel costs the same, numbers stay what they are.</summary>
    [Theory]
    [InlineData(0.6)]
    [InlineData(0.35)]
    public void Nothing_is_rounded_for_nothing(double ratio) => Check(layer => (double)layer.Inputs[1].Shape[0] * layer.Inputs[1].Shape[1], ratio, wanted => wanted);

    /// <summary>Each layer is asked about as it will be: of the channels that are left before and behind it, and about nothing twice.</summary>
    [Fact]
    public void Layers_are_asked_about_as_they_will_be()
    {
        List<Node> asked = [];
        Graph pruned = Pruner.Prune(whole, new() { Ratio = 0.5, Milliseconds = layer => { asked.Add(layer); return layer.Inputs[1].Shape.Elements; } });
        Assert.Equal(asked.Count, asked.Select(layer => (layer.Name, layer.Inputs[0].Shape, layer.Inputs[1].Shape)).Distinct().Count());
        foreach (Node node in pruned.Nodes.Where(node => node.Op is Conv))
            Assert.Contains(asked, layer => layer.Name == node.Name && layer.Inputs[0].Shape == node.Inputs[0].Shape && layer.Inputs[1].Shape == node.Inputs[1].Shape && Equals(layer.Op, node.Op));
    }

    private static void Check(Func<Node, double> milliseconds, double ratio, Func<int, int> expected)
    {
        Graph pruned = Pruner.Prune(whole, new() { Ratio = ratio, Milliseconds = milliseconds });
        foreach (Node node in whole.Nodes.Where(node => node.Op is Conv { Groups: 1 }))
        {
            int channels = node.Shape[1], wanted = (int)Math.Round((1 - ratio) * channels, MidpointRounding.AwayFromZero);
            Assert.True(Math.Min(channels, expected(wanted)) == pruned[node.Name].Shape[1], $"{node.Name}: of {channels} channels {wanted} would stay; expected {expected(wanted)}, got {pruned[node.Name].Shape[1]}");
        }
    }
}
