using System.Globalization;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>Which kernels fit a layer, and how long does each take?</summary>
internal static class Kernels
{
    /// <summary>Prints every kernel that fits each layer, its times, and what share of the peak they are; the values stay in the caches from run to run.</summary>
    public static int Run(Arguments arguments)
    {
        foreach (string text in arguments.Shapes)
            foreach (int threads in arguments.Threads(1))
            {
                Node node = LayerText.Parse(text);
                Site site = new(node, Isas.Best);
                string pick = KernelTable.Choose(site).Name;
                Console.WriteLine($"{text}, {threads} thread(s)");
                foreach (Trial trial in Trial.Of(Trial.Candidates(site), site with { Seats = threads }, arguments.Seconds * 100))
                {
                    double gflops = Cost.Macs(node) * 2 / (trial.BestMs * 1e6), peak = FmaPeak.Gflops(site.Isa) * threads;
                    string cost = trial.Row.Cost is { } estimate ? (estimate(site) / 1e6).ToString("F4", CultureInfo.InvariantCulture) : "";
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"  {trial.Label,-36} best {trial.BestMs,8:F4} ms, quartile {trial.Ms,8:F4} ms, model {cost,8} {gflops,7:F1} GFLOP/s {gflops / peak,6:P0}  scratch {trial.ScratchBytes,9}  packed {trial.PackedBytes,9}{(trial.Row.Name == pick ? "  <- pick" : "")}"));
                }
            }
        return 0;
    }
}
