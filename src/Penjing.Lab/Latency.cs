using System.Diagnostics;
using Penjing.Engine;

namespace Penjing.Lab;

/// <summary>The times of single runs, in milliseconds.</summary>
/// <param name="MedianMs">Half of the runs were faster.</param>
/// <param name="P90Ms">Nine of ten runs were faster.</param>
/// <param name="LeastMs">The fastest run.</param>
public sealed record Latency(double MedianMs, double P90Ms, double LeastMs)
{
    /// <summary>
    /// Times sessions in turns, one run each, so that all meet the same conditions; the first tenth of the rounds, and at least three, warm up and don't count.
    /// Inputs are seeded noise.
    /// </summary>
    public static Latency[] Of(IReadOnlyList<Session> sessions, int runs, CancellationToken stop)
    {
        Tensor[][] inputs = [.. sessions.Select(session => Noise.For(session.Inputs.Select(input => input.Info), seed: 1))];
        float[][] outputs = [.. sessions.Select(session => new float[session.Outputs[0].Info.Shape.Elements])];
        bool[] plain = [.. sessions.Select(session => session is { Inputs: [{ Info.Type: ElementType.Float32 }], Outputs: [{ Info.Type: ElementType.Float32 }] })];
        double[][] times = [.. sessions.Select(_ => new double[runs])];
        int warmUp = Math.Max(3, runs / 10);
        for (int run = -warmUp; run < runs; run++)
            for (int i = 0; i < sessions.Count; i++)
            {
                long start = Stopwatch.GetTimestamp();
                if (plain[i]) sessions[i].Run(inputs[i][0].Floats, outputs[i], stop);
                else sessions[i].Run(inputs[i], stop);
                if (run >= 0) times[i][run] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        return [.. times.Select(Summarize)];
    }

    private static Latency Summarize(double[] times)
    {
        Array.Sort(times);
        double median = (times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2;
        return new(median, times[Math.Min(times.Length - 1, (int)Math.Ceiling(0.9 * times.Length) - 1)], times[0]);
    }
}
