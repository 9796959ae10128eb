using Penjing.Interop;

namespace Penjing.Cli;

/// <summary>A place where a result will be written: looked at before the work starts.</summary>
internal static class Destination
{
    /// <summary>Finds out now whether a file could be written there later, in the place of none of the command's other files.</summary>
    /// <exception cref="PenjingException">It could not; the message says why.</exception>
    public static string File(string path, params ReadOnlySpan<string?> others)
    {
        if (path.Length == 0 || Path.EndsInDirectorySeparator(path) || Directory.Exists(path)) throw new PenjingException($"'{path}' is a folder: give the path of a file to write");
        string full = Path.GetFullPath(path);
        if (full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal))
            throw new PenjingException($"'{path}' is a device: give the path of an ordinary file to write");
        string folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder)) throw new PenjingException($"can't write '{path}': there is no folder '{folder}'; create it first");
        foreach (string? other in others)
            if (other is { Length: > 0 } && Path.GetFullPath(other) == full)
                throw new PenjingException($"'{path}' is read or written by this command already: give another path");
        Probe(folder, path);
        return path;
    }

    /// <summary>The same for a picture, which is written as PNG.</summary>
    /// <exception cref="PenjingException">It could not be written, or its name has another ending; the message says so.</exception>
    public static string Drawn(string path, params ReadOnlySpan<string?> others) => File(path, others).EndsWith(".png", StringComparison.OrdinalIgnoreCase) ? path
        : throw new PenjingException($"'{path}' is written as PNG: give it the ending .png");

    /// <summary>Finds out now whether a network could be written there later: the ending says a format that can be written, too.</summary>
    /// <exception cref="PenjingException">It could not; the message says why.</exception>
    public static string Model(string path, params ReadOnlySpan<string?> others)
    {
        File(path, others);
        ModelFile.Writable(path);
        return path;
    }

    /// <summary>The same for the verbs that measure on the engine what they made, and so write a .penjing file.</summary>
    /// <exception cref="PenjingException">It could not; the message says why.</exception>
    public static string Trained(string path)
    {
        if (Model(path) is var given && ModelFile.FormatOf(given).Ending != ".penjing")
            throw new PenjingException($"'{path}': what is trained is measured on the engine and written as .penjing; give such a name, then `penjing convert` makes other formats of it");
        return path;
    }

    /// <summary>Creates the folder where it is missing, and finds out whether files can be written into it.</summary>
    /// <exception cref="PenjingException">They can't; the message says why.</exception>
    public static string Folder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"can't create the folder '{path}': {error.Message}", error);
        }
        Probe(path, path);
        return path;
    }

    private static void Probe(string folder, string path)
    {
        string probe = Path.Combine(folder, $".penjing-{Guid.NewGuid():N}");
        try
        {
            using FileStream stream = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            stream.WriteByte(0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"can't write into the folder of '{path}': {error.Message}", error);
        }
    }
}
