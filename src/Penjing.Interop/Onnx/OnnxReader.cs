using System.Collections.Immutable;
using Google.Protobuf;
using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <summary>
/// Reads networks from ONNX files. What only computes shapes and constants is computed at once, what a node of the core can't say is taken
/// apart into several, and everything else stays as the file has it, under the names of its values.
/// </summary>
public static class OnnxReader
{
    /// <summary>The newest opset that is understood, which is that of ONNX Runtime 1.31.</summary>
    internal const int Newest = 26;

    /// <summary>The network of a file, and of the files beside it in which it keeps large weights.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or no ONNX file, or the node that the message names is not understood.</exception>
    /// <exception cref="PenjingException">The file can't be read, or leaves something open that <paramref name="options"/> don't settle.</exception>
    public static Model Read(string path, OnnxOptions? options = null) =>
        ForeignFile.Of(path, Array.MaxLength, bytes => Read(bytes, options ?? new(), Path.GetDirectoryName(Path.GetFullPath(path))));

    /// <summary>The names of the extents that a file's inputs leave open, for <see cref="OnnxOptions.Dimensions"/>.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or no ONNX file.</exception>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    public static ImmutableArray<string> OpenExtents(string path) => ForeignFile.Of(path, Array.MaxLength, bytes => OpenExtents(Parse(bytes).Graph));

    /// <summary>The network of a file's bytes; weights in other files can't be found from these.</summary>
    /// <exception cref="ModelFormatException">The bytes are damaged or no ONNX file, or the node that the message names is not understood.</exception>
    /// <exception cref="PenjingException">The file leaves something open that <paramref name="options"/> don't settle.</exception>
    public static Model Read(ReadOnlyMemory<byte> file, OnnxOptions? options = null) => Read(file, options ?? new(), null);

    /// <summary>The names of the extents that the graph's inputs leave open, each once.</summary>
    internal static ImmutableArray<string> OpenExtents(GraphProto graph) =>
        [.. graph.Input.SelectMany(input => input.Type?.TensorType?.Shape?.Dim ?? []).Select(dim => dim.DimParam).Where(name => name.Length > 0).Distinct()];

    private static ModelProto Parse(ReadOnlyMemory<byte> file)
    {
        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(file.Span);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new ModelFormatException($"this is no ONNX file, or a damaged one: {error.Message}", error);
        }
        return proto.Graph is null ? throw new ModelFormatException("this is no ONNX file: it has no graph") : proto;
    }

    private static Model Read(ReadOnlyMemory<byte> file, OnnxOptions options, string? folder)
    {
        ModelProto proto = Parse(file);
        try
        {
            var import = new OnnxImport(proto, Opset(proto.OpsetImport), options, new OnnxTensors(folder, file.Length));
            string name = proto.ProducerName == OnnxWriter.Producer ? "" : proto.Graph.Name;
            return Description.Describe(new(import.Graph()) { Name = name }, Entries(proto));
        }
        catch (ShapeException error)
        {
            throw new ModelFormatException(error.Message, error);
        }
    }

    /// <summary>The version of ONNX's own operators that the file is written for.</summary>
    internal static int Opset(IEnumerable<OperatorSetIdProto> imports)
    {
        OperatorSetIdProto[] own = [.. imports.Where(import => IsOwn(import.Domain))];
        long version = own.Length > 0 ? own.Max(import => import.Version) : 1;
        if (version is < 1 or > Newest)
            throw new ModelFormatException($"it is written for opset {version}, but opsets up to {Newest} are understood: export it for one of these");
        return (int)version;
    }

    /// <summary>Whether a domain is that of ONNX's own operators.</summary>
    internal static bool IsOwn(string domain) => domain is "" or "ai.onnx";

    private static Dictionary<string, string> Entries(ModelProto proto)
    {
        Dictionary<string, string> entries = [];
        foreach (StringStringEntryProto entry in proto.MetadataProps) entries[entry.Key] = entry.Value;
        return entries;
    }
}
