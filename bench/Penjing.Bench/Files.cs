using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Engine;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>How long do the networks in files take, such as one before and after compression, each against ONNX Runtime on its own export, and against the first?</summary>
internal static class Files
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>One file on some threads: the turns of our engine and of the runtime; error: the largest difference of the answers, of the largest.</summary>
    private sealed record Row(string File, string Network, long Bytes, string Vectors, int Threads, Turn Ours, Turn Runtime, string FirstFile, Turn First, int Fallbacks, double Error, string Measured, string Load);

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, string Runtime, ImmutableArray<Row> Rows);

    /// <summary>Measures all files in turns and writes files.md and files.json; rows of other files stay.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, kept = Path.Combine(folder, "files.json");
        ImmutableArray<Row> rows = File.Exists(kept) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(kept), json)!.Rows : [];
        string[] paths = arguments.Networks();
        if (paths.Length == 0) throw new PenjingException("say which files by --networks before.penjing,after.penjing");
        if (paths.DistinctBy(Path.GetFileName).Count() < paths.Length) throw new PenjingException("files are told apart by their names without folders: give each another one");
        Model[] models = [.. paths.Select(path => ModelFile.Read(path))];
        foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
        {
            (Ours Ours, OnnxRuntime Runtime)[] ready = [.. models.Select(model => (new Ours(model, Networks.Picture(model.Graph.Inputs[0].Shape, 1), threads), new OnnxRuntime(model, Networks.Picture(model.Graph.Inputs[0].Shape, 1), threads)))];
            Turn[] turns = Turns.Measure([.. ready.SelectMany(one => (Action[])[one.Ours.Run, one.Runtime.Run])], arguments.Seconds);
            foreach ((int i, (Ours ours, OnnxRuntime runtime)) in ready.Index())
            {
                double error = ours.Answer.Zip(runtime.Answer, (a, b) => (double)Math.Abs(a - b)).Max() / ours.Answer.Max(Math.Abs);
                Row row = new(Path.GetFileName(paths[i]), models[i].Name, new FileInfo(paths[i]).Length, Isas.Best.ToString(), threads, turns[2 * i], turns[2 * i + 1], Path.GetFileName(paths[0]), turns[0],
                    ours.Session.Steps.Count(step => step.IsFallback), error, DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), Machine.Load());
                Console.WriteLine(Line(row));
                rows = [.. rows.Where(other => (other.File, other.Vectors, other.Threads) != (row.File, row.Vectors, row.Threads)), row];
            }
            File.WriteAllText(kept, JsonSerializer.Serialize(new Results(Machine.Describe(), ready[0].Runtime.Name, rows), json) + "\n");
            File.WriteAllText(Path.ChangeExtension(kept, ".md"), Text(ready[0].Runtime.Name, rows));
            foreach ((Ours ours, OnnxRuntime runtime) in ready)
            {
                ours.Dispose();
                runtime.Dispose();
            }
        }
        return 0;
    }

    private static string Text(string runtime, ImmutableArray<Row> rows)
    {
        var text = new StringBuilder($"""
            # Networks in files, against {runtime} and against the first file

            {Machine.Describe()}.
            `dotnet run -c Release --project bench/Penjing.Bench -- files --networks before.penjing,after.penjing`

            Batch 1, one input of random values. ONNX Runtime reads what `penjing convert` makes of the file. All files of a command, and both engines, run in one process in turns, as in
            peers.md. Medians in milliseconds; ratios: the median of the rounds', with the quartiles of the first; the error is the largest difference of the two answers, relative to the largest.

            | file | network | bytes | vectors | threads | Penjing | ONNX Runtime | / ONNX Runtime | quartiles | / first file | which is | without a kernel | error | measured |
            | --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- |

            """.ReplaceLineEndings("\n"));
        foreach (Row row in rows) text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static string Line(Row row)
    {
        double[] ratios = Ratios(row.Runtime);
        return string.Create(CultureInfo.InvariantCulture, $"| {row.File} | {row.Network} | {row.Bytes:N0} | {row.Vectors} | {row.Threads} | {row.Ours.MedianMs:F3} | {row.Runtime.MedianMs:F3} "
            + $"| **{Turns.At(ratios, 0.5):F2}** | {Turns.At(ratios, 0.25):F2}–{Turns.At(ratios, 0.75):F2} | **{Turns.At(Ratios(row.First), 0.5):F2}** | {row.FirstFile} | {row.Fallbacks} | {row.Error:E1} | {row.Measured} |");

        double[] Ratios(Turn to) => [.. row.Ours.BlockMs.Zip(to.BlockMs, (a, b) => a / b).Order()];
    }
}
