using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Penjing.Training;

/// <summary>An array of a MATLAB file: of numbers or letters, column after column, or of other arrays.</summary>
/// <param name="Extents">The extents, at least two; the first is the number of rows.</param>
/// <param name="Values">The numbers or letters' codes; empty where there are cells.</param>
/// <param name="Cells">The arrays in the cells; empty where there are numbers.</param>
internal sealed record MatlabArray(ImmutableArray<int> Extents, ImmutableArray<double> Values, ImmutableArray<MatlabArray> Cells)
{
    /// <summary>The letters.</summary>
    public string Text => string.Concat(Values.Select(value => (char)value));
}

/// <summary>
/// The arrays of a MATLAB file of level 5, as `save -v6` and `save -v7` write it, by name (MAT-File Format, The MathWorks, R2019b). Structures, objects and sparse matrices are passed over; files of more than 16 MB, packed or not, are refused.
/// </summary>
internal static class MatlabFile
{
    private const int HeaderBytes = 128, MostBytes = 1 << 24, MostDepth = 8, CellClass = 1, CharClass = 4, FirstNumbers = 6, LastNumbers = 15, Matrix = 14, Compressed = 15, Utf8 = 16;

    /// <summary>Reads a file.</summary>
    /// <exception cref="PenjingException">The file can't be read, is damaged, or of another kind; the message names it.</exception>
    public static Dictionary<string, MatlabArray> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw Large();
            byte[] file = File.ReadAllBytes(path);
            if (file.AsSpan().StartsWith("MATLAB 7.3"u8)) throw new InvalidDataException("it is of version 7.3 (HDF5): save it by `save -v7`");
            if (file.Length < HeaderBytes || file[126] != 'I' || file[127] != 'M') throw new InvalidDataException("it is no MATLAB file of level 5, least byte first");
            Dictionary<string, MatlabArray> arrays = [];
            int room = MostBytes;
            for (ReadOnlyMemory<byte> left = file.AsMemory(HeaderBytes); !left.IsEmpty;)
            {
                Element element = Next(ref left);
                if (element.Kind == Compressed)
                {
                    ReadOnlyMemory<byte> unpacked = Unpacked(element.Bytes, ref room);
                    element = Next(ref unpacked);
                }
                if (Array(element) is (var name, { } array)) arrays[name] = array;
            }
            return arrays;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new PenjingException($"the MATLAB file '{path}' can't be read: {error.Message}", error);
        }
    }

    /// <summary>An element's kind and bytes, which are taken away from what is left; those of four bytes or fewer stand within the tag.</summary>
    private static Element Next(ref ReadOnlyMemory<byte> left)
    {
        if (left.Length < 8) throw Cut();
        uint tag = BinaryPrimitives.ReadUInt32LittleEndian(left.Span), length = BinaryPrimitives.ReadUInt32LittleEndian(left.Span[4..]);
        bool small = tag >> 16 != 0;
        if (small) (tag, length) = (tag & 0xffff, tag >> 16);
        int start = small ? 4 : 8;
        if (length > left.Length - start || small && length > 4) throw Cut();
        ReadOnlyMemory<byte> body = left.Slice(start, (int)length);
        int end = small ? 8 : start + (int)length;
        // Elements begin at a multiple of eight bytes, but for those that follow compressed ones.
        left = left[Math.Min(left.Length, tag == Compressed ? end : (end + 7) / 8 * 8)..];
        return new((int)tag, body);
    }

    /// <summary>The array of an element and its name; none where it is of a kind that is passed over.</summary>
    private static (string Name, MatlabArray? Array) Array(Element element, int depth = 0)
    {
        if (element.Kind != Matrix || element.Bytes.IsEmpty) return ("", null);
        ReadOnlyMemory<byte> left = element.Bytes;
        Element flags = Next(ref left), extents = Next(ref left), name = Next(ref left);
        if (flags.Bytes.IsEmpty) throw Cut();
        int kind = flags.Bytes.Span[0];
        (string Name, ImmutableArray<int> Extents) head = (Encoding.ASCII.GetString(name.Bytes.Span), [.. Numbers(extents).Select(extent => (int)extent)]);
        if (kind == CellClass)
        {
            if (depth == MostDepth) throw new InvalidDataException("its cells are in cells too often");
            List<MatlabArray> cells = [];
            while (!left.IsEmpty) cells.Add(Array(Next(ref left), depth + 1).Array ?? new([0, 0], [], []));
            return (head.Name, Whole(new(head.Extents, [], [.. cells]), cells.Count));
        }
        if (kind is not CharClass and not (>= FirstNumbers and <= LastNumbers)) return (head.Name, null);
        ImmutableArray<double> values = left.IsEmpty ? [] : Numbers(Next(ref left));
        return (head.Name, Whole(new(head.Extents, values, []), values.Length));

        static MatlabArray Whole(MatlabArray array, long count) => array.Extents.Length >= 2 && array.Extents.All(extent => extent >= 0) && array.Extents.Aggregate(1.0, (all, extent) => all * extent) == count
            ? array : throw new InvalidDataException($"an array of {string.Join('×', array.Extents)} has {count} elements");
    }

    /// <summary>Numbers, or letters, of any of the kinds in which the format stores them, whatever the array's own is.</summary>
    private static ImmutableArray<double> Numbers(Element element)
    {
        return element.Kind switch
        {
            1 => Of<sbyte>(value => value),
            2 => Of<byte>(value => value),
            3 => Of<short>(value => value),
            4 or 17 => Of<ushort>(value => value),
            5 => Of<int>(value => value),
            6 or 18 => Of<uint>(value => value),
            7 => Of<float>(value => value),
            9 => Of<double>(value => value),
            12 => Of<long>(value => value),
            13 => Of<ulong>(value => value),
            Utf8 => [.. Encoding.UTF8.GetString(element.Bytes.Span).Select(letter => (double)letter)],
            _ => throw new InvalidDataException($"numbers are of the unknown kind {element.Kind}"),
        };

        ImmutableArray<double> Of<T>(Func<T, double> value) where T : unmanaged => [.. MemoryMarshal.Cast<byte, T>(element.Bytes.Span).ToArray().Select(value)];
    }

    private static byte[] Unpacked(ReadOnlyMemory<byte> packed, ref int room)
    {
        using ZLibStream zlib = new(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        using MemoryStream unpacked = new();
        byte[] part = new byte[1 << 16];
        for (int read; (read = zlib.Read(part)) > 0; unpacked.Write(part, 0, read))
            if ((room -= read) < 0) throw Large();
        return unpacked.ToArray();
    }

    private static InvalidDataException Large() => new($"it takes more than {MostBytes} bytes");

    private static InvalidDataException Cut() => new("it is cut off or damaged");

    /// <summary>A piece of a file: what kind of numbers or matrix it is, and its bytes.</summary>
    private readonly record struct Element(int Kind, ReadOnlyMemory<byte> Bytes);
}
