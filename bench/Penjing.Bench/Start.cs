using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Penjing.Engine;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>How long does it take from the start of a process to the first answer?</summary>
internal static class Start
{
    private const int LeastRounds = 15;

    private static readonly (string Name, string[] Arguments)[] builds =
        [("JIT", ["--no-self-contained"]), ("ReadyToRun", ["-p:Start=ReadyToRun"]), ("NativeAOT", ["-p:Start=Native", .. Instructions()])];

    /// <summary>Publishes the program bench/Penjing.Start in each way, starts it in turns for each engine, and writes start.md.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, work = Directory.CreateTempSubdirectory("penjing-start-").FullName;
        try
        {
            string[] programs = [.. builds.Select(build => Program(build.Name))];
            var text = new StringBuilder($"""
                # From the start of a process to the first answer

                {Machine.Describe()}.
                `{Machine.Command()}`

                Milliseconds from before a process is created until its answer to one picture is read from it: the runtime's start, reading the file (in the disk's cache),
                making it ready, one run. Medians of at least {LeastRounds} processes each, in turns; in brackets the shortest. Penjing reads a plain .penjing file and an entropy-coded
                one, ONNX Runtime (from C#, built the same way) the .onnx file of the same network{(arguments.Bits is null ? "" : ", of 8-bit integers as QuantizeLinear and DequantizeLinear; Penjing uses code assembled at run time where the machine can")}.
                JIT and ReadyToRun start as the SDK publishes them, the latter self-contained, runtime and program one composite image. Ratios: Penjing / ONNX Runtime.

                | network | threads | build | file, MB | coded, MB | Penjing | coded | ONNX Runtime | ratio | coded |
                | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

                """.ReplaceLineEndings("\n"));
            foreach (string network in arguments.Networks(Networks.Peers))
                foreach (int threads in arguments.Threads(1))
                {
                    (Model own, Model theirs) = arguments.Bits is { } bits ? Quantized.Of(Networks.Named(network), bits) : (Networks.Named(network), Networks.Named(network));
                    string plain = Path.Combine(work, "plain.penjing"), coded = Path.Combine(work, "coded.penjing"), onnx = Path.Combine(work, "model.onnx"), picture = Path.Combine(work, "picture.raw");
                    double[] sizes = [PenjingFile.Write(plain, own, Storage.Plain).Bytes / 1e6, PenjingFile.Write(coded, own, Storage.Smallest).Bytes / 1e6];
                    File.WriteAllBytes(onnx, OnnxWriter.ToBytes(theirs));
                    File.WriteAllBytes(picture, new byte[4 * own.Graph.Inputs[0].Shape.Elements]);
                    (string Program, string Engine, string File)[] all = [.. programs.SelectMany(program => new[] { (program, "penjing", plain), (program, "penjing", coded), (program, "onnxruntime", onnx) })];
                    List<double>[] times = [.. all.Select(_ => new List<double>())];
                    for (long start = Stopwatch.GetTimestamp(); times[0].Count < LeastRounds + 1 || Stopwatch.GetElapsedTime(start).TotalSeconds < arguments.Seconds;)
                        for (int i = 0; i < times.Length; i++) times[i].Add(Answer(all[i].Program, all[i].Engine, all[i].File, picture, threads));
                    for (int i = 0; i < builds.Length; i++)
                    {
                        double[][] sorted = [.. times[(3 * i)..(3 * i + 3)].Select(own => own.Skip(1).Order().ToArray())];
                        double[] medians = [.. sorted.Select(own => Turns.At(own, 0.5))];
                        string row = FormattableString.Invariant($"| {network} | {threads} | {builds[i].Name} | {sizes[0]:F1} | {sizes[1]:F1} ")
                            + string.Concat(medians.Select((median, k) => FormattableString.Invariant($"| {median:F0} ({sorted[k][0]:F0}) ")))
                            + FormattableString.Invariant($"| **{medians[0] / medians[2]:F2}** | **{medians[1] / medians[2]:F2}** |");
                        Console.WriteLine(row);
                        text.Append(row).Append('\n');
                    }
                }
            File.WriteAllText(Path.Combine(folder, arguments.Bits is null ? "start.md" : "start-integers.md"), text.ToString());
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>A native program has no wider vectors than it is told of.</summary>
    private static string[] Instructions() => RuntimeInformation.ProcessArchitecture != Architecture.X64 ? [] : Isas.Best switch
    {
        Isa.Vector512 => ["-p:IlcInstructionSet=x86-64-v4"],
        Isa.Vector256 => ["-p:IlcInstructionSet=x86-64-v3"],
        _ => [],
    };

    /// <summary>The program bench/Penjing.Start, built in one of the ways.</summary>
    public static string Program(string build)
    {
        (string name, string[] how) = builds.First(one => one.Name == build);
        string artifacts = Path.Combine("artifacts", "start", name), output = Path.Combine(artifacts, "program");
        ProcessStartInfo start = new("dotnet",
        [
            "publish", Path.Combine("bench", "Penjing.Start"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "-o", output, "--artifacts-path", artifacts,
            "--disable-build-servers", .. how,
        ])
        { RedirectStandardOutput = true };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using Process process = Process.Start(start)!;
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? Path.Combine(output, "penjing-start") : throw new PenjingException($"bench/Penjing.Start can't be published as {name}: {said}");
    }

    private static double Answer(string program, params ReadOnlySpan<object> arguments)
    {
        ProcessStartInfo start = new(program, arguments.ToArray().Select(argument => $"{argument}")) { RedirectStandardOutput = true };
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        string? line = process.StandardOutput.ReadLine();
        double ms = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        process.WaitForExit();
        return process.ExitCode == 0 && line is not null ? ms : throw new PenjingException($"{program} failed");
    }
}
