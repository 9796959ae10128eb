using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;

namespace Penjing;

// The .penjing file, version 5
// ============================
// A .penjing file is a safetensors file, so that any reader of those opens it: 8 bytes, the header's length, little-endian; the header, a JSON object that
// may end in spaces; then the entries' bytes without gaps. Its __metadata__ has four strings:
//
//   format     "penjing"
//   version    "1", or "3" where a weight is modelled or a step of the history cut channels, "4" where the description says how long a stream is, or "5"
//              where classes have colours or each pixel an answer, which is all that versions 3 to 5 add; a reader refuses what is newer. In version 2, beliefs about modelled weights began otherwise: the first
//              byte of each such stream tells
//   model      the network's description: either the JSON itself, which begins with a brace, or a decimal number B
//   checksum   XxHash3 (64 bits, 16 hexadecimal digits) over the UTF-8 bytes of the string "model" followed by the bytes of the pack
//
// Its entries are weights, each under its node's name with its own type and shape, and at most one pack, "penjing.pack", of U8. Entries of wider elements
// come first, and the header is padded to a multiple of 8, so that all elements are aligned and can be used where they are mapped. The pack holds the
// description under Brotli (its first B bytes, where "model" is a number) and then, in the order of the nodes, the streams of all weights that are no
// entries. A stream tells its own end; of a large weight the description says it too, and how many zeros there are, so that it can be read when it is
// needed and not before.
//
// The description, as StoredModel has it: nodes, each with a name and either an op (its name and attributes, those at their default left out) and the
// numbers of the nodes that it reads, always earlier ones; or a tensor (shape; type unless Float32; quantization; for an entry, the checksum of its bytes;
// for a stream of a large weight, its bytes and the weight's zeros).
// Then the numbers of the inputs and the outputs, name, labels, colours, preprocessing and history, where a step that cut channels says which (ChannelCut). No node
// is there that no output needs, but for inputs.
//
// Streams: TensorCode says how they begin, Elements how dense elements are coded, Codebook and Symbols and Huffman what they are made of; ModelledCode what a
// modelled weight has, IndexModel in which order its bits come and by what they are believed, Odds and RangeDecoder what a belief is and does. Integers are
// varints, 7 bits a byte, lowest first; bits fill bytes from the lowest on; each part begins at a byte.
//
// What a file may claim: a stream of a few bytes can stand for a large tensor of one value. So that a small file can't demand much memory, the weights of
// the pack may have, all together, 16 MiB plus 1024 times their streams' bytes; a writer takes the largest out of the pack where they have more. Likewise
// the description has at most 1 MiB plus 100 times its compressed bytes. Everything else is no larger than the bytes that describe it.

/// <summary>A file's model, and how its weights are stored.</summary>
internal sealed class ModelReader
{
    /// <summary>A key of the metadata.</summary>
    public const string FormatKey = "format", VersionKey = "version", NetworkKey = "model", ChecksumKey = "checksum";

    /// <summary>The value of <see cref="FormatKey"/>.</summary>
    public const string Format = "penjing";

    /// <summary>The newest version that this reader knows.</summary>
    public const int Version = 5;

    /// <summary>The entry that holds what is not plain.</summary>
    public const string PackName = "penjing.pack";

    private readonly Dictionary<string, SafetensorsEntry> entries;
    private readonly ReadOnlyMemory<byte> pack;
    private readonly List<(Node Node, TensorEncoding Encoding, long Bytes)> weights = [];
    private readonly long length;
    private readonly EntryFile? source;
    private int position;

    private ModelReader(ReadOnlyMemory<byte> file, EntryFile? source)
    {
        this.source = source;
        Safetensors container = Safetensors.Read(file);
        string Metadata(string key) =>
            container.Metadata.GetValueOrDefault(key) ?? throw new ModelFormatException($"this is no .penjing file: its header has no '{key}'");
        if (Metadata(FormatKey) != Format) throw new ModelFormatException($"this is no .penjing file: its format is '{Metadata(FormatKey)}'");
        if (!int.TryParse(Metadata(VersionKey), NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1)
            throw new ModelFormatException($"its version is '{Metadata(VersionKey)}', which is no number");
        if (version > Version) throw new ModelFormatException($"it has version {version} of the format, and this program knows {Version}: use a newer Penjing");
        length = file.Length;
        entries = container.Entries.ToDictionary(entry => entry.Name);
        if (entries.Remove(PackName, out SafetensorsEntry? packed)) pack = packed.Bytes;
        byte[] network = System.Text.Encoding.UTF8.GetBytes(Metadata(NetworkKey));
        if (Checksum(network, pack.Span) != Metadata(ChecksumKey))
            throw new ModelFormatException("it is damaged: the checksum of its description and pack differs");
        Model = Build(StoredModel.FromJson(network is [(byte)'{', ..] ? network : Decompress(Metadata(NetworkKey))));
        if (entries.Count > 0) throw new ModelFormatException($"its network has no weight '{entries.Keys.First()}'");
        if (position != pack.Length) throw new ModelFormatException($"its pack has {pack.Length - position} bytes too many");
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>The model of these bytes, its plain weights views of them, or, with the file that they are of, read from it when they are asked for.</summary>
    /// <exception cref="ModelFormatException">The bytes are no sound .penjing file.</exception>
    public static ModelReader Read(ReadOnlyMemory<byte> file, EntryFile? source = null)
    {
        try
        {
            return new(file, source);
        }
        catch (Exception error) when (error is not (ModelFormatException or OutOfMemoryException))
        {
            throw new ModelFormatException($"this is no sound .penjing file: {error.Message}", error);
        }
    }

    /// <summary>What the file costs, and what it would cost otherwise.</summary>
    public FileReport Report() => new(length, length - weights.Sum(weight => weight.Bytes),
        [.. weights.Select(weight => TensorReport.Of(weight.Node, weight.Encoding, weight.Bytes, TensorReport.CostsOf(TensorCode.Write(weight.Node.Value!))))]);

    /// <summary>The XxHash3 of blobs, one after another, in 16 hexadecimal digits.</summary>
    public static string Checksum(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        var hash = new XxHash3();
        hash.Append(first);
        hash.Append(second);
        return hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>How many bytes the weights of a pack may have whose streams have this many.</summary>
    public static long WeightAllowance(long streams) => (16 << 20) + 1024 * streams;

    /// <summary>How many bytes a description may have that is compressed to this many.</summary>
    public static long DescriptionAllowance(long compressed) => (1 << 20) + 100 * compressed;

    /// <summary>Throws unless a weight's bytes are those that were written.</summary>
    /// <exception cref="ModelFormatException">They are others.</exception>
    public static void Check(string name, ReadOnlySpan<byte> bytes, string checksum)
    {
        if (Checksum(bytes) != checksum) throw new ModelFormatException($"it is damaged: the checksum of the weight '{name}' differs");
    }

    private byte[] Decompress(string count)
    {
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out position) || position > pack.Length)
            throw new ModelFormatException($"its description is neither JSON nor a part of its pack, but '{(count.Length > 20 ? count[..20] : count)}'");
        ReadOnlySpan<byte> rest = pack.Span[..position];
        var description = new ArrayBufferWriter<byte>();
        using var decoder = new BrotliDecoder();
        while (true)
        {
            OperationStatus status = decoder.Decompress(rest, description.GetSpan(), out int consumed, out int written);
            rest = rest[consumed..];
            description.Advance(written);
            if (description.WrittenCount > DescriptionAllowance(position))
                throw new ModelFormatException($"its description has more bytes than {position} compressed ones may stand for");
            if (status == OperationStatus.Done && rest.IsEmpty) return description.WrittenSpan.ToArray();
            if (status != OperationStatus.DestinationTooSmall) throw new ModelFormatException("its compressed description is damaged");
        }
    }

    private Model Build(StoredModel stored)
    {
        StoredTensor[] packed = [.. stored.Nodes.Where(node => node.Tensor is { Checksum: null }).Select(node => node.Tensor!)];
        if (packed.Sum(tensor => (long)tensor.Shape.Elements * tensor.Type.Size()) > WeightAllowance(pack.Length - position))
            throw new ModelFormatException($"its weights have more bytes than {pack.Length - position} coded ones may stand for");
        var nodes = new List<Node>(stored.Nodes.Length);
        ImmutableArray<Node> Numbered(Ints numbers, string reader) => [.. numbers.Select(number => number >= 0 && number < nodes.Count
            ? nodes[number] : throw new ModelFormatException($"{reader} is the value {number}, which doesn't come before"))];
        foreach (StoredNode node in stored.Nodes)
            nodes.Add((node.Op, node.Tensor) switch
            {
                ({ } op, null) => new(node.Name, op, Numbered(node.In, $"an input of the node '{node.Name}'")),
                (null, { } tensor) when node.In.Count == 0 => Weight(node.Name, tensor),
                _ => throw new ModelFormatException($"the node '{node.Name}' is neither an operation nor a weight"),
            });
        var graph = new Graph(Numbered(stored.Outputs, "an output"), Numbered(stored.Inputs, "an input of the network"));
        if (graph.Nodes.Length != nodes.Count) throw new ModelFormatException($"no output needs the node '{nodes.Except(graph.Nodes).First().Name}'");
        return new(graph) { Name = stored.Name, Labels = stored.Labels ?? [], Colors = stored.Colors ?? [], Preprocessing = stored.Preprocessing, History = stored.History ?? [] };
    }

    private Node Weight(string name, StoredTensor stored)
    {
        (Tensor tensor, TensorEncoding encoding, long bytes) = stored.Checksum is { } checksum ? Entry(name, stored, checksum) : Coded(name, stored);
        var node = new Node(name, new Constant(tensor, stored.Quantization));
        weights.Add((node, encoding, bytes));
        return node;
    }

    private (Tensor, TensorEncoding, long) Entry(string name, StoredTensor stored, string checksum)
    {
        if (!entries.Remove(name, out SafetensorsEntry? entry) || entry.Type != stored.Type || entry.Shape != stored.Shape)
            throw new ModelFormatException($"it has no entry '{name}' of {stored.Type} {stored.Shape}");
        if (source is null) Check(name, entry.Bytes.Span, checksum);
        return (source?.Weight(entry, checksum) ?? new(entry.Type, entry.Shape, entry.Bytes), TensorEncoding.Plain, entry.Bytes.Length);
    }

    private (Tensor, TensorEncoding, long) Coded(string name, StoredTensor stored)
    {
        ReadOnlyMemory<byte> rest = pack[position..];
        if (stored.Bytes is not { } length)
        {
            var reader = new CodeReader(rest.Span);
            (Tensor tensor, TensorEncoding encoding) = TensorCode.Read(ref reader, stored.Type, stored.Shape);
            position += reader.Position;
            return (tensor, encoding, reader.Position);
        }
        if (length < 1 || length > rest.Length) throw new ModelFormatException($"the weight '{name}' has {length} coded bytes, where {rest.Length} are left");
        if (stored.Zeros < 0 || stored.Zeros > stored.Shape.Elements) throw new ModelFormatException($"the weight '{name}' of {stored.Shape} has {stored.Zeros} zeros");
        position += length;
        return (source?.Weight(stored.Type, stored.Shape, Decode, stored.Zeros) ?? Tensor.Build(stored.Type, stored.Shape, Decode), (TensorEncoding)rest.Span[0], length);

        void Decode(Span<byte> bytes)
        {
            var reader = new CodeReader(rest.Span[..length]);
            TensorCode.Read(ref reader, stored.Type, stored.Shape, bytes);
            if (reader.Position != length) throw new ModelFormatException($"the weight '{name}' has {length} coded bytes, of which {reader.Position} are read");
        }
    }
}
