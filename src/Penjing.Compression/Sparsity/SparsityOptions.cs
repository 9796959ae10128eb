using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>How many weights become zero, and by what rule.</summary>
public sealed record SparsityOptions
{
    /// <summary>The share of weights that is zero in the end, from 0 to below 1 and to what the pattern allows: of each layer or, if <see cref="Global"/>, of all.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>Whether the weights of all layers compete by their magnitudes, in place of each layer giving the same share.</summary>
    public bool Global { get; init; }

    /// <summary>Where the zeros may stand.</summary>
    public SparsityPattern Pattern { get; init; } = SparsityPattern.Unstructured;

    /// <summary>The share of single layers, by the layer's or the weight's name, as Han et al. 2015 give them; these layers don't compete with others.</summary>
    public ImmutableDictionary<string, double> Ratios { get; init; } = ImmutableDictionary<string, double>.Empty;

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
