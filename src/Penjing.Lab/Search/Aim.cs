namespace Penjing.Lab;

/// <summary>What an attempt aims at before it is trained: a little less than the budget, since training and measuring change a little.</summary>
/// <param name="Bytes">The file's bytes; null where they don't matter.</param>
/// <param name="Latency">The share of the uncompressed network's time; null where it doesn't matter.</param>
/// <param name="Effort">A factor on the epochs.</param>
internal sealed record Aim(double? Bytes, double? Latency, double Effort)
{
    private const double Margin = 0.95, Step = 0.7, MostEffort = 3;

    /// <summary>The first aim for a budget; where only accuracy is bounded, a mild one.</summary>
    public static Aim Of(Budget budget) => new(budget.MaxBytes * Margin, budget.MaxLatency * Margin ?? (budget.MaxBytes is null ? Step : null), 1);

    /// <summary>The aim of the next attempt; null where there is nothing to gain.</summary>
    public Aim? Next(Budget budget, Attempt attempt)
    {
        Penjing.Compression.StageResult original = attempt.Way[0], result = attempt.Result;
        bool lost = budget.MaxDrop is { } drop && original.Top1 - result.Top1 > drop;
        if (budget is { MaxBytes: null, MaxLatency: null }) return lost ? null : this with { Latency = Latency * Step };
        Aim next = this;
        if (budget.MaxBytes < result.Bytes) next = next with { Bytes = next.Bytes * budget.MaxBytes / result.Bytes * Margin };
        if (budget.MaxLatency * original.MedianMs < result.MedianMs) next = next with { Latency = next.Latency * budget.MaxLatency * original.MedianMs / result.MedianMs };
        if (lost && Effort < MostEffort) next = next with { Effort = Effort * 2 };
        return next == this ? null : next;
    }
}
