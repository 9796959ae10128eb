using System.Collections.Immutable;
using System.Globalization;
using Penjing.Engine;
using Penjing.Interop.TensorFlowLite;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>TensorFlow Lite files that nobody here made, on the engine, against the answers that TensorFlow Lite gave.</summary>
public class TensorFlowLiteReaderTests
{
    private const int Classes = 1001;

    private static string Coral => OutsideNetworksTests.Shared("coral-tflite");

    /// <summary>All files of shared/data; without the data an empty name, which is skipped.</summary>
    public static TheoryData<string> Files => Repository.Shared("coral-tflite") is not { } folder ? [""]
        : [.. Directory.GetFiles(Path.GetDirectoryName(folder)!, "*.tflite", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Path.GetDirectoryName(folder)!, path)).Order(StringComparer.Ordinal)];

    /// <summary>MobileNets of 8-bit integers give five photographs the published classes, each probability within one step; as floats, the same best class.</summary>
    [Theory]
    [InlineData("mobilenet_v1_0.25_128_quant", 128)]
    [InlineData("mobilenet_v1_0.5_160_quant", 160)]
    [InlineData("mobilenet_v1_0.75_192_quant", 192)]
    public void MobileNets_answer_as_published(string file, int size)
    {
        Model model = TensorFlowLiteReader.Read(Path.Combine(Coral, $"{file}.tflite"));
        byte[] pixels = File.ReadAllBytes(Path.Combine(Coral, "expected", $"inputs_{size}_u8.raw")), expected = File.ReadAllBytes(Path.Combine(Coral, "expected", $"{file}.out_u8.raw"));
        Assert.Equal(new Preprocessing(Channels.Rgb, [128, 128, 128], [128, 128, 128], Fit.Stretch), model.Preprocessing);
        Graph reals = model.Graph.Rewrite(Passes.ToFloats);
        Assert.DoesNotContain(reals.Nodes, node => node.Info.Type is not ElementType.Float32);
        Assert.Equal(model.Graph.Outputs[0].Name, reals.Outputs[0].Name);
        using Session session = new(model, new(2)), floats = new(model with { Graph = reals }, new(2));
        Assert.DoesNotContain(session.Steps, step => step.Op is "Conv" || step.IsFallback);
        for (int picture = 0; picture < 5; picture++)
        {
            Tensor input = Picture(pixels, picture, size);
            int[] wanted = [.. expected.AsSpan(picture * Classes, Classes).ToArray().Select(value => (int)value)], answer = Steps(session, input, 1 / 256f);
            Assert.All(wanted.Zip(answer), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
            int best = Array.IndexOf(wanted, wanted.Max());
            Assert.Equal(best, Array.IndexOf(answer, answer.Max()));
            float[] real = floats.Run([input], TestContext.Current.CancellationToken)[0].Floats.ToArray();
            Assert.Equal(best, Array.IndexOf(real, real.Max()));
        }
    }

    /// <summary>As floats, Coral's MobileNets are bases of parsers: what the base sees in a picture, the parser sees.</summary>
    [Theory]
    [InlineData(0.75, 192)]
    [InlineData(0.5, 160)]
    [InlineData(0.25, 128)]
    public void MobileNets_are_bases_of_parsers(double width, int size)
    {
        Size picture = new(64, 96);
        Model read = TensorFlowLiteReader.Read(Path.Combine(Coral, string.Create(CultureInfo.InvariantCulture, $"mobilenet_v1_{width}_{size}_quant.tflite")));
        Model model = read with { Graph = read.Graph.Rewrite(Passes.ToFloats) };
        (Model founded, ImmutableArray<string> normalizations) = Transplant.Into(ParseNet.Build(width, picture), model);
        Assert.Equal(27, normalizations.Length);
        Assert.Equal((read.Preprocessing!.Mean[0], read.Preprocessing.Deviation[0]), (founded.Preprocessing!.Mean[0], founded.Preprocessing.Deviation[0]));
        Tensor noise = RandomTensors.Uniform([1, 3, picture.Height, picture.Width], 4);
        Closeness.Check(Features(new Graph(Seen(model.Graph)).WithSize(picture.Height, picture.Width)), Features(new Graph(Seen(founded.Graph))), 1e-3, $"{width}");

        // What the base's 24th convolution, the 12th block's depthwise one, takes: those before it have the parser's strides.
        static Node Seen(Graph graph) => graph.Nodes.Where(node => node.Op is Conv).ElementAt(23).Inputs[0];

        Tensor Features(Graph graph)
        {
            using Session session = new(graph, new(1));
            return session.Run([noise], TestContext.Current.CancellationToken)[0];
        }
    }

    /// <summary>The last layers of a MobileNet give random activations the published probabilities to the bit.</summary>
    [Fact]
    public void Head_answers_as_published()
    {
        Model model = TensorFlowLiteReader.Read(Path.Combine(Coral, "mobilenet_quant_v1_224_head_layers.tflite"));
        byte[] given = File.ReadAllBytes(Path.Combine(Coral, "expected", "head_inputs_u8.raw")), expected = File.ReadAllBytes(Path.Combine(Coral, "expected", "head.out_u8.raw"));
        float scale = ((QuantizeLinear)model.Graph.Nodes.First(node => node.Op is QuantizeLinear).Op).Quantization.Scales[0];
        using Session session = new(model, new(1));
        for (int row = 0; row < 4; row++)
        {
            Tensor input = Tensor.Of<float>([1, 1024, 1, 1], [.. given.AsSpan(row * 1024, 1024).ToArray().Select(value => value * scale)]);
            Assert.Equal(expected.AsSpan(row * Classes, Classes).ToArray().Select(value => (int)value), Steps(session, input, 1 / 256f));
        }
    }

    /// <summary>DeepLab gives pixels the published classes, but where the two that come first are within two steps of each other.</summary>
    [Theory]
    [InlineData("bird")]
    [InlineData("dog")]
    public void DeepLab_answers_as_published(string photo)
    {
        const int side = 513, most = 2;
        Model model = TensorFlowLiteReader.Read(Path.Combine(Coral, "deeplabv3_mnv2_dm05_pascal_quant.tflite"));
        byte[] expected = File.ReadAllBytes(Path.Combine(Coral, "expected", $"deeplabv3_mnv2_dm05_pascal_quant.{photo}.argmax_u8.raw"));
        Node scores = model.Graph.Nodes.First(node => node.Op is ArgMax).Inputs[0];
        float step = ((QuantizeLinear)scores.Inputs[0].Op).Quantization.Scales[0];
        using Session session = new(model with { Graph = new([model.Graph.Outputs[0], scores], model.Graph.Inputs) }, new(2));
        Tensor[] answer = session.Run([Picture(File.ReadAllBytes(Path.Combine(Coral, "expected", $"{photo}_513_u8.raw")), 0, side)], TestContext.Current.CancellationToken);
        ReadOnlySpan<long> classes = answer[0].AsSpan<long>();
        ReadOnlySpan<float> real = answer[1].Floats;
        int others = 0;
        for (int pixel = 0; pixel < classes.Length; pixel++)
        {
            if (classes[pixel] == expected[pixel]) continue;
            others++;
            float own = real[(int)classes[pixel] * side * side + pixel], published = real[expected[pixel] * side * side + pixel];
            Assert.True(own - published <= most * step * 1.001f, $"pixel {pixel}: class {classes[pixel]} of {own} where {expected[pixel]} of {published} was published");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{others} of {classes.Length} pixels have another class");
        Assert.InRange(others, 0, classes.Length / 200);
    }

    /// <summary>The portrait network gives ten photographs the published masks, and those of the same network as ONNX to the bit or nearly.</summary>
    [Fact]
    public void Portraits_get_their_masks()
    {
        string folder = OutsideNetworksTests.Shared("portrait-segmentation");
        byte[] pixels = File.ReadAllBytes(Path.Combine(folder, "inputs_256_u8_nhwc.raw")), masks = File.ReadAllBytes(Path.Combine(folder, "expected_prisma_fp32_prob_x255_u8.raw"));
        using Session session = new(TensorFlowLiteReader.Read(Path.Combine(folder, "prisma-net.tflite")), new(2)), onnx = new(OnnxReader.Read(Path.Combine(folder, "prisma_nchw.onnx")), new(2));
        for (int picture = 0; picture < 10; picture++)
        {
            Tensor input = Picture(pixels, picture, 256, 0, 255);
            float[] mask = session.Run([input], TestContext.Current.CancellationToken)[0].Floats.ToArray(), other = onnx.Run([input], TestContext.Current.CancellationToken)[0].Floats.ToArray();
            // The published masks are rounded to steps of 255.
            for (int i = 0; i < mask.Length; i++)
            {
                Assert.InRange(mask[i] * 255.0 - masks[picture * mask.Length + i], -0.5 - 255e-4, 0.5 + 255e-4);
                Assert.InRange(mask[i] - other[i], -1e-4, 1e-4);
            }
        }
    }

    /// <summary>A face detector gives what the same network gives as ONNX, relative to the range of each output.</summary>
    [Theory]
    [InlineData("RFB")]
    [InlineData("slim")]
    public void Faces_are_those_of_the_sibling(string kind)
    {
        string folder = OutsideNetworksTests.Shared("ultralight-face");
        Model own = TensorFlowLiteReader.Read(Path.Combine(folder, $"version-{kind}-320_without_postprocessing.tflite")), onnx = OnnxReader.Read(Path.Combine(folder, $"version-{kind}-320_simplified.onnx"));
        Tensor input = RandomTensors.Uniform(own.Graph.Inputs[0].Shape, 3);
        using Session session = new(own, new(2)), other = new(onnx, new(2));
        Tensor[] expected = other.Run([input], TestContext.Current.CancellationToken);
        foreach (Tensor answer in session.Run([input], TestContext.Current.CancellationToken))
        {
            float[] sibling = expected.Single(one => one.Shape == answer.Shape).Floats.ToArray();
            double range = sibling.Max() - sibling.Min(), worst = sibling.Zip(answer.Floats.ToArray(), (one, two) => Math.Abs((double)one - two)).Max();
            // The two were folded from normalizations by different tools: TensorFlow Lite itself is as far from the sibling.
            Assert.True(worst <= 5e-4 * range, $"{answer}: {worst} of a range of {range}");
        }
    }

    /// <summary>Every file gives random inputs what TensorFlow Lite gives them: integers within two steps, since noise at the input lets the steps of layers add up, floats within 10⁻⁴; written again it gives the same, and it takes a batch.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public async Task Files_answer_as_in_the_runtime(string file)
    {
        string path = Path.Combine(Path.GetDirectoryName(OutsideNetworksTests.Shared("coral-tflite"))!, file);
        byte[] bytes = File.ReadAllBytes(path);
        Model model = TensorFlowLiteReader.Read(bytes);
        ImmutableArray<Tensor> fed = [.. model.Graph.Inputs.Select((input, i) => Fed(model, input, i))];
        using Session session = new(model, new(2));
        Tensor[] own = session.Run([.. fed], TestContext.Current.CancellationToken);
        Assert.Equal(own.Select(one => one.Shape.With(0, 3)), model.Graph.WithBatch(3).Outputs.Select(output => output.Shape));
        using Session again = new(TensorFlowLiteReader.Read(TensorFlowLiteWriter.ToBytes(model)), new(2));
        foreach ((Tensor one, Tensor other) in own.Zip(again.Run([.. fed], TestContext.Current.CancellationToken))) Closeness.Check(one, other, 1e-5, $"{file}, written and read again");
        if (own[0].Type is ElementType.Int64) return; // The package hands no Int64 over; these are judged by what is published.
        (_, Tensor[] judged, string error) = (await LiteRuntime.Run([new(file, bytes, fed)]))[0];
        Assert.Equal("", error);
        LiteModel stored = LiteFile.Read(new(bytes));
        // A hybrid operation rounds its input to 8 bits at each run; what is read computes with the floats that are given.
        bool hybrid = stored.Operators.Any(one => one.Op.Name is "CONV_2D" or "FULLY_CONNECTED" && stored.Tensors[one.Inputs[0]].Quantization is null && stored.Tensors[one.Inputs[1]].Quantization is not null);
        for (int output = 0; output < own.Length; output++)
        {
            float step = stored.Tensors[stored.Outputs[output]].Quantization?.Scales[0] ?? 0;
            double worst = own[output].Floats.ToArray().Zip(judged[output].Floats.ToArray(), (one, two) => Math.Abs((double)one - two)).Max();
            TestContext.Current.TestOutputHelper?.WriteLine($"{file}, output {output}: {(step > 0 ? $"{worst / step:F2} steps" : $"{worst:E2}")}");
            Assert.True(worst <= (step > 0 ? 2.001 * step : hybrid ? 0.02 : 1e-4), $"output {output}: {worst}, a step being {step}");
        }
    }

    private static Tensor Fed(Model model, Node input, int seed) => model.Preprocessing is { } pictures
        ? Tensor.Build<float>(input.Shape, values =>
        {
            var random = new Random(seed);
            for (int i = 0; i < values.Length; i++) values[i] = (random.Next(256) - pictures.Mean[0]) / pictures.Deviation[0];
        })
        : RandomTensors.Uniform(input.Shape, seed);

    private static Tensor Picture(byte[] pixels, int picture, int size, float mean = 128, float deviation = 128) => Tensor.Build<float>([1, 3, size, size], values =>
    {
        int area = size * size;
        for (int i = 0; i < values.Length; i++) values[i] = (pixels[(picture * area + i % area) * 3 + i / area] - mean) / deviation;
    });

    private static int[] Steps(Session session, Tensor input, float step) =>
        [.. session.Run([input], TestContext.Current.CancellationToken)[0].Floats.ToArray().Select(value => (int)MathF.Round(value / step))];
}
