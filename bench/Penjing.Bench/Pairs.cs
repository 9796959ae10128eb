using System.Diagnostics;

namespace Penjing.Bench;

/// <summary>
/// Two ways to do one thing, measured in turns: each round runs both, in alternating order, so that whatever else the machine does meets both.
/// </summary>
/// <param name="FirstMs">The median of the first's times.</param>
/// <param name="SecondMs">The median of the second's times.</param>
/// <param name="Ratio">The median of the rounds' first / second.</param>
/// <param name="Low">The lower quartile of that ratio.</param>
/// <param name="High">The upper quartile of that ratio.</param>
/// <param name="FirstBestMs">The first's shortest time: what it takes where nothing else disturbs.</param>
/// <param name="SecondBestMs">The second's shortest time.</param>
/// <param name="Rounds">How many rounds were measured.</param>
internal sealed record Pairs(double FirstMs, double SecondMs, double Ratio, double Low, double High, double FirstBestMs, double SecondBestMs, int Rounds)
{
    /// <summary>Measures for some seconds, and ten rounds at least, after a fifth of that to warm up.</summary>
    public static Pairs Measure(Action first, Action second, double seconds)
    {
        Take(first, second, seconds / 5);
        List<(double First, double Second)> rounds = Take(first, second, seconds);
        double[] ratios = [.. rounds.Select(round => round.First / round.Second).Order()];
        return new(At([.. rounds.Select(round => round.First).Order()], 0.5), At([.. rounds.Select(round => round.Second).Order()], 0.5),
            At(ratios, 0.5), At(ratios, 0.25), At(ratios, 0.75), rounds.Min(round => round.First), rounds.Min(round => round.Second), rounds.Count);
    }

    /// <summary>The value below which a fraction of the sorted values lies.</summary>
    public static double At(double[] sorted, double fraction) => sorted[(int)Math.Round((sorted.Length - 1) * fraction)];

    private static List<(double First, double Second)> Take(Action first, Action second, double seconds)
    {
        var rounds = new List<(double, double)>();
        for (long start = Stopwatch.GetTimestamp(); rounds.Count < 10 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            if (rounds.Count % 2 == 0) rounds.Add((Time(first), Time(second)));
            else
            {
                double later = Time(second);
                rounds.Add((Time(first), later));
            }
        }
        return rounds;
    }

    /// <summary>The milliseconds that an action takes.</summary>
    public static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
