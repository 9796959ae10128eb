using System.Runtime.InteropServices;
using Penjing.Engine;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Networks that nobody here made, on the engine, against ONNX Runtime and their authors' own answers.</summary>
public class OutsideNetworksTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, string> Networks => [.. OutsideNetworks.Files];

    /// <summary>Every network agrees with ONNX Runtime, relative to the range of each output.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void Outside_networks_agree_with_the_runtime(string folder, string file)
    {
        string path = Path.Combine(Shared(folder), file);
        Model model = OnnxReader.Read(path);
        Tensor[] inputs = [.. model.Graph.Inputs.Select((input, i) => RandomTensors.Uniform(input.Shape, 5 + i, -1, 1))];
        Agree(Runtime.Run(File.ReadAllBytes(path), model.Graph, inputs), OnEngine(model, inputs), $"{file} on the engine");
    }

    /// <summary>All files of the shared data are in the table above.</summary>
    [Fact]
    public void No_network_is_left_out()
    {
        string data = Path.GetDirectoryName(Shared("cifar-resnet20"))!;
        Assert.Equal(
            Directory.GetFiles(data, "*.onnx", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Networks.Select(row => row.Data.Item2).Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// SqueezeNet 1.0 of Deep Compression's author gives five photographs the probabilities that were measured with it, and the same five best.
    /// </summary>
    [Fact]
    public void SqueezeNet_gives_the_published_probabilities()
    {
        string folder = Shared("squeezenet-v1.0-deepcompression");
        Model model = OnnxReader.Read(Path.Combine(folder, "squeezenet_v1.0.onnx"), new() { Batch = 5 });
        Tensor expected = Raw(folder, "expected_v1.0_prob_f32.raw", [5, 1000]),
            actual = OnEngine(model, Raw(folder, "inputs_227_f32_nchw_bgr.raw", [5, 3, 227, 227]))[0].Reshape([5, 1000]);
        Agree([expected], [actual], "SqueezeNet 1.0");
        for (int picture = 0; picture < 5; picture++)
            Assert.Equal(Best(expected, picture), Best(actual, picture));
    }

    /// <summary>The portrait network gives ten photographs the masks that TensorFlow Lite gave them, to one step of 255.</summary>
    [Fact]
    public void Portraits_get_their_masks()
    {
        string folder = Shared("portrait-segmentation");
        Model model = OnnxReader.Read(Path.Combine(folder, "prisma_nchw.onnx"));
        Shape shape = model.Graph.Inputs[0].Shape;
        byte[] pictures = File.ReadAllBytes(Path.Combine(folder, "inputs_256_u8_nhwc.raw")),
            masks = File.ReadAllBytes(Path.Combine(folder, "expected_prisma_fp32_prob_x255_u8.raw"));
        using Session session = new(model, new(2));
        for (int picture = 0; picture < 10; picture++)
        {
            Tensor input = Tensor.Build<float>(shape, values =>
            {
                for (int i = 0; i < values.Length; i++) values[i] = pictures[(picture * 65536 + i % 65536) * 3 + i / 65536] / 255f;
            });
            ReadOnlySpan<float> mask = session.Run([input], TestContext.Current.CancellationToken)[0].Floats;
            double worst = 0;
            for (int i = 0; i < 65536; i++) worst = Math.Max(worst, Math.Abs(mask[i] * 255.0 - masks[picture * 65536 + i]));
            Assert.True(worst <= 1.01, $"picture {picture}: {worst} steps of 255");
        }
    }

    internal static string Shared(string name)
    {
        if (Repository.Shared(name) is { } folder) return folder;
        Assert.Skip($"shared/data/{name} is not beside the repository");
        return "";
    }

    private static Tensor[] OnEngine(Model model, params Tensor[] inputs)
    {
        using Session session = new(model, new(2));
        return session.Run(inputs, TestContext.Current.CancellationToken);
    }

    private static void Agree(Tensor[] expected, Tensor[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int output = 0; output < expected.Length; output++)
        {
            Assert.Equal(expected[output].Shape, actual[output].Shape);
            float[] oracle = expected[output].Floats.ToArray(), answer = actual[output].Floats.ToArray();
            double range = oracle.Max() - oracle.Min(), worst = oracle.Zip(answer, (left, right) => Math.Abs((double)left - right)).Max();
            TestContext.Current.TestOutputHelper?.WriteLine($"{what}, output {output}: largest error {worst:E2} of a range of {range:G3}: {worst / range:E2}");
            Assert.True(worst <= Tolerance * range, $"{what}, output {output}: {worst} of a range of {range}");
        }
    }

    private static Tensor Raw(string folder, string file, Shape shape) => new(ElementType.Float32, shape, File.ReadAllBytes(Path.Combine(folder, file)));

    private static int[] Best(Tensor probabilities, int picture) =>
        [.. MemoryMarshal.Cast<byte, float>(probabilities.Bytes.Span).Slice(picture * 1000, 1000).ToArray().Select((value, label) =>
            (value, label)).OrderByDescending(one => one.value).Take(5).Select(one => one.label)];
}
