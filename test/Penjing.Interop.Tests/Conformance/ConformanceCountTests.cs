using System.Text.RegularExpressions;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>The pages that say how many cases pass say what the manifest says.</summary>
public partial class ConformanceCountTests
{
    /// <summary>The table of suites and the table of families in docs/interop.md are the manifest's.</summary>
    [Fact]
    public void The_page_has_the_manifest_s_counts()
    {
        ConformanceManifest manifest = ConformanceManifest.Read();
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "interop.md"));
        foreach (string suite in ConformanceData.Suites)
            Assert.Contains($"| {suite} | {manifest.Passing(suite)} of {manifest.Names(suite).Count()} |", page);
        foreach ((string family, string reason) in manifest.Families)
            Assert.Contains($"| {family} | {reason} | {manifest.Kept("node", family)} |", page);
    }

    /// <summary>Where a page tells the node cases in one sentence, the numbers are the manifest's.</summary>
    [Fact]
    public void Every_sentence_is_true()
    {
        ConformanceManifest manifest = ConformanceManifest.Read();
        string expected = $"{manifest.Passing("node")} of {manifest.Names("node").Count()} ONNX node cases pass";
        string[] pages = [Path.Combine(Repository.Root, "README.md"), .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md")];
        Assert.Contains(expected, File.ReadAllText(pages[0]));
        foreach (string page in pages)
            foreach (Match sentence in Sentence().Matches(File.ReadAllText(page))) Assert.Equal(expected, sentence.Value);
    }

    [GeneratedRegex("[0-9]+ of [0-9]+ ONNX node cases pass")]
    private static partial Regex Sentence();
}
