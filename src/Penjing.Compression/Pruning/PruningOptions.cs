using System.Collections.Immutable;

namespace Penjing.Compression;

/// <summary>Among which families channels compete for staying.</summary>
public enum Ranking
{
    /// <summary>Among none: each family gives the same fraction.</summary>
    PerFamily,
    /// <summary>Among all, by scores divided by the family's mean.</summary>
    Global,
    /// <summary>Among families in the same place of the same topology, which together give the fraction (Fang et al. 2024).</summary>
    Isomorphic,
}

/// <summary>How much is cut, and by what rule.</summary>
public sealed record PruningOptions
{
    /// <summary>The fraction of channels cut, 0 to below 1: of each family or, as <see cref="Ranking"/> says, of several. Pinned channels count, but stay.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>
    /// Where given, in place of <see cref="Ratio"/>: the multiply-accumulates at batch 1 that the network must not exceed; the smallest ratio that gets there
    /// is taken.
    /// </summary>
    public long? Macs { get; init; }

    /// <summary>Among which families channels compete: by scores divided by the family's mean, or see <see cref="Absolute"/>.</summary>
    public Ranking Ranking { get; init; }

    /// <summary>
    /// Whether families compete by their scores as they are, under one threshold, as in network slimming (Liu et al. 2017): for scores of one scale in
    /// all layers, such as <see cref="Importances.BatchNormScale"/>.
    /// </summary>
    public bool Absolute { get; init; }

    /// <summary>The largest fraction that one family gives where families compete.</summary>
    public double MostOfOne { get; init; } = 0.9;

    /// <summary>Fractions in place of <see cref="Ratio"/> for the families of these values, by name, where families don't compete.</summary>
    public IReadOnlyDictionary<string, double> Ratios { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>The largest fractions that the families of these values give, by name, whatever the ranking and the rounding.</summary>
    public IReadOnlyDictionary<string, double> Caps { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>
    /// What a family's kept channels are rounded to a multiple of; half of it, a quarter and so on where the family hasn't twice as many. 16 suits the kernels:
    /// a vector of 512 bits, two of 256.
    /// </summary>
    public int Multiple { get; init; } = 1;

    /// <summary>
    /// Where given, how long a layer takes: a convolution or product by itself, of an input and constant weights. Kept channels are then rounded by time in
    /// place of <see cref="Multiple"/>: to the number within a step of 16 at which they cost least beyond the step's price for each.
    /// </summary>
    public Func<Node, double>? Milliseconds { get; init; }

    /// <summary>The score of each group; one of infinity stays.</summary>
    public Importance Importance { get; init; } = Importances.L1;

    /// <summary>The values whose channels all stay, by name.</summary>
    public IReadOnlySet<string> Keep { get; init; } = new HashSet<string>();

    /// <summary>The network whose channels the ratio counts, for pruning in rounds: by default the one at hand. Layers are found by their names.</summary>
    public Graph? Original { get; init; }
}

/// <summary>The ratios of pruning in rounds, each followed by retraining: what is cut in total after each round, of the original network's channels.</summary>
public static class PruningSchedule
{
    /// <summary>Every round cuts the same number of channels; the last ends at <paramref name="ratio"/>.</summary>
    /// <exception cref="PenjingException">The ratio is not in [0, 1), or there is no round.</exception>
    public static IReadOnlyList<double> Linear(double ratio, int rounds) => [.. Rounds(ratio, rounds).Select(round => ratio * round / rounds)];

    /// <summary>Every round cuts the same fraction of what is left; the last ends at <paramref name="ratio"/>.</summary>
    /// <exception cref="PenjingException">The ratio is not in [0, 1), or there is no round.</exception>
    public static IReadOnlyList<double> Geometric(double ratio, int rounds) =>
        [.. Rounds(ratio, rounds).Select(round => round == rounds ? ratio : 1 - Math.Pow(1 - ratio, (double)round / rounds))];

    private static IEnumerable<int> Rounds(double ratio, int rounds) =>
        !(ratio is >= 0 and < 1) ? throw new PenjingException($"a ratio of {ratio} can't be pruned: give one from 0 to below 1")
        : rounds < 1 ? throw new PenjingException($"pruning takes at least one round, not {rounds}")
        : Enumerable.Range(1, rounds);
}
