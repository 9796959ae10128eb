namespace Penjing;

/// <summary>The .penjing file: one network with its weights, and what a user needs to feed it.</summary>
public static class PenjingFile
{
    /// <summary>Writes a model, wholly or not at all, over what stood there; returns what it cost.</summary>
    /// <exception cref="PenjingException">The file can't be written: the folder is missing or read-only, or the disk full.</exception>
    public static FileReport Write(string path, Model model, Storage storage = Storage.Smallest)
    {
        var writer = new ModelWriter(model, storage);
        AtomicFile.Write(path, writer.WriteTo);
        return writer.Report;
    }

    /// <summary>
    /// Reads a model. Plain weights are views of the mapped file, which may be replaced by rename meanwhile; use no span of a tensor beyond the
    /// tensor's own life.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is no .penjing file, damaged, or of a newer version.</exception>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    public static Model Read(string path) => Open(path, bytes => ModelReader.Read(bytes).Model);

    /// <summary>
    /// Reads a model that is used once and not kept: its large plain weights are read and checked each time that they are asked for, and are in memory
    /// only meanwhile.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is no .penjing file, damaged, or of a newer version.</exception>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    internal static Model ReadOnce(string path) => Open(path, bytes => ModelReader.Read(bytes, new EntryFile(path)).Model);

    /// <summary>Reads a model from a file's bytes, to which nobody may write again: plain weights are views of them.</summary>
    /// <exception cref="ModelFormatException">The bytes are no .penjing file, damaged, or of a newer version.</exception>
    public static Model Read(ReadOnlyMemory<byte> bytes) => ModelReader.Read(bytes).Model;

    /// <summary>What a file costs, tensor by tensor, and what each would cost under the other encodings.</summary>
    /// <exception cref="ModelFormatException">The file is no .penjing file, damaged, or of a newer version.</exception>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    public static FileReport Inspect(string path) => Open(path, bytes => ModelReader.Read(bytes).Report());

    private static T Open<T>(string path, Func<ReadOnlyMemory<byte>, T> read)
    {
        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = MappedFile.Open(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PenjingException($"{path} doesn't exist", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"{path} can't be read: {(Directory.Exists(path) ? "it is a folder" : error.Message)}", error);
        }
        catch (NotSupportedException error)
        {
            throw new PenjingException($"{path} can't be read: it is a pipe or a device; give the name of a file", error);
        }
        catch (OverflowException error)
        {
            throw new ModelFormatException($"{path}: files of more than 2 GiB can't be read", error);
        }
        try
        {
            return read(bytes);
        }
        catch (ModelFormatException error)
        {
            throw new ModelFormatException($"{path}: {error.Message}", error);
        }
    }
}
