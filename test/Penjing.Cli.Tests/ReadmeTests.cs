using Penjing.Compression;
using Penjing.Engine;
using Penjing.Models;

namespace Penjing.Cli.Tests;

/// <summary>The code in the README compiles, runs, and is this code.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void Its_code_runs()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            Model model = MobileNetV1.Small(width: 0.25);
            Graph pruned = Pruner.Prune(model.Graph, new() { Ratio = 0.5 });
            Graph shared = Sharing.Finish(Sharing.Share(BatchNorms.Equalize(pruned), new() { Dense = new(32, Rate: 0.03) }));
            FileReport file = PenjingFile.Write(path, model with { Graph = shared });
            float[] picture = new float[28 * 28];
            using Session session = Session.Load(path);
            var answer = new float[session.Outputs[0].Info.Shape.Elements];
#pragma warning disable xUnit1051 // The README's line passes no cancellation.
            session.Run(picture, answer);
#pragma warning restore xUnit1051
            Assert.Equal(new FileInfo(path).Length, file.Bytes);
            Assert.True(file.Bytes < 4 * model.Graph.Parameters / 10);
            Assert.Equal(10, answer.Length);
            Assert.All(answer, logit => Assert.True(float.IsFinite(logit)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Its_code_stands_in_this_test()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "Penjing.slnx"))) root = Path.GetDirectoryName(root);
        HashSet<string> here = [.. File.ReadAllLines(Path.Combine(root!, "test", "Penjing.Cli.Tests", "ReadmeTests.cs")).Select(line => line.Trim())];
        string[] readme = File.ReadAllLines(Path.Combine(root!, "README.md"));
        bool code = false;
        int lines = 0;
        foreach (string line in readme)
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) code = line == "```csharp";
            else if (code && ++lines > 0) Assert.Contains(line.Trim(), here);
        }
        Assert.True(lines > 5, $"the README has {lines} lines of code");
    }
}
