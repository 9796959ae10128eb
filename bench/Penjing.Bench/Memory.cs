using System.Diagnostics;
using System.Globalization;
using System.Text;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>How much memory does a process need that loads a network and runs it once?</summary>
internal static class Memory
{
    /// <summary>What the smaller of ncnn and MNN takes beyond its process's own, in megabytes.</summary>
    private static readonly (string Network, int Peer)[] rows = [("mobilenet-v1-1.0", 38), ("squeezenet-1.1", 22), ("resnet-34", 283), ("resnet-50", 238)];

    /// <summary>Runs each network in a process of its own, and one that does nothing, by the JIT and compiled ahead of time, and writes memory.md.</summary>
    public static int Run(Arguments arguments)
    {
        const int tries = 3;
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, work = Directory.CreateTempSubdirectory("penjing-memory-").FullName;
        string file = Path.Combine(work, "plain.penjing"), picture = Path.Combine(work, "picture.raw"), jit = Start.Program("JIT"), native = Start.Program("NativeAOT");
        long bare = Least(() => Said(jit, "nothing")), bareNative = Least(() => Said(native, "nothing"));
        var text = new StringBuilder($"""
            # Memory of a run

            {Machine.Describe()}.
            `{Machine.Command()}`

            The peak of resident memory (VmHWM) of a process that loads a plain .penjing file and runs it once on one thread, less that of one that does
            nothing: {Megabytes(bare)} MB with the JIT, {Megabytes(bareNative)} MB compiled ahead of time. The smallest of {tries} each, in megabytes of 1,000,000 bytes; the peers' figures are of this class of machine.

            | network | weights | arena | peak | less the bare runtime's | ahead of time | less the bare one's | the smaller of ncnn and MNN |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """);
        try
        {
            foreach ((string network, int peer) in rows.Where(row => arguments.Networks([.. rows.Select(other => other.Network)]).Contains(row.Network)))
            {
                Model model = Networks.Named(network);
                PenjingFile.Write(file, model, Storage.Plain);
                File.WriteAllBytes(picture, new byte[sizeof(float) * model.Graph.Inputs[0].Shape.Elements]);
                using Session session = new(model, new(1));
                long peak = Least(() => Said(jit, "penjing", file, picture, "1")), ahead = Least(() => Said(native, "penjing", file, picture, "1"));
                string row = string.Create(CultureInfo.InvariantCulture,
                    $"| {network} | {Megabytes(4 * model.Graph.Parameters)} | {Megabytes(session.ArenaBytes)} | {Megabytes(peak)} | {Megabytes(peak - bare)} | {Megabytes(ahead)} | {Megabytes(ahead - bareNative)} | {peer} |");
                Console.WriteLine(row);
                text.Append(row).Append('\n');
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
        File.WriteAllText(Path.Combine(folder, "memory.md"), text.ToString());
        return 0;

        static long Least(Func<long> peak) => Enumerable.Range(0, tries).Min(_ => peak());
    }

    /// <summary>The number that a program says last.</summary>
    private static long Said(string program, params ReadOnlySpan<string> arguments)
    {
        using Process child = Process.Start(new ProcessStartInfo(program, arguments.ToArray()) { RedirectStandardOutput = true })!;
        string answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 ? long.Parse(answer.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1], CultureInfo.InvariantCulture) : throw new PenjingException($"the child process failed: {answer}");
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);
}
