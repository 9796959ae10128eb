namespace Penjing;

/// <summary>Files that are either written whole or not at all.</summary>
public static class AtomicFile
{
    private const string Ending = ".tmp";

    /// <summary>Whether a file is what is left of writing another, by a process that was killed meanwhile.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="of">The name of the other, in the same folder.</param>
    public static bool IsRemnant(string name, string of) => name.StartsWith(of + ".", StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal);

    /// <summary>
    /// Writes a file by way of a temporary one in the same folder, flushed to the disk and then renamed over <paramref name="path"/>:
    /// whoever reads that path, and whatever happens meanwhile, finds the old file or the new one, never a part.
    /// </summary>
    /// <exception cref="PenjingException">The file can't be written: the folder is missing or read-only, or the disk full. No temporary file stays.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path), temporary = $"{full}.{Path.GetRandomFileName()}{Ending}";
        try
        {
            try
            {
                using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                {
                    write(file);
                    file.Flush(flushToDisk: true);
                }
                File.Move(temporary, full, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }
        }
        catch (DirectoryNotFoundException error)
        {
            throw new PenjingException($"{path} can't be written: the folder {Path.GetDirectoryName(full)} doesn't exist; create it or choose another", error);
        }
        catch (UnauthorizedAccessException error)
        {
            string reason = Directory.Exists(full) ? "it is a folder; give the name of a file"
                : $"the folder {Path.GetDirectoryName(full)} or the file is read-only; choose another";
            throw new PenjingException($"{path} can't be written: {reason}", error);
        }
        catch (IOException error)
        {
            throw new PenjingException($"{path} can't be written: {error.Message}; free some space on the disk or choose another folder", error);
        }
    }
}
