using System.Diagnostics;

namespace Penjing.Bench;

/// <summary>What one of several ways to do a thing took.</summary>
/// <param name="MedianMs">The median of its runs.</param>
/// <param name="BestMs">The shortest of its runs: what it takes where nothing else disturbs.</param>
/// <param name="AloneMs">The median of runs of this way only, before the turns; that of the turns agrees with it where the others don't disturb.</param>
/// <param name="Runs">How many runs were measured in turns.</param>
/// <param name="BlockMs">The median of each block, in order; those of one round stand at the same place for all ways.</param>
internal sealed record Turn(double MedianMs, double BestMs, double AloneMs, int Runs, double[] BlockMs);

/// <summary>
/// Several ways to do one thing, measured in turns, so that whatever else the machine does meets all of them. A turn is a block of runs one after another,
/// the first of which isn't counted, and begins when all threads of the process have gone to sleep: workers that still spin after the run of
/// one library would take a processor from the next.
/// </summary>
internal static class Turns
{
    private const int LeastRuns = 50, BlockRuns = 8;
    private const double BlockMs = 20, Silence = 3;

    /// <summary>Measures each way alone, then all in turns, for some seconds and at least fifty counted runs of each.</summary>
    public static Turn[] Measure(Action[] ways, double seconds)
    {
        foreach (Action way in ways) Many(way, seconds / 10 / ways.Length);
        double[] alone = [.. ways.Select(way =>
        {
            Quieten();
            return At([.. Many(way, seconds / 5 / ways.Length).Order()], 0.5);
        })];
        List<double[]>[] blocks = [.. ways.Select(_ => new List<double[]>())];
        for (long start = Stopwatch.GetTimestamp(); blocks[0].Sum(block => block.Length) < LeastRuns || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
            for (int i = 0, first = blocks[0].Count; i < ways.Length; i++)
            {
                int way = (first + i) % ways.Length;
                Quieten();
                blocks[way].Add(Block(ways[way]));
            }
        return
        [
            .. blocks.Select((own, way) =>
            {
                double[] times = [.. own.SelectMany(block => block).Order()];
                return new Turn(At(times, 0.5), times[0], alone[way], times.Length, [.. own.Select(block => At([.. block.Order()], 0.5))]);
            }),
        ];
    }

    /// <summary>The value below which a fraction of the sorted values lies.</summary>
    public static double At(double[] sorted, double fraction) => sorted[(int)Math.Round((sorted.Length - 1) * fraction)];

    /// <summary>The milliseconds that an action takes.</summary>
    public static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Waits until the threads of this process have slept for some milliseconds; a second at most.</summary>
    private static void Quieten()
    {
        for (int tries = 0; tries < 300; tries++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(TimeSpan.FromMilliseconds(Silence));
            if ((Environment.CpuUsage.TotalTime - before).TotalMilliseconds < Silence / 10) return;
        }
    }

    /// <summary>The times of blocks one after another.</summary>
    private static List<double> Many(Action way, double seconds)
    {
        var times = new List<double>();
        for (long start = Stopwatch.GetTimestamp(); times.Count == 0 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;) times.AddRange(Block(way));
        return times;
    }

    /// <summary>The times of runs one after another, save the first's.</summary>
    private static double[] Block(Action way)
    {
        way();
        var times = new List<double>();
        for (double sum = 0; times.Count < BlockRuns || sum < BlockMs; sum += times[^1]) times.Add(Time(way));
        return [.. times];
    }
}
