using System.Globalization;
using Penjing.Compression;

namespace Penjing.Lab;

/// <summary>What a compressed network may cost and lose; null where nothing is asked.</summary>
public sealed record Budget
{
    /// <summary>The most that the score (top-1, or mean IoU where each pixel is answered) may fall, as a fraction: 0.01 is one point.</summary>
    public double? MaxDrop { get; init; }

    /// <summary>The most bytes of the file.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>The longest median run, as a share of the uncompressed network's.</summary>
    public double? MaxLatency { get; init; }

    /// <summary>How much of each bound is used, the most first: above 1 it is broken.</summary>
    /// <param name="original">The uncompressed network.</param>
    /// <param name="result">The compressed one.</param>
    public IReadOnlyList<(string Bound, double Used)> Used(StageResult original, StageResult result)
    {
        List<(string Bound, double Used)> used = [];
        if (MaxDrop is { } drop) used.Add((Say($"at most {100 * drop:0.##} points of {original.Score.Metric}"), Share(original.Score.Value - result.Score.Value, drop)));
        if (MaxBytes is { } bytes) used.Add((Say($"at most {bytes:N0} bytes"), Share(result.Bytes, bytes)));
        if (MaxLatency is { } latency) used.Add((Say($"at most {latency:0.###} of the latency"), Share(result.MedianMs / original.MedianMs, latency)));
        return [.. used.OrderByDescending(one => one.Used)];

        static double Share(double value, double most) => value <= 0 ? 0 : most > 0 ? value / most : double.PositiveInfinity;
    }

    /// <summary>Whether the uncompressed network keeps all bounds, and has something besides accuracy to keep.</summary>
    /// <param name="bytes">Its file's bytes.</param>
    internal bool IsKeptBy(double bytes) => this is not { MaxBytes: null, MaxLatency: null } && !(bytes > MaxBytes) && !(MaxLatency < 1);

    /// <summary>Throws unless something is asked, and all of it makes sense.</summary>
    /// <exception cref="PenjingException">It doesn't; the message says why.</exception>
    internal void Check()
    {
        if (this is { MaxDrop: null, MaxBytes: null, MaxLatency: null }) throw new PenjingException("a search needs a budget: the most points of accuracy, bytes or latency");
        if (MaxDrop is not (null or (>= 0 and < 1))) throw new PenjingException(Say($"accuracy can't fall by {100 * MaxDrop:0.##} points: give 0 to below 100"));
        if (MaxBytes is <= 0) throw new PenjingException($"no file has {MaxBytes} bytes: give 1 or more");
        if (MaxLatency is not (null or (> 0 and < double.PositiveInfinity))) throw new PenjingException(Say($"a run can't take {MaxLatency} of the time: give more than 0"));
    }

    private static string Say(FormattableString words) => words.ToString(CultureInfo.InvariantCulture);
}
