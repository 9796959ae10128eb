using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;

namespace Penjing.Training;

/// <summary>Files of MNIST's IDX format, plain or gzipped: a magic number, the extents, then bytes.</summary>
internal static class IdxFile
{
    private const uint Labels = 0x801, Pictures = 0x803;

    /// <summary>The pictures and labels of a part, "train" or "t10k", of a folder; null where it has neither file.</summary>
    /// <exception cref="PenjingException">One file is missing, damaged, or doesn't fit the other.</exception>
    public static MemorySplit? Read(string folder, string part)
    {
        string? pictures = Find(folder, part, "images", 3), labels = Find(folder, part, "labels", 1);
        if (pictures is null && labels is null) return null;
        if (pictures is null || labels is null)
            throw new PenjingException($"'{folder}' has the {(pictures is null ? "labels" : "pictures")} of '{part}', but not its {(pictures is null ? "pictures" : "labels")}: add the missing IDX file");
        byte[] classes = Load(labels), pixels = Load(pictures);
        int count = Header(labels, classes, Labels, 1)[0];
        int[] extents = Header(pictures, pixels, Pictures, 3);
        if (extents[0] != count) throw new PenjingException($"'{pictures}' has {extents[0]} pictures, but '{labels}' has {count} labels");
        return new(new(extents[1], extents[2]), Channels.Gray, [.. classes.AsSpan(8).ToArray().Select(label => (int)label)], pixels.AsMemory(16));
    }

    /// <summary>Whether a folder has an IDX file of either part.</summary>
    public static bool Any(string folder) => new[] { "train", "t10k" }.Any(part => Find(folder, part, "images", 3) is not null || Find(folder, part, "labels", 1) is not null);

    /// <summary>The file of a part, under any of its usual names.</summary>
    public static string? Find(string folder, string part, string kind, int rank) =>
        (from name in new[] { $"{part}-{kind}-idx{rank}-ubyte", $"{part}-{kind}.idx{rank}-ubyte" }
         from ending in new[] { "", ".gz" }
         select Path.Combine(folder, name + ending)).FirstOrDefault(File.Exists);

    /// <summary>The file's bytes, unzipped.</summary>
    /// <exception cref="PenjingException">The file can't be read or unzipped.</exception>
    public static byte[] Load(string path)
    {
        try
        {
            byte[] file = File.ReadAllBytes(path);
            if (file is not [0x1f, 0x8b, _, _, ..]) return file;
            using GZipStream gzip = new(new MemoryStream(file), CompressionMode.Decompress);
            using MemoryStream plain = new();
            gzip.CopyTo(plain);
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(Math.Max(0, file.Length - 4))) != (uint)plain.Length) throw new InvalidDataException("its end is missing");
            return plain.ToArray();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new PenjingException($"the IDX file '{path}' can't be read or is damaged: {error.Message}", error);
        }
    }

    private static int[] Header(string path, ReadOnlySpan<byte> file, uint magic, int rank)
    {
        if (file.Length < 4 + 4 * rank) throw new PenjingException($"the IDX file '{path}' is cut off: {file.Length} bytes");
        uint found = BinaryPrimitives.ReadUInt32BigEndian(file);
        if (found != magic) throw new PenjingException($"'{path}' is no IDX file of {(rank == 1 ? "labels" : "pictures")}: it begins with 0x{found:x8}, not 0x{magic:x8}");
        var extents = new int[rank];
        long elements = 1;
        for (int i = 0; i < rank; i++)
        {
            extents[i] = BinaryPrimitives.ReadInt32BigEndian(file[(4 + 4 * i)..]);
            if (extents[i] <= 0 || (elements *= extents[i]) > Array.MaxLength) throw new PenjingException($"the IDX file '{path}' is damaged: extent {i} is {extents[i]}");
        }
        if (file.Length != 4 + 4 * rank + elements)
            throw new PenjingException($"the IDX file '{path}' is damaged: {string.Join('×', extents)} takes {4 + 4 * rank + elements} bytes, but it has {file.Length}");
        return extents;
    }
}
