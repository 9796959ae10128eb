using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Penjing.Interop;
using Penjing.Lab;
using Penjing.Testing;
using Penjing.Training;

namespace Penjing.Cli.Tests;

/// <summary>
/// A network that nobody here made, straight from pictures: SqueezeNet 1.0 as the author of Deep Compression published it,
/// against ONNX Runtime's probabilities.
/// </summary>
public sealed class SqueezeNetTests : IDisposable
{
    private const int Classes = 1000;
    private static readonly string[] names = ["cat", "grace_hopper", "dragonfly", "sunflower", "bird"];
    private readonly Scratch scratch = new();

    [Theory]
    [InlineData("compressed_SqueezeNet.net", "--prototxt SqueezeNet_deploy.prototxt", "net.penjing")]
    [InlineData("squeezenet_v1.0.onnx", "--preprocessing bgr,mean=104/117/123,fit=stretch", "onnx.penjing")]
    [InlineData("squeezenet_v1.0.onnx", "--preprocessing bgr,mean=104/117/123,fit=stretch", "onnx.onnx")]
    public void Pictures_get_the_answers_that_onnx_runtime_gives(string source, string option, string target)
    {
        (string folder, string pictures) = Data();
        string[] words = option.Replace("SqueezeNet_deploy", Path.Combine(folder, "SqueezeNet_deploy")).Split(' ');
        Cli.Run(["convert", Path.Combine(folder, source), scratch[target], .. words]).Ends(0);
        float[][] expected = Expected(folder);

        string[] files = [.. names.Select(name => Path.Combine(pictures, name + ".bmp"))];
        JsonArray results = Cli.Run(["run", scratch[target], .. files, "--top", "5", "--json"]).Json()["results"]!.AsArray();
        foreach ((int picture, float[] probabilities) in expected.Index())
            Assert.Equal(Top(probabilities), results[picture]!["top"]!.AsArray().Select(guess => (int)guess!["index"]!));

        Npy.Write(scratch["inputs.npy"], Tensor.Of<float>([names.Length, 3, 227, 227], MemoryMarshal.Cast<byte,
            float>(File.ReadAllBytes(Path.Combine(folder, "inputs_227_f32_nchw_bgr.raw")))));
        Cli.Run("run", scratch[target], scratch["inputs.npy"], "-o", scratch["outputs.npy"]).Ends(0);
        Tensor outputs = Npy.Read(scratch["outputs.npy"]);
        for (int picture = 0; picture < names.Length; picture++)
        {
            float[] given = outputs.Floats.Slice(picture * Classes, Classes).ToArray();
            Probabilities.From(given);
            double worst = given.Zip(expected[picture], (a, b) => Math.Abs(a - b)).Max(), range = expected[picture].Max() - expected[picture].Min();
            Assert.True(worst <= 1e-4 * range, $"{names[picture]}: a probability is off by {worst:E2}, more than 1e-4 of {range:F3}");
        }
    }

    [Fact]
    public void Inputs_from_pictures_are_within_a_step_of_pillows()
    {
        (string folder, string pictures) = Data();
        Model model = ModelFile.Read(Path.Combine(folder, "compressed_SqueezeNet.net"),
            new() { Prototxt = Path.Combine(folder, "SqueezeNet_deploy.prototxt") });
        byte[] raw = File.ReadAllBytes(Path.Combine(folder, "inputs_227_f32_nchw_bgr.raw"));
        int elements = model.Graph.Inputs[0].Shape.Elements;
        foreach ((int index, string name) in names.Index())
        {
            ReadOnlySpan<float> expected = MemoryMarshal.Cast<byte, float>(raw).Slice(index * elements, elements);
            ReadOnlySpan<float> given = Pictures.Load(Path.Combine(pictures, name + ".bmp")).ToInput(model.Preprocessing!,
                model.Graph.Inputs[0].Shape).Floats;
            double worst = 0;
            for (int i = 0; i < elements; i++) worst = Math.Max(worst, Math.Abs(given[i] - expected[i]));
            Assert.True(worst <= 1, $"{name}: an input is off by {worst} of 255");
        }
    }

    [Fact]
    public void The_two_files_of_the_network_agree_in_every_layer()
    {
        (string folder, _) = Data();
        string prototxt = Path.Combine(folder, "SqueezeNet_deploy.prototxt");
        Run run = Cli.Run("compare", Path.Combine(folder, "squeezenet_v1.0.onnx"), Path.Combine(folder, "compressed_SqueezeNet.net"), "--prototxt", prototxt,
            "--runs", "1", "--json");
        JsonArray layers = JsonNode.Parse(run.Output)!["layers"]!.AsArray();
        Assert.True(layers.Count > 60, run.ToString());
        Assert.All(layers, layer => Assert.Equal(0, (double)layer!["maxError"]!));
    }

    public void Dispose() => scratch.Dispose();

    private static (string Folder, string Pictures) Data()
    {
        if (Repository.Shared("squeezenet-v1.0-deepcompression") is not { } folder || Repository.Shared("coral-tflite") is not { } pictures)
        {
            Assert.Skip("shared/data has no squeezenet-v1.0-deepcompression or coral-tflite: name the folder shared by PENJING_SHARED");
            throw new InvalidOperationException();
        }
        return (folder, pictures);
    }

    private static float[][] Expected(string folder)
    {
        float[] all = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, "expected_v1.0_prob_f32.raw"))).ToArray();
        return [.. all.Chunk(Classes)];
    }

    private static IEnumerable<int> Top(float[] probabilities) =>
        Enumerable.Range(0, probabilities.Length).OrderByDescending(index => probabilities[index]).Take(5);
}
