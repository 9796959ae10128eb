using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Penjing.Training;

/// <summary>
/// A mask in a PNG file: the class of each pixel is its index in the palette, or its gray. Picture libraries turn palettes into colours, of which two may be the same; here
/// indices are read as they are (PNG specification, second edition).
/// </summary>
/// <param name="Size">Height and width in pixels.</param>
/// <param name="Classes">The class of each pixel, row by row.</param>
/// <param name="Colors">The palette, as 0xRRGGBB; empty where the file is gray.</param>
public sealed record MaskFile(Size Size, ReadOnlyMemory<byte> Classes, ImmutableArray<int> Colors)
{
    private const int MostPixels = 1 << 26, Gray = 0, Palette = 3;
    private static readonly byte[] signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Reads a PNG file with a palette, or in gray, of up to 8 bits a pixel.</summary>
    /// <exception cref="PenjingException">The file can't be read, is damaged, or of another kind; the message names it.</exception>
    public static MaskFile Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the mask '{path}' can't be read: {error.Message}", error);
        }
        try
        {
            return Parse(file);
        }
        catch (InvalidDataException error)
        {
            throw new PenjingException($"the mask '{path}' can't be read: {error.Message}", error);
        }
    }

    /// <summary>Reads the matrix 'groundtruth' of a MATLAB file, as Clothing Co-Parsing has them: the class of each pixel.</summary>
    /// <exception cref="PenjingException">The file can't be read, is damaged, or has no such matrix; the message names it.</exception>
    internal static MaskFile OfMatlab(string path)
    {
        if (!MatlabFile.Read(path).TryGetValue("groundtruth", out MatlabArray? matrix) || matrix is not { Extents: [> 0 and var height, > 0 and var width], Values.IsEmpty: false })
            throw new PenjingException($"the mask '{path}' has no matrix 'groundtruth' of the pixels' classes");
        byte[] classes = new byte[height * width];
        for (int at = 0; at < classes.Length; at++)
        {
            double value = matrix.Values[at % width * height + at / width];
            if (value is not (>= 0 and <= byte.MaxValue) || value != Math.Floor(value)) throw new PenjingException($"the mask '{path}' has the value {value}: classes are whole numbers from 0 to {byte.MaxValue}");
            classes[at] = (byte)value;
        }
        return new(new(height, width), classes, []);
    }

    /// <summary>Writes a PNG file with this palette; it is there whole or not at all.</summary>
    /// <exception cref="PenjingException">The file can't be written.</exception>
    /// <exception cref="ShapeException">A pixel's class has no colour.</exception>
    public void Write(string path)
    {
        if (Colors.Length is 0 or > 256 || Classes.Span.ContainsAnyExceptInRange((byte)0, (byte)(Colors.Length - 1))) throw new ShapeException($"{Colors.Length} colours don't serve all classes of a mask");
        byte[] rows = new byte[Size.Height * (Size.Width + 1)];
        for (int row = 0; row < Size.Height; row++) Classes.Span.Slice(row * Size.Width, Size.Width).CopyTo(rows.AsSpan(row * (Size.Width + 1) + 1));
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.SmallestSize, leaveOpen: true)) zlib.Write(rows);
        byte[] head = [0, 0, 0, 0, 0, 0, 0, 0, 8, Palette, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(head, Size.Width);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), Size.Height);
        byte[] file = [.. signature, .. Chunk("IHDR", head), .. Chunk("PLTE", [.. Colors.SelectMany(color => (byte[])[(byte)(color >> 16), (byte)(color >> 8), (byte)color])]), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    private static MaskFile Parse(byte[] file)
    {
        if (!file.AsSpan().StartsWith(signature)) throw new InvalidDataException("it is no PNG file");
        (Size size, int depth, int kind, ImmutableArray<int> colors) = (default, 0, -1, []);
        using MemoryStream packed = new();
        for (int at = signature.Length; ;)
        {
            if (file.Length - at < 12 || BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at)) is var length && (length < 0 || length > file.Length - at - 12)) throw new InvalidDataException("it is cut off");
            ReadOnlySpan<byte> named = file.AsSpan(at + 4, 4 + length), body = named[4..];
            if (Crc32.HashToUInt32(named) != BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length))) throw new InvalidDataException("it is damaged: a checksum is wrong");
            at += 12 + length;
            string name = Encoding.ASCII.GetString(named[..4]);
            if (name == "IHDR" && length == 13)
            {
                size = new(BinaryPrimitives.ReadInt32BigEndian(body[4..]), BinaryPrimitives.ReadInt32BigEndian(body));
                (depth, kind) = (body[8], body[9]);
                if (kind is not (Gray or Palette) || depth is not (1 or 2 or 4 or 8)) throw new InvalidDataException("it has neither a palette nor gray of up to 8 bits: save it as a PNG whose palette index is the class");
                if (body[12] != 0) throw new InvalidDataException("it is interlaced: save it without");
                if (size.Height < 1 || size.Width < 1 || (long)size.Height * size.Width > MostPixels) throw new InvalidDataException($"its size is {size}");
            }
            else if (name == "PLTE") colors = [.. body.ToArray().Chunk(3).Where(rgb => rgb.Length == 3).Select(rgb => rgb[0] << 16 | rgb[1] << 8 | rgb[2])];
            else if (name == "IDAT") packed.Write(body);
            else if (name == "IEND") break;
        }
        if (kind < 0) throw new InvalidDataException("it has no header");
        packed.Position = 0;
        using ZLibStream rows = new(packed, CompressionMode.Decompress);
        return new(size, Unpacked(rows, size, depth), kind == Palette ? colors : []);
    }

    /// <summary>The pixels of rows that are packed to bits and filtered, each by the row above and the bytes before (PNG specification, section 9).</summary>
    private static byte[] Unpacked(Stream rows, Size size, int depth)
    {
        int bytes = (size.Width * depth + 7) / 8;
        byte[] above = new byte[bytes], row = new byte[bytes], pixels = new byte[size.Height * size.Width];
        for (int y = 0; y < size.Height; y++)
        {
            int filter;
            try
            {
                filter = rows.ReadByte();
                rows.ReadExactly(row);
            }
            catch (EndOfStreamException)
            {
                throw new InvalidDataException("it has fewer pixels than its header says");
            }
            for (int i = 0; i < bytes; i++)
            {
                int left = i > 0 ? row[i - 1] : 0, up = above[i], corner = i > 0 ? above[i - 1] : 0;
                row[i] += (byte)(filter switch
                {
                    0 => 0,
                    1 => left,
                    2 => up,
                    3 => (left + up) / 2,
                    4 => Paeth(left, up, corner),
                    _ => throw new InvalidDataException($"a row has the unknown filter {filter}"),
                });
            }
            for (int x = 0; x < size.Width; x++) pixels[y * size.Width + x] = (byte)(row[x * depth / 8] >> (8 - depth - x * depth % 8) & (1 << depth) - 1);
            (above, row) = (row, above);
        }
        return pixels;
    }

    /// <summary>Of left, up and corner, the one nearest to left + up − corner.</summary>
    private static int Paeth(int left, int up, int corner)
    {
        int toLeft = Math.Abs(up - corner), toUp = Math.Abs(left - corner), toCorner = Math.Abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }

    private static byte[] Chunk(string name, byte[] body)
    {
        byte[] chunk = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(name), .. body, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + body.Length), Crc32.HashToUInt32(chunk.AsSpan(4, 4 + body.Length)));
        return chunk;
    }
}
