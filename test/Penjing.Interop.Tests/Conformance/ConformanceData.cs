using Penjing.Training;

namespace Penjing.Interop.Tests;

/// <summary>ONNX's own test cases as Debian packages them: installed, in the user's cache, or fetched into that.</summary>
internal static class ConformanceData
{
    private const string Package = "libonnx-testdata", Installed = "/usr/share/libonnx-testdata/data";

    private static readonly Lazy<(string? Folder, string Problem)> found = new(Find);

    /// <summary>The suites of the package that hold whole cases.</summary>
    public static readonly string[] Suites = ["node", "simple", "pytorch-converted", "pytorch-operator"];

    /// <summary>The folder of the suites, or null with what hinders.</summary>
    public static string? Folder(out string problem)
    {
        problem = found.Value.Problem;
        return found.Value.Folder;
    }

    private static (string? Folder, string Problem) Find()
    {
        string cache = CacheFolder.Of(Package);
        foreach (string folder in new[] { Installed, cache })
            if (IsWhole(folder)) return (folder, "");
        try
        {
            CacheFolder.Fill(cache, target => DebianPackage.Fetch(Package, Installed, target, null, CancellationToken.None));
            return IsWhole(cache) ? (cache, "") : (null, $"Debian's package {Package} has no node cases");
        }
        catch (Exception error) when (error is PenjingException or IOException or UnauthorizedAccessException)
        {
            return (null, $"Debian's package {Package} is neither installed nor to be had: {error.Message}");
        }
    }

    private static bool IsWhole(string folder) => Suites.All(suite => Directory.Exists(Path.Combine(folder, suite)))
        && Directory.Exists(Path.Combine(folder, "node", "test_xor_bcast4v4d"));
}
