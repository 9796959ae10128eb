using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;

namespace Penjing;

/// <summary>A model laid out as a file; <see cref="ModelReader"/> says what lies where.</summary>
internal sealed class ModelWriter
{
    /// <summary>A plain weight of fewer bytes goes into the pack: an entry of its own costs some 70 bytes of header.</summary>
    private const int SmallestEntry = 4096;

    /// <summary>A weight is modelled where that saves one byte in so many: it is read more slowly than the others.</summary>
    private const int ModelledGain = 100;

    private const int BrotliQuality = 11, BrotliWindow = 22;

    private readonly Safetensors container;
    private readonly byte[] header;

    /// <summary>Lays a model out, nothing written yet.</summary>
    /// <exception cref="PenjingException">A name is no text.</exception>
    public ModelWriter(Model model, Storage storage)
    {
        ImmutableArray<Part> parts = Allowed([.. model.Graph.Weights.Select(node => Part.Of(node, storage))]);
        byte[] description = Describe(model, parts.ToDictionary(part => part.Node)).ToJson();
        byte[]? compressed = storage == Storage.Smallest ? Compress(description) : null;
        byte[] pack = [.. compressed ?? [], .. parts.SelectMany(part => part.Stream ?? [])];
        string network = compressed?.Length.ToString(CultureInfo.InvariantCulture) ?? System.Text.Encoding.UTF8.GetString(description);
        IEnumerable<SafetensorsEntry> entries = parts.Where(part => part.Stream is null).OrderByDescending(part => part.Node.Info.Type.Size())
            .Select(part => new SafetensorsEntry(part.Node.Name, part.Node.Info.Type, part.Node.Shape, part.Node.Value!.Bytes));
        if (pack.Length > 0) entries = entries.Append(new(ModelReader.PackName, ElementType.UInt8, [pack.Length], pack));
        bool isNewer = parts.Any(part => part.Encoding == TensorEncoding.Modelled) || !model.History.IsDefault && model.History.Any(stage => !stage.Cuts.IsDefaultOrEmpty);
        bool isOfPixels = !model.Colors.IsDefaultOrEmpty || !model.History.IsDefault && model.History.Any(stage => stage.Score?.MeanIoU is not null);
        int version = isOfPixels ? 5 : parts.Any(part => part.LargeStream is not null) ? 4 : isNewer ? 3 : 1;
        container = new(
            ImmutableDictionary<string, string>.Empty
                .Add(ModelReader.FormatKey, ModelReader.Format)
                .Add(ModelReader.VersionKey, version.ToString(CultureInfo.InvariantCulture))
                .Add(ModelReader.NetworkKey, network)
                .Add(ModelReader.ChecksumKey, ModelReader.Checksum(System.Text.Encoding.UTF8.GetBytes(network), pack)),
            [.. entries]);
        header = container.Header();
        ImmutableArray<TensorReport> tensors = [.. parts.Select(part => TensorReport.Of(part.Node, part.Encoding, part.Bytes, part.Costs))];
        long bytes = header.Length + container.Entries.Sum(entry => (long)entry.Bytes.Length);
        Report = new(bytes, bytes - tensors.Sum(tensor => tensor.Bytes), tensors);
    }

    /// <summary>What the file costs.</summary>
    public FileReport Report { get; }

    /// <summary>Writes the file's bytes.</summary>
    public void WriteTo(Stream stream)
    {
        stream.Write(header);
        foreach (SafetensorsEntry entry in container.Entries) stream.Write(entry.Bytes.Span);
    }

    private static StoredModel Describe(Model model, Dictionary<Node, Part> parts)
    {
        var numbers = model.Graph.Nodes.Select((node, number) => (node, number)).ToDictionary(item => item.node, item => item.number);
        Ints Numbers(ImmutableArray<Node> nodes) => new([.. nodes.Select(node => numbers[node])]);
        return new(
            [.. model.Graph.Nodes.Select(node => parts.TryGetValue(node, out Part? part)
                ? new StoredNode(node.Name, Tensor: new(node.Shape, node.Info.Type, node.Info.Quantization, part.Checksum, part.LargeStream?.Length, part.Zeros))
                : new StoredNode(node.Name, node.Op, Numbers(node.Inputs)))],
            Numbers(model.Graph.Inputs), Numbers(model.Graph.Outputs), model.Name, model.Labels.IsDefaultOrEmpty ? null : model.Labels, model.Colors.IsDefaultOrEmpty ? null : model.Colors, model.Preprocessing,
            model.History.IsDefaultOrEmpty ? null : model.History);
    }

    private static byte[]? Compress(byte[] description)
    {
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(description.Length)];
        return BrotliEncoder.TryCompress(description, compressed, out int length, BrotliQuality, BrotliWindow)
            && description.Length <= ModelReader.DescriptionAllowance(length) ? compressed[..length] : null;
    }

    /// <summary>Takes the largest weights out of the pack until a reader finds that it doesn't claim too much.</summary>
    private static ImmutableArray<Part> Allowed(ImmutableArray<Part> parts)
    {
        while (true)
        {
            Part[] packed = [.. parts.Where(part => part.Stream is not null)];
            if (packed.Sum(part => (long)part.Node.Value!.Bytes.Length) <= ModelReader.WeightAllowance(packed.Sum(part => part.Bytes))) return parts;
            Part largest = packed.Where(part => part.MayBeEntry).MaxBy(part => part.Node.Value!.Bytes.Length)!;
            parts = parts.Replace(largest, largest.AsEntry());
        }
    }

    /// <summary>A weight and how it is stored: as a stream of the pack, or where there is none, as an entry.</summary>
    private sealed record Part(Node Node, TensorEncoding Encoding, byte[]? Stream, ImmutableSortedDictionary<TensorEncoding, long> Costs)
    {
        public bool MayBeEntry => Node.Name is not (Safetensors.MetadataKey or ModelReader.PackName);

        public long Bytes => Stream?.Length ?? Node.Value!.Bytes.Length;

        public byte[]? LargeStream => Node.Value!.Bytes.Length > EntryFile.Small ? Stream : null;

        public int Zeros => LargeStream is not null && Node.Info.Type == ElementType.Float32 ? Node.Value!.ZeroFloats : 0;

        public string? Checksum => Stream is null ? ModelReader.Checksum(Node.Value!.Bytes.Span) : null;

        public static Part Of(Node node, Storage storage)
        {
            ImmutableSortedDictionary<TensorEncoding, byte[]> streams = TensorCode.Write(node.Value!);
            (TensorEncoding encoding, byte[] stream) = streams.MinBy(item =>
                item.Value.Length + (item.Key == TensorEncoding.Modelled ? item.Value.Length / ModelledGain : 0));
            var part = new Part(node, encoding, stream, TensorReport.CostsOf(streams));
            return part.MayBeEntry && (storage == Storage.Plain || encoding == TensorEncoding.Plain && stream.Length >= SmallestEntry) ? part.AsEntry() : part;
        }

        public Part AsEntry() => this with { Encoding = TensorEncoding.Plain, Stream = null };
    }
}
