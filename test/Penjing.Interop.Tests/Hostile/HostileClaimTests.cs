using Google.Protobuf;
using Penjing.Interop.Onnx;
using static Penjing.Interop.Tests.OnnxReaderTests;
using static Penjing.Interop.Tests.OnnxVariant;

namespace Penjing.Interop.Tests;

/// <summary>Small files that claim much: each is refused, or stays as small as it came.</summary>
public class HostileClaimTests
{
    private static readonly Tensor one = Tensor.Of<float>([1], 1), billion = Tensor.Of<long>([1], 1_000_000_000);

    /// <summary>The claims, by name.</summary>
    public static TheoryData<string> Claims => [.. Files().Select(one => one.Name)];

    /// <summary>Each claim costs no more memory than a small file may, and ends.</summary>
    [Theory]
    [MemberData(nameof(Claims))]
    public void Claims_cost_nothing(string name)
    {
        (_, ModelProto model, bool sound) = Files().Single(one => one.Name == name);
        Assert.Equal(sound, Hostile.Read(model.ToByteArray()));
    }

    /// <summary>Each claim as a file, and whether it is a network none the less.</summary>
    internal static IEnumerable<(string Name, ModelProto Model, bool Sound)> Files()
    {
        yield return ("zeros", new OnnxVariant(13, "ConstantOfShape", [billion], Fed: 0).ToProto(), false);
        yield return ("expanded", new OnnxVariant(13, "Expand", [one, billion], Fed: 0).ToProto(), true);
        yield return ("tiled", new OnnxVariant(13, "Tile", [one, billion], Fed: 0).ToProto(), true);
        yield return ("padded", new OnnxVariant(13, "Pad", [one, Tensor.Of<long>([2], 0, 1_000_000_000)], Fed: 0).ToProto(), true);
        yield return ("wrapped", new OnnxVariant(19, "Pad", [one, Tensor.Of<long>([2], 0, 1_000_000_000)], Fed: 0, Attributes: [("mode", "wrap")]).ToProto(),
            false);
        yield return ("range", new OnnxVariant(13, "Range", [Tensor.Of<long>([], 0), Tensor.Of<long>([], long.MaxValue), Tensor.Of<long>([], 1)],
            Fed: 0).ToProto(), false);
        yield return ("endless range", new OnnxVariant(13, "Range", [Tensor.Of<float>([], 0), Tensor.Of<float>([], 1), Tensor.Of<float>([], 0)],
            Fed: 0).ToProto(), false);
        yield return ("one-hot", new OnnxVariant(13, "OneHot", [Tensor.Of<long>([1], 0), billion, Tensor.Of<float>([2], 0, 1)], Fed: 0).ToProto(), true);
        yield return ("resized", new OnnxVariant(13, "Resize", [Tensor.Of<float>([1, 1, 1, 1], 1), null, null, Tensor.Of<long>([4], 1, 1, 40_000, 40_000)],
            Fed: 0).ToProto(), true);
        yield return ("unpooled", new OnnxVariant(11, "MaxUnpool",
            [Tensor.Of<float>([1, 1, 1, 1], 1), Tensor.Of<long>([1, 1, 1, 1], 0), Tensor.Of<long>([4], 1, 1, 40_000, 40_000)],
            Attributes: [("kernel_shape", new[] { 2, 2 })]).ToProto(), false);
        yield return ("eye", new OnnxVariant(13, "EyeLike", [null]).ToProto(), false);

        Tensor thousand = Tensor.Zeros(ElementType.Float32, [1000]);
        yield return ("a product of three", new OnnxVariant(13, "Einsum", [thousand, thousand, thousand], Fed: 0,
            Attributes: [("equation", "a,b,c->")]).ToProto(), true);
        yield return ("a wide region", new OnnxVariant(16, "RoiAlign", [Tensor.Of<float>([1, 1, 1, 1], 1), Tensor.Of<float>([1, 4], 0, 0, 6e6f, 6e6f),
            Tensor.Of<long>([1], 0)], Fed: 0, Attributes: [("output_height", 100), ("output_width", 100)]).ToProto(), true);
        yield return ("a long shuffle", Model(13, Graph([Value("x", ElementType.Float32, 1, 1 << 30)], ["y"],
            [Weight("split", Tensor.Of<long>([3], 1, 1 << 15, 1 << 15)), Weight("join", Tensor.Of<long>([2], 1, 1 << 30))],
            Node("Reshape", "s", ["x", "split"]), Node("Transpose", "t", ["s"], ("perm", new[] { 0, 2, 1 })), Node("Reshape", "y", ["t", "join"]))), true);
        yield return ("a weight without a name", Model(13, Graph([], [""], [Weight("", one)])), false);
        ModelProto sparse = Model(13, Graph([], [""], []));
        sparse.Graph.SparseInitializer.Add(new SparseTensorProto());
        yield return ("a sparse weight without values", sparse, false);
        ModelProto many = new OnnxVariant(13, "Sum", [one, one]).ToProto();
        many.Graph.Node[0].Input.Add(Enumerable.Repeat(many.Graph.Node[0].Input[0], 200_000));
        yield return ("a sum of many", many, false);

        ModelProto eye = new OnnxVariant(13, "EyeLike", [Tensor.Of<float>([1, 1], 1)]).ToProto();
        foreach (TensorShapeProto.Types.Dimension dim in eye.Graph.Input[0].Type.TensorType.Shape.Dim) dim.DimValue = 40_000;
        yield return ("great eye", eye, false);

        ModelProto huge = new OnnxVariant(13, "Relu", [one]).ToProto();
        huge.Graph.Input[0].Type.TensorType.Shape.Dim[0].DimValue = long.MaxValue;
        yield return ("huge extent", huge, false);
        ModelProto axes = new OnnxVariant(13, "Relu", [one]).ToProto();
        for (int i = 0; i < 100_000; i++) axes.Graph.Input[0].Type.TensorType.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = 1 });
        yield return ("many axes", axes, false);
        ModelProto empty = new OnnxVariant(13, "Add", [one, one]).ToProto();
        empty.Graph.Initializer[0].Dims[0] = 1_000_000_000;
        yield return ("a weight without its data", empty, false);

        // Each sum doubles the way back to the input, or the extent.
        yield return ("doubled paths", Chain(60, (i, from) => Node("Add", $"v{i}", [from, from])), true);
        yield return ("doubled extents", Chain(60, (i, from) => Node("Concat", $"v{i}", [from, from], ("axis", 0))), false);
        yield return ("doubled constants", Chain(26, (i, from) => Node("Concat", $"v{i}", [from, from], ("axis", 0)), constant: true), true);
        yield return ("one name for all", Chain(3, (_, from) => Node("Relu", "v0", [from])), false);
        yield return ("a cycle", Model(13, Graph([Value("x", ElementType.Float32, 1)], ["y"], [], Node("Add", "y", ["x", "z"]), Node("Relu", "z", ["y"]))),
            false);
        yield return ("a node that reads itself", Model(13, Graph([Value("x", ElementType.Float32, 1)], ["y"], [], Node("Add", "y", ["x", "y"]))), false);

        GraphProto deep = Graph([], ["y"], [], Node("Relu", "y", ["x"]));
        GraphProto flat = Graph([], ["z"], [], Node("Relu", "z", ["x"]));
        for (int i = 0; i < 40; i++) deep = Graph([], ["y"], [], Node("If", "y", ["yes"], ("then_branch", deep), ("else_branch", flat)));
        deep.Input.Add(Value("x", ElementType.Float32, 1));
        deep.Initializer.Add(Weight("yes", Tensor.Of<bool>([], true)));
        yield return ("deep branches", Model(13, deep), false);

        ModelProto calls = Model(13, Graph([Value("x", ElementType.Float32, 1)], ["y"], [], Call(0, "y", "x")));
        for (int i = 0; i < 30; i++)
        {
            var function = new FunctionProto { Name = $"f{i}", Domain = "own" };
            function.Input.Add("a");
            function.Output.Add("c");
            function.Node.AddRange([Call(i + 1, "b", "a"), Call(i + 1, "c", "b")]);
            calls.Functions.Add(function);
        }
        yield return ("functions that call others twice", calls, false);
    }

    private static NodeProto Call(int function, string to, string from)
    {
        NodeProto node = Node(function == 30 ? "Relu" : $"f{function}", to, [from]);
        node.Domain = function == 30 ? "" : "own";
        return node;
    }

    private static ModelProto Chain(int length, Func<int, string, NodeProto> node, bool constant = false)
    {
        NodeProto[] nodes = [.. Enumerable.Range(0, length).Select(i => node(i, i == 0 ? "x" : $"v{i - 1}"))];
        GraphProto graph = Graph(constant ? [] : [Value("x", ElementType.Float32, 1)], [nodes[^1].Output[0]], constant ? [Weight("x", one)] : [], nodes);
        return Model(13, graph);
    }
}
