using Penjing.Testing;
using PublicApiGenerator;

namespace Penjing.House.Tests;

/// <summary>The public API of what users ship, held against the snapshot beside this file. PENJING_ACCEPT_API=1 rewrites the snapshot.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Penjing", typeof(Graph))]
    [InlineData("Penjing.Engine", typeof(Engine.Session))]
    [InlineData("Penjing.Engine.X64", typeof(Engine.X64.AssembledKernels))]
    public void Api_is_the_one_in_the_snapshot(string name, Type anyType)
    {
        string api = anyType.Assembly.GeneratePublicApi(new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
        }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        string path = Path.Combine(Repository.Root, "test", "Penjing.House.Tests", $"{name}.api.txt");
        if (Environment.GetEnvironmentVariable("PENJING_ACCEPT_API") == "1") File.WriteAllText(path, api);
        string expected = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        Assert.True(api == expected, $"the public API of {name} differs from {name}.api.txt; if that is meant, run these tests with PENJING_ACCEPT_API=1 and commit the file\n{FirstDifference(expected, api)}");
    }

    private static string FirstDifference(string expected, string actual)
    {
        string[] left = expected.Split('\n'), right = actual.Split('\n');
        int at = Enumerable.Range(0, Math.Min(left.Length, right.Length)).TakeWhile(index => left[index] == right[index]).Count();
        return $"line {at + 1}: expected «{left.ElementAtOrDefault(at)}», found «{right.ElementAtOrDefault(at)}»";
    }
}
