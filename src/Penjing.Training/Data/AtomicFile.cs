namespace Penjing.Training;

/// <summary>Writes files that are there whole or as before, whatever happens meanwhile.</summary>
internal static class AtomicFile
{
    /// <summary>Writes to a temporary file beside it, flushes to the disk, and renames.</summary>
    /// <exception cref="PenjingException">The folder can't be written to.</exception>
    public static void Write(string path, params ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        string temporary = path + ".tmp";
        try
        {
            using (FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                foreach (ReadOnlyMemory<byte> part in parts) stream.Write(part.Span);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"'{path}' can't be written: {error.Message}", error);
        }
    }
}
