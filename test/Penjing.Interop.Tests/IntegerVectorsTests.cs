using System.Text.Json.Nodes;
using Penjing.Engine;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>
/// CMSIS-NN's test vectors of 8-bit operations, whose answers TensorFlow Lite gave: within one step, since TensorFlow Lite multiplies sums by scales in fixed point; and the engine gives
/// the reference's integers at every width.
/// </summary>
public class IntegerVectorsTests
{
    private const string Folder = "cmsis-nn-int8-vectors";
    private static readonly string[] kinds = ["conv", "basic", "grouped", "kernel1x1", "in", "stride2pad1", "depthwise", "avgpooling", "maxpooling"];

    /// <summary>The cases' names; without the data an empty one, which is skipped.</summary>
    public static TheoryData<string> Cases => Repository.Shared(Folder) is not { } folder ? [""] : [.. Directory.GetFiles(folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file))
        .Where(name => kinds.Contains(name.Split('_')[0])).Order(StringComparer.Ordinal)];

    /// <summary>Convolutions, depthwise ones and pools.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Answers_are_within_a_step(string name)
    {
        JsonNode file = JsonNode.Parse(File.ReadAllText(Path.Combine(OutsideNetworksTests.Shared(Folder), $"{name}.json")))!;
        Func<string, int> number = key => (int)file["config"]![$"{name.ToUpperInvariant()}_{key}"]!;
        Func<string, int[]> array = key => [.. file["arrays"]![$"{name}_{key}"]!["data"]!.AsArray().Select(value => (int)value!)];
        (Graph graph, Tensor fed, int[] expected) = name.Split('_')[0] is "avgpooling" or "maxpooling" ? Pool(name.StartsWith("max", StringComparison.Ordinal), number, array)
            : Convolution(name.StartsWith("depthwise", StringComparison.Ordinal), number, array);
        Tensor own = Reference.Run(graph.Rewrite(Passes.ForInference), [fed])[0];
        int[] actual = [.. ChannelsLast(own).Select(value => (int)value)];
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {expected.Zip(actual).Count(pair => pair.First != pair.Second)} of {expected.Length} integers are a step off");
        foreach (Isa isa in Enum.GetValues<Isa>())
        {
            using Session session = new(graph, new(1) { Isa = isa });
            Assert.Equal(own.Bytes.ToArray(), session.Run([fed], TestContext.Current.CancellationToken)[0].Bytes.ToArray());
            Assert.DoesNotContain(session.Steps, step => step.IsFallback);
        }
    }

    /// <summary>None of the 57 that there are is left out.</summary>
    [Fact]
    public void All_are_there()
    {
        OutsideNetworksTests.Shared(Folder);
        Assert.Equal(57, Cases.Count);
    }

    private static (Graph, Tensor, int[]) Convolution(bool depthwise, Func<string, int> number, Func<string, int[]> array)
    {
        (int channels, int outputs, int height, int width) = (number("IN_CH"), number("OUT_CH"), number("FILTER_Y"), number("FILTER_X"));
        int[] weights = array("weights"), shifts = array("output_shift");
        int inner = depthwise ? 1 : weights.Length / (outputs * height * width), taps = height * width;
        // Theirs lie as outputs, rows, columns, inputs; of depthwise ones as rows, columns, outputs.
        Tensor kernel = Tensor.Build<sbyte>([outputs, inner, height, width], values =>
        {
            for (int o = 0; o < outputs; o++)
                for (int i = 0; i < inner; i++)
                    for (int t = 0; t < taps; t++) values[(o * inner + i) * taps + t] = (sbyte)weights[depthwise ? t * outputs + o : (o * taps + t) * inner + i];
        });
        float[] scales = [.. array("output_mult").Zip(shifts, (multiplier, shift) => (float)(multiplier * Math.Pow(2, shift - 31)))];
        Conv conv = new(new(number("STRIDE_Y"), number("STRIDE_X")), Padded(number("INPUT_H"), number("OUTPUT_H"), height, number("STRIDE_Y"), number("DILATION_Y"), number("PAD_Y"),
            number("INPUT_W"), number("OUTPUT_W"), width, number("STRIDE_X"), number("DILATION_X"), number("PAD_X")), new(number("DILATION_Y"), number("DILATION_X")), channels / inner);
        Tensor fed = ChannelsFirst(array("input"), [number("INPUT_BATCHES"), channels, number("INPUT_H"), number("INPUT_W")]);
        Node x = new("x", new Reinterpret(new Quantization(1, -number("INPUT_OFFSET"))), new Node("input", new Input(ElementType.Int8, fed.Shape)));
        Node w = new("w", new Constant(kernel, new Quantization([.. scales], [.. scales.Select(_ => 0)], 0)));
        int[] biases = array("biases");
        Node[] bias = biases.Length == outputs ? [Node.Weight("b", Tensor.Of<int>([outputs], biases))] : [];
        Node sums = new("sums", conv, [x, w, .. bias]);
        return (Ended(sums, number("OUTPUT_OFFSET"), number("OUT_ACTIVATION_MIN"), number("OUT_ACTIVATION_MAX")), fed, array("output_ref"));
    }

    private static (Graph, Tensor, int[]) Pool(bool largest, Func<string, int> number, Func<string, int[]> array)
    {
        (int height, int width, int down, int across) = (number("FILTER_H"), number("FILTER_W"), number("STRIDE_H"), number("STRIDE_W"));
        Padding padding = Padded(number("INPUT_H"), number("OUTPUT_H"), height, down, 1, number("PADDING_H"), number("INPUT_W"), number("OUTPUT_W"), width, across, 1, number("PADDING_W"));
        Tensor fed = ChannelsFirst(array("input_tensor"), [number("BATCH_SIZE"), number("INPUT_C"), number("INPUT_H"), number("INPUT_W")]);
        Node x = new("x", new Reinterpret(new Quantization(1, 0)), new Node("input", new Input(ElementType.Int8, fed.Shape))), real = new("real", new DequantizeLinear(), x);
        Node pool = new("pool", largest ? new MaxPool(new(height, width), new(down, across), padding) : new AveragePool(new(height, width), new(down, across), padding), real);
        return (Ended(pool, 0, number("ACTIVATION_MIN"), number("ACTIVATION_MAX")), fed, array("output"));
    }

    /// <summary>Sums or reals as Int8 of scale 1, clamped between two integers.</summary>
    private static Graph Ended(Node x, int zero, int low, int high)
    {
        Node real = x.Info.Type is ElementType.Float32 ? x : new("real sums", new DequantizeLinear(), x);
        return new(new Node("y", new QuantizeLinear(ElementType.Int8, new(1, zero)), new Node("clamped", new Clip(low - zero, high - zero), real)));
    }

    private static Padding Padded(int height, int outputHeight, int kernelHeight, int down, int dilationDown, int top, int width, int outputWidth, int kernelWidth, int across, int dilationAcross, int left) =>
        new(top, left, Behind(height, outputHeight, kernelHeight, down, dilationDown, top), Behind(width, outputWidth, kernelWidth, across, dilationAcross, left));

    /// <summary>The zeros behind that an extent needs, given those before it.</summary>
    private static int Behind(int extent, int output, int kernel, int stride, int dilation, int before) => Math.Max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - extent - before);

    private static Tensor ChannelsFirst(int[] values, Shape shape) => Tensor.Build<sbyte>(shape, target =>
    {
        int pixels = shape[2] * shape[3];
        for (int i = 0; i < target.Length; i++) target[i] = (sbyte)values[(i / (shape[1] * pixels) * pixels + i % pixels) * shape[1] + i / pixels % shape[1]];
    });

    private static sbyte[] ChannelsLast(Tensor tensor)
    {
        (Shape shape, sbyte[] values) = (tensor.Shape, tensor.AsSpan<sbyte>().ToArray());
        int pixels = shape[2] * shape[3];
        return [.. Enumerable.Range(0, values.Length).Select(i => values[(i / (shape[1] * pixels) * shape[1] + i % shape[1]) * pixels + i / shape[1] % pixels])];
    }
}
