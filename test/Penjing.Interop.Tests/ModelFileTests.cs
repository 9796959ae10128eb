using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>Files by their endings: every format that can be written comes back as it was, and what can't be is refused with the formats that can.</summary>
public sealed class ModelFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("penjing-model-file-").FullName;

    [Fact]
    public void What_is_written_comes_back()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            Model model = new(FoldableGraphs.Network(seed)) { Name = $"network-{seed}", Labels = ["a", "b"] };
            foreach (ModelFormat format in ModelFile.Formats.Where(format => format is { CanRead: true, CanWrite: true }))
            {
                string path = Path.Combine(folder, $"model{format.Ending.ToUpperInvariant()}");
                long bytes = ModelFile.Write(path, model);
                Assert.Equal(new FileInfo(path).Length, bytes);
                Model back = ModelFile.Read(path);
                Assert.Equal(model.Name, back.Name);
                // TensorFlow Lite has no normalization: it goes into weights.
                if (format.Ending != ".tflite") Assert.Equal(model.Graph.Parameters, back.Graph.Parameters);
                Assert.Equal(model.Labels.AsEnumerable(), back.Labels);
                Tensor input = RandomTensors.Normal(model.Graph.Inputs[0].Shape, seed);
                foreach ((Tensor expected, Tensor actual) in Reference.Run(model.Graph, input).Zip(Reference.Run(back.Graph, input)))
                    Closeness.Check(expected, actual, 1e-5, $"seed {seed}, {format.Name}");
            }
        }
    }

    [Fact]
    public void What_has_no_known_ending_is_refused()
    {
        Model model = new(FoldableGraphs.Network(1));
        string other = Path.Combine(folder, "model.pt"), none = Path.Combine(folder, "none.onnx"), weights = Path.Combine(folder, "weights.net");
        File.WriteAllText(other, "a network");
        File.WriteAllText(weights, "weights");
        Refused(() => ModelFile.Read(other), "model.pt", ".penjing, .onnx, .tflite, .net can be read", ".penjing, .onnx, .tflite can be written");
        Refused(() => ModelFile.Read(none), "none.onnx", "doesn't exist");
        Refused(() => ModelFile.Read(folder), folder, "folder");
        Refused(() => ModelFile.Read(weights), "weights.net", "prototxt");
        Refused(() => ModelFile.Write(weights, model), "weights.net", "not written");
        Refused(() => ModelFile.Write(Path.Combine(folder, "model"), model), ".penjing, .onnx, .tflite can be written");
        Assert.Equal("weights", File.ReadAllText(weights));
        Assert.True(ModelFile.IsKnown("a/b.ONNX") && !ModelFile.IsKnown("onnx"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void Refused(Action action, params string[] words)
    {
        string message = Assert.ThrowsAny<PenjingException>(action).Message;
        foreach (string word in words) Assert.Contains(word, message);
    }
}
