using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>What the file manifest.txt says of each case: that it passes, or the family that keeps it out of scope.</summary>
internal sealed class ConformanceManifest
{
    /// <summary>What stands for a case that passes.</summary>
    public const string Passes = "passes";

    private const string Undecided = "?";

    private static readonly string path = Path.Combine(Repository.Root, "test", "Penjing.Interop.Tests", "Conformance", "manifest.txt");

    private readonly Dictionary<string, string> families = [];
    private readonly Dictionary<(string Suite, string Name), string> verdicts = [];

    /// <summary>The manifest of the repository.</summary>
    public static ConformanceManifest Read()
    {
        var manifest = new ConformanceManifest();
        string suite = "";
        foreach (string line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            if (line.Length == 0 || line.StartsWith('#')) continue;
            if (line.StartsWith('[')) suite = line.Trim('[', ']');
            else if (line.Split(": ", 2) is [var name, var rest])
                if (suite == "families") manifest.families.Add(name, rest);
                else manifest.verdicts.Add((suite, name), rest);
        }
        return manifest;
    }

    /// <summary>Each family out of scope and why.</summary>
    public IReadOnlyDictionary<string, string> Families => families;

    /// <summary>What is said of a case, or null.</summary>
    public string? this[ConformanceCase one] => verdicts.GetValueOrDefault((one.Suite, one.Name));

    /// <summary>The names that a suite lists.</summary>
    public IEnumerable<string> Names(string suite) => verdicts.Keys.Where(key => key.Suite == suite).Select(key => key.Name);

    /// <summary>How many cases of a suite pass.</summary>
    public int Passing(string suite) => verdicts.Count(row => row.Key.Suite == suite && row.Value == Passes);

    /// <summary>How many cases of a suite a family keeps out.</summary>
    public int Kept(string suite, string family) => verdicts.Count(row => row.Key.Suite == suite && row.Value == family);

    /// <summary>Writes the manifest anew, with what the cases have shown; those that fail keep their families.</summary>
    public void Write(IEnumerable<(ConformanceCase Case, string? Failure)> results)
    {
        List<string> lines =
        [
            "# ONNX's test cases of Debian's libonnx-testdata 1.12: each passes, or belongs to a family that is out of scope.",
            "# The tests fail where this is not so. PENJING_ACCEPT_CONFORMANCE=1 writes the verdicts anew; a family is chosen by hand.",
            "", "[families]",
            .. families.Select(family => $"{family.Key}: {family.Value}"),
        ];
        foreach (var suite in results.GroupBy(result => result.Case.Suite))
            lines.AddRange(["", $"[{suite.Key}]", .. suite.Select(result => $"{result.Case.Name}: {Verdict(result.Case, result.Failure)}")]);
        File.WriteAllLines(path, lines);
    }

    private string Verdict(ConformanceCase one, string? failure) => failure is null ? Passes : this[one] is { } said && said != Passes ? said : Undecided;
}
