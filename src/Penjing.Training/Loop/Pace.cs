using System.Diagnostics;

namespace Penjing.Training;

/// <summary>How fast a training goes, measurements and checkpoints apart.</summary>
internal sealed class Pace
{
    private const int Window = 64;

    private readonly double[] seconds = new double[Window];
    private readonly Stopwatch watch = new();
    private double all, measuring;
    private int steps, measurements;

    /// <summary>Seconds of one step, over the last steps.</summary>
    public double PerStep => steps == 0 ? 0 : seconds.Sum() / Math.Min(steps, Window);

    /// <summary>Steps of a second, over all steps of this run after the first, which warms up.</summary>
    public double StepsPerSecond => steps < 2 ? (all > 0 ? steps / all : 0) : (steps - 1) / (all - First);

    private double First { get; set; }

    /// <summary>Times one step.</summary>
    public void Step(Action step)
    {
        double taken = Time(step);
        if (steps == 0) First = taken;
        seconds[steps++ % Window] = taken;
        all += taken;
    }

    /// <summary>Times one measurement.</summary>
    public void Measure(Action measure)
    {
        measuring += Time(measure);
        measurements++;
    }

    /// <summary>The time for the rest, where a measurement that was never timed is taken to cost a third of the steps that see as many pictures.</summary>
    public TimeSpan Remaining(int steps, int measurements, double stepsPerMeasurement) => TimeSpan.FromSeconds(
        steps * PerStep + measurements * (this.measurements > 0 ? measuring / this.measurements : PerStep * stepsPerMeasurement / 3));

    private double Time(Action action)
    {
        watch.Restart();
        action();
        return watch.Elapsed.TotalSeconds;
    }
}
