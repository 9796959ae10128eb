using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Compression.Tests;

/// <summary>What is taken from one part, and what a sample tells.</summary>
public sealed class SensitivityTests
{
    private static readonly Graph graph = MobileNetV1.Small(0.25, repeats: 0).Graph;

    /// <summary>Wilson's interval has as its ends those fractions from which the sample's lies 1.96 of their own standard deviations away.</summary>
    [Fact]
    public void Intervals_are_Wilsons()
    {
        foreach ((int right, int count) in new[] { (0, 10), (1, 10), (50, 100), (873, 1000), (1000, 1000), (9123, 10_000) })
        {
            Accuracy accuracy = new(right, count);
            foreach (double end in new[] { accuracy.Low, accuracy.High }.Where(end => end is > 1e-12 and < 1 - 1e-12))
                Assert.Equal(1.959964, Math.Abs(accuracy.Fraction - end) / Math.Sqrt(end * (1 - end) / count), 1e-5);
            Assert.InRange(accuracy.Fraction, accuracy.Low - 1e-12, accuracy.High + 1e-12);
        }
        Assert.Equal((0, 1), (new Accuracy(0, 0).Low, new Accuracy(0, 0).High));
    }

    /// <summary>Every family is a part, and a share of its least important channels goes; no other family loses any.</summary>
    [Theory]
    [InlineData("mobilenet-v1-small", 0.25)]
    [InlineData("resnet-18", 0.5)]
    [InlineData("squeezenet-1.1", null)]
    public void Channels_go_from_one_family(string name, double? width)
    {
        Graph graph = Zoo.Find(name).Build(new() { Size = Size.Square(32), Classes = 5, Width = width }).Graph;
        ChannelGroups groups = ChannelGroups.Of(graph);
        Sensitivity sensitivity = new(graph, SensitivityBy.Channels);
        int[] families = [.. Enumerable.Range(0, groups.Count).Where(group => !groups.IsPinned(group)).Select(groups.Family).Distinct()];
        Assert.Equal(families.Order(), sensitivity.Parts.Select(part => groups.Family(groups.Channels(graph[part.Name])[0])).Order());
        foreach (SensitivityPart part in new[] { sensitivity.Parts[0], sensitivity.Parts[sensitivity.Parts.Length / 2], sensitivity.Parts[^1] })
        {
            int family = groups.Family(groups.Channels(graph[part.Name])[0]);
            Graph cut = sensitivity.At(part, 0.5);
            foreach (Node node in graph.Nodes.Where(node => !groups.Channels(node).IsEmpty))
            {
                int own = groups.Channels(node).Where(group => groups.Family(group) == family).Count();
                int left = cut[node.Name].Shape.Elements * groups.Channels(node).Length / node.Shape.Elements;
                Assert.Equal(groups.Channels(node).Length - (int)Math.Floor(own / 2.0), left);
            }
        }
    }

    /// <summary>The smallest weights of one kernel become zero, and nothing else changes.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void Weights_go_from_one_kernel(double level)
    {
        Sensitivity sensitivity = new(graph, SensitivityBy.Weights);
        Assert.Equal(graph.Weights.Count(weight => weight.Shape.Rank > 1), sensitivity.Parts.Length);
        SensitivityPart part = sensitivity.Parts[3];
        float[] before = graph[part.Name].Value!.Floats.ToArray(), after = Alone(sensitivity.At(part, level), part);
        Assert.Equal((int)Math.Round(level * part.Elements), after.Count(value => value == 0));
        Assert.True(before.Zip(after).Where(pair => pair.Second == 0).Max(pair => Math.Abs(pair.First)) <= after.Where(value => value != 0).Min(Math.Abs));
        Assert.All(before.Zip(after).Where(pair => pair.Second != 0), pair => Assert.Equal(pair.First, pair.Second));
    }

    /// <summary>One kernel comes to share 2 to the power of the bits, with less error the more there are, and nothing else changes.</summary>
    [Fact]
    public void Bits_go_from_one_kernel()
    {
        Sensitivity sensitivity = new(graph, SensitivityBy.Bits);
        SensitivityPart part = sensitivity.Parts[4];
        float[] before = graph[part.Name].Value!.Floats.ToArray();
        double last = 0;
        foreach (double level in Sensitivity.Levels(SensitivityBy.Bits))
        {
            float[] after = Alone(sensitivity.At(part, level), part);
            double error = before.Zip(after, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
            Assert.InRange(after.Distinct().Count(), 1, 1 << (int)level);
            Assert.True(error > last, $"{level} bits: {error} is no more than {last}");
            last = error;
        }
        Assert.Throws<PenjingException>(() => sensitivity.At(part, 9));
        Assert.Throws<PenjingException>(() => sensitivity.At(part, 2.5));
        Assert.Throws<PenjingException>(() => new Sensitivity(graph, SensitivityBy.Weights).At(part, 1));
    }

    private static float[] Alone(Graph changed, SensitivityPart part)
    {
        foreach (Node weight in graph.Weights.Where(weight => weight.Name != part.Name)) Assert.True(weight.Value!.BitsEqual(changed[weight.Name].Value!), weight.Name);
        return changed[part.Name].Value!.Floats.ToArray();
    }
}
