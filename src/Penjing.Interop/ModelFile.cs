using System.Collections.Immutable;

namespace Penjing.Interop;

/// <summary>Network files of any format: a path's ending says which.</summary>
public static class ModelFile
{
    /// <summary>The formats, the project's own first: the one table that all reading and writing goes through.</summary>
    public static ImmutableArray<ModelFormat> Formats { get; } =
    [
        new(".penjing", "Penjing", (path, options) => options.Once ? PenjingFile.ReadOnce(path) : PenjingFile.Read(path), (path, model, storage) => PenjingFile.Write(path, model, storage)),
        new(".onnx", "ONNX", (path, options) => OnnxReader.Read(path, options.Onnx), (path, model, _) => OnnxWriter.Write(path, model)),
        new(".tflite", "TensorFlow Lite", (path, _) => TensorFlowLiteReader.Read(path), (path, model, _) => TensorFlowLiteWriter.Write(path, model)),
        new(".net", "Deep Compression's coded weights", ReadCompressed, null),
    ];

    /// <summary>The format that a path's ending says.</summary>
    /// <exception cref="PenjingException">It says none; the message lists the endings that do.</exception>
    public static ModelFormat FormatOf(string path) => Find(path) ?? throw new PenjingException(
        $"'{path}' has no ending that says a known format: {Endings(format => format.CanRead)} can be read, "
        + $"{Endings(format => format.CanWrite)} can be written");

    /// <summary>Whether a path's ending says a format.</summary>
    public static bool IsKnown(string path) => Find(path) is not null;

    /// <summary>Reads a network.</summary>
    /// <exception cref="ModelFormatException">The file is damaged, or holds what is not understood.</exception>
    /// <exception cref="PenjingException">
    /// The ending says no format that can be read, the file can't be read, or the format wants an option that isn't given.
    /// </exception>
    public static Model Read(string path, ReadingOptions? options = null)
    {
        if (Directory.Exists(path)) throw new PenjingException($"'{path}' is a folder: give the path of a file");
        if (!File.Exists(path)) throw new PenjingException($"'{path}' doesn't exist");
        ModelFormat format = FormatOf(path);
        if (format.Reader is not { } read)
            throw new PenjingException($"'{path}': {format.Name} can be written, but not read; {Endings(other => other.CanRead)} can");
        return read(path, options ?? new());
    }

    /// <summary>Writes a network, whole or not at all, and returns the bytes of the file.</summary>
    /// <param name="path">Where to; its ending says the format.</param>
    /// <param name="model">The network.</param>
    /// <param name="storage">What a .penjing file is written for; other formats know one way.</param>
    /// <exception cref="PenjingException">
    /// The ending says no format that can be written, the format can't say what a node does, or the file can't be written.
    /// </exception>
    public static long Write(string path, Model model, Storage storage = Storage.Smallest)
    {
        Writable(path).Writer!(path, model, storage);
        return new FileInfo(path).Length;
    }

    /// <summary>The format that a path's ending says, which can be written.</summary>
    /// <exception cref="PenjingException">There is none.</exception>
    public static ModelFormat Writable(string path)
    {
        ModelFormat format = FormatOf(path);
        return format.CanWrite ? format
            : throw new PenjingException($"'{path}': {format.Name} can be read, but not written; {Endings(other => other.CanWrite)} can");
    }

    private static ModelFormat? Find(string path) =>
        Formats.FirstOrDefault(format => string.Equals(format.Ending, Path.GetExtension(path), StringComparison.OrdinalIgnoreCase));

    private static string Endings(Func<ModelFormat, bool> which) => string.Join(", ", Formats.Where(which).Select(format => format.Ending));

    private static Model ReadCompressed(string path, ReadingOptions options) => DeepCompressionReader.Read(path, options.Prototxt
        ?? throw new PenjingException($"'{path}' holds weights alone: the network's prototxt, "
        + "which says what they belong to, must be given too (--prototxt FILE)"));
}

/// <summary>What reading a file may want to know; each format takes what is its own.</summary>
public sealed record ReadingOptions
{
    /// <summary>For .onnx: how what the file leaves open is settled.</summary>
    public OnnxOptions Onnx { get; init; } = new();

    /// <summary>For .net: the path of the network's Caffe prototxt.</summary>
    public string? Prototxt { get; init; }

    /// <summary>For .penjing: whether the network is used once, for a session, so that large weights are in memory only while they are asked for.</summary>
    public bool Once { get; init; }
}

/// <summary>One format of network files.</summary>
public sealed class ModelFormat
{
    internal ModelFormat(string ending, string name, Func<string, ReadingOptions, Model>? reader, Action<string, Model, Storage>? writer) =>
        (Ending, Name, Reader, Writer) = (ending, name, reader, writer);

    /// <summary>The ending of its files' names, with the dot.</summary>
    public string Ending { get; }

    /// <summary>The name that people know it by.</summary>
    public string Name { get; }

    /// <summary>Whether networks can be read from it.</summary>
    public bool CanRead => Reader is not null;

    /// <summary>Whether networks can be written to it.</summary>
    public bool CanWrite => Writer is not null;

    internal Func<string, ReadingOptions, Model>? Reader { get; }

    internal Action<string, Model, Storage>? Writer { get; }
}
