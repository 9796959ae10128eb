using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Compression;

/// <summary>What was measured of one stage of a network's way to the device, on the file that the stage wrote.</summary>
/// <param name="Name">The stage, such as "prune".</param>
/// <param name="Score">How right the engine's answers to the test pictures are.</param>
/// <param name="Bytes">The whole file's length.</param>
/// <param name="Parameters">Weight elements.</param>
/// <param name="Macs">Multiply-accumulates of one run at batch 1.</param>
/// <param name="MedianMs">Median milliseconds of one run at batch 1.</param>
/// <param name="ArenaBytes">The engine's memory for values.</param>
public sealed record StageResult(string Name, Score Score, long Bytes, long Parameters, long Macs, double MedianMs, long ArenaBytes)
{
    /// <summary>How much slower a run must be before it counts as slower: below this the clock decides.</summary>
    public const double TimeTolerance = 0.05;

    /// <summary>What got worse against an earlier stage, one phrase each, such as "top-1 fell by 0.31 points"; empty where nothing did.</summary>
    public ImmutableArray<string> WorseThan(StageResult earlier)
    {
        List<string> worse = [];
        if (Score.Value < earlier.Score.Value) worse.Add(Say($"{Score.Metric} fell by {(earlier.Score.Value - Score.Value) * 100:0.00} points"));
        if (Score.PixelAccuracy < earlier.Score.PixelAccuracy) worse.Add(Say($"pixel accuracy fell by {(earlier.Score.Accuracy - Score.Accuracy) * 100:0.00} points"));
        if (Bytes > earlier.Bytes) worse.Add(Say($"the file grew by {Bytes - earlier.Bytes:N0} bytes"));
        if (Parameters > earlier.Parameters) worse.Add(Say($"{Parameters - earlier.Parameters:N0} more parameters"));
        if (Macs > earlier.Macs) worse.Add(Say($"{Macs - earlier.Macs:N0} more multiply-accumulates"));
        if (MedianMs > earlier.MedianMs * (1 + TimeTolerance)) worse.Add(Say($"a run takes {100 * (MedianMs / earlier.MedianMs - 1):0} % longer"));
        if (ArenaBytes > earlier.ArenaBytes) worse.Add(Say($"the arena grew by {ArenaBytes - earlier.ArenaBytes:N0} bytes"));
        return [.. worse];

        static string Say(FormattableString phrase) => phrase.ToString(CultureInfo.InvariantCulture);
    }
}
