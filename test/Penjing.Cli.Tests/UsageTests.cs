namespace Penjing.Cli.Tests;

/// <summary>What the tool says to a command line, right or wrong.</summary>
public sealed class UsageTests
{
    public static TheoryData<string> Commands => ["train", "compress", "recipes", "prune", "sparsify", "share", "sensitivity", "inspect", "evaluate", "run", "bench", "profile", "kernels", "compare", "convert", "models", "new", "demo"];

    [Theory, MemberData(nameof(Commands))]
    public void Every_command_explains_itself_with_examples(string command)
    {
        Run run = Cli.Run(command, "--help").Ends(0);
        Assert.Contains($"penjing {command}", run.Output);
        Assert.Contains("Examples:", run.Output);
        Assert.Contains($"\n  penjing {command}", run.Output);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void The_tool_lists_its_commands()
    {
        foreach (string[] args in new string[][] { [], ["--help"], ["-h"] })
        {
            Run run = Cli.Run(args).Ends(0);
            foreach (string command in Commands) Assert.Contains($"\n  {command} ", run.Output);
        }
    }

    [Fact]
    public void The_tool_tells_its_version() => Assert.Matches(@"^\d+\.\d+\.\d+", Cli.Run("--version").Ends(0).Output);

    [Theory]
    [InlineData("bench", "MODEL")]
    [InlineData("benhc m.penjing", "benhc")]
    [InlineData("bench m.penjing --runz 3", "--runz")]
    [InlineData("bench --runz m.penjing", "--runz")]
    [InlineData("bench m.penjing --runs three", "--runs", "three")]
    [InlineData("bench m.penjing --runs 0", "--runs", "0")]
    [InlineData("bench m.penjing --runs 1,5", "--runs", "1,5")]
    [InlineData("bench m.penjing --runs --json", "--runs", "--json")]
    [InlineData("bench m.penjing --runs", "--runs")]
    [InlineData("bench m.penjing other.penjing", "other.penjing")]
    [InlineData("inspect --jsn", "--jsn")]
    public void Wrong_usage_is_answered_with_one_message(string line, params string[] words) => Cli.Run(line.Split(' ')).Refuses(2, [.. words, "--help"]);
}
