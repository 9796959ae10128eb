namespace Penjing.Interop;

/// <summary>Foreign files are read whole, and every error about one begins with its path.</summary>
internal static class ForeignFile
{
    /// <summary>What <paramref name="read"/> makes of the file's bytes.</summary>
    /// <exception cref="ModelFormatException">The file is longer than the limit, or its reader says what is wrong with it.</exception>
    /// <exception cref="PenjingException">The file can't be read, or leaves open what its reader has to be told.</exception>
    public static T Of<T>(string path, long limit, Func<byte[], T> read)
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(path) is { Exists: true } file && file.Length > limit)
                throw new ModelFormatException($"'{path}' has {file.Length:N0} bytes, more than the {limit:N0} that such a file may have");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PenjingException($"'{path}' doesn't exist", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PenjingException($"'{path}' can't be read: {(Directory.Exists(path) ? "it is a folder" : error.Message)}", error);
        }
        try
        {
            return read(bytes);
        }
        catch (UnboundInputException error)
        {
            throw new UnboundInputException(error.Input, $"'{path}': {error.Message}");
        }
        catch (Exception error) when (error is ModelFormatException or ShapeException)
        {
            throw new ModelFormatException($"'{path}': {error.Message}", error);
        }
        catch (PenjingException error)
        {
            throw new PenjingException($"'{path}': {error.Message}", error);
        }
    }
}
