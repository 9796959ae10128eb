using System.Diagnostics;
using System.Globalization;
using System.Text;
using Penjing.Compression;

namespace Penjing.Bench;

/// <summary>How fast is a file read, from the disk's cache to weights that can be used?</summary>
internal static class Loads
{
    /// <summary>Reads each network plain, entropy-coded as it is, and with shared weights, and writes loads.md.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.GetTempFileName();
        var text = new StringBuilder($"""
            # Reading a file

            {Machine.Describe()}.
            `{Machine.Command()}`

            Medians of whole reads by one thread: mapping, checksums, decoding, building the graph. MB/s count the weights' bytes as Float32.

            | network | stored | file bytes | ms | MB/s |
            | --- | --- | ---: | ---: | ---: |

            """);
        try
        {
            foreach (string name in arguments.Networks(Networks.Names))
            {
                Model model = Networks.Named(name), shared = model with { Graph = Sharing.Finish(Sharing.Share(BatchNorms.Equalize(model.Graph), new() { Dense = new(32), Depthwise = new(32) })) };
                foreach ((string stored, Model what, Storage storage) in new[] { ("plain", model, Storage.Plain), ("coded", model, Storage.Smallest), ("shared by 32 values, coded", shared, Storage.Smallest) })
                {
                    long bytes = PenjingFile.Write(file, what, storage).Bytes;
                    double ms = Turns.At(Times(() => PenjingFile.Read(file), arguments.Seconds), 0.5);
                    string row = string.Create(CultureInfo.InvariantCulture, $"| {name} | {stored} | {bytes} | {ms:F3} | {4e-3 * what.Graph.Parameters / ms:F0} |");
                    Console.WriteLine(row);
                    text.Append(row).Append('\n');
                }
            }
        }
        finally
        {
            File.Delete(file);
        }
        File.WriteAllText(Path.Combine(folder, "loads.md"), text.ToString());
        return 0;
    }

    /// <summary>The times of whole reads for some seconds, sorted, in milliseconds.</summary>
    public static double[] Times(Action read, double seconds)
    {
        var times = new List<double>();
        for (long start = Stopwatch.GetTimestamp(); times.Count < 10 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;) times.Add(Turns.Time(read));
        return [.. times.Order()];
    }
}
