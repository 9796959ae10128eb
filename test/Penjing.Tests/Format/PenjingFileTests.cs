namespace Penjing.Tests;

/// <summary>What is written is read.</summary>
public sealed class PenjingFileTests
{
    /// <summary>A small network comes back.</summary>
    [Fact]
    public void RoundTrip()
    {
        var x = new Node("x", new Input(ElementType.Float32, [1, 3, 8, 8]));
        var w = Node.Weight("w", Tensor.Of<float>([4, 3, 3, 3], [.. Enumerable.Range(0, 108).Select(i => MathF.Sin(i))]));
        var y = new Node("y", new Conv() with { Stride = Size.Square(2), Then = new Clip(0, 6) }, x, w);
        var model = new Model(new Graph(new Node("z", new Flatten(0), y))) { Name = "n", Labels = ["a", "b"], Preprocessing = new(Channels.Gray, [1], [2]), History = [new("train", "d", null, 1, 2)] };
        string path = Path.GetTempFileName();
        FileReport report = PenjingFile.Write(path, model);
        Assert.Equal(new FileInfo(path).Length, report.Bytes);
        Model back = PenjingFile.Read(path);
        Assert.Equal(model.Graph.Nodes.Select(n => n.ToString()), back.Graph.Nodes.Select(n => n.ToString()));
        Assert.Equal(model.Graph.Nodes.Select(n => n.Op), back.Graph.Nodes.Select(n => n.Op));
        File.Delete(path);
    }
}
