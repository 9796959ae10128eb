using Penjing.Interop.Onnx;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>What stands in an exported file.</summary>
public class OnnxWriterTests
{
    private static readonly Node x = new("x", new Input(ElementType.Float32, [1, 3, 4, 4]));

    /// <summary>A written file parses back to the message, and nothing else is left in the folder.</summary>
    [Fact]
    public void FilesAreWhole()
    {
        string folder = Directory.CreateTempSubdirectory("penjing").FullName, path = Path.Combine(folder, "network.onnx");
        try
        {
            Model model = new(FoldableGraphs.Network(3));
            OnnxWriter.Write(path, model);
            Assert.Equal(OnnxWriter.ToProto(model), ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)));
            Assert.Equal([path], Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Name, labels and preprocessing stand in the metadata.</summary>
    [Fact]
    public void MetadataStands()
    {
        Model model = new(new Graph(new Node("y", new Relu(), x)))
        {
            Name = "tiny",
            Labels = ["cat", "dog, or other"],
            Preprocessing = new(Channels.Rgb, [127.5f, 0.1f, 3], [127.5f, 1, 2], Fit.Stretch),
        };
        ModelProto proto = OnnxWriter.ToProto(model);
        Assert.Equal("tiny", proto.Graph.Name);
        Assert.Equal(
            [("name", "tiny"), ("labels", "cat\ndog, or other"), ("preprocessing.channels", "Rgb"), ("preprocessing.mean", "127.5 0.1 3"), ("preprocessing.deviation", "127.5 1 2"), ("preprocessing.fit", "Stretch")],
            proto.MetadataProps.Select(entry => (entry.Key, entry.Value)));
    }

    /// <summary>Outputs that are inputs, constants, or given twice get values of their own; so do names that a parameter would take.</summary>
    [Fact]
    public void AwkwardOutputsAndNamesRun()
    {
        Node weight = Node.Weight("y/min", RandomTensors.Normal([4], 1)), y = new("y", new Clip(-1, 1), new Node("sum", new Add(), x, weight));
        Graph graph = new([y, x, weight, y], [x]);
        Tensor input = RandomTensors.Normal(x.Shape, 2);
        Tensor[] expected = Reference.Run(graph, input), actual = Runtime.Run(new(graph), [input]);
        for (int i = 0; i < expected.Length; i++) Closeness.CheckBits(expected[i], actual[i], $"output {i}");
    }

    /// <summary>What ONNX has no form for here is refused with the node's name.</summary>
    [Fact]
    public void WhatOnnxCannotSayIsRefused()
    {
        Node quantized = new("scores", new QuantizeLinear(ElementType.Int16, new Quantization(0.5f, 0)), x);
        Assert.Contains("'scores'", Assert.Throws<PenjingException>(() => OnnxWriter.ToBytes(new(new Graph(quantized)))).Message);
        Node resized = new("larger", new Resize(new(9, 9), ScaleHeight: 2, ScaleWidth: 2), x);
        Assert.Contains("'larger'", Assert.Throws<PenjingException>(() => OnnxWriter.ToBytes(new(new Graph(resized)))).Message);
        Assert.Contains("missing", Assert.Throws<PenjingException>(() => OnnxWriter.Write("/missing/folder/network.onnx", new(new Graph(new Node("y", new Relu(), x))))).Message);
    }
}
