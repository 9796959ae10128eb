using Penjing.Testing;

namespace Penjing.Cli.Tests;

/// <summary>The code in the README is <see cref="ReadmeCode"/>, and that runs.</summary>
public sealed class ReadmeTests : IDisposable
{
    private readonly Scratch scratch = new();

    [Fact]
    public void Its_code_makes_a_small_file_that_answers()
    {
        (Model model, FileReport file) = ReadmeCode.Compress(scratch["net.penjing"]);
        Assert.Equal(new FileInfo(scratch["net.penjing"]).Length, file.Bytes);
        Assert.True(10 * file.Bytes < 4 * model.Graph.Parameters, $"{file.Bytes} bytes for what were {model.Graph.Parameters} parameters");
        float[] answer = ReadmeCode.Run(scratch["net.penjing"], new(50, 40), new byte[50 * 40 * 4]);
        Assert.Equal(10, answer.Length);
        Assert.All(answer, logit => Assert.True(float.IsFinite(logit)));
    }

    [Fact]
    public void Its_code_is_the_code_that_runs()
    {
        string code = Trimmed(File.ReadAllLines(Path.Combine(Repository.Root, "test", "Penjing.Cli.Tests", "ReadmeCode.cs")));
        string[] blocks = [.. File.ReadAllText(Path.Combine(Repository.Root, "README.md")).Split("```csharp\n").Skip(1).Select(rest => Trimmed(rest[..rest.IndexOf("```", StringComparison.Ordinal)].Split('\n')))];
        Assert.Equal(3, blocks.Length);
        Assert.All(blocks, block => Assert.Contains(block, code));
    }

    public void Dispose() => scratch.Dispose();

    private static string Trimmed(string[] lines) => string.Join('\n', lines.Select(line => line.Trim()));
}
