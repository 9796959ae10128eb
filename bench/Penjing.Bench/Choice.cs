using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>How far are the cost model's choices of kernels from those measured on this machine?</summary>
internal static class Choice
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A layer for which model and measurement choose differently, and how often the network has it.</summary>
    private sealed record Difference(string Layer, int Count, string Model, double ModelMs, string Tuned, double TunedMs);

    /// <summary>One network at one number of threads; the ratio is that of the network's times with the model's choices to those with the measured ones.</summary>
    private sealed record Row(string Network, int Threads, int Layers, Turn Model, Turn Tuned, double Ratio, double Low, double High, ImmutableArray<Difference> Differences);

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, ImmutableArray<Row> Rows);

    /// <summary>Measures every network with every number of threads and writes choice.md and choice.json; rows that are not measured again stay.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.Combine(folder, "choice.json");
        ImmutableArray<Row> rows = File.Exists(file) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(file), json)!.Rows : [];
        foreach (string network in arguments.Networks(Networks.Peers))
            foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
            {
                Row row = Measure(network, threads, arguments.Seconds);
                Console.WriteLine(Line(row));
                foreach (Difference difference in row.Differences) Console.WriteLine(Line(row, difference));
                rows = [.. rows.Where(other => (other.Network, other.Threads) != (network, threads)), row];
                rows = [.. rows.OrderBy(one => Array.IndexOf(Networks.Peers, one.Network)).ThenBy(one => one.Threads)];
                File.WriteAllText(file, JsonSerializer.Serialize(new Results(Machine.Describe(), rows), json) + "\n");
                File.WriteAllText(Path.Combine(folder, "choice.md"), Text(rows));
            }
        return 0;
    }

    private static Row Measure(string network, int threads, double seconds)
    {
        Graph graph = Networks.Named(network).Graph;
        Tuning tuning = Tuning.Measure(graph, new(threads));
        using Session model = new(graph, new(threads)), tuned = new(graph, new(threads, Tuning: tuning));
        Turn[] turns = Turns.Measure([Runner(model), Runner(tuned)], seconds);
        double[] ratios = [.. turns[0].BlockMs.Zip(turns[1].BlockMs, (a, b) => a / b).Order()];
        ILookup<string, Site> sites = Tuning.Sites(graph, new(threads)).Sites.ToLookup(LayerKey.Of);
        return new(network, threads, tuning.Layers.Length, turns[0], turns[1], Turns.At(ratios, 0.5), Turns.At(ratios, 0.25), Turns.At(ratios, 0.75),
        [
            .. from layer in tuning.Layers
               where layer.Kernel != layer.Untuned
               let difference = new Difference(layer.Layer, sites[layer.Layer].Count(), layer.Untuned, layer.Milliseconds[layer.Untuned], layer.Kernel, layer.Milliseconds[layer.Kernel])
               orderby (difference.TunedMs - difference.ModelMs) * difference.Count
               select difference,
        ]);
    }

    /// <summary>Runs a session on a random picture.</summary>
    public static Action Runner(Session session)
    {
        float[] input = Networks.Picture(session.Inputs[0].Info.Shape, 1), output = new float[session.Outputs[0].Info.Shape.Elements];
        return () => session.Run(input, output);
    }

    private static string Text(ImmutableArray<Row> rows)
    {
        var text = new StringBuilder($"""
            # The cost model's choice of kernels against the measured one

            {Machine.Describe()}.
            `dotnet run -c Release --project bench/Penjing.Bench -- choice`

            Two sessions of one network in one process, run in turns: in one the cost model has chosen the kernels, in the other `Tuning.Measure` has, layer by layer. Medians of single runs;
            ratio: the median of the turns' model / tuned, with its quartiles: above 1, the model's choices cost time. Layers: distinct ones that more than one kernel computes, and how many of them are chosen differently.

            | network | threads | model ms | tuned ms | ratio | quartiles | best ms | tuned best ms | layers | differ |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        text.Append("""

            ## Layers that are chosen differently

            Times of the layer by itself; count: how many such layers the network has.

            | network | threads | layer | count | model's | ms | tuned | ms |
            | --- | ---: | --- | ---: | --- | ---: | --- | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows)
            foreach (Difference difference in row.Differences) text.Append(Line(row, difference)).Append('\n');
        return text.ToString();
    }

    private static string Line(Row row) => string.Create(CultureInfo.InvariantCulture,
        $"| {row.Network} | {row.Threads} | {row.Model.MedianMs:F3} | {row.Tuned.MedianMs:F3} | {row.Ratio:F3} | {row.Low:F3}–{row.High:F3} | {row.Model.BestMs:F3} | {row.Tuned.BestMs:F3} | {row.Layers} | {row.Differences.Length} |");

    private static string Line(Row row, Difference difference) => string.Create(CultureInfo.InvariantCulture,
        $"| {row.Network} | {row.Threads} | {difference.Layer} | {difference.Count} | {difference.Model} | {difference.ModelMs:F4} | {difference.Tuned} | {difference.TunedMs:F4} |");
}
