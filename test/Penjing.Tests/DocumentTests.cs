using Penjing.Testing;

namespace Penjing.Tests;

/// <summary>The page about the core says what the code says.</summary>
public class DocumentTests
{
    /// <summary>Its table of passes is the list of passes, in their order.</summary>
    [Fact]
    public void PassesStandInTheirTable()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "core.md"));
        string[] formulas = [.. lines.Where(line => line.StartsWith("| `", StringComparison.Ordinal) && line.Contains("=>")).Select(line => line[(line.IndexOf("` | ", StringComparison.Ordinal) + 4)..^2].Replace("\\|", "|"))];
        Assert.Equal(Passes.ForInference.Select(pass => pass.Name), formulas);
    }

    /// <summary>Its first lines of code run.</summary>
    [Fact]
    public void TheExampleRuns()
    {
        Tensor weights = Tensor.Zeros(ElementType.Float32, [8, 3, 3, 3]), picture = Tensor.Zeros(ElementType.Float32, [1, 3, 224, 224]);
        Node x = new("x", new Input(ElementType.Float32, [1, 3, 224, 224]));
        Node conv = new("conv", new Conv(Size.Square(2), Padding.All(1), Size.One), x, Node.Weight("conv.weight", weights));
        Graph graph = new(new Node("relu", new Relu(), conv));

        Graph fused = graph.Rewrite(Passes.ForInference);
        Tensor answer = Reference.Run(fused, picture)[0];
        Assert.Equal(new Relu(), ((Conv)fused.Outputs[0].Op).Then);
        Assert.Equal([1, 8, 112, 112], answer.Shape);
    }
}
