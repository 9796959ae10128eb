using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Penjing.Compression;
using Penjing.Engine;
using Penjing.Interop.TensorFlowLite;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>What is written as TensorFlow Lite: read again it gives the same answers, and TensorFlow Lite's own interpreter gives them too.</summary>
public class TensorFlowLiteWriterTests
{
    private const double Tolerance = 1e-5, NetworkTolerance = 1e-4;

    /// <summary>The operations of which TensorFlow Lite says at least one case.</summary>
    private static readonly string[] said =
    [
        "Abs", "Add", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Conv", "ConvTranspose", "Cos", "DequantizeLinear", "Div", "Dropout", "Elu", "Equal", "Exp", "Expand",
        "Flatten", "Floor", "Gather", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "LRN", "LeakyRelu", "Less", "LessOrEqual", "Log",
        "LogSoftmax", "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow", "QuantizeLinear", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
        "Reinterpret", "Relu", "Reshape", "Resize", "Round", "Sigmoid", "Sin", "Slice", "Softmax", "Sqrt", "Squeeze", "Sub", "Tanh", "Tile", "Transpose", "Unsqueeze",
    ];

    /// <summary>The zoo's networks, of each kind the first width.</summary>
    public static TheoryData<string> Names => [.. Zoo.All.GroupBy(entry => Regex.Replace(entry.Name, @"-\d\.\d+$", "")).Select(kind => kind.First().Name)];

    /// <summary>Cases of all operations, and random networks: those that can be said come back, and the interpreter agrees; the others are refused by name.</summary>
    [Fact]
    public async Task Cases_come_back_and_run()
    {
        HashSet<string> written = [];
        List<LiteCase> cases = [];
        foreach ((string name, string op, Graph graph, Tensor[] fed) in OpCases.All.Select(one => (one.Name, one.Op.Name, one.Graph(), one.Fed()))
            .Concat(Enumerable.Range(0, 60).Select(Random)))
        {
            (Graph reals, Tensor[] given) = Real(graph, fed);
            byte[] file;
            try
            {
                file = TensorFlowLiteWriter.ToBytes(new(reals));
            }
            catch (PenjingException error)
            {
                Assert.True(error.Message.Contains("can't be written as TensorFlow Lite", StringComparison.Ordinal), $"{name}: {error}");
                Assert.True(reals.Nodes.Any(node => error.Message.StartsWith($"'{node.Name}", StringComparison.Ordinal)), $"{name}: {error.Message}");
                continue;
            }
            written.Add(op);
            Tensor[] expected = Reference.Run(reals, given), again = Reference.Run(TensorFlowLiteReader.Read(file).Graph, given);
            foreach ((Tensor one, Tensor other) in expected.Zip(again)) Closeness.Check(one, other, op == "network" ? NetworkTolerance : Tolerance, name);
            if (!IsStrange(reals)) cases.Add(new(name, file, [.. given]));
        }
        string[] all = [.. said, "network"];
        Assert.True(written.SetEquals(all), $"written beyond the list: {string.Join(", ", written.Except(all).Order())}; in the list alone: {string.Join(", ", all.Except(written))}");
        Judge(await LiteRuntime.Run(cases));

        static (string, string, Graph, Tensor[]) Random(int seed)
        {
            Graph graph = seed % 2 == 0 ? FoldableGraphs.Network(seed) : RandomGraphs.Network(seed);
            return ($"seed {seed}", "network", graph, RandomGraphs.Fed(graph, seed));
        }
    }

    /// <summary>The zoo's networks come back, and the interpreter agrees.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_zoo_comes_back_and_runs(string name)
    {
        (Model model, Tensor picture) = Trained(name);
        byte[] file = TensorFlowLiteWriter.ToBytes(model);
        Model read = TensorFlowLiteReader.Read(file);
        Assert.Equal((model.Name, model.Graph.Outputs[0].Name), (read.Name, read.Graph.Outputs[0].Name));
        using Session session = new(model, new(1)), again = new(read, new(1));
        Closeness.Check(session.Run([picture], TestContext.Current.CancellationToken)[0], again.Run([picture], TestContext.Current.CancellationToken)[0], Tolerance, name);
        Judge(await LiteRuntime.Run([new(name, file, [picture])]));
    }

    /// <summary>Networks of 8-bit integers come back with the same integers, and are Int8 in the file; the interpreter's answer is theirs, but for enlargements as near as the rounding of these lets it be.</summary>
    [Theory]
    [InlineData("mobilenet-v1-0.25")]
    [InlineData("mobilenet-v2-0.5")]
    [InlineData("cifar-resnet-20")]
    [InlineData("squeezenet-1.1")]
    [InlineData("shufflenet-v2-0.5")]
    [InlineData("parsenet-0.5")]
    public async Task Integers_come_back_and_run(string name)
    {
        (Model model, Tensor picture) = Trained(name);
        Graph prepared = PostTraining.Prepare(model.Graph);
        ImmutableArray<Node> values = PostTraining.Values(prepared, ImmutableHashSet<string>.Empty);
        ImmutableDictionary<string, ValueRange> ranges = Histogram.Of(values, [Reference.Run(new Graph(values, prepared.Inputs), picture)])
            .ToImmutableDictionary(seen => seen.Key, seen => Ranges.Of(seen.Value, RangeMethod.MinMax));
        Graph quantized = PostTraining.Quantize(prepared, ranges, ImmutableHashSet<string>.Empty);
        byte[] file = TensorFlowLiteWriter.ToBytes(model with { Graph = quantized });
        Assert.True(file.Length < TensorFlowLiteWriter.ToBytes(model).Length * 0.45);
        Tensor expected = Reference.Run(quantized.Rewrite(Passes.ForInference), picture)[0];
        Model read = TensorFlowLiteReader.Read(file);
        Closeness.Check(expected, Reference.Run(read.Graph.Rewrite(Passes.ForInference), picture)[0], Tolerance, name);
        using Session again = new(read, new(1));
        Tensor answered = again.Run([picture], TestContext.Current.CancellationToken)[0];
        Closeness.Check(expected, answered, Tolerance, name);
        (_, Tensor[] judged, string error) = (await LiteRuntime.Run([new(name, file, [picture])]))[0];
        Assert.Equal("", error);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {Decibels(expected, judged[0]):F1} dB from the interpreter's answer");
        // The interpreter enlarges integers by arithmetic of its own.
        bool enlarges = quantized.Nodes.Any(node => node.Op is Resize);
        Assert.InRange(Decibels(expected, judged[0]), enlarges ? 45 : 100, double.PositiveInfinity);

        static double Decibels(Tensor own, Tensor other) =>
            10 * Math.Log10(own.Floats.ToArray().Sum(value => (double)value * value) / own.Floats.ToArray().Zip(other.Floats.ToArray(), (one, two) => Math.Pow((double)one - two, 2)).Sum());
    }

    /// <summary>Weights of 16-bit floats, which a DEQUANTIZE widens, are read as the floats that they are; the interpreter gives the same answer.</summary>
    [Fact]
    public async Task Half_floats_are_read()
    {
        (Model model, Tensor picture) = Trained("mobilenet-v1-0.25");
        LiteModel whole = LiteFile.Read(new(TensorFlowLiteWriter.ToBytes(model)));
        List<LiteTensor> tensors = [.. whole.Tensors];
        List<LiteOperator> operators = [];
        foreach ((int number, LiteTensor tensor) in whole.Tensors.Index())
        {
            if (tensor is not { Type: ElementType.Float32, Data: { } data, Shape.Count: > 1 }) continue;
            Half[] halves = [.. MemoryMarshal.Cast<byte, float>(data.Span).ToArray().Select(value => (Half)value)];
            tensors.Add(tensor with { Name = $"{tensor.Name}/half", Type = ElementType.Float16, Data = MemoryMarshal.AsBytes(halves.AsSpan()).ToArray() });
            tensors[number] = tensor with { Data = null };
            operators.Add(new(LiteOp.ByCode[6], [tensors.Count - 1], [number], ImmutableDictionary<string, ImmutableArray<double>>.Empty));
        }
        Assert.True(operators.Count > 20);
        byte[] file = LiteBytes.Of(whole with { Tensors = [.. tensors], Operators = [.. operators, .. whole.Operators] });
        Assert.True(file.Length < 0.6 * TensorFlowLiteWriter.ToBytes(model).Length);
        Graph rounded = model.Graph.Rewrite(Passes.ForInference).Map((node, inputs) => node.Value is { Type: ElementType.Float32, Shape.Rank: > 1 } value
            ? Node.Weight(node.Name, Tensor.Of<float>(value.Shape, [.. value.Floats.ToArray().Select(one => (float)(Half)one)])) : node.With(inputs));
        Closeness.Check(Reference.Run(rounded, picture)[0], Reference.Run(TensorFlowLiteReader.Read(file).Graph, picture)[0], Tolerance, "half floats");
        Judge(await LiteRuntime.Run([new("half floats", file, [picture])]));
    }

    /// <summary>Name, labels, colours and preprocessing come back, and a file of the disk is written whole.</summary>
    [Fact]
    public void Descriptions_come_back()
    {
        Model model = new(FoldableGraphs.Network(2)) { Name = "tiny", Labels = ["cat", "dog, or other", "", "fish"], Colors = [0, 0xff8001, 5, 0xffffff], Preprocessing = new(Channels.Bgr, [127.5f, 0.1f, 1e-20f], [127.5f, 1, 2], Fit.Cover) };
        string path = Path.Combine(Directory.CreateTempSubdirectory("penjing").FullName, "tiny.tflite");
        Assert.Equal(ModelFile.Write(path, model), new FileInfo(path).Length);
        Model read = ModelFile.Read(path);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        Assert.Equal((model.Name, model.Preprocessing), (read.Name, read.Preprocessing));
        Assert.Equal(model.Labels, read.Labels);
        Assert.Equal(model.Colors, read.Colors);
    }

    private static void Judge(ImmutableArray<(LiteCase Case, Tensor[] Outputs, string Error)> answers)
    {
        List<string> failures = [];
        foreach ((LiteCase one, Tensor[] outputs, string error) in answers)
        {
            Tensor[] own = Reference.Run(TensorFlowLiteReader.Read(one.File).Graph, [.. one.Fed]);
            try
            {
                Assert.Equal("", error);
                foreach ((int i, (Tensor mine, Tensor theirs)) in own.Zip(outputs).Index()) Near(one, i, theirs, mine);
            }
            catch (Exception wrong)
            {
                failures.Add($"{one.Name}: {wrong.Message}");
            }
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {answers.Length} fail\n{string.Join('\n', failures.Take(40))}");
    }

    /// <summary>Within a step where the file has integers, which fixed point rounds otherwise; else nearly the same.</summary>
    private static void Near(LiteCase one, int output, Tensor theirs, Tensor mine)
    {
        LiteModel model = LiteFile.Read(new(one.File));
        float step = model.Tensors.Where(tensor => tensor is { Data: null, Quantization: not null }).Select(tensor => tensor.Quantization!.Scales.Max()).DefaultIfEmpty().Max();
        if (step == 0 || mine.Type is not ElementType.Float32) Closeness.Check(theirs, mine, NetworkTolerance, $"output {output}");
        else Assert.All(theirs.Floats.ToArray().Zip(mine.Floats.ToArray()), pair => Assert.InRange(pair.Second - pair.First, -1.001f * step, 1.001f * step));
    }

    private static (Model, Tensor) Trained(string name)
    {
        ZooEntry entry = Zoo.Find(name);
        double? width = name.StartsWith("vgg", StringComparison.Ordinal) || name.StartsWith("resnet", StringComparison.Ordinal) ? 0.25 : null;
        Model model = entry.Build(new() { Size = Size.Square(Math.Min(entry.Size.Height, 64)), Classes = 10, Width = width });
        model = model with { Graph = Statistics.Drawn(model.Graph) };
        return (model, RandomTensors.Normal(model.Graph.Inputs[0].Shape, 11));
    }

    /// <summary>Whether values are of types that the package doesn't hand over.</summary>
    private static bool IsStrange(Graph graph) => graph.Inputs.Concat(graph.Outputs).Any(node => node.Info.Type is ElementType.Int64);

    /// <summary>The same computation with reals at the doors, of which its integers are made.</summary>
    private static (Graph, Tensor[]) Real(Graph graph, Tensor[] fed)
    {
        Dictionary<Node, Quantization> meanings = graph.Nodes.Where(node => node is { Op: Reinterpret { Quantization: not null }, Inputs: [{ Op: Input }] })
            .ToDictionary(node => node.Inputs[0], node => ((Reinterpret)node.Op).Quantization!);
        Graph real = graph.Map((node, inputs) => node.Op is Input input && meanings.ContainsKey(node) && input.Type.Size() == 1 ? new(node.Name, input with { Type = ElementType.Float32 })
            : node is { Op: Reinterpret { Quantization: { } meaning }, Inputs: [{ Op: Input } door] } && door.Info.Type.Size() == 1 ? new(node.Name, new QuantizeLinear(door.Info.Type, meaning), inputs)
            : node.With(inputs));
        real = new([.. real.Outputs.Select(output => output.Info.Quantization is null ? output : new Node($"{output.Name}/real", new DequantizeLinear(), output))], real.Inputs);
        return (real, [.. fed.Zip(graph.Inputs, (value, input) => meanings.TryGetValue(input, out Quantization? meaning) && value.Type.Size() == 1
            ? Reference.Evaluate(new Node("reals", new DequantizeLinear(), new Node("integers", new Constant(value, meaning))), [value]) : value)]);
    }
}
