using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>What does each way to compute a convolution take, in time and in memory?</summary>
internal static class Convolutions
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The layers that MEC was first measured on (Cho, Brand 2017, cv1 to cv12, without padding), and layers of the zoo's networks.</summary>
    private static readonly (string Name, string Layer)[] standard =
    [
        ("cv1", "3x227x227-96-k11-s4-p0"), ("cv2", "3x231x231-96-k11-s4-p0"), ("cv3", "3x227x227-64-k7-s2-p0"), ("cv4", "64x224x224-64-k7-s2-p0"),
        ("cv5", "96x24x24-256-k5-p0"), ("cv6", "256x12x12-512-k3-p0"), ("cv7", "3x224x224-64-k3-p0"), ("cv8", "64x112x112-128-k3-p0"),
        ("cv9", "64x56x56-64-k3-p0"), ("cv10", "128x28x28-128-k3-p0"), ("cv11", "256x14x14-256-k3-p0"), ("cv12", "512x7x7-512-k3-p0"),
        ("ResNet, first", "3x224x224-64-k7-s2"), ("ResNet, 56×56", "64x56x56-64-k3"), ("ResNet, 28×28", "128x28x28-128-k3"), ("ResNet, 28×28 halved", "128x28x28-256-k3-s2"),
        ("ResNet, 14×14", "256x14x14-256-k3"), ("ResNet, 7×7", "512x7x7-512-k3"), ("ResNet-50, 1×1", "256x56x56-64"), ("SqueezeNet 1.1, first", "3x224x224-64-k3-s2-p0"),
        ("SqueezeNet 1.1, expand", "16x55x55-64-k3"), ("SqueezeNet 1.1, expand", "64x13x13-256-k3"), ("MobileNet, first", "3x224x224-32-k3-s2"), ("MobileNet, 1×1", "512x14x14-512"),
    ];

    /// <summary>One way on one layer.</summary>
    private sealed record Way(string Name, double Ms, double BestMs, long ScratchBytes, long PackedBytes);

    /// <summary>A layer and all ways that fit it.</summary>
    private sealed record Row(string Name, string Layer, int Threads, double Gflop, string Chosen, Way[] Ways);

    /// <summary>Measures every row of the kernel table that fits each layer and writes convolutions.md and convolutions.json.</summary>
    public static int Run(Arguments arguments)
    {
        string machine = Machine.Describe(), command = Machine.Command();
        var rows = new List<Row>();
        foreach (int threads in arguments.Threads(1))
            foreach ((string name, string layer) in standard)
            {
                rows.Add(Measure(name, layer, threads, arguments.Seconds));
                Console.WriteLine($"{layer}, {threads} thread(s): {string.Join(", ", rows[^1].Ways.Select(way => $"{way.Name} {Ms(way.BestMs)} ms {Kilobytes(way.ScratchBytes)} KB"))}");
            }
        var text = new StringBuilder($"""
            # Ways to compute a convolution

            {machine}.
            `{command}`

            Milliseconds of the shortest run, in turns, then kilobytes of scratch memory; bold is the fastest, – where a way can't compute the layer. Input and weights are in
            the caches, as far as they fit. Layers are written channels × height × width – output channels – kernel, stride, padding where not half the kernel.

            """);
        foreach (IGrouping<int, Row> group in rows.GroupBy(row => row.Threads))
        {
            string[] names = [.. KernelTable.Rows.Select(row => row.Name).Where(name => group.Any(row => row.Ways.Any(way => way.Name == name)))];
            text.Append($"\n## {group.Key} thread(s)\n\n| from | layer | GFLOP | {string.Join(" | ", names)} | im2col / MEC |\n| --- | --- | ---: |{string.Concat(names.Select(_ => " ---: |"))} ---: |\n");
            foreach (Row row in group)
            {
                double fastest = row.Ways.Min(way => way.BestMs);
                string[] cells = [.. names.Select(name => row.Ways.FirstOrDefault(way => way.Name == name) is not { } way ? "–" : Cell(way, way.BestMs == fastest))];
                double ratio = (double)Scratch(row, F32Im2col.Name) / Scratch(row, F32Mec.Name);
                text.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {row.Layer} | {row.Gflop:F3} | {string.Join(" | ", cells)} | {ratio:F2} |\n");
            }
        }
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        File.WriteAllText(Path.Combine(folder, "convolutions.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "convolutions.json"), JsonSerializer.Serialize(new { machine, command, rows }, json) + "\n");
        return 0;
    }

    private static Row Measure(string name, string layer, int threads, double seconds)
    {
        Site site = new(LayerText.Parse(layer), Isas.Best);
        Way[] ways = [.. Trial.Of(Trial.Candidates(site), site with { Seats = threads }, seconds * 1000).Select(trial => new Way(trial.Row.Name, trial.Ms, trial.BestMs, trial.ScratchBytes, trial.PackedBytes))];
        return new(name, layer, threads, Cost.Macs(site.Node) * 2e-9, KernelTable.Choose(site).Name, [.. ways.Where(way => !way.Name.EndsWith("sparse", StringComparison.Ordinal))]);
    }

    private static long Scratch(Row row, string name) => row.Ways.First(way => way.Name == name).ScratchBytes;

    private static string Cell(Way way, bool fastest) => $"{(fastest ? $"**{Ms(way.BestMs)}**" : Ms(way.BestMs))}{(way.ScratchBytes > 0 ? $" · {Kilobytes(way.ScratchBytes)}" : "")}";

    private static string Ms(double ms) => ms.ToString("F3", CultureInfo.InvariantCulture);

    private static string Kilobytes(long bytes) => (bytes / 1024.0).ToString("F0", CultureInfo.InvariantCulture);
}
