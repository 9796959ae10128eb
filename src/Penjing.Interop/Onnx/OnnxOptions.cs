using System.Collections.Immutable;

namespace Penjing.Interop;

/// <summary>What an ONNX file leaves open, and how it is settled when the file is read.</summary>
public sealed record OnnxOptions
{
    /// <summary>What the first extent of an input becomes where the file leaves it open.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>The extents of dimensions that the file names, by that name; they come before <see cref="Batch"/>.</summary>
    public ImmutableDictionary<string, int> Dimensions { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Inputs, by name, that are taken as these constants: what decides shapes has to be known when a file is read.</summary>
    public ImmutableDictionary<string, Tensor> Bound { get; init; } = ImmutableDictionary<string, Tensor>.Empty;
}
