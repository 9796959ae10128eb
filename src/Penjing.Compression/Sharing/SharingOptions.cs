namespace Penjing.Compression;

/// <summary>Where k-means begins.</summary>
public enum Seeding
{
    /// <summary>Evenly spread over the values' range: keeps the rare large weights (Han et al. 2016 found this best).</summary>
    Linear,
    /// <summary>At even quantiles: as many values to each.</summary>
    Density,
    /// <summary>Drawn by squared distance from those drawn before (k-means++, Arthur and Vassilvitskii 2007).</summary>
    PlusPlus,
    /// <summary>At the optimum itself, found by dynamic programming (Wang and Song 2011); nothing is left to improve.</summary>
    Optimal,
}

/// <summary>How the values of one tensor come to share few distinct ones.</summary>
/// <param name="Clusters">The most distinct values, the zero of <paramref name="KeepZeros"/> not counted.</param>
/// <param name="Rate">
/// 0 for the least squared error by itself (k-means). Above, for the least squared error + Rate · mean square · bits (entropy-constrained quantization, Chou,
/// Lookabaugh and Gray 1989): rare values give way to frequent ones, which makes the coded tensor smaller; 0.01 is mild, 0.1 strong.
/// </param>
/// <param name="KeepZeros">Whether zeros stay zero and take no part, as in a sparse tensor.</param>
/// <param name="Seeding">Where k-means begins; entropy-constrained quantization begins linearly.</param>
/// <param name="Halves">Whether the shared values are rounded to Float16, in which a file keeps them in half the bytes.</param>
/// <param name="Groups">Into how many groups of successive output channels the tensor falls, each with values of its own; at most one for each channel.</param>
public sealed record Clustering(int Clusters, double Rate = 0, bool KeepZeros = false, Seeding Seeding = Seeding.Linear, bool Halves = true, int Groups = 1);

/// <summary>Which tensors share values, and how; null leaves a kind as it is.</summary>
public sealed record SharingOptions
{
    /// <summary>Weights of dense and grouped convolutions and of matrix products.</summary>
    public Clustering? Dense { get; init; } = new(16);

    /// <summary>Weights of depthwise convolutions: few, and each alone in seeing its channel.</summary>
    public Clustering? Depthwise { get; init; } = new(32);

    /// <summary>Where given, settings for single layers: returns those for a node with weights, given those of its kind.</summary>
    public Func<Node, Clustering?, Clustering?>? Layer { get; init; }
}

/// <summary>What sharing did to one tensor.</summary>
/// <param name="Name">The weight's name.</param>
/// <param name="Elements">How many elements there are.</param>
/// <param name="Distinct">How many distinct ones remain.</param>
/// <param name="BitsPerElement">Their entropy, which a Huffman code comes near to.</param>
/// <param name="SignalToNoise">Σ before² / Σ (after − before)² in decibels; infinite where nothing changed.</param>
public sealed record SharedTensor(string Name, int Elements, int Distinct, double BitsPerElement, double SignalToNoise);
