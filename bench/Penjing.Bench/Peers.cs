using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>How long does a run take, against ONNX Runtime and OpenCV DNN in the same process, in turns?</summary>
internal static class Peers
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>One engine on one network: its turns, and the largest difference of its answer from Penjing's, relative to the largest answer.</summary>
    private sealed record Entry(string Engine, Turn? Times, double? Error, string? Missing);

    /// <summary>One network at one number of threads and one width of Penjing's vectors; the first engine is Penjing.</summary>
    private sealed record Row(
        string Network, string Vectors, int Threads, long Macs, long ArenaBytes, int Fallbacks, string Measured, string Load, ImmutableArray<Entry> Engines)
    {
        public double[] Ratios(int peer) => Engines[peer].Times is { } theirs ? [.. Engines[0].Times!.BlockMs.Zip(theirs.BlockMs, (a, b) => a / b).Order()] : [double.NaN];
    }

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, ImmutableArray<Row> Rows);

    /// <summary>
    /// Measures every network with every number of threads and writes peers.md and peers.json, or peers-vector256.md and so on where vectors are asked for;
    /// rows that are not measured again stay.
    /// </summary>
    public static int Run(Arguments arguments)
    {
        if (arguments.Vectors is { } vectors && vectors != Isas.Best.ToString()) return Narrower(vectors);
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, widest = Path.Combine(folder, "peers.json");
        string file = arguments.Vectors is { } narrower ? Path.Combine(folder, $"peers-{narrower.ToLowerInvariant()}.json") : widest;
        ImmutableArray<Row> rows = File.Exists(file) ? Read(file) : [];
        foreach (string network in arguments.Networks(Networks.Peers))
            foreach (int threads in arguments.Threads([.. new[] { 1, Environment.ProcessorCount }.Distinct()]))
            {
                Row row = Measure(network, threads, arguments.Seconds);
                Console.WriteLine(Line(row));
                rows = [.. rows.Where(other => (other.Network, other.Vectors, other.Threads) != (row.Network, row.Vectors, row.Threads)), row];
                Results results = new(Machine.Describe(), [.. rows.OrderByDescending(one => one.Vectors).ThenBy(Place).ThenBy(one => one.Network).ThenBy(one => one.Threads)]);
                File.WriteAllText(file, JsonSerializer.Serialize(results, json) + "\n");
                File.WriteAllText(Path.ChangeExtension(file, ".md"), Text(results, file != widest && File.Exists(widest) ? Read(widest) : []));
            }
        return 0;
    }

    private static int Place(Row row) => Array.IndexOf(Networks.Peers, row.Network) is var place and >= 0 ? place : int.MaxValue;

    private static ImmutableArray<Row> Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<Results>(File.ReadAllText(file), json)!.Rows;
        }
        catch (JsonException)
        {
            throw new PenjingException($"{file} has another form than this bench writes: move it away");
        }
    }

    /// <summary>The same command in a process in which neither .NET nor OpenCV use wider vectors than these.</summary>
    private static int Narrower(string vectors)
    {
        (string variable, string disabled) = vectors switch
        {
            nameof(Isa.Vector256) => ("DOTNET_EnableAVX512", "AVX512-SKX"),
            nameof(Isa.Vector128) => ("DOTNET_EnableAVX2", "AVX512-SKX,AVX2,AVX"),
            _ => throw new PenjingException($"--vectors takes {nameof(Isa.Vector256)} or {nameof(Isa.Vector128)}, not {vectors}"),
        };
        if (Environment.GetEnvironmentVariable(variable) is not null) throw new PenjingException($"{variable} is set, yet the vectors are {Isas.Best}");
        ProcessStartInfo start = new(Environment.ProcessPath!, Environment.GetCommandLineArgs().Skip(1));
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Insert(0, Environment.GetCommandLineArgs()[0]);
        start.Environment[variable] = "0";
        start.Environment["OPENCV_CPU_DISABLE"] = disabled;
        using Process child = Process.Start(start)!;
        child.WaitForExit();
        return child.ExitCode;
    }

    private static Row Measure(string network, int threads, double seconds)
    {
        Model model = Networks.Named(network);
        float[] picture = Networks.Picture(model.Graph.Inputs[0].Shape, 1);
        using Ours ours = new(model, picture, threads);
        using OnnxRuntime runtime = new(model, picture, threads);
        using OpenCv? cv = OpenCv.Of(model, picture, threads, out string? missing);
        ImmutableArray<Ready> engines = cv is null ? [ours, runtime] : [ours, runtime, cv];
        Turn[] turns = Turns.Measure([.. engines.Select(engine => (Action)engine.Run)], seconds);
        float[] own = ours.Answer;
        var entries = engines.Select((engine, i) =>
            new Entry(engine.Name, turns[i], own.Zip(engine.Answer, (a, b) => (double)Math.Abs(a - b)).Max() / own.Max(Math.Abs), null)).ToList();
        if (cv is null) entries.Add(new("OpenCV", null, null, missing));
        return new(network, Isas.Best.ToString(), threads, Cost.Macs(model.Graph), ours.Session.ArenaBytes, ours.Session.Steps.Count(step => step.IsFallback),
            DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), Machine.Load(), [.. entries]);
    }

    private static string Text(Results results, ImmutableArray<Row> widest)
    {
        var text = new StringBuilder($"""
            # Penjing against {string.Join(" and ", results.Rows[0].Engines.Skip(1).Select(entry => entry.Engine))}

            {results.Machine}.
            `dotnet run -c Release --project bench/Penjing.Bench -- peers [--vectors Vector256]`

            Batch 1, random weights, one input, values in the caller's memory, milliseconds. All engines are in one process and run in turns. A turn is a block of
            runs one after another, at least 8 of them and 20 ms, after one that isn't counted; it begins when the process has used no processor for 3 ms, since
            workers that still spin after the run of one engine would take a processor from the next. Medians of all counted runs, at least 50;
            ratio = median of the rounds' Penjing / peer, with its quartiles (below 1: Penjing is faster). Best: the shortest run.
            Alone: the median of a time before the turns in which only this engine ran: where it agrees with the median, the turns disturb nobody.
            Error: the largest difference between a peer's answer and Penjing's, relative to the largest answer.


            """.ReplaceLineEndings("\n"));
        foreach (IGrouping<string, Row> group in results.Rows.GroupBy(row => row.Vectors))
        {
            text.Append(CultureInfo.InvariantCulture, $"## Penjing with {group.Key}\n\n");
            if (group.Key != nameof(Isa.Vector512))
                text.Append("OpenCV may use no wider vectors either (OPENCV_CPU_DISABLE); ONNX Runtime has no such switch and uses the machine's widest.\n\n");
            text.Append("""
                | network | threads | Penjing | ONNX Runtime | OpenCV | / ONNX Runtime | quartiles | / OpenCV | best of each | alone of each | runs | error of each | measured |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

                """.ReplaceLineEndings("\n"));
            foreach (Row row in group) text.Append(Line(row)).Append('\n');
            text.Append("\nOne thread's median divided by that of more:\n\n| network | threads | Penjing | ONNX Runtime | OpenCV |\n| --- | ---: | ---: | ---: | ---: |\n");
            foreach (Row row in group.Where(row => row.Threads > 1))
                if (group.FirstOrDefault(one => one.Threads == 1 && one.Network == row.Network) is { } single)
                    text.Append(CultureInfo.InvariantCulture, $"| {row.Network} | {row.Threads} | {string.Join(" | ", single.Engines.Zip(row.Engines, (one, more) =>
                        one.Times is null || more.Times is null ? "–" : Digits(one.Times.MedianMs / more.Times.MedianMs, 2)))} |\n");
            Compare(text, [.. group], widest);
            text.Append('\n');
        }
        foreach (string missing in results.Rows.SelectMany(row => row.Engines).Where(entry => entry.Missing is not null).Select(entry => $"{entry.Engine} is missing: {entry.Missing}").Distinct())
            text.Append(missing).Append('\n');
        return text.ToString();
    }

    /// <summary>What narrower vectors cost: Penjing's ratio to ONNX Runtime, which uses the widest in both runs, divided by that in the run with the widest.</summary>
    private static void Compare(StringBuilder text, ImmutableArray<Row> narrow, ImmutableArray<Row> widest)
    {
        if (widest.IsEmpty) return;
        text.Append(CultureInfo.InvariantCulture, $"\nTimes as long as with {widest[0].Vectors} (the ratio to ONNX Runtime here, divided by that in peers.md):\n\n");
        text.Append("| network | threads | times as long |\n| --- | ---: | ---: |\n");
        foreach (Row row in narrow)
            if (widest.FirstOrDefault(one => (one.Network, one.Threads) == (row.Network, row.Threads)) is { } wide)
                text.Append(CultureInfo.InvariantCulture,
                    $"| {row.Network} | {row.Threads} | {Digits(Turns.At(row.Ratios(1), 0.5) / Turns.At(wide.Ratios(1), 0.5), 2)} |\n");
    }

    private static string Line(Row row)
    {
        double[] ratios = row.Ratios(1);
        string Each(Func<Entry, string> cell) => string.Join(" · ", row.Engines.Select(entry => entry.Times is null ? "–" : cell(entry)));
        string[] cells =
        [
            row.Network, $"{row.Threads}", .. row.Engines.Select(entry => entry.Times is { } times ? Digits(times.MedianMs) : "–"),
            $"**{Digits(Turns.At(ratios, 0.5))}**", $"{Digits(Turns.At(ratios, 0.25))}–{Digits(Turns.At(ratios, 0.75))}", Digits(Turns.At(row.Ratios(2), 0.5)),
            Each(entry => Digits(entry.Times!.BestMs)), Each(entry => Digits(entry.Times!.AloneMs)), Each(entry => $"{entry.Times!.Runs}"),
            string.Join(" · ", row.Engines.Skip(1).Select(entry => entry.Error?.ToString("E1", CultureInfo.InvariantCulture) ?? "–")), row.Measured,
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Digits(double value, int digits = 3) => double.IsNaN(value) ? "–" : value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
