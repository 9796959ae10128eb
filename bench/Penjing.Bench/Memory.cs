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

    /// <summary>Runs each network in a process of its own, and one that does nothing, and writes memory.md.</summary>
    public static int Run(Arguments arguments)
    {
        const int tries = 3;
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.GetTempFileName();
        long bare = Enumerable.Range(0, tries).Min(_ => Child(""));
        var text = new StringBuilder($"""
            # Memory of a run

            {Machine.Describe()}.
            `{Machine.Command()}`

            The peak of resident memory (VmHWM) of a process that loads a plain .penjing file and runs it once on one thread, less that of one that does
            nothing: {Megabytes(bare)} MB. The smallest of {tries} each, in megabytes of 1,000,000 bytes; the peers' figures are of this class of machine.

            | network | weights | arena | peak | less the bare runtime's | the smaller of ncnn and MNN |
            | --- | ---: | ---: | ---: | ---: | ---: |

            """);
        try
        {
            foreach ((string network, int peer) in rows.Where(row => arguments.Networks([.. rows.Select(other => other.Network)]).Contains(row.Network)))
            {
                Model model = Networks.Named(network);
                PenjingFile.Write(file, model, Storage.Plain);
                using Session session = new(model, new(1));
                long peak = Enumerable.Range(0, tries).Min(_ => Child(file));
                string row = string.Create(CultureInfo.InvariantCulture,
                    $"| {network} | {Megabytes(4 * model.Graph.Parameters)} | {Megabytes(session.ArenaBytes)} | {Megabytes(peak)} | {Megabytes(peak - bare)} | {peer} |");
                Console.WriteLine(row);
                text.Append(row).Append('\n');
            }
        }
        finally
        {
            File.Delete(file);
        }
        File.WriteAllText(Path.Combine(folder, "memory.md"), text.ToString());
        return 0;
    }

    /// <summary>In a process of its own: loads a file, if there is a name of one, runs it once, and prints the peak of resident memory in bytes.</summary>
    public static int RunChild(string file)
    {
        if (file.Length > 0)
        {
            using Session session = Session.Load(file, new(1));
            session.Run(new float[session.Inputs[0].Info.Shape.Elements], new float[session.Outputs[0].Info.Shape.Elements]);
        }
        Console.WriteLine(Peak());
        return 0;
    }

    private static long Child(string file)
    {
        using Process child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["memory-child", file]) { RedirectStandardOutput = true })!;
        string answer = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 ? long.Parse(answer, CultureInfo.InvariantCulture) : throw new PenjingException($"the child process failed: {answer}");
    }

    private static long Peak() =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);
}
