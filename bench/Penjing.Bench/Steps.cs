using System.Globalization;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>Where does the time of a network go, and where does a second thread not halve it?</summary>
internal static class Steps
{
    private const int Rounds = 8, Runs = 20;

    /// <summary>
    /// Prints the profile of each network: for each step the time on each number of threads, measured in turns; beside more than one also the gain, and how
    /// many microseconds it takes longer than its share of the first time.
    /// </summary>
    public static int Run(Arguments arguments)
    {
        foreach (string network in arguments.Networks("mobilenet-v1-1.0-224"))
        {
            int[] threads = arguments.Threads(1);
            Model model = arguments.Bits is { } bits ? Quantized.Of(Networks.Named(network), bits).Integers : Networks.Named(network);
            Session[] sessions = [.. threads.Select(count => new Session(model, new(count)))];
            foreach (Session session in sessions) session.Profile(5 * Runs);
            // Of each step the median round: what else the machine does meets all threads of a round.
            double[][][] rounds = [.. Enumerable.Range(0, Rounds).Select(_ => sessions.Select(session => session.Profile(Runs).Select(time => time.MedianMs).ToArray()).ToArray())];
            double[][] times = [.. sessions.Select((session, i) => session.Steps.Select((_, step) => Turns.At([.. rounds.Select(round => round[i][step]).Order()], 0.5)).ToArray())];
            Step[] steps = [.. sessions[0].Steps];
            Console.WriteLine($"{network}: ms on {string.Join(", ", threads)} thread(s), GFLOP/s on {threads[0]}{(threads.Length > 1 ? ", gain, µs lost" : "")}");
            for (int step = 0; step < steps.Length; step++)
                Print($"{steps[step].Name,-28} {steps[step].Kernel,-36}", steps[step].Macs, [.. times.Select(own => own[step])], threads);
            Print($"{"sum",-65}", steps.Sum(step => step.Macs), [.. times.Select(own => own.Sum())], threads);
            foreach (Session session in sessions) session.Dispose();
        }
        return 0;
    }

    private static void Print(string what, long macs, double[] times, int[] threads)
    {
        string line = what + string.Concat(times.Select(time => string.Create(CultureInfo.InvariantCulture, $" {time,8:F4}")))
            + string.Create(CultureInfo.InvariantCulture, $" {macs * 2 / (times[0] * 1e6),7:F1}");
        for (int i = 1; i < times.Length; i++)
            line += string.Create(CultureInfo.InvariantCulture, $" {times[0] / times[i],6:F2} {1e3 * (times[i] - times[0] * threads[0] / threads[i]),7:F1}");
        Console.WriteLine(line);
    }
}
