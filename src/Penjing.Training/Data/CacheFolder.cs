namespace Penjing.Training;

/// <summary>The user's cache of fetched things: $XDG_CACHE_HOME or ~/.cache on Linux, ~/Library/Caches on macOS, the local application data on Windows.</summary>
internal static class CacheFolder
{
    /// <summary>Where a thing of this name is kept.</summary>
    public static string Of(string name)
    {
        string? xdg = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string root = !string.IsNullOrEmpty(xdg) && Path.IsPathRooted(xdg) ? xdg
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : home.Length > 0 ? Path.Combine(home, ".cache") : Path.Combine(Path.GetTempPath(), "cache");
        return Path.Combine(root, "penjing", name);
    }

    /// <summary>Fills a folder by way of a temporary one beside it, so that it is only ever there whole; what stood there before goes.</summary>
    /// <exception cref="PenjingException">The cache can't be written to.</exception>
    public static void Fill(string folder, Action<string> fill)
    {
        string temporary = $"{folder}.{Guid.NewGuid():N}";
        try
        {
            try
            {
                Directory.CreateDirectory(temporary);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new PenjingException($"the cache '{folder}' can't be written to ({error.Message}): set XDG_CACHE_HOME to a folder that can", error);
            }
            fill(temporary);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            Directory.Move(temporary, folder);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }
}
