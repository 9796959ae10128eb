using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>How long does a run in 8-bit integers take, against ONNX Runtime on the same integers and against the same network of floats?</summary>
internal static class Quantized
{
    private const int Pictures = 4;

    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>One network on some threads: the turns of our integers, the runtime's and our floats; fallbacks: our steps without a kernel; error: the largest difference of the answers, of the largest.</summary>
    private sealed record Row(string Network, string Vectors, int Threads, Turn Integers, Turn Runtime, Turn Floats, int Fallbacks, double Error, string Measured, string Load, int WeightBits = 8)
    {
        public double[] Ratios(Turn to) => [.. Integers.BlockMs.Zip(to.BlockMs, (a, b) => a / b).Order()];
    }

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, string Runtime, ImmutableArray<Row> Rows);

    /// <summary>Measures every network and writes quantized.md and quantized.json; rows that are not measured again stay.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.Combine(folder, "quantized.json");
        ImmutableArray<Row> rows = File.Exists(file) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(file), json)!.Rows : [];
        foreach (string network in arguments.Networks(Networks.Peers))
        {
            Model model = Networks.Named(network);
            foreach ((int bits, Model own, Model simulated, int threads) in
                from bits in new[] { 8, 7 }
                let both = Of(model, bits)
                from threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()])
                select (bits, both.Integers, both.Simulated, threads))
            {
                float[] picture = Networks.Picture(model.Graph.Inputs[0].Shape, 1);
                using Ours integers = new(own, picture, threads), floats = new(model, picture, threads);
                using OnnxRuntime runtime = new(simulated, picture, threads);
                Turn[] turns = Turns.Measure([integers.Run, runtime.Run, floats.Run], arguments.Seconds);
                Row row = new(network, $"{Isas.Best}{(DotAssembly.Assembler is null ? "" : " VNNI")}", threads, turns[0], turns[1], turns[2], integers.Session.Steps.Count(step => step.IsFallback),
                    integers.Answer.Zip(runtime.Answer, (a, b) => (double)Math.Abs(a - b)).Max() / integers.Answer.Max(Math.Abs),
                    DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), Machine.Load(), bits);
                Console.WriteLine(Line(row));
                rows = [.. rows.Where(other => (other.Network, other.Vectors, other.Threads, other.WeightBits) != (row.Network, row.Vectors, row.Threads, row.WeightBits)), row];
                rows = [.. rows.OrderBy(one => Array.IndexOf(Networks.Peers, one.Network)).ThenByDescending(one => one.Vectors).ThenByDescending(one => one.WeightBits).ThenBy(one => one.Threads)];
                File.WriteAllText(file, JsonSerializer.Serialize(new Results(Machine.Describe(), runtime.Name, rows), json) + "\n");
                File.WriteAllText(Path.ChangeExtension(file, ".md"), Text(runtime.Name, rows));
            }
        }
        return 0;
    }

    /// <summary>The network as 8-bit integers, its weights of so many bits, and as the same in reals that other engines read.</summary>
    public static (Model Integers, Model Simulated) Of(Model model, int bits)
    {
        Graph prepared = PostTraining.Prepare(model.Graph), simulated = PostTraining.Simulate(prepared, Ranges(prepared), ImmutableHashSet<string>.Empty, bits);
        return (model with { Graph = simulated.Rewrite(Passes.ToIntegers) }, model with { Graph = simulated });
    }

    /// <summary>From the least to the largest value that a few random pictures give.</summary>
    private static Dictionary<string, ValueRange> Ranges(Graph graph)
    {
        ImmutableArray<Node> values = PostTraining.Values(graph, ImmutableHashSet<string>.Empty);
        using Session session = new(new Graph(values, graph.Inputs));
        return Histogram.Of(values, Enumerable.Range(2, Pictures).Select(seed => session.Run([Tensor.Of<float>(graph.Inputs[0].Shape, Networks.Picture(graph.Inputs[0].Shape, seed))])))
            .ToDictionary(seen => seen.Key, seen => Compression.Ranges.Of(seen.Value, RangeMethod.MinMax));
    }

    private static string Text(string runtime, ImmutableArray<Row> rows)
    {
        var text = new StringBuilder($"""
            # 8-bit integers against {runtime} and against floats

            {Machine.Describe()}.
            `dotnet run -c Release --project bench/Penjing.Bench -- quantized`

            Batch 1, random weights, one input. The networks are quantized as `penjing quantize` does it; the runtime reads the same integers as ONNX's QuantizeLinear and
            DequantizeLinear. All run in one process in turns, as in peers.md. Medians in milliseconds; ratios: the median of the rounds', with the quartiles of the first.
            Penjing's sums are exact. ONNX Runtime adds pairs of products in 16 bits where the processor has no VNNI, and they saturate: that is faster, and the error tells
            what it costs: the largest difference of the two answers, relative to the largest. Weights of 7 bits can't saturate, and Penjing multiplies them by the same instructions.
            VNNI: with code assembled at run time, Penjing.Engine.X64. Narrower vectors (`DOTNET_EnableAVX512=0`) and `--assembled no` are Penjing's alone: ONNX Runtime takes what the processor has.

            | network | vectors | bits of weights | threads | Penjing, 8 bits | ONNX Runtime, 8 bits | Penjing, floats | / ONNX Runtime | quartiles | / floats | without a kernel | error | measured |
            | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static string Line(Row row)
    {
        double[] ratios = row.Ratios(row.Runtime);
        return string.Create(CultureInfo.InvariantCulture, $"| {row.Network} | {row.Vectors} | {row.WeightBits} | {row.Threads} | {row.Integers.MedianMs:F3} | {row.Runtime.MedianMs:F3} | {row.Floats.MedianMs:F3} "
            + $"| **{Turns.At(ratios, 0.5):F2}** | {Turns.At(ratios, 0.25):F2}–{Turns.At(ratios, 0.75):F2} | **{Turns.At(row.Ratios(row.Floats), 0.5):F2}** | {row.Fallbacks} | {row.Error:E1} | {row.Measured} |");
    }
}
