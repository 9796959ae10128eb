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
            string[] programs = [.. builds.Select(build => Publish(build.Name, build.Arguments))];
            var text = new StringBuilder($"""
                # From the start of a process to the first answer

                {Machine.Describe()}.
                `{Machine.Command()}`

                Milliseconds from before a process is created until its answer to one picture is read from it: the runtime's start, reading the file (in the disk's cache),
                making it ready, one run. Medians of at least {LeastRounds} processes each, in turns; in brackets the shortest. Penjing reads a plain .penjing file, ONNX Runtime
                (from C#, built the same way) the .onnx file of the same network. JIT and ReadyToRun start as the SDK publishes them, the latter self-contained,
                runtime and program one composite image. ratio = Penjing / ONNX Runtime.

                | network | threads | build | Penjing | ONNX Runtime | ratio |
                | --- | ---: | --- | ---: | ---: | ---: |

                """.ReplaceLineEndings("\n"));
            foreach (string network in arguments.Networks(Networks.Peers))
                foreach (int threads in arguments.Threads(1))
                {
                    Model model = Networks.Named(network);
                    string own = Path.Combine(work, "model.penjing"), theirs = Path.Combine(work, "model.onnx"), picture = Path.Combine(work, "picture.raw");
                    PenjingFile.Write(own, model, Storage.Plain);
                    File.WriteAllBytes(theirs, OnnxWriter.ToBytes(model));
                    File.WriteAllBytes(picture, new byte[4 * model.Graph.Inputs[0].Shape.Elements]);
                    var times = new List<double>[2 * programs.Length];
                    for (int i = 0; i < times.Length; i++) times[i] = [];
                    for (long start = Stopwatch.GetTimestamp(); times[0].Count < LeastRounds + 1 || Stopwatch.GetElapsedTime(start).TotalSeconds < arguments.Seconds;)
                        for (int i = 0; i < times.Length; i++)
                            times[i].Add(Answer(programs[i / 2], i % 2 == 0 ? "penjing" : "onnxruntime", i % 2 == 0 ? own : theirs, picture, threads));
                    for (int i = 0; i < builds.Length; i++)
                    {
                        double[] ours = [.. times[2 * i].Skip(1).Order()], peers = [.. times[2 * i + 1].Skip(1).Order()];
                        (double mine, double other) = (Turns.At(ours, 0.5), Turns.At(peers, 0.5));
                        string row = FormattableString.Invariant(
                            $"| {network} | {threads} | {builds[i].Name} | {mine:F0} ({ours[0]:F0}) | {other:F0} ({peers[0]:F0}) | **{mine / other:F2}** |");
                        Console.WriteLine(row);
                        text.Append(row).Append('\n');
                    }
                }
            File.WriteAllText(Path.Combine(folder, "start.md"), text.ToString());
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

    private static string Publish(string name, string[] how)
    {
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
