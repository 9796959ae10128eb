using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>How the layers of a network divide the zeros among them.</summary>
public enum SparsityScope
{
    /// <summary>Each gives the same share of its weights.</summary>
    Layer,
    /// <summary>The weights of all layers compete by their magnitudes.</summary>
    Global,
    /// <summary>
    /// They compete by what layers would lose: each square as a share of the squares of those in its layer that aren't smaller (LAMP, Lee et al. 2021). Unlike <see cref="Global"/>
    /// it doesn't depend on how large a layer's weights are, which normalization makes arbitrary.
    /// </summary>
    Lamp,
}

/// <summary>How many weights become zero, and by what rule.</summary>
public sealed record SparsityOptions
{
    /// <summary>The share of weights that is zero in the end, from 0 to below 1 and to what the pattern allows: of each layer or, if layers compete, of all.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>Whether and how layers compete.</summary>
    public SparsityScope Scope { get; init; }

    /// <summary>Where the zeros may stand.</summary>
    public SparsityPattern Pattern { get; init; } = SparsityPattern.Unstructured;

    /// <summary>The share of single layers, by the layer's or the weight's name, as Han et al. 2015 give them; these layers don't compete with others.</summary>
    public IReadOnlyDictionary<string, double> Ratios { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>The names of layers or weights that stay as they are.</summary>
    public ImmutableHashSet<string> Keep { get; init; } = [];

    /// <summary>Whether depthwise convolutions take part: they have few weights, each alone in seeing its channel.</summary>
    public bool Depthwise { get; init; }

    /// <summary>The options at a point of a schedule: every ratio as far as it has come.</summary>
    /// <param name="schedule">How ratios rise.</param>
    /// <param name="progress">From 0 to 1, where the whole ratio is reached.</param>
    public SparsityOptions At(SparsitySchedule schedule, double progress) => this with
    {
        Ratio = schedule(Ratio, progress),
        Ratios = Ratios.ToImmutableDictionary(pair => pair.Key, pair => schedule(pair.Value, progress)),
    };
}
