using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>From how many zeros on do sparse kernels pay, and how much?</summary>
internal static class Sparse
{
    private const int Rounds = 5;
    private static readonly int[] percents = [0, 50, 60, 70, 80, 90, 95];
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A layer with some zeros on some threads: what the dense and the sparse kernel took in the same rounds.</summary>
    private sealed record Row(string Layer, int Count, int Zeros, int Threads, double DenseMs, double SparseMs, bool Picked)
    {
        public double Gain => DenseMs / SparseMs;
    }

    /// <summary>Measures the 1×1 layers of MobileNet v1 and some fully connected ones, or those given, and writes sparse.md and sparse.json.</summary>
    public static int Run(Arguments arguments)
    {
        string machine = Machine.Describe(), command = Machine.Command();
        (string Layer, int Count)[] layers = arguments.ShapesOr(Standard);
        var rows = new List<Row>();
        foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
            foreach ((string layer, int count) in layers)
                foreach (int zeros in percents)
                {
                    rows.Add(Measure(layer, count, zeros, threads, arguments.Seconds));
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{layer} {zeros} % zeros, {threads} thread(s): dense {rows[^1].DenseMs:F4} ms, sparse {rows[^1].SparseMs:F4} ms, {rows[^1].Gain:F2}×"));
                }
        var text = new StringBuilder($"""
            # Sparse kernels against our own dense ones

            {machine}.
            `{command}`

            For each layer the dense kernel's milliseconds, then how many times faster the sparse kernel is at each share of zeros, strewn at random; bold
            where it is the kernel that is chosen. Both run in turns in {Rounds} rounds, of which the fastest counts; values and weights are in the caches, as far as they fit.

            """);
        foreach (IGrouping<int, Row> group in rows.GroupBy(row => row.Threads))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {group.Key} thread(s)\n\n| layer | times | dense ms | {string.Join(" | ", percents.Select(percent => $"{percent} %"))} |\n");
            text.Append(CultureInfo.InvariantCulture, $"| --- | ---: | ---: |{string.Concat(percents.Select(_ => " ---: |"))}\n");
            foreach (IGrouping<string, Row> layer in group.GroupBy(row => row.Layer))
                text.Append(Line(layer.Key, $"{layer.First().Count}", layer.Min(row => row.DenseMs), layer.Select(row => Bold(row.Gain, row.Picked))));
            Row[] pointwise = [.. group.Where(row => row.Layer.Contains('x'))];
            if (pointwise.Length > percents.Length)
                text.Append(Line("all with pixels", $"{pointwise.Sum(row => row.Count) / percents.Length}", pointwise.Where(row => row.Zeros == percents[0]).Sum(row => row.DenseMs * row.Count),
                    percents.Select(percent => pointwise.Where(row => row.Zeros == percent).ToArray())
                        .Select(all => Bold(all.Sum(row => row.DenseMs * row.Count) / all.Sum(row => row.SparseMs * row.Count), false))));
        }
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        File.WriteAllText(Path.Combine(folder, "sparse.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "sparse.json"), JsonSerializer.Serialize(new { machine, command, rows }, json) + "\n");
        return 0;
    }

    private static (string Layer, int Count)[] Standard =>
    [
        .. from node in Networks.Named("mobilenet-v1-1.0-224").Graph.Nodes
           where node.Op is Conv { Groups: 1 } && node.Inputs[1].Shape.Product(2, 4) == 1 && node.Shape[2] > 1
           let x = node.Inputs[0].Shape
           group node by $"{x[1]}x{x[2]}x{x[3]}-{node.Shape[1]}" into same
           select (same.Key, same.Count()),
        ("784-300", 1), ("2048-1000", 1), ("4096-4096", 1),
    ];

    private static Row Measure(string layer, int count, int zeros, int threads, double seconds)
    {
        Site site = new(LayerText.Parse($"{layer}-z{zeros}"), Isas.Best);
        KernelRow sparse = KernelTable.Rows.First(row => row.Name == "f32-sparse");
        KernelRow dense = KernelTable.Rows.First(row => row.Name == (site.Node.Op is Gemm ? "f32-gemm" : "f32-gemm-conv"));
        var best = (Dense: double.PositiveInfinity, Sparse: double.PositiveInfinity);
        for (int round = 0; round < Rounds; round++)
            best = (Math.Min(best.Dense, Time(dense)), Math.Min(best.Sparse, Time(sparse)));
        return new(layer, count, zeros, threads, best.Dense, best.Sparse, KernelTable.Choose(site) == sparse);

        double Time(KernelRow row) => Trial.Of([row], site with { Seats = threads }, seconds * 1000 / Rounds)[0].Ms;
    }

    private static string Line(string layer, string count, double dense, IEnumerable<string> gains) =>
        string.Create(CultureInfo.InvariantCulture, $"| {layer} | {count} | {dense:F4} | {string.Join(" | ", gains)} |\n");

    private static string Bold(double gain, bool picked) => gain.ToString(picked ? "'**'0.00'**'" : "0.00", CultureInfo.InvariantCulture);
}
