using System.Collections.Immutable;
using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>What is written is read, wholly or not at all.</summary>
public sealed class PenjingFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("penjing").FullName;

    private string Path => System.IO.Path.Combine(folder, "model.penjing");

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Storage.Smallest)]
    [InlineData(Storage.Plain)]
    public void Every_kind_of_weight_comes_back(Storage storage)
    {
        Node[] weights = [.. WeightCases.All.Select((one, i) => Node.Weight($"{i}: {one.Name}", one.Tensor))];
        FileReport report = RoundTrip(new Model(new Graph([.. weights])) { Name = "weights" }, storage);
        Assert.Equal(weights.Select(weight => weight.Name), report.Tensors.Select(tensor => tensor.Name));
        if (storage == Storage.Plain) Assert.All(report.Tensors, tensor => Assert.Equal(tensor.Shape.Elements * tensor.Type.Size(), tensor.Bytes));
        else Assert.All(report.Tensors, tensor => Assert.InRange(tensor.Bytes, 0, tensor.Costs.Where(cost => cost.Key != TensorEncoding.Modelled).Min(cost => cost.Value)));
    }

    /// <summary>
    /// Large weights that are coded are of version 4, modelled ones and cut channels in the history of version 3; a file without them is still of version 1, an
    /// ordinary network's too.
    /// </summary>
    [Theory]
    [InlineData(10_000, 0, "1")]
    [InlineData(10_000, 1, "3")]
    [InlineData(40_000, 1, "4")]
    public void The_version_is_the_oldest_that_suffices(int count, int size, string version)
    {
        byte[] file = Models.Bytes(new(new Graph([Levels(count, size)])), Storage.Smallest);
        Assert.Equal(version, VersionOf(file));
        Assert.Equal(size == 0 ? count : Levels(count, size).Value!.Floats.Count(0f), PenjingFile.Read(file).Graph["w"].Value!.ZeroFloats);
    }

    /// <summary>A large coded weight is read when it is asked for, and again after it was forgotten; how many zeros it has is known before.</summary>
    [Fact]
    public void A_large_coded_weight_is_read_when_it_is_asked_for()
    {
        Node[] weights = [Levels(40_000, 1), Node.Weight("sparse", Tensor.Build<float>([30, 1000], values => values[7] = values[20_000] = 2.5f)), Node.Weight("small", Tensor.Of<float>([2], 1, 1))];
        PenjingFile.Write(Path, new(new Graph([.. weights])));
        Model read = PenjingFile.ReadOnce(Path);
        foreach (Node weight in weights)
        {
            Tensor once = read.Graph[weight.Name].Value!;
            Assert.Equal(weight.Value!.ZeroFloats, once.ZeroFloats);
            for (int time = 0; time < 2; time++)
            {
                Assert.True(once.BitsEqual(weight.Value), weight.Name);
                once.Forget();
            }
        }
    }

    /// <summary>What the description says of a stream must be so.</summary>
    [Theory]
    [InlineData("\"bytes\":", "\"bytes\":1", "coded bytes, where")]
    [InlineData("\"bytes\":", "\"bytes\":-", "coded bytes, where")]
    [InlineData("\"zeros\":", "\"zeros\":9", "zeros")]
    [InlineData("\"zeros\":", "\"zeros\":-", "zeros")]
    public void A_stream_that_is_described_otherwise_is_refused(string old, string other, string answer)
    {
        LooseFile file = LooseFile.Of(Models.Bytes(new(new Graph([Levels(40_000, 1)])), Storage.Smallest));
        Assert.Contains(old, file.Description);
        Assert.Contains(answer, Assert.Throws<ModelFormatException>(() => PenjingFile.Read((file with { Description = file.Description.Replace(old, other) }).ToBytes())).Message);
    }

    /// <summary>A stream that ends before its length, whose end is another's, is found when it is read.</summary>
    [Fact]
    public void A_stream_of_another_length_is_refused()
    {
        LooseFile file = LooseFile.Of(Models.Bytes(new(new Graph([Levels(40_000, 1)])), Storage.Smallest));
        string longer = System.Text.RegularExpressions.Regex.Replace(file.Description, "(?<=\"bytes\":)[0-9]+", length => $"{int.Parse(length.Value) + 2}");
        PenjingFile.Read(file.ToBytes());
        File.WriteAllBytes(Path, (file with { Description = longer, Streams = [.. file.Streams, 0, 0] }).ToBytes());
        Assert.Contains("of which", Assert.Throws<ModelFormatException>(() => PenjingFile.Read(Path)).Message);
        Model once = PenjingFile.ReadOnce(Path);
        string message = Assert.Throws<ModelFormatException>(() => once.Graph["w"].Value!.Bytes).Message;
        Assert.StartsWith(Path, message);
        Assert.Contains("of which", message);
    }

    [Fact]
    public void Colours_and_scores_of_pixels_are_of_version_5()
    {
        Model plain = new(new Graph(new Node("y", new Relu(), Node.Weight("w", Tensor.Of<float>([3], [1, -2, 3])))));
        foreach (Model model in (Model[])[plain with { Colors = [1, 2] }, plain with { History = [new("train", "", new(0.9, 0.4), 1, 2)] }])
            Assert.Equal("5", VersionOf(Models.Bytes(model, Storage.Smallest)));
        Assert.Equal("1", VersionOf(Models.Bytes(plain with { History = [new("train", "", new(0.9), 1, 2)] }, Storage.Smallest)));
    }

    [Fact]
    public void Cut_channels_are_of_version_3()
    {
        Model plain = new Model(new Graph(new Node("y", new Relu(), Node.Weight("w", Tensor.Of<float>([3], [1, -2, 3]))))) with { History = [new("train", "", null, 1, 2)] };
        Assert.Equal("1", VersionOf(Models.Bytes(plain, Storage.Smallest)));
        Stage cut = plain.History[0] with { Cuts = [new("w", "4")] };
        Assert.Equal("3", VersionOf(Models.Bytes(plain with { History = [cut] }, Storage.Smallest)));
        Assert.Equal(cut, PenjingFile.Read(Models.Bytes(plain with { History = [cut] }, Storage.Smallest)).History[0]);
    }

    [Fact]
    public void Every_operation_comes_back()
    {
        foreach (OpCase one in OpCases.All.DistinctBy(one => one.Op))
        {
            var model = new Model(one.Graph());
            Models.AssertEqual(model, PenjingFile.Read(Models.Bytes(model, Storage.Plain)));
        }
        IEnumerable<Type> operations = typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract);
        Type[] untried = [.. operations.Except(OpCases.All.Select(one => one.Op.GetType()))];
        Assert.Equal([typeof(Constant), typeof(Input)], untried.OrderBy(type => type.Name));
    }

    [Fact]
    public void Attributes_come_back_whether_they_are_at_a_default_or_at_zero()
    {
        var x = new Node("x", new Input(ElementType.Float32, [2, 2, 4, 4]));
        var flat = new Node("flat", new Input(ElementType.Float32, [4, 4]));
        Node kernel = Node.Weight("kernel", RandomTensors.Normal([2, 1, 3, 3], 1));
        ImmutableArray<Node> nodes =
        [
            new("0", new Flatten(0), x), new("1", new Softmax(0), x), new("2", new Dropout(0), x),
            new("3", new Gemm(Alpha: 0, Beta: 0, Then: new Tanh()), flat, flat), new("4", new LeakyRelu(0), x), new("5", new HardSigmoid(0, 0), x),
            new("6", new BatchNormalization(0), [x, .. Enumerable.Range(0, 4).Select(i => Node.Weight($"b{i}", Tensor.Of([2], 1f, 2f)))]),
            new("7", new Clip(float.NegativeInfinity, float.PositiveInfinity), x), new("8", new ReduceMean([], KeepDims: false), x),
            new("9", new ArgMax(0, false, true), x), new("10", new Conv(new(1, 2), new(1, 2, 3, 4), new(1, 1), 2, new HardSigmoid(0.5f)), x, kernel),
            new("11", new Conv(new(2, 2), Padding.All(1), new(1, 1), 2, new Clip(0, 6)), x, kernel),
            new("12", new Add(new LeakyRelu(0)), x, x), new("13", new Pad(0, 0, 0, PadMode.Edge), x), new("14", new Pad(0, -1, 1, Value: 0.1f), x),
            new("15", new Resize(new(2, 3), ResizeMode.Linear, CoordinateMode.Asymmetric, NearestMode.Ceil, 0.7f, 0), x),
            new("16", new MaxPool(new(2, 1), new(1, 1), default, new(2, 2), true), x),
            new("17", new AveragePool(new(2, 1), new(1, 1), new(0, 0, 1, 0), true, true), x),
            new("18", new ConvTranspose(Size.Square(2), default, Size.One, Size.Square(1), 2), x, Node.Weight("up", RandomTensors.Normal([2, 1, 2, 2], 1))),
        ];
        RoundTrip(new(new Graph(nodes)), Storage.Smallest);
        RoundTrip(new(new Graph(nodes)), Storage.Plain);
    }

    [Fact]
    public void Random_networks_come_back()
    {
        for (int seed = 0; seed < 20; seed++) RoundTrip(new(RandomGraphs.Network(seed)), seed % 2 == 0 ? Storage.Smallest : Storage.Plain);
    }

    [Theory]
    [InlineData(Storage.Smallest)]
    [InlineData(Storage.Plain)]
    public void All_that_surrounds_the_network_comes_back(Storage storage)
    {
        var x = new Node("x", new Input(ElementType.UInt8, [1, 3]));
        var unused = new Node("unused \"quoted\" 盆景 \\ \u0001", new Input(ElementType.Int64, []));
        var channels = new Quantization([0.1f, float.Epsilon, 3e38f], [-3, 0, 127], 1);
        var weight = new Node("__metadata__", new Constant(RandomTensors.Any(ElementType.Int8, [3, 3], 1), channels));
        var other = new Node("penjing.pack", new Constant(RandomTensors.Any(ElementType.UInt8, [1, 3], 1), new Quantization(1 / 3f, 5)));
        var graph = new Graph([weight, new Node("sum", new Concat(0), new Node("plain", new Reinterpret(), other), x), x, weight], [unused, x]);
        RoundTrip(new(graph)
        {
            Name = "a name",
            Labels = ["cat", "", "hund & katze", "盆景", "😀"],
            Colors = [0, 0xffffff, 0x123456],
            Preprocessing = new(Channels.Bgr, [1.5f, 0, 255], [1 / 3f, 2, 3], Fit.Stretch),
            History = [new("train", "10 epochs, \"cosine\"", new(0.9123456789), 1L << 40, 1L << 50), new("prune", "", null, 0, 0), new("share", "", new(0.9, 1 / 3.0), 1, 1)],
        }, storage);
        RoundTrip(new(graph) { Preprocessing = new(Channels.Gray, [], []) }, storage);
    }

    [Fact]
    public void Large_constant_weights_come_back_from_a_small_file()
    {
        Node zeros = Node.Weight("zeros", Tensor.Zeros(ElementType.Int64, [3 << 19])), more = Node.Weight("more", Tensor.Zeros(ElementType.Int64, [1 << 20]));
        foreach ((Graph graph, int least) in ((Graph, int)[])[(new(zeros), 0), (new([zeros, more]), 12 << 20)])
        {
            byte[] file = Models.Bytes(new(graph), Storage.Smallest);
            Assert.InRange(file.Length, least, least + 1000);
            Models.AssertEqual(new(graph), PenjingFile.Read(file));
        }
    }

    [Fact]
    public void A_file_replaced_meanwhile_stays_what_it_was()
    {
        Model first = new(new Graph(Node.Weight("w", RandomTensors.Normal([100_000], 1))));
        Model second = new(new Graph(Node.Weight("w", RandomTensors.Normal([100_000], 2))));
        PenjingFile.Write(Path, first, Storage.Plain);
        Model mapped = PenjingFile.Read(Path);
        PenjingFile.Write(Path, second, Storage.Plain);
        Assert.True(mapped.Graph["w"].Value!.BitsEqual(first.Graph["w"].Value!));
        Assert.True(PenjingFile.Read(Path).Graph["w"].Value!.BitsEqual(second.Graph["w"].Value!));
    }

    [Fact]
    public void A_mapped_weight_lives_as_long_as_its_tensor()
    {
        Tensor weight = RandomTensors.Normal([50_000], 1);
        PenjingFile.Write(Path, new(new Graph(Node.Weight("w", weight))), Storage.Plain);
        Tensor mapped = PenjingFile.Read(Path).Graph["w"].Value!;
        File.Delete(Path);
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.True(mapped.BitsEqual(weight));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(Path, "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(Path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException();
        }));
        PenjingException full = Assert.Throws<PenjingException>(() => AtomicFile.Write(Path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device");
        }));
        Assert.Contains(Path, full.Message);
        Assert.Contains("space", full.Message);
        Assert.Equal("old", File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFiles(folder));
    }

    [Fact]
    public void A_place_that_can_not_be_written_is_named()
    {
        var model = new Model(new Graph(Node.Weight("w", Tensor.Of([1], 1f))));
        string missing = System.IO.Path.Combine(folder, "missing", "model.penjing");
        Assert.Contains("doesn't exist", Assert.Throws<PenjingException>(() => PenjingFile.Write(missing, model)).Message);
        Directory.CreateDirectory(Path);
        Assert.Contains("folder", Assert.Throws<PenjingException>(() => PenjingFile.Write(Path, model)).Message);
        Assert.Contains("folder", Assert.Throws<PenjingException>(() => PenjingFile.Read(Path)).Message);
        Assert.Contains("doesn't exist", Assert.Throws<PenjingException>(() => PenjingFile.Read(missing)).Message);
        if (OperatingSystem.IsLinux())
            Assert.Contains("/dev/full", Assert.Throws<PenjingException>(() => PenjingFile.Write("/dev/full/model.penjing", model)).Message);
        Assert.Empty(Directory.GetFiles(folder));
    }

    private FileReport RoundTrip(Model model, Storage storage)
    {
        FileReport written = PenjingFile.Write(Path, model, storage), inspected = PenjingFile.Inspect(Path);
        byte[] bytes = File.ReadAllBytes(Path);
        Assert.Equal(bytes.Length, written.Bytes);
        Assert.Equal(written.Bytes, written.HeaderBytes + written.Tensors.Sum(tensor => tensor.Bytes));
        Assert.Equal((written.Bytes, written.HeaderBytes), (inspected.Bytes, inspected.HeaderBytes));
        foreach ((TensorReport one, TensorReport other) in written.Tensors.Zip(inspected.Tensors))
        {
            Assert.Equal(one with { Costs = other.Costs }, other);
            Assert.Equal(one.Costs, other.Costs);
        }
        Models.AssertEqual(model, PenjingFile.Read(Path));
        Models.AssertEqual(model, PenjingFile.Read(bytes));
        SafetensorsCheck.AssertValid(bytes);
        return written;
    }

    private static string VersionOf(byte[] file) => System.Text.RegularExpressions.Regex.Match(System.Text.Encoding.Latin1.GetString(file), "\"version\":\"(\\d+)\"").Groups[1].Value;

    /// <summary>A weight of whole numbers, in bands near to zero and further away, or all zeros.</summary>
    private static Node Levels(int count, int size)
    {
        var random = new Random(count);
        return Node.Weight("w", Tensor.Build<float>([count / 40, 40], values =>
        {
            for (int i = 0; i < count; i++) values[i] = size * MathF.Round((random.NextSingle() + random.NextSingle() - 1) * (i * 10 / count % 2 == 0 ? 3 : 60));
        }));
    }
}
