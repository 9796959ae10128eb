using System.Collections.Immutable;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Models;
using Penjing.Testing;
using Xunit;

namespace Penjing.Lab.Tests;

/// <summary>Whichever layers turn out to be slow, the network that keeps them real is a right one.</summary>
public sealed class SlowLayersTests
{
    /// <summary>What was to stay real does, only layers are named, and the ranges that were measured for all of them serve.</summary>
    [Fact]
    public void Layers_stay_real_and_answers_stay()
    {
        Graph graph = PostTraining.Prepare(Zoo.Find("cifar-resnet-20").Build().Graph);
        Tensor[] fed = RandomGraphs.Fed(graph, 3);
        ImmutableHashSet<string> kept = [PostTraining.Layers(graph)[4].Name];
        Calibrated calibrated = new Calibration(graph, fed, stop: TestContext.Current.CancellationToken).Run(RangeMethod.MinMax, Refinements.None, kept);
        ImmutableHashSet<string> found = SlowLayers.Of(calibrated, stop: TestContext.Current.CancellationToken);
        Assert.Superset(kept, found);
        Assert.Subset(PostTraining.Layers(graph).Select(layer => layer.Name).ToHashSet(), found.ToHashSet());

        // Any part of the layers can turn out to be slow.
        for (int seed = 0; seed < 12; seed++)
        {
            Random random = new(seed);
            Calibrated mixed = calibrated with { Floats = kept.Union(PostTraining.Layers(graph).Select(layer => layer.Name).Where(_ => random.Next(2) == 0)) };
            Assert.InRange(Precision.Noise(graph, mixed.Quantized, fed, TestContext.Current.CancellationToken), 0, 0.05);
            using Session session = new(mixed.Quantized, new(1));
            Assert.DoesNotContain(session.Steps, step => step.IsFallback);
        }
    }

    /// <summary>A choice by time isn't made where work may be broken off and gone on with.</summary>
    [Fact]
    public void Training_takes_layers_by_name() =>
        Assert.Contains("kept real", Assert.Throws<PenjingException>(() => new QuantizeStage { Fastest = true, Training = new() { Epochs = 1 } }.Outline(Samples.Network.Graph)).Message);
}
