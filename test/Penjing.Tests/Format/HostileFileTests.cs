using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>Damaged and hostile bytes end in the one clear exception, or in a sound model; and they cost no more memory than a small file may.</summary>
public sealed class HostileFileTests
{
    private const int Mutations = 100_000;

    /// <summary>What one reading may allocate: the allowance of a small file, twice over for what decoding takes besides.</summary>
    private const long MostMemory = 80 << 20;

    private static readonly byte[][] Files =
        [.. SmallModels().SelectMany(model => new[] { Models.Bytes(model, Storage.Smallest), Models.Bytes(model, Storage.Plain) })];

    [Fact]
    public void Every_truncation_is_refused()
    {
        foreach (byte[] file in Files)
            for (int length = 0; length < file.Length; length++)
                Assert.Throws<ModelFormatException>(() => PenjingFile.Read(file.AsMemory(0, length)));
    }

    [Fact]
    public void A_file_that_is_cut_short_says_so()
    {
        byte[] file = Files[0];
        string header = Assert.Throws<ModelFormatException>(() => PenjingFile.Read(file.AsMemory(0, 100).ToArray())).Message;
        string data = Assert.Throws<ModelFormatException>(() => PenjingFile.Read(file.AsMemory(0, file.Length - 7).ToArray())).Message;
        Assert.Contains("it is cut short: its header ends at byte", header);
        Assert.Contains($"ends at byte {file.Length}, and the file has {file.Length - 7} bytes", data);
    }

    [Fact]
    public void Bytes_after_the_end_are_refused() =>
        Assert.All(Files, file => Assert.Throws<ModelFormatException>(() => PenjingFile.Read((byte[])[.. file, 0])));

    [Fact]
    public void Mutations_are_refused_or_harmless()
    {
        Model[] originals = [.. Files.Select(file => PenjingFile.Read(file))];
        var random = new Random(1);
        for (int round = 0; round < Mutations / 2; round++)
        {
            int which = random.Next(Files.Length);
            byte[] mutated = Mutation.Of(Files[which], random, out string what);
            if (TryRead(mutated, $"file {which}, round {round}: {what}") is { } model) Models.AssertEqual(originals[which], model);
        }
    }

    [Fact]
    public void Mutations_under_right_checksums_are_refused_or_sound()
    {
        LooseFile[] originals = [.. Files.Select(LooseFile.Of)];
        var random = new Random(2);
        int sound = 0;
        for (int round = 0; round < Mutations / 2; round++)
        {
            int which = random.Next(Files.Length);
            byte[] mutated = originals[which].Mutated(random, out string what).ToBytes();
            if (TryRead(mutated, $"file {which}, round {round}: {what}") is not { } model) continue;
            sound++;
            if (sound % 10 == 0) Models.AssertEqual(model, PenjingFile.Read(Models.Bytes(model, Storage.Smallest)));
        }
        Assert.InRange(sound, Mutations / 100, Mutations / 2);
    }

    /// <summary>Large weights are decoded when they are asked for: what is wrong with them is told in the same way then.</summary>
    [Fact]
    public void Mutations_of_large_weights_are_refused_or_sound()
    {
        Random random = new(4);
        Node input = new("x", new Input(ElementType.Float32, [1, 300]));
        Node sparse = Node.Weight("sparse", Tensor.Build<float>([300, 300], values => Fill(values, 0.95))), shared = Node.Weight("shared", Tensor.Build<float>([300, 300], values => Fill(values, 0)));
        LooseFile file = LooseFile.Of(Models.Bytes(new(new Graph(new Node("b", new MatMul(), new Node("a", new MatMul(), input, sparse), shared))), Storage.Smallest));
        string path = Path.GetTempFileName();
        try
        {
            int refused = 0;
            for (int round = 0; round < 2000; round++)
            {
                File.WriteAllBytes(path, file.Mutated(random, out string what).ToBytes());
                try
                {
                    foreach (Node weight in PenjingFile.ReadOnce(path).Graph.Weights) _ = weight.Value!.Bytes;
                }
                catch (ModelFormatException)
                {
                    refused++;
                }
                catch (Exception error)
                {
                    throw new InvalidOperationException($"round {round}: {what}", error);
                }
            }
            Assert.InRange(refused, 100, 2000);
        }
        finally
        {
            File.Delete(path);
        }

        void Fill(Span<float> values, double zeros)
        {
            foreach (ref float value in values) value = random.NextDouble() < zeros ? 0 : 0.5f * random.Next(1, 20);
        }
    }

    [Theory]
    [InlineData("\"version\":\"1\"", "\"version\":\"6\"", "newer")]
    [InlineData("\"format\":\"penjing\"", "\"format\":\"pt\"", "no .penjing file")]
    [InlineData("\"__metadata__\"", "\"meta\"", "'meta'")]
    public void A_header_that_is_another_s_is_answered(string old, string other, string answer) =>
        Assert.Contains(answer, Refusal(LooseFile.Of(Files[1]).ToBytes(header => header.Replace(old, other))));

    [Theory]
    [InlineData("\"op\":\"Relu\"", "\"op\":\"Rolu\"", "Rolu")]
    [InlineData("\"op\":\"Relu\"", "\"op\":\"Relu\",\"slope\":1", "slope")]
    [InlineData("\"in\":[0,1]", "\"in\":[0,3]", "doesn't come before")]
    [InlineData("\"in\":[0,1]", "\"in\":[0,-1]", "doesn't come before")]
    [InlineData("\"in\":[0,1]", "\"in\":[1,0]", "Conv")]
    [InlineData("\"name\":\"w\"", "\"name\":\"x\"", "'x'")]
    [InlineData("\"name\":\"w\"", "\"name\":\"w\",\"name\":\"w\"", "name")]
    [InlineData("\"outputs\":[3]", "\"outputs\":[2]", "no output needs")]
    [InlineData("\"outputs\":[3]", "\"outputs\":[]", "output")]
    [InlineData("\"shape\":[2,1,3,3]", "\"shape\":[2000000000]", "may stand for")]
    [InlineData("\"shape\":[2,1,3,3]", "\"shape\":[2,1,3,2147483647]", "elements")]
    [InlineData("\"shape\":[2,1,3,3]", "\"shape\":[2,-1,3,3]", "negative")]
    [InlineData("\"stride\":1", "\"stride\":0", "stride")]
    [InlineData("\"nodes\":[", "\"nodes\":[null,", "")]
    public void A_description_that_makes_no_sense_is_answered(string old, string other, string answer)
    {
        LooseFile file = LooseFile.Of(Files[0]);
        Assert.Contains(old, file.Description);
        Assert.Contains(answer, Refusal((file with { Description = file.Description.Replace(old, other) }).ToBytes()));
    }

    [Fact]
    public void A_compressed_description_that_swells_is_refused()
    {
        byte[] swollen = new byte[64 << 20], compressed = new byte[1 << 20];
        swollen.AsSpan().Fill((byte)' ');
        Assert.True(System.IO.Compression.BrotliEncoder.TryCompress(swollen, compressed, out int length, 5, 22));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("may stand for", Refusal(LooseFile.Of(Files[0]).ToBytes(compressed[..length])));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostMemory);
    }

    [Fact]
    public void A_file_s_error_names_the_file()
    {
        string path = Path.GetTempFileName();
        Assert.Contains(path, Assert.Throws<ModelFormatException>(() => PenjingFile.Read(path)).Message);
        File.WriteAllText(path, "this is a text and no network at all");
        Assert.Contains(path, Assert.Throws<ModelFormatException>(() => PenjingFile.Inspect(path)).Message);
        File.Delete(path);
    }

    private static string Refusal(byte[] file) => Assert.Throws<ModelFormatException>(() => PenjingFile.Read(file)).Message;

    private static Model? TryRead(byte[] file, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            return PenjingFile.Read(file);
        }
        catch (ModelFormatException)
        {
            return null;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(what, error);
        }
        finally
        {
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostMemory, what);
        }
    }

    private static IEnumerable<Model> SmallModels()
    {
        var x = new Node("x", new Input(ElementType.Float32, [1, 1, 5, 5]));
        Node w = Node.Weight("w", Tensor.Of<float>([2, 1, 3, 3], [.. Enumerable.Range(0, 18).Select(i => i % 4 / 3f)]));
        yield return new(new Graph(new Node("y", new Relu(), new Node("c", new Conv(), x, w))))
        {
            Name = "small",
            Labels = ["a", "b"],
            Preprocessing = new(Channels.Gray, [127], [60]),
        };
        (string Name, Tensor Tensor)[] weights =
        [
            .. WeightCases.All.Where(one => one.Tensor.Shape.Elements is > 0 and < 40).Where((_, i) => i % 7 == 0).Take(12),
            .. WeightCases.All.Where(one => one.Tensor.Shape.Elements is >= 250 and <= 3000).Where((_, i) => i % 11 == 0).Take(8),
        ];
        yield return new(new Graph([.. weights.Select((one, i) => Node.Weight($"{i}", one.Tensor))])) { History = [new("train", "", new(0.5), 1, 2)] };
        var q = new Node("q", new Constant(RandomTensors.Any(ElementType.Int8, [3, 4], 1), new Quantization([0.5f, 0.25f, 0.125f], [0, 1, 2], 0)));
        var g = new Node("g", new Input(ElementType.Int8, [2, 4]));
        var joined = new Node("j", new Concat(0), new Node("r", new Reinterpret(), q), g);
        yield return new(new Graph([new Node("z", new Gather(0, [1, 0, 0]), joined), new Node("s", new Slice(1, -2, 100), g)], [g]));
    }
}
