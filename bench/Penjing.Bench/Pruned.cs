using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>Is a pruned network faster by as much as it has fewer multiply-accumulates?</summary>
internal static class Pruned
{
    private const double Most = 1.15;
    private const int MostSteps = 8;

    private static readonly string[] networks = ["mobilenet-v1-1.0-224", "resnet-34", "resnet-50"];

    /// <summary>What is cut, as `penjing prune` does by itself: of every layer the share of its channels, or so many as leave half of the work.</summary>
    private static readonly (string Name, Func<Graph, PruningOptions> Options)[] cuts =
    [
        ("half of the channels", _ => new() { Ratio = 0.5, Multiple = 16 }),
        ("half of the MACs", graph => new() { Macs = Cost.Macs(graph) / 2, Multiple = 16 }),
    ];

    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>
    /// A step whose time has shrunk less than the network's work; macs: its own MAC ratio; excess: its time less its former time times the network's ratio.
    /// </summary>
    private sealed record Slow(
        string Step, string Whole, string Pruned, double Macs, double WholeMs, double PrunedMs, double WholeGflops, double PrunedGflops, double ExcessMs);

    /// <summary>One network, cut in one way, on some threads; the latency ratio is the median of the rounds', with its quartiles.</summary>
    private sealed record Row(
        string Network, string Cut, int Threads, long WholeMacs, long PrunedMacs, Turn Whole, Turn Pruned, double Latency, double Low, double High,
        ImmutableArray<Slow> Slowest)
    {
        public double Macs => (double)PrunedMacs / WholeMacs;
    }

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, ImmutableArray<Row> Rows);

    /// <summary>Measures every network, cut in each way, and writes pruned.md and pruned.json; rows that are not measured again stay.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.Combine(folder, "pruned.json");
        ImmutableArray<Row> rows = File.Exists(file) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(file), json)!.Rows : [];
        foreach (string network in arguments.Networks(networks))
            foreach ((string cut, Func<Graph, PruningOptions> options) in cuts)
            {
                Graph whole = Networks.Named(network).Graph, pruned = Pruner.Prune(whole, options(whole));
                foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
                {
                    Row row = Measure(network, cut, threads, whole, pruned, arguments.Seconds);
                    Console.WriteLine(Line(row));
                    foreach (Slow slow in row.Slowest) Console.WriteLine(Line(row, slow));
                    rows = [.. rows.Where(other => (other.Network, other.Cut, other.Threads) != (network, cut, threads)), row];
                    rows = [.. rows.OrderBy(one => one.Cut).ThenBy(one => Array.IndexOf(networks, one.Network)).ThenBy(one => one.Threads)];
                    File.WriteAllText(file, JsonSerializer.Serialize(new Results(Machine.Describe(), rows), json) + "\n");
                    File.WriteAllText(Path.Combine(folder, "pruned.md"), Text(rows));
                }
            }
        return 0;
    }

    private static Row Measure(string network, string cut, int threads, Graph whole, Graph pruned, double seconds)
    {
        using Session before = new(whole, new(threads)), after = new(pruned, new(threads));
        Turn[] turns = Turns.Measure([Choice.Runner(before), Choice.Runner(after)], seconds);
        double[] ratios = [.. turns[1].BlockMs.Zip(turns[0].BlockMs, (a, b) => a / b).Order()];
        Row row = new(network, cut, threads, Cost.Macs(whole), Cost.Macs(pruned), turns[0], turns[1],
            Turns.At(ratios, 0.5), Turns.At(ratios, 0.25), Turns.At(ratios, 0.75), []);
        return row.Latency <= row.Macs * Most ? row : row with { Slowest = Slowest(before, after, row.Macs) };
    }

    /// <summary>The steps to which most of the time belongs that the pruned network takes beyond the whole one's times the MAC ratio.</summary>
    private static ImmutableArray<Slow> Slowest(Session before, Session after, double macs)
    {
        Dictionary<string, StepTime> whole = before.Profile(50).ToDictionary(time => time.Step.Op + time.Step.Name);
        return
        [
            .. (from now in after.Profile(50)
                let was = whole.GetValueOrDefault(now.Step.Op + now.Step.Name)
                where was is not null && was.Step.Macs >= now.Step.Macs
                let excess = now.MedianMs - was.MedianMs * macs
                orderby excess descending
                select new Slow(now.Step.Name, was.Step.Kernel, now.Step.Kernel, (double)now.Step.Macs / Math.Max(1, was.Step.Macs),
                    was.MedianMs, now.MedianMs, was.Gflops, now.Gflops, excess)).Take(MostSteps),
        ];
    }

    private static string Text(ImmutableArray<Row> rows)
    {
        var text = new StringBuilder($"""
            # Pruned networks against whole ones

            {Machine.Describe()}.
            `dotnet run -c Release --project bench/Penjing.Bench -- pruned`

            Channels are cut by `Pruner.Prune` as `penjing prune` does it: the least important of every layer; what stays is a multiple of 16. Whole and pruned
            network run in one process in turns. Medians of single runs; latency ratio: the median of the rounds' pruned / whole, with its quartiles. MACs of
            the layers as defined: Winograd's kernels do with fewer. Latency / MACs: 1 where the network is faster by as much as it has less work;
            at most {Most} is asked for.

            | network | cut | threads | million MACs | pruned | MAC ratio | ms | pruned ms | latency ratio | quartiles | latency / MACs | best of each |
            | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        text.Append($"""

            ## Where the time stays

            Where latency / MACs is above {Most}: the steps with the largest excess, the time that a step takes beyond its former time times the network's
            MAC ratio. A step's own MAC ratio tells whether it is slower for its work, or has kept more of its work than the network has: a
            first layer keeps its input's channels. A sum may be added by another convolution than before; such steps are left out.

            | network | cut | threads | step | kernel | pruned kernel | own MAC ratio | ms | pruned ms | GFLOP/s | pruned GFLOP/s | excess ms |
            | --- | --- | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows)
            foreach (Slow slow in row.Slowest) text.Append(Line(row, slow)).Append('\n');
        return text.ToString();
    }

    private static string Line(Row row)
    {
        string[] cells =
        [
            row.Network, row.Cut, $"{row.Threads}", Digits(row.WholeMacs / 1e6, 0), Digits(row.PrunedMacs / 1e6, 0), Digits(row.Macs),
            Digits(row.Whole.MedianMs), Digits(row.Pruned.MedianMs), Digits(row.Latency),
            $"{Digits(row.Low)}–{Digits(row.High)}", $"**{Digits(row.Latency / row.Macs, 2)}**",
            $"{Digits(row.Whole.BestMs)} · {Digits(row.Pruned.BestMs)}",
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Line(Row row, Slow slow)
    {
        string[] cells =
        [
            row.Network, row.Cut, $"{row.Threads}", slow.Step, slow.Whole, slow.Pruned, Digits(slow.Macs), Digits(slow.WholeMs, 4), Digits(slow.PrunedMs, 4),
            Digits(slow.WholeGflops, 0), Digits(slow.PrunedGflops, 0), Digits(slow.ExcessMs, 4),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Digits(double value, int digits = 3) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
