using System.Diagnostics;
using Penjing.Interop.TensorFlowLite;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Injured TensorFlow Lite files end in a model or in the one clear exception, soon, and without memory beyond what their own size warrants.</summary>
public class HostileTensorFlowLiteTests
{
    private const int Rounds = 30_000, Seconds = 30, Patience = 30;
    private static readonly int[] numbers = [0, 1, -1, 2, 4, 127, 128, 255, 256, 65535, 65536, 1 << 20, int.MaxValue, int.MinValue, -65536];

    /// <summary>Seeded injuries of written networks, of a case of each operation, and of files from outside.</summary>
    [Fact]
    public void Injured_files_are_refused_or_read()
    {
        (string Name, byte[] Bytes)[] files = [.. Corpus()];
        long start = Stopwatch.GetTimestamp();
        int done = 0, sound = 0;
        for (; done < Rounds && Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds; done++)
        {
            var random = new Random(done);
            (string name, byte[] whole) = files[random.Next(files.Length)];
            (byte[] file, string injury) = Injured(whole, random);
            long began = Stopwatch.GetTimestamp();
            try
            {
                if (Hostile.Read(file, TensorFlowLiteReader.Read)) sound++;
            }
            catch (Exception error)
            {
                Assert.Fail($"round {done}, {name}, {injury}: {error}");
            }
            Assert.True(Stopwatch.GetElapsedTime(began).TotalSeconds < Patience, $"round {done}, {name}, {injury}: it took {Stopwatch.GetElapsedTime(began)}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{done} injured files, {sound} of them still networks");
        Assert.True(done >= 500, $"only {done} injured files in {Seconds} s");
        Assert.InRange(sound, done / 100, done);
    }

    /// <summary>An operation that is not understood is named with its node: one of the schema, a custom one, one newer than the list, one of a newer version.</summary>
    [Theory]
    [InlineData(24, 1, "the operation RNN of TensorFlow Lite is not understood")]
    [InlineData(119, 1, "the operation WHILE of TensorFlow Lite is not understood")]
    [InlineData(32, 1, "the custom operation '' is not understood")]
    [InlineData(250, 1, "the operation number 250 of TensorFlow Lite is not understood")]
    [InlineData(19, 77, "RELU: version 77 of the operation is not understood; understood are those up to 3")]
    public void What_is_not_understood_is_named(int code, int version, string message)
    {
        LiteModel model = LiteFile.Read(new(TensorFlowLiteWriter.ToBytes(new(new Graph(new Node("answer", new Relu(), new Node("x", new Input(ElementType.Float32, [1, 4]))))))));
        LiteModel strange = model with
        {
            Tensors = [.. model.Tensors.Select(tensor => tensor with { Type = ElementType.Int8, Quantization = new(0.1f, 0) })],
            Operators = [.. model.Operators.Select(one => one with { Op = one.Op with { Code = code, Integers = version } })],
        };
        string told = Assert.Throws<ModelFormatException>(() => TensorFlowLiteReader.Read(LiteBytes.Of(strange))).Message;
        Assert.Contains("node 'answer'", told);
        Assert.Contains(message, told);
    }

    /// <summary>Bytes of other kinds are refused with a word of what is missing.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("TFL3")]
    [InlineData("\u0010\0\0\0TFL3")]
    [InlineData("\u007f\u007f\u007f\u007fTFL3aaaaaaaaaaaaaaa")]
    [InlineData("this is no network at all, but a text")]
    public void Other_bytes_are_refused(string text) =>
        Assert.Throws<ModelFormatException>(() => TensorFlowLiteReader.Read([.. text.Select(letter => (byte)letter)]));

    private static (byte[] File, string Injury) Injured(byte[] whole, Random random)
    {
        byte[] file = [.. whole];
        switch (random.Next(4))
        {
            case 0:
                int length = random.Next(file.Length);
                return (file[..length], $"cut to {length}");
            case 1:
                int flips = random.Next(1, 9);
                for (int i = 0; i < flips; i++) file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
                return (file, $"{flips} bits");
            case 2:
                int at = random.Next(file.Length / 4) * 4, number = numbers[random.Next(numbers.Length)];
                BitConverter.TryWriteBytes(file.AsSpan(at), number);
                return (file, $"{number} at {at}");
            default:
                // Tables and vectors point to each other: one points where another did.
                int to = random.Next(file.Length / 4) * 4, from = random.Next(file.Length / 4) * 4;
                file.AsSpan(from, Math.Min(4, file.Length - from)).CopyTo(file.AsSpan(to));
                return (file, $"{from} to {to}");
        }
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Corpus()
    {
        foreach (OpCase one in OpCases.All.GroupBy(one => one.Op.Name).SelectMany(group => group.Take(3)))
            if (Written(one.Graph()) is { } bytes) yield return (one.Name, bytes);
        for (int seed = 0; seed < 20; seed++)
            if (Written(seed % 2 == 0 ? RandomGraphs.Network(seed) : FoldableGraphs.Network(seed)) is { } bytes) yield return ($"seed {seed}", bytes);
        if (Repository.Shared("mlperf-tiny") is { } tiny)
            foreach (string path in Directory.GetFiles(tiny, "*.tflite").Order(StringComparer.Ordinal)) yield return (Path.GetFileName(path), File.ReadAllBytes(path));
        if (Repository.Shared("ultralight-face") is { } faces)
            foreach (string path in Directory.GetFiles(faces, "*.tflite").Order(StringComparer.Ordinal)) yield return (Path.GetFileName(path), File.ReadAllBytes(path));
    }

    private static byte[]? Written(Graph graph)
    {
        try
        {
            return TensorFlowLiteWriter.ToBytes(new(graph));
        }
        catch (PenjingException)
        {
            return null;
        }
    }
}
