using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Lab;

/// <summary>A network whose integers are settled.</summary>
/// <param name="Graph">The network in reals, as <see cref="PostTraining"/> takes it.</param>
/// <param name="Ranges">The ranges of its values, by name.</param>
/// <param name="Floats">Layers that stay real, by their names.</param>
/// <param name="WeightBits">Bits of a weight, 2 to 8.</param>
public sealed record Calibrated(Graph Graph, ImmutableDictionary<string, ValueRange> Ranges, ImmutableHashSet<string> Floats, int WeightBits = PostTraining.WeightBits)
{
    /// <summary>How the ranges were found.</summary>
    public RangeMethod Method { get; init; }

    /// <summary>What was done besides.</summary>
    public Refinements Refinements { get; init; }

    /// <summary>The scales of layers whose weights share values, by the layers' names: <see cref="SharedScales"/>.</summary>
    public ImmutableDictionary<string, ImmutableArray<float>> Scales { get; init; } = ImmutableDictionary<string, ImmutableArray<float>>.Empty;

    /// <summary>The network of integers.</summary>
    public Graph Quantized => PostTraining.Quantize(Graph, Ranges, Floats, WeightBits, Scales);

    /// <summary>The same in reals that are rounded.</summary>
    public Graph Simulated => PostTraining.Simulate(Graph, Ranges, Floats, WeightBits, Scales);
}
