using System.CommandLine;
using System.Globalization;
using Penjing.Engine;

namespace Penjing.Cli;

/// <summary>penjing bench: how long a run takes and how much memory.</summary>
internal static class BenchCommand
{
    private static readonly Argument<string> model = Given.Model();
    private static readonly Reading reading = new();
    private static readonly Option<int?> threads = Given.Threads();
    private static readonly Option<int> runs = Given.Runs(100);
    private static readonly Option<int> batch = Given.Batch(1);
    private static readonly Tune tune = new();

    /// <summary>The verb.</summary>
    public static Verb Create() => new("bench", "Times runs of a network on the engine, after a warm-up, and tells the memory they take.",
        ["penjing bench model.penjing --threads 1 --runs 200", "penjing bench model.penjing --tune", "penjing bench model.penjing --batch 8 --json"], Run,
        [model, threads, runs, batch, tune.Symbol, .. reading.Symbols, Given.Json()]);

    private static void Run(ParseResult parsed, Screen screen, CancellationToken stop)
    {
        int count = parsed.GetValue(runs), pictures = parsed.GetValue(batch);
        string path = parsed.GetRequiredValue(model);
        Model network = reading.Read(parsed, path, pictures, once: true);
        SessionOptions options = tune.Apply(parsed, screen, path, network, new(parsed.GetValue(threads) ?? 0, pictures), stop);
        using Session session = new(network, options);
        Latency latency = Latency.Of([session], count, stop)[0];
        long macs = session.Steps.Sum(step => step.Macs), peak = Measurement.PeakResidentBytes();
        double gflops = 2e-6 * macs / latency.MedianMs, perSecond = 1000 * pictures / latency.MedianMs;
        screen.Show(new
        {
            Model = network.Name, latency.MedianMs, latency.P90Ms, MinMs = latency.LeastMs, session.ArenaBytes, PeakRssBytes = peak, session.Threads, Runs = count, Batch = pictures,
            Macs = macs, Gflops = gflops, ImagesPerSecond = perSecond, IsTuned = options.Tuning is not null,
        }, () => [Screen.Facts(
            ("median", Quantity.Milliseconds(latency.MedianMs)),
            ("90 % within", Quantity.Milliseconds(latency.P90Ms)),
            ("fastest", Quantity.Milliseconds(latency.LeastMs)),
            ("pictures a second", Quantity.Exact((long)perSecond)),
            ("GFLOP/s", gflops.ToString("F1", CultureInfo.InvariantCulture)),
            ("arena", $"{Quantity.Exact(session.ArenaBytes)} bytes"),
            ("peak resident memory", $"{Quantity.Exact(peak)} bytes"),
            ("threads", session.Threads.ToString(CultureInfo.InvariantCulture)),
            ("runs", $"{count} of {pictures} picture{(pictures == 1 ? "" : "s")}"))]);
    }
}
