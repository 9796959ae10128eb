using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Penjing.Compression;
using Penjing.Interop;

namespace Penjing.Bench;

/// <summary>What do Huffman's code, the range coder, deflate, Brotli and zstd take of the same pruned and shared weights, and how fast are they?</summary>
internal static class Codes
{
    private static readonly (string Name, string Folder, string File)[] networks =
    [
        ("ResNet-20, CIFAR-10", "cifar-resnet20", "resnet20_cifar10.onnx"),
        ("Prisma-net, portraits", "portrait-segmentation", "prisma_nchw.onnx"),
    ];

    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>A way to code a weight, alone: its bytes, and the weight of these bytes again.</summary>
    private sealed record Coder(string Name, Func<Tensor, byte[]> Write, Func<byte[], Tensor, Tensor> Read);

    /// <summary>What one coder took of one network's weights; MB/s count them as Float32.</summary>
    private sealed record Cost(string Coder, long Bytes, double BitsPerWeight, double WriteMbps, double ReadMbps);

    /// <summary>One network's weights; entropy: of each layer's values, zero among them, without any table.</summary>
    private sealed record Row(string Network, double Zeros, int Values, long Weights, double Entropy, ImmutableArray<Cost> Costs);

    /// <summary>What the network takes that Deep Compression's author published, and how long its .penjing file takes to read.</summary>
    private sealed record Whole(long Published, long Gzip, long Brotli, long HuffmanAlone, long Penjing, long Header, double ReadMs, double FastestMs);

    /// <summary>All that was measured on a machine.</summary>
    private sealed record Results(string Machine, Whole File, ImmutableArray<Row> Rows);

    private static readonly Coder[] coders =
    [
        new("Huffman", weight => TensorCode.Write(weight).Where(stream => stream.Key != TensorEncoding.Modelled).MinBy(stream => stream.Value.Length).Value, ReadCoded),
        new("range coder", WriteModelled, ReadCoded),
        General("deflate", stream => new DeflateStream(stream, CompressionLevel.SmallestSize, true), stream => new DeflateStream(stream, CompressionMode.Decompress)),
        General("Brotli", stream => new BrotliStream(stream, CompressionLevel.SmallestSize, true), stream => new BrotliStream(stream, CompressionMode.Decompress)),
        General("zstd", stream => new ZstdSharp.CompressionStream(stream, 19, leaveOpen: true), stream => new ZstdSharp.DecompressionStream(stream)),
    ];

    /// <summary>Codes all weights in all ways and writes codes.md and codes.json.</summary>
    public static int Run(Arguments arguments)
    {
        string folder = Directory.CreateDirectory(Path.Combine(arguments.Results, Machine.Folder)).FullName;
        string net = Path.Combine(arguments.Data("squeezenet-v1.0-deepcompression"), "compressed_SqueezeNet.net");
        Model published = DeepCompressionReader.Read(net, Path.Combine(Path.GetDirectoryName(net)!, "SqueezeNet_deploy.prototxt"));
        Whole file = Measure(net, published, arguments.Seconds);
        var rows = new List<Row>();
        foreach ((string name, Graph graph) in Cases(published, arguments))
        {
            rows.Add(Measure(name, [.. graph.Weights.Where(node => node.Shape.Rank > 1 && node.Info.Type == ElementType.Float32).Select(node => node.Value!)], arguments.Seconds));
            Console.WriteLine(Line(rows[^1], cost => Digits(cost.BitsPerWeight, 3)));
        }
        File.WriteAllText(Path.Combine(folder, "codes.json"), JsonSerializer.Serialize(new Results(Machine.Describe(), file, [.. rows]), json) + "\n");
        File.WriteAllText(Path.Combine(folder, "codes.md"), Text(file, rows));
        return 0;
    }

    private static IEnumerable<(string Name, Graph Graph)> Cases(Model published, Arguments arguments)
    {
        yield return ("SqueezeNet as Deep Compression's author published it", published.Graph);
        foreach ((string name, string folder, string file) in networks)
        {
            Graph graph = ModelFile.Read(Path.Combine(arguments.Data(folder), file)).Graph;
            foreach (double zeros in (double[])[0, 0.9, 0.95])
                foreach (int values in (int[])[16, 32, 256])
                {
                    Clustering clustering = new(zeros > 0 ? values - 1 : values, KeepZeros: zeros > 0);
                    Graph sparse = zeros > 0 ? Sparsifier.Sparsify(graph, new() { Ratio = zeros, Depthwise = true }) : graph;
                    yield return (name, Sharing.Share(sparse, new() { Dense = clustering, Depthwise = clustering }));
                }
        }
    }

    private static Whole Measure(string net, Model published, double seconds)
    {
        string file = Path.GetTempFileName();
        try
        {
            byte[] bytes = File.ReadAllBytes(net);
            FileReport report = PenjingFile.Write(file, published);
            double[] times = Loads.Times(() => PenjingFile.Read(file), seconds);
            return new(bytes.Length, Compressed(bytes, stream => new GZipStream(stream, CompressionLevel.SmallestSize, true)), Compressed(bytes, stream => new BrotliStream(stream, CompressionLevel.SmallestSize, true)),
                report.HeaderBytes + report.Tensors.Sum(tensor => tensor.Costs.Where(cost => cost.Key != TensorEncoding.Modelled).Min(cost => cost.Value)), report.Bytes, report.HeaderBytes,
                Turns.At(times, 0.5), times[0]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static long Compressed(byte[] bytes, Func<Stream, Stream> open)
    {
        var memory = new MemoryStream();
        using (Stream stream = open(memory)) stream.Write(bytes);
        return memory.Length;
    }

    private static Row Measure(string name, Tensor[] weights, double seconds)
    {
        long count = weights.Sum(weight => (long)weight.Shape.Elements);
        double bits = weights.Sum(weight => weight.Floats.ToArray().CountBy(value => value)
            .Sum(group => group.Value * Math.Log2((double)weight.Shape.Elements / group.Value)));
        double zeros = weights.Sum(weight => (double)weight.Floats.Count(0f)) / count;
        return new(name, zeros, weights.Max(weight => weight.Floats.ToArray().Distinct().Count()), count, bits / count, [.. coders.Select(coder =>
        {
            byte[][] streams = [];
            foreach (Tensor weight in weights.Take(3)) coder.Write(weight);
            double write = Turns.Time(() => streams = [.. weights.Select(coder.Write)]);
            for (int i = 0; i < weights.Length; i++)
                if (!coder.Read(streams[i], weights[i]).BitsEqual(weights[i])) throw new PenjingException($"{coder.Name} gave another weight back");
            double read = Turns.At(Loads.Times(() => ReadAll(coder, streams, weights), seconds), 0.5);
            long bytes = streams.Sum(stream => (long)stream.Length);
            return new Cost(coder.Name, bytes, 8.0 * bytes / count, 4e-3 * count / write, 4e-3 * count / read);
        })]);
    }

    private static void ReadAll(Coder coder, byte[][] streams, Tensor[] weights)
    {
        for (int i = 0; i < weights.Length; i++) coder.Read(streams[i], weights[i]);
    }

    private static Tensor ReadCoded(byte[] stream, Tensor weight)
    {
        var reader = new CodeReader(stream);
        return TensorCode.Read(ref reader, weight.Type, weight.Shape).Tensor;
    }

    /// <summary>The modelled stream; where all elements are one, which takes no model, the constant's.</summary>
    private static byte[] WriteModelled(Tensor weight)
    {
        var writer = new CodeWriter();
        writer.Byte((int)TensorEncoding.Modelled);
        return ModelledCode.TryWrite(writer, weight.Type, weight.Shape, MemoryMarshal.Cast<byte, uint>(weight.Bytes.Span))
            ? writer.Written.ToArray() : TensorCode.Write(weight)[TensorEncoding.Constant];
    }

    /// <summary>A coder of bytes: it is given each weight's distinct values as Float32, and a byte an element.</summary>
    private static Coder General(string name, Func<Stream, Stream> compress, Func<Stream, Stream> decompress) => new(name,
        weight =>
        {
            float[] values = [.. weight.Floats.ToArray().Distinct().Order()];
            var memory = new MemoryStream();
            using (Stream stream = compress(memory))
            {
                stream.WriteByte((byte)(values.Length - 1));
                stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
                stream.Write((byte[])[.. weight.Floats.ToArray().Select(value => (byte)values.BinarySearch(value))]);
            }
            return memory.ToArray();
        },
        (bytes, weight) =>
        {
            using Stream stream = decompress(new MemoryStream(bytes));
            var values = new float[stream.ReadByte() + 1];
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            var indices = new byte[weight.Shape.Elements];
            stream.ReadExactly(indices);
            return Tensor.Build<float>(weight.Shape, elements =>
            {
                for (int i = 0; i < elements.Length; i++) elements[i] = values[indices[i]];
            });
        });

    private static string Text(Whole file, List<Row> rows)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # Codes of pruned and shared weights

            {Machine.Describe()}.
            `{Machine.Command()}`

            ## A whole file

            SqueezeNet v1.0 as Deep Compression's author published it.

            | | bytes |
            | --- | ---: |
            | compressed_SqueezeNet.net | {file.Published} |
            | the same by gzip | {file.Gzip} |
            | the same by Brotli 11 | {file.Brotli} |
            | .penjing, the best of the Huffman codes for each weight | {file.HuffmanAlone} |
            | **.penjing** | **{file.Penjing}** |
            | of it, header and description | {file.Header} |

            Read on one thread in {file.ReadMs:F1} ms (median; the fastest {file.FastestMs:F1} ms).

            ## Weights alone

            Kernels and matrices of trained networks: the smallest of each layer made zero (`Sparsifier`), the others shared by k-means (`Sharing`), no training
            in between. Each weight is coded alone, codebook and all tables counted. Huffman: the best of the encodings without a model, gaps and all. Deflate,
            Brotli 11 and zstd 19 are given the distinct values as Float32 and a byte an element. Entropy: that of each layer's values, zero among them,
            without codebook or tables. Values: the most that a layer has.

            ### Bits a weight


            """).ReplaceLineEndings("\n"));
        Table(cost => Digits(cost.BitsPerWeight, 3));
        text.Append("\n### Reading, MB/s of Float32 weights, one thread, median\n\n");
        Table(cost => Digits(cost.ReadMbps, 0));
        text.Append("\n### Writing, MB/s of Float32 weights, one thread, once; Huffman: with all encodings tried\n\n");
        Table(cost => Digits(cost.WriteMbps, 2));
        return text.ToString();

        void Table(Func<Cost, string> cell)
        {
            text.Append(CultureInfo.InvariantCulture, $"| network | zeros | values | weights | entropy | {string.Join(" | ", coders.Select(coder => coder.Name))} |\n");
            text.Append(CultureInfo.InvariantCulture, $"| --- | ---: | ---: | ---: | ---: |{string.Concat(coders.Select(_ => " ---: |"))}\n");
            foreach (Row row in rows) text.Append(Line(row, cell)).Append('\n');
        }
    }

    private static string Line(Row row, Func<Cost, string> cell)
    {
        string zeros = string.Create(CultureInfo.InvariantCulture, $"{row.Zeros:P0}").Replace(" ", "", StringComparison.Ordinal);
        return $"| {row.Network} | {zeros} | {row.Values} | {row.Weights} | {Digits(row.Entropy, 3)} | {string.Join(" | ", row.Costs.Select(cell))} |";
    }

    private static string Digits(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
