using Penjing.Testing;

namespace Penjing.House.Tests;

/// <summary>The repository as files: what the house rules are checked against.</summary>
internal static class House
{
    /// <summary>All files of the repository, by path from the root with forward slashes; build output left out.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "artifacts" or ".git" or "bin" or "obj" or ".vs" or "penjing-demo"))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The C# files below a folder.</summary>
    public static IEnumerable<string> Sources(string folder) => Files.Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal) && path.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>A file's lines.</summary>
    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Repository.Root, path));
}
