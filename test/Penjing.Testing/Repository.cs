namespace Penjing.Testing;

/// <summary>Where tests find the repository's own files, and the real models and data beside it.</summary>
public static class Repository
{
    /// <summary>The folder that holds Penjing.slnx.</summary>
    public static string Root { get; } = Find();

    /// <summary>A folder of shared/data beside the repository, or in the folder that PENJING_SHARED names; null where there is none.</summary>
    public static string? Shared(string name)
    {
        string[] roots = [Path.Combine(Path.GetDirectoryName(Root) ?? Root, "shared"), Environment.GetEnvironmentVariable("PENJING_SHARED") ?? ""];
        return roots.Select(root => Path.Combine(root, "data", name)).FirstOrDefault(Directory.Exists);
    }

    private static string Find()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Penjing.slnx"))) return folder;
        throw new InvalidOperationException($"no Penjing.slnx above {AppContext.BaseDirectory}: run the tests from inside the repository");
    }
}
