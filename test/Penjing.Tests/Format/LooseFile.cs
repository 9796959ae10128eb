using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Penjing.Tests;

/// <summary>A file taken apart into what its checksums protect, so that parts can be exchanged and the checksums made right again.</summary>
internal sealed record LooseFile(string Description, byte[] Streams, string Entries, byte[] Plain)
{
    /// <summary>The parts of a sound file.</summary>
    public static LooseFile Of(byte[] file)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        JsonObject header = JsonNode.Parse(file.AsSpan(8, length))!.AsObject();
        string network = header["__metadata__"]!["model"]!.GetValue<string>();
        byte[] data = file[(8 + length)..], pack = [];
        if (header["penjing.pack"] is { } entry)
        {
            int start = entry["data_offsets"]![0]!.GetValue<int>();
            (data, pack) = (data[..start], data[start..]);
        }
        header.Remove("__metadata__");
        header.Remove("penjing.pack");
        string entries = header.ToJsonString()[1..^1];
        if (network[0] == '{') return new(network, pack, entries, data);
        var description = new byte[1 << 20];
        int compressed = int.Parse(network);
        Assert.True(BrotliDecoder.TryDecompress(pack.AsSpan(0, compressed), description, out int written));
        return new(System.Text.Encoding.UTF8.GetString(description, 0, written), pack[compressed..], entries, data);
    }

    /// <summary>With one part injured.</summary>
    public LooseFile Mutated(Random random, out string what) => random.Next(8) switch
    {
        <= 3 when Streams.Length > 0 => this with { Streams = Mutation.Of(Streams, random, out what) },
        7 when Entries.Length > 0 => this with { Entries = Mutation.Of(Entries, random, out what) },
        _ => this with { Description = Mutation.Of(Description, random, out what) },
    };

    /// <summary>The file, its description as text, the header changed at last.</summary>
    public byte[] ToBytes(Func<string, string>? change = null) => ToBytes(Description, Streams, change);

    /// <summary>The file, its description compressed.</summary>
    public byte[] ToBytes(byte[] compressed) => ToBytes($"{compressed.Length}", [.. compressed, .. Streams], null);

    private byte[] ToBytes(string network, byte[] pack, Func<string, string>? change)
    {
        var metadata = new JsonObject
        {
            ["checksum"] = ModelReader.Checksum(System.Text.Encoding.UTF8.GetBytes(network), pack),
            ["format"] = "penjing",
            ["model"] = network,
            ["version"] = "1",
        };
        string entries = Entries.Length > 0 ? $",{Entries}" : "", range = $"[{Plain.Length},{Plain.Length + pack.Length}]";
        string packed = pack.Length > 0 ? $$""","penjing.pack":{"dtype":"U8","shape":[{{pack.Length}}],"data_offsets":{{range}}}""" : "";
        string header = $$"""{"__metadata__":{{metadata.ToJsonString()}}{{entries}}{{packed}}}""";
        byte[] text = System.Text.Encoding.UTF8.GetBytes(change?.Invoke(header) ?? header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. Plain, .. pack];
    }
}
