using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>How much faster is a network with zeros, and what do patterns of zeros gain?</summary>
internal static class Sparsified
{
    private static readonly string[] networks = ["mobilenet-v1-1.0-224", "resnet-50"];
    private static readonly (double Ratio, string Pattern)[] ways = [(0.5, "2:4"), (0.8, "unstructured"), (0.8, "1x32"), (0.9, "unstructured"), (0.9, "1x32")];
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>One network with zeros on some threads: the median of the rounds' sparse / dense, with its quartiles, and the steps that sparse kernels do.</summary>
    private sealed record Row(string Network, double Ratio, string Pattern, int Threads, double DenseMs, double SparseMs, double Latency, double Low, double High, int Sparse, int Steps);

    /// <summary>Measures every network in each way, and writes sparsified.md and sparsified.json.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        List<Row> rows = [];
        foreach (string network in arguments.Networks(networks))
        {
            Graph dense = Networks.Named(network).Graph;
            Graph[] sparse = [.. ways.Select(way => Sparsifier.Sparsify(dense, new() { Ratio = way.Ratio, Pattern = SparsityPattern.Parse(way.Pattern)! }))];
            foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
                rows.AddRange(Measure(network, threads, [dense, .. sparse], arguments.Seconds));
        }
        File.WriteAllText(Path.Combine(folder, "sparsified.json"), JsonSerializer.Serialize(new { machine = Machine.Describe(), rows }, json) + "\n");
        File.WriteAllText(Path.Combine(folder, "sparsified.md"), Text(rows));
        return 0;
    }

    private static ImmutableArray<Row> Measure(string network, int threads, Graph[] graphs, double seconds)
    {
        Session[] sessions = [.. graphs.Select(graph => new Session(graph, new(threads)))];
        try
        {
            Turn[] turns = Turns.Measure([.. sessions.Select(Choice.Runner)], seconds * graphs.Length);
            return [.. ways.Select((way, i) =>
            {
                double[] ratios = [.. turns[i + 1].BlockMs.Zip(turns[0].BlockMs, (a, b) => a / b).Order()];
                Row row = new(network, way.Ratio, way.Pattern, threads, turns[0].MedianMs, turns[i + 1].MedianMs, Turns.At(ratios, 0.5), Turns.At(ratios, 0.25), Turns.At(ratios, 0.75),
                    sessions[i + 1].Steps.Count(step => step.Row.Contains("sparse", StringComparison.Ordinal)), sessions[i + 1].Steps.Count(step => step.Macs > 0));
                Console.WriteLine(Line(row));
                return row;
            })];
        }
        finally
        {
            foreach (Session session in sessions) session.Dispose();
        }
    }

    private static string Text(IEnumerable<Row> rows) => new StringBuilder($"""
        # Networks with zeros against dense ones

        {Machine.Describe()}.
        `{Machine.Command()}`

        Weights are made zero by `Sparsifier.Sparsify`, the same share of every layer; depthwise layers stay dense. All run in one process in turns. Medians of single runs; latency ratio: the median of the rounds' sparse / dense, with its
        quartiles. Sparse steps: those that the engine gives to a sparse kernel, of all that multiply; it does so where its cost model says that it pays.

        | network | zeros | pattern | threads | dense ms | sparse ms | latency ratio | quartiles | sparse steps |
        | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |

        """.ReplaceLineEndings("\n")).AppendJoin('\n', rows.Select(Line)).Append('\n').ToString();

    private static string Line(Row row) => string.Create(CultureInfo.InvariantCulture,
        $"| {row.Network} | {100 * row.Ratio:F0} % | {row.Pattern} | {row.Threads} | {row.DenseMs:F3} | {row.SparseMs:F3} | **{row.Latency:F3}** | {row.Low:F3}–{row.High:F3} | {row.Sparse} of {row.Steps} |");
}
