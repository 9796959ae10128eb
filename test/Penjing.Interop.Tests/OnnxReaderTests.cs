using System.Collections.Immutable;
using Google.Protobuf;
using Penjing.Interop.Onnx;
using Penjing.Testing;
using static Penjing.Interop.Tests.OnnxVariant;

namespace Penjing.Interop.Tests;

/// <summary>What the reader makes of files: shapes, weights wherever they lie, branches, functions, halves, and names.</summary>
public class OnnxReaderTests
{
    /// <summary>A Reshape by the input's own shape follows the batch, also to another one later.</summary>
    [Fact]
    public void Shape_arithmetic_folds_and_leaves_the_batch_open()
    {
        GraphProto proto = Graph([Value("x", ElementType.Float32, -1, 3, 4, 4)], ["y"],
            [Weight("zero", Tensor.Of<long>([1], 0)), Weight("rest", Tensor.Of<long>([1], -1))],
            Node("Shape", "shape", ["x"]), Node("Gather", "n", ["shape", "zero"], ("axis", 0)), Node("Concat", "target", ["n", "rest"], ("axis", 0)),
            Node("Reshape", "rows", ["x", "target"]), Node("Relu", "y", ["rows"]));
        Graph graph = Read(13, proto, new() { Batch = 2 });
        Assert.Equal(["x", "rows", "y"], graph.Nodes.Select(node => node.Name));
        Assert.Equal([2, 48], graph.Outputs[0].Shape);
        Assert.Equal([5, 48], graph.WithBatch(5).Outputs[0].Shape);
    }

    /// <summary>Open extents are the batch, those that the options name, or an error that says what to give.</summary>
    [Fact]
    public void Open_extents_are_settled()
    {
        GraphProto proto = Graph([Value("x", ElementType.Float32, 1, 3, -1, 4)], ["y"], [], Node("Relu", "y", ["x"]));
        Assert.Contains("'open'", Assert.Throws<PenjingException>(() => Read(13, proto)).Message);
        Assert.Equal([1, 3, 9, 4], Read(13, proto, new() { Dimensions = ImmutableDictionary<string, int>.Empty.Add("open", 9) }).Outputs[0].Shape);
    }

    /// <summary>Where a shape hangs on an input's value, the error names the input, and binding it helps.</summary>
    [Fact]
    public void Inputs_on_which_shapes_hang_are_bound()
    {
        byte[] file = new OnnxVariant(13, "Reshape", [RandomTensors.Normal([2, 6], 1), Tensor.Of<long>([2], 3, 4)], Fed: 2).ToBytes();
        Assert.Contains("'in1'", Assert.ThrowsAny<PenjingException>(() => OnnxReader.Read(file)).Message);
        Graph graph = OnnxReader.Read(file, new() { Bound = ImmutableDictionary<string, Tensor>.Empty.Add("in1", Tensor.Of<long>([2], 3, 4)) }).Graph;
        Assert.Equal("in0", Assert.Single(graph.Inputs).Name);
        Assert.Equal([3, 4], graph.Outputs[0].Shape);
    }

    /// <summary>Weights lie in initializers that old files list as inputs too, in sparse ones, in Constant nodes of every kind, and typed or raw.</summary>
    [Fact]
    public void Weights_lie_anywhere()
    {
        var typed = new TensorProto { Name = "typed", DataType = 10 };
        typed.Dims.Add(3);
        typed.Int32Data.AddRange([0x3C00, 0xC000, 0x7BFF]);
        var sparse = new SparseTensorProto
        {
            Values = Weight("sparse", Tensor.Of<float>([2], 5, 7)),
            Indices = Weight("", Tensor.Of<long>([2], 0, 2)),
        };
        sparse.Dims.Add(3);
        GraphProto proto = Graph([Value("x", ElementType.Float32, 3), Value("w", ElementType.Float32, 3)], ["y"],
            [Weight("w", Tensor.Of<float>([3], 1, 2, 3)), typed],
            Node("Cast", "wide", ["typed"], ("to", 1)), Node("Constant", "floats", [], ("value_floats", new float[] { 1, 1, 2 })),
                Node("Constant", "one", [], ("value_float", 0.5f)),
            Node("Constant", "tensor", [], ("value", Tensor.Of<float>([3], 9, 8, 7))),
                Node("Sum", "y", ["x", "w", "sparse", "wide", "floats", "one", "tensor"]));
        proto.SparseInitializer.Add(sparse);
        Graph graph = Read(13, proto);
        Assert.Equal("x", Assert.Single(graph.Inputs).Name);
        Assert.Equal([1 + 5 + 1 + 1 + 0.5f + 9, 2 + 0 - 2 + 1 + 0.5f + 8, 3 + 7 + 65504 + 2 + 0.5f + 7],
            Reference.Run(graph, Tensor.Zeros(ElementType.Float32, [3]))[0].Floats.ToArray());
    }

    /// <summary>Weights in files beside the network's are found, and no path leads out of its folder.</summary>
    [Fact]
    public void Weights_lie_in_other_files()
    {
        string folder = Directory.CreateTempSubdirectory("penjing").FullName, inner = Path.Combine(folder, "inner");
        try
        {
            Directory.CreateDirectory(Path.Combine(inner, "sub"));
            Tensor weights = RandomTensors.Normal([3], 1);
            byte[] padding = new byte[64];
            File.WriteAllBytes(Path.Combine(inner, "sub", "w.bin"), [.. padding, .. weights.Bytes.Span]);
            File.WriteAllBytes(Path.Combine(folder, "outside.bin"), weights.Bytes.ToArray());
            File.CreateSymbolicLink(Path.Combine(inner, "link.bin"), Path.Combine(folder, "outside.bin"));
            Directory.CreateSymbolicLink(Path.Combine(inner, "away"), folder);
            Assert.True(OnnxReader.Read(Stored("sub/w.bin", "64", "12")).Graph["w"].Value!.BitsEqual(weights));
            foreach ((string location, string offset, string length, string answer) in new[]
            {
                ("../outside.bin", "0", "12", "folder"), (Path.Combine(folder, "outside.bin"), "0", "12", "folder"), ("link.bin", "0", "12", "folder"),
                    ("away/outside.bin", "0", "12", "folder"), ("w\0.bin", "0", "12", "can't be read"),
                    ("sub/w.bin", "68", "12", "beyond"),
                ("sub/w.bin", "-4", "12", "offset"), ("sub/w.bin", "0", "99999999999", "12 bytes"), ("missing.bin", "0", "12", "missing.bin"),
                    ("sub", "0", "12", "sub"), ("", "0", "12", "''"),
            })
                Assert.Contains(answer, Assert.Throws<ModelFormatException>(() => OnnxReader.Read(Stored(location, offset, length))).Message);
            Assert.Contains("by its path", Assert.Throws<ModelFormatException>(() =>
                OnnxReader.Read(File.ReadAllBytes(Stored("sub/w.bin", "64", "12")))).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string Stored(string location, string offset, string length)
        {
            var weight = new TensorProto { Name = "w", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
            weight.Dims.Add(3);
            foreach ((string key, string value) in new[] { ("location", location), ("offset", offset), ("length", length) })
                weight.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
            string path = Path.Combine(inner, "network.onnx");
            File.WriteAllBytes(path, Model(13, Graph([Value("x", ElementType.Float32, 3)], ["y"], [weight], Node("Add", "y", ["x", "w"]))).ToByteArray());
            return path;
        }
    }

    /// <summary>Many weights over one region of a file claim no more than the file and the network's own warrant.</summary>
    [Fact]
    public void One_region_is_not_many_weights()
    {
        const int count = 100, megabyte = 1 << 20;
        string folder = Directory.CreateTempSubdirectory("penjing").FullName, path = Path.Combine(folder, "network.onnx");
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "w.bin"), new byte[megabyte]);
            var weights = new TensorProto[count];
            for (int i = 0; i < count; i++)
            {
                weights[i] = new TensorProto { Name = $"w{i}", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
                weights[i].Dims.Add(megabyte / 4);
                weights[i].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "w.bin" });
            }
            string[] outputs = [.. Enumerable.Range(0, count).Select(i => $"y{i}")];
            NodeProto[] nodes = [.. outputs.Select((name, i) => Node("Add", name, ["x", $"w{i}"]))];
            foreach ((int used, bool sound) in new[] { (4, true), (count, false) })
            {
                GraphProto graph = Graph([Value("x", ElementType.Float32, 1)], outputs[..used], weights[..used], nodes[..used]);
                File.WriteAllBytes(path, Model(13, graph).ToByteArray());
                if (sound) Assert.Equal(used, OnnxReader.Read(path).Graph.Outputs.Length);
                else Assert.Contains("claim", Assert.Throws<ModelFormatException>(() => OnnxReader.Read(path)).Message);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A row of zeros has no length to be divided by, and stays as it is.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_row_of_zeros_stays(int p)
    {
        Tensor rows = Tensor.Of<float>([2, 2], 0, 0, 3, 0);
        Graph graph = OnnxReader.Read(new OnnxVariant(13, "LpNormalization", [rows], Attributes: [("p", p)]).ToBytes()).Graph;
        Assert.Equal([0, 0, 1, 0], Reference.Run(graph, rows)[0].Floats.ToArray());
    }

    /// <summary>An If whose condition is known is the branch that it takes, which may read values from outside.</summary>
    [Theory]
    [InlineData(1, "Relu")]
    [InlineData(3, "Neg")]
    public void Known_branches_are_taken(int batch, string expected)
    {
        GraphProto then = Graph([], ["then"], [], Node("Relu", "then", ["x"])), otherwise = Graph([], ["else"], [], Node("Neg", "else", ["x"]));
        GraphProto proto = Graph([Value("x", ElementType.Float32, -1, 3)], ["y"],
            [Weight("one", Tensor.Of<long>([1], 1)), Weight("zero", Tensor.Of<long>([1], 0))],
            Node("Shape", "shape", ["x"]), Node("Gather", "n", ["shape", "zero"]), Node("Equal", "single", ["n", "one"]),
            Node("If", "y", ["single"], ("then_branch", then), ("else_branch", otherwise)));
        Node output = Read(13, proto, new() { Batch = batch }).Outputs[0];
        Assert.Equal(("y", expected), (output.Name, output.Op.Name));
    }

    /// <summary>The file's own functions are put in where they are called, with their attributes; those that call themselves without end are refused.</summary>
    [Fact]
    public void Functions_are_put_in()
    {
        var function = new FunctionProto { Name = "Leak", Domain = "own" };
        function.Input.Add("a");
        function.Output.Add("b");
        function.Attribute.Add("slope");
        NodeProto leaky = Node("LeakyRelu", "b", ["a"]);
        leaky.Attribute.Add(new AttributeProto { Name = "alpha", RefAttrName = "slope", Type = AttributeProto.Types.AttributeType.Float });
        function.Node.Add(leaky);
        NodeProto call = Node("Leak", "y", ["x"], ("slope", 0.25f));
        call.Domain = "own";
        ModelProto model = Model(13, Graph([Value("x", ElementType.Float32, 3)], ["y"], [], call));
        model.Functions.Add(function);
        Graph graph = OnnxReader.Read(model.ToByteArray()).Graph;
        Assert.Equal(("y", new LeakyRelu(0.25f)), (graph.Outputs[0].Name, graph.Outputs[0].Op));
        NodeProto itself = call.Clone();
        (itself.Input[0], itself.Output[0]) = ("a", "c");
        function.Node.Insert(0, itself);
        Assert.Contains("deep", Assert.Throws<ModelFormatException>(() => OnnxReader.Read(model.ToByteArray())).Message);
    }

    /// <summary>Attributes reach functions within functions under the inner names, and the branches of a body; overloads are told apart.</summary>
    [Fact]
    public void Functions_pass_attributes_on()
    {
        NodeProto leaky = Node("LeakyRelu", "b", ["a"]), condition = Node("Constant", "yes", [], ("value", Tensor.Of<bool>([], true)));
        leaky.Attribute.Add(new AttributeProto { Name = "alpha", RefAttrName = "slope", Type = AttributeProto.Types.AttributeType.Float });
        NodeProto chosen = Node("If", "c", ["yes"], ("then_branch", Graph([], ["b"], [], leaky)), ("else_branch", Graph([], ["n"], [], Node("Neg", "n", ["a"]))));
        NodeProto inner = Node("Inner", "c", ["a"]);
        inner.Domain = "own";
        inner.Overload = "second";
        inner.Attribute.Add(new AttributeProto { Name = "slope", RefAttrName = "steepness", Type = AttributeProto.Types.AttributeType.Float });
        NodeProto call = Node("Outer", "y", ["x"], ("steepness", 0.25f));
        call.Domain = "own";
        ModelProto model = Model(13, Graph([Value("x", ElementType.Float32, 3)], ["y"], [], call));
        model.Functions.Add([Function("Inner", "", Node("Neg", "c", ["a"])), Function("Inner", "second", condition, chosen), Function("Outer", "", inner)]);
        Assert.Equal(new LeakyRelu(0.25f), OnnxReader.Read(model.ToByteArray()).Graph.Outputs[0].Op);

        static FunctionProto Function(string name, string overload, params NodeProto[] body)
        {
            var function = new FunctionProto { Name = name, Domain = "own", Overload = overload };
            function.Input.Add("a");
            function.Output.Add("c");
            function.Node.AddRange(body);
            return function;
        }
    }

    /// <summary>A Reshape, Transpose, Reshape that shuffles channels is one Gather, unless somebody else reads what lies between.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Channel_shuffles_are_found(bool read)
    {
        GraphProto proto = Graph([Value("x", ElementType.Float32, 2, 12, 3, 5)], read ? ["y", "turned"] : ["y"],
            [Weight("split", Tensor.Of<long>([5], 2, 3, 4, 3, 5)), Weight("join", Tensor.Of<long>([4], 2, -1, 3, 5))],
            Node("Reshape", "groups", ["x", "split"]), Node("Transpose", "turned", ["groups"], ("perm", new[] { 0, 2, 1, 3, 4 })),
                Node("Reshape", "y", ["turned", "join"]));
        Graph graph = Read(13, proto);
        Assert.Equal(read ? 4 : 2, graph.Nodes.Length);
        if (!read) Assert.Equal(Gather.Shuffle(12, 3), graph.Outputs[0].Op);
        Tensor input = RandomTensors.Normal([2, 12, 3, 5], 1);
        Closeness.CheckBits(Runtime.Run(Model(13, proto).ToByteArray(), graph, [input])[0], Reference.Run(graph, input)[0], "shuffle");
    }

    /// <summary>A network of halves computes in single precision from its first product on, and casts at its ends only.</summary>
    [Fact]
    public void Halves_are_cast_at_the_ends_only()
    {
        Tensor kernel = Half(RandomTensors.Normal([4, 3, 3, 3], 1));
        GraphProto proto = Graph([Value("x", ElementType.Float16, 1, 3, 6, 6)], ["y"],
            [Weight("w", kernel), Weight("w2", Half(RandomTensors.Normal([4, 4, 1, 1], 2))), Weight("b", Half(RandomTensors.Normal([4, 1, 1], 3)))],
            Node("Conv", "c", ["x", "w"]), Node("Relu", "r", ["c"]), Node("Add", "s", ["r", "b"]), Node("Concat", "j", ["s", "r"], ("axis", 1)),
                Node("Slice", "h", ["j", "from", "to", "along"]),
            Node("Conv", "d", ["h", "w2"]), Node("GlobalAveragePool", "y", ["d"]));
        proto.Initializer.AddRange([Weight("from", Tensor.Of<long>([1], 2)), Weight("to", Tensor.Of<long>([1], 6)), Weight("along", Tensor.Of<long>([1], 1))]);
        Graph graph = Read(13, proto);
        Assert.Equal(2, graph.Nodes.Count(node => node.Op is Cast));
        Assert.All(graph.Weights, weight => Assert.Equal(ElementType.Float32, weight.Info.Type));
        Assert.Equal(["w", "b", "w2"], graph.Weights.Select(weight => weight.Name));
        Assert.Equal(("y", ElementType.Float16), (graph.Outputs[0].Name, graph.Outputs[0].Info.Type));
        Tensor input = Half(RandomTensors.Normal([1, 3, 6, 6], 4));
        ReadOnlySpan<Half> expected = Runtime.Run(Model(13, proto).ToByteArray(), graph, [input])[0].AsSpan<Half>(),
            actual = Reference.Run(graph, input)[0].AsSpan<Half>();
        for (int i = 0; i < expected.Length; i++) Assert.Equal((double)expected[i], (double)actual[i], 0.02);
    }

    /// <summary>A network of QuantizeLinear and DequantizeLinear pairs computes with integers' meanings, which stand in the values' types.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Quantized_networks_are_read(bool onEngine)
    {
        GraphProto proto = Graph([Value("x", ElementType.Float32, 2, 3, 6, 6)], ["y"],
            [
                Weight("w", RandomTensors.Any(ElementType.Int8, [4, 3, 3, 3], 1)), Weight("w-scale", Tensor.Of<float>([4], 0.01f, 0.02f, 0.005f, 0.01f)),
                Weight("w-zero", Tensor.Zeros(ElementType.Int8, [4])),
                Weight("b", RandomTensors.Any(ElementType.Int32, [4], 2)), Weight("b-scale", Tensor.Of<float>([], 0.001f)),
                Weight("x-scale", Tensor.Of<float>([], 0.02f)), Weight("x-zero", Tensor.Of<byte>([], 128)),
                Weight("y-scale", Tensor.Of<float>([], 0.05f)), Weight("y-zero", Tensor.Of<byte>([], 100)),
            ],
            Node("QuantizeLinear", "xq", ["x", "x-scale", "x-zero"]), Node("DequantizeLinear", "xd", ["xq", "x-scale", "x-zero"]),
            Node("DequantizeLinear", "wd", ["w", "w-scale", "w-zero"], ("axis", 0)), Node("DequantizeLinear", "bd", ["b", "b-scale"]),
            Node("Conv", "c", ["xd", "wd", "bd"]), Node("Relu", "r", ["c"]), Node("MaxPool", "m", ["r"], ("kernel_shape", new[] { 2, 2 })),
            Node("QuantizeLinear", "yq", ["m", "y-scale", "y-zero"]), Node("DequantizeLinear", "y", ["yq", "y-scale", "y-zero"]));
        Graph graph = Read(13, proto);
        Assert.Equal(new Quantization(0.02f, 128), graph["xq"].Info.Quantization);
        Assert.Equal(4, graph["w"].Info.Quantization!.Scales.Length);
        Assert.DoesNotContain(graph.Nodes, node => node.Op is Reinterpret);
        Tensor input = RandomTensors.Normal([2, 3, 6, 6], 3);
        Tensor expected = Runtime.Run(Model(13, proto).ToByteArray(), graph, [input])[0], actual = Reference.Run(graph, input)[0];
        if (onEngine)
        {
            using Engine.Session session = new(graph, new(1));
            actual = session.Run([input], TestContext.Current.CancellationToken)[0];
        }
        for (int i = 0; i < expected.Floats.Length; i++) Assert.Equal(expected.Floats[i], actual.Floats[i], 0.0501);
        RoundTripTests.Check(graph, "a quantized network");
    }

    /// <summary>What isn't understood is one error with the node, the operator, the opset and what is understood.</summary>
    [Fact]
    public void What_is_not_understood_is_named()
    {
        Tensor x = RandomTensors.Normal([1, 2, 3, 4], 1);
        Says(new OnnxVariant(13, "Loop", [x]).ToProto(), "'a Loop'", "Loop", "opset 13", "Relu");
        Says(new OnnxVariant(13, "Relu", [x], Attributes: [("slope", 1)]).ToProto(), "'a Relu'", "opset 13", "'slope'");
        Says(new OnnxVariant(13, "LeakyRelu", [x], Attributes: [("alpha", 1)]).ToProto(), "'a LeakyRelu'", "'alpha'", "FLOAT");
        Says(new OnnxVariant(13, "MaxPool", [x], Attributes: [("kernel_shape", new[] { 2, 2 }), ("auto_pad", "MAYBE")]).ToProto(), "'a MaxPool'", "'MAYBE'",
            "SAME_UPPER");
        Says(new OnnxVariant(13, "Conv", [x, RandomTensors.Normal([5, 3, 1, 1], 2)]).ToProto(), "'a Conv'", "1×2×3×4", "5×3×1×1");
        ModelProto other = new OnnxVariant(13, "FusedConv", [x]).ToProto();
        other.Graph.Node[0].Domain = "com.microsoft";
        other.Graph.Node[0].Name = "";
        Says(other, "'out0'", "com.microsoft", "FusedConv");
        Says(new OnnxVariant(99, "Relu", [x]).ToProto(), "opset 99", $"{OnnxReader.Newest}");
        ModelProto text = new OnnxVariant(13, "Relu", [x]).ToProto();
        text.Graph.Input[0].Type.TensorType.ElemType = 8;
        Says(text, "'in0'", "STRING");
        Assert.Contains("no ONNX file", Assert.Throws<ModelFormatException>(() => OnnxReader.Read("this is a text"u8.ToArray())).Message);
        Assert.Contains("/missing", Assert.Throws<PenjingException>(() => OnnxReader.Read("/missing/network.onnx")).Message);

        static void Says(ModelProto model, params string[] words)
        {
            string message = Assert.Throws<ModelFormatException>(() => OnnxReader.Read(model.ToByteArray())).Message;
            Assert.All(words, word => Assert.Contains(word, message));
        }
    }

    private static Tensor Half(Tensor tensor) => Reference.Evaluate(new Cast(ElementType.Float16), [tensor]);

    private static Graph Read(int opset, GraphProto graph, OnnxOptions? options = null) => OnnxReader.Read(Model(opset, graph).ToByteArray(), options).Graph;

    /// <summary>A graph of inputs, outputs, weights and nodes.</summary>
    internal static GraphProto Graph(ValueInfoProto[] inputs, string[] outputs, TensorProto[] weights, params NodeProto[] nodes)
    {
        var graph = new GraphProto { Name = "graph" };
        graph.Input.AddRange(inputs);
        graph.Output.AddRange(outputs.Select(name => new ValueInfoProto { Name = name }));
        graph.Initializer.AddRange(weights);
        graph.Node.AddRange(nodes);
        return graph;
    }
}
