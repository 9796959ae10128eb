using System.Collections.Immutable;
using Penjing.Compression;

namespace Penjing.Lab;

/// <summary>What is best in its own way.</summary>
public static class Pareto
{
    /// <summary>Those that no other beats: none is at least as good in accuracy, bytes and latency at once, and better in one of them.</summary>
    public static ImmutableArray<StageResult> Front(IReadOnlyCollection<StageResult> results) => [.. results.Where(one => !results.Any(other => Beats(other, one)))];

    private static bool Beats(StageResult one, StageResult other) =>
        one.Score.Value >= other.Score.Value && one.Bytes <= other.Bytes && one.MedianMs <= other.MedianMs
        && (one.Score.Value > other.Score.Value || one.Bytes < other.Bytes || one.MedianMs < other.MedianMs);
}
