using System.Globalization;
using System.IO.Compression;
using System.Text;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>What does each way of coding pruned, shared weights take, on the network that Deep Compression's author published, and how fast is it read back?</summary>
internal static class Codes
{
    /// <summary>Counts the bytes of each idea, measures reading, and writes codes.md.</summary>
    public static int Run(Arguments arguments)
    {
        string net = Path.Combine(arguments.Data("squeezenet-v1.0-deepcompression"), "compressed_SqueezeNet.net");
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName, file = Path.GetTempFileName();
        var text = new StringBuilder();
        void Row(params ReadOnlySpan<object> cells)
        {
            string row = $"| {string.Join(" | ", cells.ToArray().Select(cell => string.Create(CultureInfo.InvariantCulture, $"{cell}")))} |";
            Console.WriteLine(row);
            text.Append(row).Append('\n');
        }
        try
        {
            Model model = DeepCompressionReader.Read(net, Path.Combine(Path.GetDirectoryName(net)!, "SqueezeNet_deploy.prototxt"));
            FileReport report = PenjingFile.Write(file, model);
            double cold = ProcessorTime(() => PenjingFile.Read(file));
            double[] times = Loads.Times(() => PenjingFile.Read(file), arguments.Seconds), processor = [.. times.Select(_ => ProcessorTime(() => PenjingFile.Read(file))).Order()];
            text.Append(CultureInfo.InvariantCulture, $"""
                # Codes for pruned and shared weights

                {Machine.Describe()}.
                `{Machine.Command()}`

                SqueezeNet v1.0 as Deep Compression's author published it: 1,244,448 weights in 26 layers, 415,921 of them not zero, 256 values a layer.
                Bytes; everything is coded layer by layer. What is not a file's size is the exact cost of an adaptive or fixed code, without its tables.

                ## Whole files

                | | bytes |
                | --- | ---: |

                """);
            byte[] bytes = File.ReadAllBytes(net);
            Row("compressed_SqueezeNet.net", bytes.Length);
            Row("the same by gzip (System.IO.Compression, smallest)", Compressed(bytes, stream => new GZipStream(stream, CompressionLevel.SmallestSize, true)));
            Row("the same by Brotli (quality 11)", Compressed(bytes, stream => new BrotliStream(stream, CompressionLevel.SmallestSize, true)));
            Row(".penjing, the best of the Huffman codes for each weight", report.HeaderBytes + report.Tensors.Sum(tensor => tensor.Costs.Where(cost => cost.Key != TensorEncoding.Modelled).Min(cost => cost.Value)));
            Row("**.penjing**", $"**{report.Bytes}**");
            Row("of it, header and description", report.HeaderBytes);
            Row("of it, biases", report.Tensors.Where(tensor => tensor.Shape.Rank == 1).Sum(tensor => tensor.Bytes));
            Heading("Where the weights are that are not zero", "bytes");
            foreach ((string idea, long cost) in CodeIdeas.Zeros(model)) Row(idea, cost);
            Heading("Which value each of them has", "bytes");
            foreach ((string idea, long cost) in CodeIdeas.Values(model)) Row(idea, cost);
            Heading("Codebooks and biases", "bytes");
            foreach ((string idea, long cost) in CodeIdeas.Floats(model, report)) Row(idea, cost);
            Heading("Reading the file, one thread", "ms");
            Row("processor time, median", Math.Round(Turns.At(processor, 0.5), 1));
            Row("processor time, least", Math.Round(processor[0], 1));
            Row("processor time of the first, compiling included", Math.Round(cold, 1));
            Row("median by the clock", Math.Round(Turns.At(times, 0.5), 1));
            Row("fastest by the clock", Math.Round(times[0], 1));
        }
        finally
        {
            File.Delete(file);
        }
        File.WriteAllText(Path.Combine(folder, "codes.md"), text.ToString());
        return 0;

        void Heading(string title, string unit) => text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| | {unit} |\n| --- | ---: |\n");
    }

    private static double ProcessorTime(Action action)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    private static int Compressed(byte[] bytes, Func<Stream, Stream> open)
    {
        var memory = new MemoryStream();
        using (Stream stream = open(memory)) stream.Write(bytes);
        return (int)memory.Length;
    }
}
