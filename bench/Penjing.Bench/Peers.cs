using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Penjing.Engine;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>How long does a run take, against ONNX Runtime in the same process, run by run in turns?</summary>
internal static class Peers
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>One network at one number of threads.</summary>
    private sealed record Row(string Network, int Threads, long Macs, long ArenaBytes, int Fallbacks, double Error, Pairs Times);

    /// <summary>Measures every network with every number of threads and writes peers.md and peers.json.</summary>
    public static int Run(Arguments arguments)
    {
        string machine = Machine.Describe(), command = Machine.Command();
        string runtime = $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";
        var rows = new List<Row>();
        foreach (string network in arguments.Networks(Networks.Names))
            foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
            {
                rows.Add(Measure(network, threads, arguments.Seconds));
                Console.WriteLine(Line(rows[^1]));
            }
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        var text = new StringBuilder($"""
            # Penjing against {runtime}

            {machine}.
            `{command}`

            Medians of runs in turns on one input; ratio = Penjing / ONNX Runtime, median of the rounds with its quartiles (below 1: Penjing is faster).
            Best: the shortest of all runs, for what the processor can do where other work disturbs the medians.
            Error: the largest difference of the answers, relative to the largest answer.

            | network | threads | Penjing ms | ONNX Runtime ms | ratio | quartiles | best ms | their best ms | best / best | arena bytes | error |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """);
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        File.WriteAllText(Path.Combine(folder, "peers.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "peers.json"), JsonSerializer.Serialize(new { machine, command, runtime, rows }, json) + "\n");
        return 0;
    }

    private static string Line(Row row)
    {
        Pairs times = row.Times;
        string[] cells =
        [
            row.Network, $"{row.Threads}", Digits(times.FirstMs), Digits(times.SecondMs), Digits(times.Ratio), $"{Digits(times.Low)}–{Digits(times.High)}",
            Digits(times.FirstBestMs), Digits(times.SecondBestMs), Digits(times.FirstBestMs / times.SecondBestMs), $"{row.ArenaBytes}",
            row.Error.ToString("E1", CultureInfo.InvariantCulture),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Digits(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static Row Measure(string network, int threads, double seconds)
    {
        Model model = Networks.Named(network);
        using Session session = new(model, new(threads));
        Shape input = session.Inputs[0].Info.Shape, output = session.Outputs[0].Info.Shape;
        float[] picture = Noise(input.Elements), own = new float[output.Elements], theirs = new float[output.Elements];

        using Microsoft.ML.OnnxRuntime.SessionOptions options = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        using InferenceSession peer = new(OnnxWriter.ToBytes(model), options);
        using RunOptions run = new();
        using OrtValue fed = OrtValue.CreateTensorValueFromMemory(picture, [.. input.Select(extent => (long)extent)]);
        using OrtValue answer = OrtValue.CreateTensorValueFromMemory(theirs, [.. output.Select(extent => (long)extent)]);
        string[] inputs = [session.Inputs[0].Name], outputs = [session.Outputs[0].Name];

        Pairs times = Pairs.Measure(() => session.Run(picture, own), () => peer.Run(run, inputs, [fed], outputs, [answer]), seconds);
        double error = own.Zip(theirs, (a, b) => (double)Math.Abs(a - b)).Max() / theirs.Max(Math.Abs);
        return new(network, threads, Cost.Macs(model.Graph), session.ArenaBytes, session.Steps.Count(step => step.IsFallback), error, times);
    }

    private static float[] Noise(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
