using System.Runtime.Intrinsics.X86;
using Google.Protobuf;
using Penjing.Engine;
using Penjing.Interop.Onnx;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Networks of 8-bit integers, exported with ONNX's QLinear and integer operations and as reals between QuantizeLinear and DequantizeLinear, against ONNX Runtime.</summary>
public class QuantizedAgainstRuntimeTests
{
    public static TheoryData<ElementType, ElementType> Types =>
        new() { { ElementType.UInt8, ElementType.Int8 }, { ElementType.UInt8, ElementType.UInt8 }, { ElementType.Int8, ElementType.Int8 } };

    /// <summary>Sums that are requantized at once are QLinearConv and QLinearMatMul, and each integer is the runtime's; as reals that are rounded they are within a step.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void RequantizedSumsAgreeToTheBit(ElementType left, ElementType right)
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            int groups = random.Next(1, 3), channels = groups * random.Next(1, 5), outputs = groups * random.Next(1, 6), kernel = random.Next(1, 4);
            bool each = random.Next(2) == 0;
            Quantization x = Any(left, random), to = Any(left, random) with { Scales = [0.5f + random.NextSingle()] };
            Quantization w = each ? new([.. Enumerable.Range(0, outputs).Select(_ => 0.001f + random.NextSingle() / 50)], [.. Enumerable.Repeat(Zero(right, random), outputs)], 0) : Any(right, random);
            Node input = new("x", new Input(left, [random.Next(1, 3), channels, random.Next(3, 8), random.Next(3, 8)]));
            Node weights = new("w", new Constant(Weights(left, right, [outputs, channels / groups, kernel, kernel], seed), w));
            Node bias = Node.Weight("b", RandomTensors.Of([outputs], () => random.Next(-5000, 5000)));
            Conv conv = new(Size.Square(random.Next(1, 3)), new(random.Next(0, kernel), random.Next(0, kernel), random.Next(0, kernel), random.Next(0, kernel)), Size.One, groups);
            Node sums = new("sums", conv, [new("real", new Reinterpret(x), input), weights, .. random.Next(2) == 0 ? [bias] : (Node[])[]]);
            Graph once = new(new Node("y", new QuantizeLinear(left, to), sums));
            Check(once, "QLinearConv", seed);
            CheckRounded(once, "Conv", seed);

            // What two read is written with the integers in any case.
            Quantization coarse = to with { Scales = [2 * to.Scales[0]] };
            Graph twice = new([new Node("y", new QuantizeLinear(left, to), sums), new Node("z", new QuantizeLinear(left, coarse), sums)]);
            Assert.Equal(2, OnnxWriter.ToProto(new(twice)).Graph.Node.Count(node => node.OpType == "QLinearConv"));
            Check(twice, "QLinearConv", seed);

            Node row = new("x", new Input(left, [2, 3, channels])), matrix = new("w", new Constant(Weights(left, right, [channels, outputs], seed), w.Axis is null ? w : w with { Axis = 1 }));
            Node product = new("sums", new MatMul(), new Node("real", new Reinterpret(x), row), matrix);
            Check(new(new Node("y", new QuantizeLinear(left, to), product)), "QLinearMatMul", seed);
        }
    }

    /// <summary>A chain from floats through integers, pools and joins back to floats is the runtime's to the bit of every integer; as reals that are rounded its integers are within a step.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void ChainsAgree(ElementType left, ElementType right)
    {
        for (int seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            Quantization x = Any(left, random) with { Scales = [0.03f] }, y = Any(left, random) with { Scales = [0.2f] };
            Node input = new("x", new Input(ElementType.Float32, [1, 4, 9, 8]));
            Node quantized = new("quantized", new QuantizeLinear(left, x), input);
            Node weights = new("w", new Constant(Weights(left, right, [6, 4, 3, 3], seed), new Quantization(0.01f, Zero(right, random))));
            Node conv = new("y", new QuantizeLinear(left, y), new Node("sums", new Conv(Size.One, Padding.All(1), Size.One), quantized, weights));
            Node pool = new("pool", new MaxPool(Size.Square(3), Size.Square(2), Padding.All(1)), new Node("relu", new Relu(), conv));
            Node joined = new("joined", new Concat(1), pool, new("part", new Slice(1, 1, 4), pool));
            Node flat = new("flat", new Flatten(), joined);
            Node matrix = new("m", new Constant(Weights(left, right, [5, flat.Shape[1]], seed + 1), new Quantization(0.02f, 0)));
            Node scores = new("scores", new Gemm(TransposeB: true), flat, matrix, Node.Weight("b", RandomTensors.Of([5], () => random.Next(-3000, 3000))));
            Check(new([new("out", new DequantizeLinear(), scores), joined]), "QLinearConv", seed);
            CheckRounded(new([joined]), "Conv", seed);
            CheckReals(new([new("out", new DequantizeLinear(), scores)]), "Gemm", seed);
        }
    }

    /// <summary>The runtime's own operators on integers are read, and their integers are within a step of its.</summary>
    [Theory]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    public void TheRuntimesOwnOperatorsAgree(ElementType type)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Random random = new(seed);
            Shape shape = [random.Next(1, 3), random.Next(1, 9), random.Next(3, 7), random.Next(3, 7)];
            Tensor Integers(Shape of, int from) => RandomTensors.Any(type, of, from);
            Tensor?[] Steps() => [Tensor.Of<float>([], 0.01f + random.NextSingle() / 30), Integers([], random.Next())];
            Tensor x = Integers(shape, seed), other = Integers(random.Next(2) == 0 ? shape : [1, shape[1], 1, 1], seed + 1);
            Agrees("QLinearAdd", [x, .. Steps(), other, .. Steps(), .. Steps()]);
            Agrees("QLinearMul", [x, .. Steps(), other, .. Steps(), .. Steps()]);
            Agrees("QLinearSigmoid", [x, .. Steps(), .. Steps()]);
            Agrees("QLinearLeakyRelu", [x, .. Steps(), .. Steps()], ("alpha", 0.2f));
            Agrees("QLinearGlobalAveragePool", [x, .. Steps(), .. Steps()], ("channels_last", 0));
            Agrees("QLinearAveragePool", [x, .. Steps(), .. Steps()], ("kernel_shape", new[] { 3, 2 }), ("strides", new[] { 2, 1 }), ("pads", new[] { 1, 0, 1, 1 }), ("count_include_pad", seed % 2));
            Agrees("QLinearConcat", [.. Steps(), x, .. Steps(), Integers([shape[0], 3, shape[2], shape[3]], seed + 2), .. Steps()], ("axis", 1));
            Agrees("QLinearSoftmax", [Integers([3, random.Next(2, 30)], seed), .. Steps(), Tensor.Of<float>([], 1 / 256f), type is ElementType.UInt8 ? Tensor.Of<byte>([], 0) : Tensor.Of<sbyte>([], -128)], ("axis", 1), ("opset", 13 - seed % 2));

            int rows = random.Next(1, 5), inner = random.Next(1, 20), columns = random.Next(1, 9);
            bool turned = random.Next(2) == 0, left = random.Next(2) == 0, each = random.Next(2) == 0;
            Tensor scales = each ? RandomTensors.Of([columns], () => 0.01f + random.NextSingle() / 30) : Tensor.Of<float>([], 0.02f), zeros = Tensor.Zeros(ElementType.Int8, scales.Shape);
            Tensor?[] product = [Integers(left ? [inner, rows] : [rows, inner], seed), .. Steps(), Weights(type, ElementType.Int8, turned ? [columns, inner] : [inner, columns], seed), scales, zeros,
                random.Next(5) switch { 0 => null, 1 => Bias([columns]), 2 => Bias([1, columns]), 3 => Bias([rows, columns]), _ => Bias([1]) }];
            Agrees("QGemm", [.. product, Tensor.Of<float>([], 0.2f), Integers([], seed)], ("transA", left ? 1 : 0), ("transB", turned ? 1 : 0));
            Agrees("QGemm", product, ("transA", left ? 1 : 0), ("transB", turned ? 1 : 0));

            Tensor Bias(Shape of) => RandomTensors.Of(of, () => random.Next(-900, 900));
        }

        static void Agrees(string name, Tensor?[] inputs, params (string, object)[] attributes)
        {
            OnnxVariant variant = new(13, name, [.. inputs], name == "QLinearConcat" ? 0 : 1, Attributes: attributes);
            ModelProto proto = variant.ToProto();
            proto.Graph.Node[0].Domain = OnnxOps.RuntimeDomain;
            proto.OpsetImport.Add(new OperatorSetIdProto { Domain = OnnxOps.RuntimeDomain, Version = 1 });
            byte[] file = proto.ToByteArray();
            Graph graph = OnnxReader.Read(file).Graph;
            using Session session = new(graph, new(1));
            (Tensor own, Tensor theirs) = (session.Run(variant.Given())[0], Runtime.Run(file, graph, variant.Given())[0]);
            if (own.Type is ElementType.Float32) Closeness.Check(theirs, own, 1e-5, variant.ToString());
            else Assert.True(Wide(own).Zip(Wide(theirs), (one, two) => Math.Abs(one - two)).Max() <= 1, variant.ToString());
        }
    }

    /// <summary>A zero point that is left out is 0, of the first input's type.</summary>
    [Fact]
    public void ZeroPointsMayBeLeftOut()
    {
        Tensor x = RandomTensors.Any(ElementType.Int8, [1, 2, 3, 4], 1), scale = Tensor.Of<float>([], 0.02f), zero = Tensor.Of<sbyte>([], 0);
        Assert.True(Answer("QLinearSigmoid", [x, scale, zero, scale, zero]).BitsEqual(Answer("QLinearSigmoid", [x, scale, null, scale])));
        Assert.True(Answer("QLinearAdd", [x, scale, zero, x, scale, zero, scale, zero]).BitsEqual(Answer("QLinearAdd", [x, scale, null, x, scale, null, scale])));

        static Tensor Answer(string name, Tensor?[] inputs)
        {
            OnnxVariant variant = new(13, name, [.. inputs]);
            ModelProto proto = variant.ToProto();
            proto.Graph.Node[0].Domain = OnnxOps.RuntimeDomain;
            return Reference.Run(OnnxReader.Read(proto.ToByteArray()).Graph, variant.Given())[0];
        }
    }

    /// <summary>What the runtime's own operators can have and is not understood is named.</summary>
    [Fact]
    public void WhatIsNotUnderstoodOfThemIsNamed()
    {
        Tensor x = RandomTensors.Any(ElementType.UInt8, [1, 2, 3, 4], 1), scale = Tensor.Of<float>([], 0.1f), zero = Tensor.Of<byte>([], 3);
        Says("'channels_last'", "QLinearGlobalAveragePool", [x, scale, zero, scale, zero], ("channels_last", 1));
        Says("'beta'", "QLinearSigmoid", [x, scale, zero, scale, zero], ("beta", 1));
        Says("'ceil_mode'", "QLinearAveragePool", [x, scale, zero, scale, zero], ("kernel_shape", new[] { 2, 2 }), ("count_include_pad", 1), ("ceil_mode", 1));
        Says("'alpha'", "QGemm", [RandomTensors.Any(ElementType.UInt8, [2, 3], 1), scale, zero, RandomTensors.Any(ElementType.Int8, [3, 4], 1), scale, zero], ("alpha", 2f));
        Says("not 8", "QLinearSigmoid", [x, scale, zero, scale, zero, x, scale, zero]);
        Says("not 7", "QLinearConcat", [scale, zero, x, scale, zero, x, scale], ("axis", 1));
        Says("QLinearAdd", "QLinearReduceMean", [x, scale, zero, scale, zero]);

        static void Says(string word, string name, Tensor?[] inputs, params (string, object)[] attributes)
        {
            ModelProto proto = new OnnxVariant(13, name, [.. inputs], Attributes: attributes).ToProto();
            proto.Graph.Node[0].Domain = OnnxOps.RuntimeDomain;
            Assert.Contains(word, Assert.Throws<ModelFormatException>(() => OnnxReader.Read(proto.ToByteArray())).Message);
        }
    }

    /// <summary>Holds a graph that is exported with ONNX's integer operations against the runtime.</summary>
    private static void Check(Graph graph, string operation, int seed)
    {
        (byte[] file, Tensor[] fed, string what) = Exported(graph, operation, seed, integers: true);
        foreach ((Tensor own, Tensor other) in Reference.Run(graph, fed).Zip(Runtime.Run(file, graph, fed))) Closeness.Check(other, own, 1e-6, what);
    }

    /// <summary>Holds a graph that is exported as reals between QuantizeLinear and DequantizeLinear, which the runtime computes as such, against it: integers within a step, of which one in a hundred may differ at all.</summary>
    private static void CheckRounded(Graph graph, string operation, int seed)
    {
        (byte[] file, Tensor[] fed, string what) = Exported(graph, operation, seed, integers: false);
        foreach ((Tensor own, Tensor other) in Reference.Run(graph, fed).Zip(Runtime.Run(file, graph, fed)))
        {
            int[] off = [.. Wide(own).Zip(Wide(other), (one, two) => Math.Abs(one - two))];
            Assert.True(off.Max() <= 1 && off.Sum() <= 1 + off.Length / 100, $"{what}: {off.Sum()} of {off.Length} integers differ, by up to {off.Max()}");
        }
    }

    private static IEnumerable<int> Wide(Tensor integers) => Reference.Evaluate(new Cast(ElementType.Int32), [integers]).AsSpan<int>().ToArray();

    /// <summary>The same of a graph whose answer stays real, where a step's difference of an integer is one of that size.</summary>
    private static void CheckReals(Graph graph, string operation, int seed)
    {
        (byte[] file, Tensor[] fed, string what) = Exported(graph, operation, seed, integers: false);
        foreach ((Tensor own, Tensor other) in Reference.Run(graph, fed).Zip(Runtime.Run(file, graph, fed))) Closeness.Check(other, own, 5e-3, what);
    }

    private static (byte[] File, Tensor[] Fed, string What) Exported(Graph graph, string operation, int seed, bool integers)
    {
        ModelProto file = OnnxWriter.ToProto(new(graph), integers);
        Assert.Contains(file.Graph.Node, node => node.OpType == operation);
        return (file.ToByteArray(), [.. graph.Inputs.Select(input => RandomTensors.Any(input.Info.Type, input.Shape, seed + 100))], $"{operation}, seed {seed}: {graph.Nodes.First(node => node.Op is Conv or MatMul)}");
    }

    /// <summary>
    /// Weights whose products with any integers of the left type the runtime adds up exactly on this machine: without VNNI it sums pairs of UInt8 · Int8 in
    /// 16 bits, which saturate beyond seven bits of weight (its documentation's reduce_range).
    /// </summary>
    private static Tensor Weights(ElementType left, ElementType right, Shape shape, int seed)
    {
        if ((left, right) is not (ElementType.UInt8, ElementType.Int8) || !X86Base.IsSupported || HasVnni) return RandomTensors.Any(right, shape, seed);
        var random = new Random(seed);
        return RandomTensors.Of(shape, () => (sbyte)random.Next(-64, 64));
    }

    /// <summary>Whether CPUID tells of AVX512_VNNI or AVX_VNNI.</summary>
    private static bool HasVnni => X86Base.IsSupported && ((X86Base.CpuId(7, 0).Ecx >> 11 & 1) != 0 || (X86Base.CpuId(7, 1).Eax >> 4 & 1) != 0);

    private static Quantization Any(ElementType type, Random random) => new(0.005f + random.NextSingle() / 20, Zero(type, random));

    private static int Zero(ElementType type, Random random) => type is ElementType.UInt8 ? random.Next(0, 256) : random.Next(-128, 128);
}
