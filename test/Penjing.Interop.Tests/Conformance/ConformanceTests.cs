using System.Collections.Concurrent;
using Penjing.Engine;
using Penjing.Testing;

namespace Penjing.Interop.Tests;

/// <summary>ONNX's own test cases on the reference and on the engine, held against the manifest.</summary>
public class ConformanceTests
{
    /// <summary>The environment variable by which a parent process says which vectors this one has.</summary>
    internal const string Vectors = "PENJING_EXPECTED_VECTORS";

    /// <summary>Every case does what the manifest says: it passes, or it can't, for the reason given.</summary>
    [Theory]
    [InlineData("node")]
    [InlineData("simple")]
    [InlineData("pytorch-converted")]
    [InlineData("pytorch-operator")]
    public void Every_case_does_what_the_manifest_says(string suite)
    {
        if (ConformanceData.Folder(out string problem) is not { } folder)
        {
            Assert.Skip(problem);
            return;
        }
        if (Environment.GetEnvironmentVariable(Vectors) is { Length: > 0 } vectors) Assert.Equal(vectors, Isas.Best.ToString());
        ConformanceManifest manifest = ConformanceManifest.Read();
        (List<(ConformanceCase Case, string? Failure)> results, HashSet<ConformanceCase> crashed) = Run(ConformanceCase.Of(folder, suite));
        List<string> wrong = [];
        foreach ((ConformanceCase one, string? failure) in results)
        {
            string? said = manifest[one];
            if (said is null) wrong.Add($"{one.Name} is not in the manifest{(failure is null ? "" : $": {failure}")}");
            else if (said == ConformanceManifest.Passes ? failure is not null : failure is null)
                wrong.Add($"{one.Name}: the manifest says '{said}', but it {failure ?? "passes"}");
            else if (said != ConformanceManifest.Passes && crashed.Contains(one)) wrong.Add($"{one.Name}: the manifest says '{said}', but it crashes: {failure}");
            else if (said != ConformanceManifest.Passes && !manifest.Families.ContainsKey(said))
                wrong.Add($"{one.Name}: '{said}' is no family of the manifest: {failure}");
        }
        wrong.AddRange(manifest.Names(suite).Except(results.Select(result => result.Case.Name)).Select(name =>
            $"{name} stands in the manifest, but there is no such case"));
        int passing = results.Count(result => result.Failure is null);
        TestContext.Current.TestOutputHelper?.WriteLine($"{passing} of {results.Count} {suite} cases pass with {Isas.Best}");
        if (Environment.GetEnvironmentVariable("PENJING_ACCEPT_CONFORMANCE") == "1") return;
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {results.Count} {suite} cases\n{string.Join('\n', wrong)}");
    }

    /// <summary>Writes the manifest's verdicts anew where that is asked for.</summary>
    [Fact]
    public void The_manifest_is_written_where_asked()
    {
        if (Environment.GetEnvironmentVariable("PENJING_ACCEPT_CONFORMANCE") != "1") Assert.Skip("PENJING_ACCEPT_CONFORMANCE=1 writes the manifest anew");
        string folder = ConformanceData.Folder(out string problem) ?? throw new InvalidOperationException(problem);
        ConformanceManifest.Read().Write(ConformanceData.Suites.SelectMany(suite => Run(ConformanceCase.Of(folder, suite)).Results));
    }

    /// <summary>What each case came to, and those that ended in neither an answer nor the one clear exception.</summary>
    private static (List<(ConformanceCase Case, string? Failure)> Results, HashSet<ConformanceCase> Crashed) Run(IReadOnlyList<ConformanceCase> cases)
    {
        var failures = new ConcurrentDictionary<ConformanceCase, string>();
        var crashed = new ConcurrentBag<ConformanceCase>();
        Parallel.ForEach(cases, one =>
        {
            try
            {
                one.Check(("reference", (graph, inputs) => Reference.Run(graph, inputs)), ("engine", OnEngine));
            }
            catch (Exception error)
            {
                failures[one] = $"fails: {error.GetType().Name} {error.Message}";
                if (error is not (PenjingException or ClosenessException)) crashed.Add(one);
            }
        });
        return ([.. cases.Select(one => (one, failures.GetValueOrDefault(one)))], [.. crashed]);
    }

    private static Tensor[] OnEngine(Graph graph, Tensor[] inputs)
    {
        using Session session = new(graph, new(1));
        return session.Run(inputs);
    }
}
