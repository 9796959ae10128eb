using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Penjing;

/// <summary>One entry of a safetensors file: an element type, a shape and the bytes, and where in the file these begin.</summary>
internal sealed record SafetensorsEntry(string Name, ElementType Type, Shape Shape, ReadOnlyMemory<byte> Bytes, long Position = 0);

/// <summary>
/// The safetensors container: 8 bytes of little-endian header length, that many bytes of JSON (which begins with a brace and may end in spaces),
/// then the entries' bytes, which fill the rest without gap or overlap. Only the element types of <see cref="ElementType"/> are known here.
/// </summary>
internal sealed record Safetensors(ImmutableDictionary<string, string> Metadata, ImmutableArray<SafetensorsEntry> Entries)
{
    /// <summary>The key of the map of strings.</summary>
    public const string MetadataKey = "__metadata__";
    private const int LongestHeader = 100_000_000;

    private static readonly ImmutableArray<(ElementType Type, string Name)> Types =
    [
        (ElementType.Int64, "I64"), (ElementType.UInt64, "U64"), (ElementType.Float64, "F64"),
        (ElementType.Float32, "F32"), (ElementType.Int32, "I32"), (ElementType.UInt32, "U32"),
        (ElementType.Float16, "F16"), (ElementType.Int16, "I16"), (ElementType.UInt16, "U16"),
        (ElementType.Int8, "I8"), (ElementType.UInt8, "U8"), (ElementType.Bool, "BOOL"),
    ];

    /// <summary>The container of these bytes; the entries are views of them.</summary>
    /// <exception cref="ModelFormatException">The bytes are no such container.</exception>
    /// <exception cref="JsonException">The header is no JSON.</exception>
    /// <exception cref="ShapeException">A shape is impossible.</exception>
    public static Safetensors Read(ReadOnlyMemory<byte> file)
    {
        if (file.Length < 8) throw new ModelFormatException($"{file.Length} bytes are too few for a header");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (length > LongestHeader) throw new ModelFormatException($"it is neither .penjing nor safetensors, or its head is damaged: it asks for a header of {length} bytes");
        if (length > (ulong)(file.Length - 8))
            throw new ModelFormatException(
                $"it is cut short: its header ends at byte {length + 8}, and the file has {file.Length} bytes; get the whole file again");
        ReadOnlyMemory<byte> header = file.Slice(8, (int)length), data = file[(8 + (int)length)..];
        if (header.IsEmpty || header.Span[0] != '{') throw new ModelFormatException("the header doesn't begin with a brace");
        using JsonDocument json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
        ImmutableDictionary<string, string> metadata = ImmutableDictionary<string, string>.Empty;
        var entries = new List<(int Start, SafetensorsEntry Entry)>();
        foreach (JsonProperty property in json.RootElement.EnumerateObject())
        {
            if (property.Name == MetadataKey)
                metadata = property.Value.EnumerateObject().ToImmutableDictionary(item => item.Name, item => item.Value.GetString() ?? "");
            else entries.Add(ReadEntry(property, data, file.Length - data.Length));
        }
        int end = 0;
        foreach ((int start, SafetensorsEntry entry) in entries.OrderBy(item => item.Start).ThenBy(item => item.Entry.Bytes.Length))
        {
            if (start != end) throw new ModelFormatException($"the bytes of '{entry.Name}' begin at {start} instead of {end}");
            end += entry.Bytes.Length;
        }
        if (end != data.Length) throw new ModelFormatException($"{data.Length} bytes follow the header where it names {end}");
        return new(metadata, [.. entries.Select(item => item.Entry)]);
    }

    /// <summary>The bytes before the entries' own: length and header, padded so that the entries, in their order here, begin at a multiple of 8.</summary>
    public byte[] Header()
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Advance(WriteLength(buffer.GetSpan(8), 0));
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            foreach ((string key, string value) in Metadata.OrderBy(item => item.Key, StringComparer.Ordinal)) json.WriteString(key, value);
            json.WriteEndObject();
            long start = 0;
            foreach (SafetensorsEntry entry in Entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", Types.First(type => type.Type == entry.Type).Name);
                json.WriteStartArray("shape");
                foreach (int extent in entry.Shape) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(start);
                json.WriteNumberValue(start += entry.Bytes.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        byte[] header = [.. buffer.WrittenSpan, .. Enumerable.Repeat((byte)' ', -buffer.WrittenCount & 7)];
        WriteLength(header, header.Length - 8);
        return header;
    }

    private static int WriteLength(Span<byte> header, int length)
    {
        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        return 8;
    }

    private static (int Start, SafetensorsEntry Entry) ReadEntry(JsonProperty property, ReadOnlyMemory<byte> data, long fileStart)
    {
        string? name = null;
        Shape? shape = null;
        (int Start, int End)? range = null;
        foreach (JsonProperty item in property.Value.EnumerateObject())
        {
            if (item.NameEquals("dtype")) name = item.Value.GetString();
            else if (item.NameEquals("shape")) shape = [.. item.Value.EnumerateArray().Select(extent => extent.GetInt32())];
            else if (item.NameEquals("data_offsets") && item.Value.GetArrayLength() == 2) range = (item.Value[0].GetInt32(), item.Value[1].GetInt32());
            else throw new ModelFormatException($"'{property.Name}' has the unknown property '{item.Name}'");
        }
        ElementType? type = Types.Where(type => type.Name == name).Select(type => (ElementType?)type.Type).FirstOrDefault();
        if (type is null || shape is null || range is not { } bytes)
            throw new ModelFormatException($"'{property.Name}' lacks a known dtype, a shape or data offsets");
        if (bytes.Start >= 0 && bytes.Start <= bytes.End && bytes.End > data.Length)
            throw new ModelFormatException(
                $"it is cut short: '{property.Name}' ends at byte {fileStart + bytes.End}, and the file has {fileStart + data.Length} bytes; "
                + "get the whole file again");
        if (bytes.Start < 0 || bytes.End < bytes.Start || bytes.End - bytes.Start != (long)shape.Value.Elements * type.Value.Size())
            throw new ModelFormatException($"'{property.Name}' is {name} {shape}, but has bytes {bytes.Start} to {bytes.End} of {data.Length}");
        return (bytes.Start, new(property.Name, type.Value, shape.Value, data[bytes.Start..bytes.End], fileStart + bytes.Start));
    }
}
