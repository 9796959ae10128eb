using Penjing.Compression;

namespace Penjing.Lab;

/// <summary>What an attempt aims at before it is trained: a little less than the budget, since training and measuring change a little.</summary>
/// <param name="Bytes">The file's bytes; null where they don't matter.</param>
/// <param name="Latency">The share of the uncompressed network's time; null where it doesn't matter.</param>
/// <param name="Effort">A factor on the epochs.</param>
/// <param name="Integers">Whether weights and values may become 8-bit integers.</param>
internal sealed record Aim(double? Bytes, double? Latency, double Effort, bool Integers = true)
{
    private const double Margin = 0.95, FirstBytes = 0.1, Step = 0.7, MostEffort = 4;

    /// <summary>The first aim for a budget. Where accuracy alone is bounded, it is a mild one.</summary>
    /// <param name="budget">What is asked.</param>
    /// <param name="bytes">The uncompressed network's file.</param>
    public static Aim Of(Budget budget, double bytes) => BoundsAccuracyAlone(budget) ? new(FirstBytes * bytes, Step, 1) : new(Margin * budget.MaxBytes, Margin * budget.MaxLatency, 1);

    /// <summary>The aim of the next attempt; null where there is nothing to gain.</summary>
    /// <param name="budget">What is asked.</param>
    /// <param name="original">The uncompressed network.</param>
    /// <param name="result">What the attempt of this aim came to.</param>
    /// <param name="kept">Whether an attempt has kept the budget yet.</param>
    /// <param name="integers">Whether the attempt made integers of them.</param>
    public Aim? Next(Budget budget, StageResult original, StageResult result, bool kept, bool integers)
    {
        bool lost = original.Score.Value - result.Score.Value > budget.MaxDrop;
        if (BoundsAccuracyAlone(budget))
            return !lost ? this with { Bytes = Step * Bytes, Latency = Step * Latency } : kept ? null : this with { Bytes = Bytes / Step / Step, Latency = Math.Sqrt(Latency!.Value) };
        Aim next = this;
        if (result.Bytes > budget.MaxBytes) next = next with { Bytes = next.Bytes * budget.MaxBytes / result.Bytes * Margin };
        if (result.MedianMs > budget.MaxLatency * original.MedianMs) next = next with { Latency = next.Latency * budget.MaxLatency * original.MedianMs / result.MedianMs };
        if (lost && 2 * Effort <= MostEffort) next = next with { Effort = 2 * Effort };
        else if (lost && integers) next = next with { Effort = 1, Integers = false };
        return next == this ? null : next;
    }

    private static bool BoundsAccuracyAlone(Budget budget) => budget is { MaxBytes: null, MaxLatency: null };
}
