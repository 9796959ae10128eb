using System.Collections.Immutable;
using Penjing.Models;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>What is written as ONNX and read again is the same network.</summary>
public class RoundTripTests
{
    /// <summary>Random networks come back with every name, attribute and bit.</summary>
    [Fact]
    public void Random_networks_come_back()
    {
        for (int seed = 0; seed < 300; seed++) Check(seed % 2 == 0 ? FoldableGraphs.Network(seed) : RandomGraphs.Network(seed), $"seed {seed}");
    }

    /// <summary>Every operation comes back as itself, or, where ONNX says it in other words, as nodes that give the same answer.</summary>
    [Fact]
    public void Operations_come_back()
    {
        HashSet<string> itself = [], all = [];
        foreach (OpCase one in OpCases.All)
        {
            Graph graph = one.Graph(), read;
            try
            {
                read = OnnxReader.Read(OnnxWriter.ToBytes(new Model(graph))).Graph;
            }
            catch (PenjingException error) when (error.Message.Contains("newer than opset", StringComparison.Ordinal)
                || error.Message.Contains("can't be written", StringComparison.Ordinal))
            {
                continue;
            }
            all.Add(one.Op.Name);
            try
            {
                GraphComparison.Check(graph.Rewrite(Passes.FoldConstants), read.Rewrite(Passes.FoldConstants), one.Name);
                itself.Add(one.Op.Name);
            }
            catch (ClosenessException)
            {
                Tensor[] fed = one.Fed();
                Closeness.Check(Reference.Run(graph, fed)[0], Reference.Run(read, fed)[0], 1e-5, one.Name);
            }
        }
        // Opset 17 has no Gelu and no Mish, and no name for integers without their meaning.
        Assert.Equal(["Gelu", "Mish", "Reinterpret"], all.Except(itself).Order(StringComparer.Ordinal));
    }

    /// <summary>Networks of every paper in the zoo come back.</summary>
    [Fact]
    public void The_zoo_comes_back()
    {
        foreach (ZooEntry entry in Zoo.All.GroupBy(entry => entry.Paper).SelectMany(paper => paper.Take(2)))
        {
            Model model = entry.Build();
            if (model.Graph.Parameters < 20_000_000) Check(model.Graph, entry.Name);
        }
    }

    /// <summary>Networks from outside, once read, come back.</summary>
    [Fact]
    public void Outside_networks_come_back()
    {
        if (Repository.Shared("ultralight-face") is not { } faces)
        {
            Assert.Skip("shared/data is not beside the repository");
            return;
        }
        foreach (string path in Directory.GetFiles(Path.GetDirectoryName(faces)!, "*.onnx", SearchOption.AllDirectories)) Check(OnnxReader.Read(path).Graph,
            path);
    }

    /// <summary>Name, labels and preprocessing come back.</summary>
    [Fact]
    public void Descriptions_come_back()
    {
        Model model = new(FoldableGraphs.Network(1))
        {
            Name = "tiny",
            Labels = ["cat", "dog, or other", "", "fish"],
            Colors = [0, 0x0a0b0c, 0xffffff, 1],
            Preprocessing = new(Channels.Bgr, [127.5f, 0.1f, 1e-20f], [127.5f, 1, 2], Fit.Stretch),
        };
        Model read = OnnxReader.Read(OnnxWriter.ToBytes(model));
        Assert.Equal(model.Name, read.Name);
        Assert.Equal(model.Labels, read.Labels);
        Assert.Equal(model.Colors, read.Colors);
        Assert.Equal(model.Preprocessing, read.Preprocessing);
        Model bare = OnnxReader.Read(OnnxWriter.ToBytes(new Model(model.Graph)));
        Assert.Equal(("", 0, null), (bare.Name, bare.Labels.Length, bare.Preprocessing));
    }

    /// <summary>Outputs that are inputs or weights, or given twice, come back as they were.</summary>
    [Fact]
    public void Awkward_outputs_come_back()
    {
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 4, 4])), unused = new("unused", new Input(ElementType.Int8, [2]));
        Node weight = Node.Weight("y/min", RandomTensors.Normal([4], 1)), y = new("y", new Clip(-1, 1), new Node("sum", new Add(), x, weight));
        Check(new([y, x, weight, y], [x, unused]), "awkward outputs");
    }

    /// <summary>Throws unless the graph, its constants folded, comes back.</summary>
    internal static void Check(Graph graph, string what) =>
        GraphComparison.Check(graph.Rewrite(Passes.FoldConstants), OnnxReader.Read(OnnxWriter.ToBytes(new Model(graph))).Graph.Rewrite(Passes.FoldConstants),
            what);
}
