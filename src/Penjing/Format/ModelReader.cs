using System.Collections.Immutable;
using System.Globalization;
using System.IO.Hashing;

namespace Penjing;

/// <summary>A file's model, and how it is stored.</summary>
internal sealed class ModelReader
{
    /// <summary>The value of the key "format".</summary>
    public const string Format = "penjing";

    /// <summary>The newest version that this reader knows.</summary>
    public const int Version = 1;

    private readonly Dictionary<string, SafetensorsEntry> entries;

    private ModelReader(Safetensors file)
    {
        string Metadata(string key) => file.Metadata.GetValueOrDefault(key) ?? throw new ModelFormatException($"the header names no {key}: this is not a .penjing file");
        if (Metadata("format") != Format) throw new ModelFormatException($"its format is '{Metadata("format")}', not {Format}");
        if (!int.TryParse(Metadata("version"), NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1)
            throw new ModelFormatException($"its version is '{Metadata("version")}', which is no number");
        if (version > Version) throw new ModelFormatException($"it has the format's version {version}, and this program knows {Version}: use a newer one");
        byte[] description = System.Text.Encoding.UTF8.GetBytes(Metadata("model"));
        if (Hash(description) != Metadata("checksum")) throw new ModelFormatException("the description of the network is damaged: its checksum differs");
        entries = file.Entries.ToDictionary(entry => entry.Name);
        Model = Build(StoredModel.FromJson(description));
        if (entries.Count > 0) throw new ModelFormatException($"the network has no weight '{entries.Keys.First()}'");
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>The model of these bytes, its plain weights views of them.</summary>
    /// <exception cref="ModelFormatException">The bytes are not such a file.</exception>
    public static ModelReader Read(ReadOnlyMemory<byte> file)
    {
        try
        {
            return new(Safetensors.Read(file));
        }
        catch (Exception error) when (error is not (ModelFormatException or OutOfMemoryException))
        {
            throw new ModelFormatException($"this is not a sound .penjing file: {error.Message}", error);
        }
    }

    /// <summary>What the file costs.</summary>
    public FileReport Report(long length) => new ModelWriter(Model, Storage.Plain).Report;

    /// <summary>The checksum of a blob: XxHash3 in 16 hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => XxHash3.HashToUInt64(bytes).ToString("x16", CultureInfo.InvariantCulture);

    private Model Build(StoredModel stored)
    {
        var nodes = new List<Node>(stored.Nodes.Length);
        ImmutableArray<Node> Named(Ints numbers, string reader) => [.. numbers.Select(number =>
            number >= 0 && number < nodes.Count ? nodes[number] : throw new ModelFormatException($"{reader} reads the value {number}, which doesn't come before it"))];
        foreach (StoredNode node in stored.Nodes)
            nodes.Add((node.Op, node.Tensor) switch
            {
                ({ } op, null) => new(node.Name, op, Named(node.In, $"the node '{node.Name}'")),
                (null, { } tensor) when node.In.Count == 0 => new(node.Name, new Constant(Weight(node.Name, tensor), tensor.Quantization)),
                _ => throw new ModelFormatException($"the node '{node.Name}' is neither an operation nor a weight"),
            });
        var graph = new Graph(Named(stored.Outputs, "the network's output"), Named(stored.Inputs, "the network's input"));
        if (graph.Nodes.Length != nodes.Count) throw new ModelFormatException($"the node '{nodes.Except(graph.Nodes).First().Name}' leads nowhere");
        return new(graph) { Name = stored.Name, Labels = stored.Labels ?? [], Preprocessing = stored.Preprocessing, History = stored.History ?? [] };
    }

    private Tensor Weight(string name, StoredTensor tensor)
    {
        if (!entries.Remove(name, out SafetensorsEntry? entry) || entry.Type != tensor.Type || entry.Shape != tensor.Shape)
            throw new ModelFormatException($"there is no entry '{name}' of {tensor.Type} {tensor.Shape}");
        if (Hash(entry.Bytes.Span) != tensor.Hash) throw new ModelFormatException($"the weight '{name}' is damaged: its checksum differs");
        return new(entry.Type, entry.Shape, entry.Bytes);
    }
}
