using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Penjing.Training;

/// <summary>NumPy's .npy files (format 1.0 to 3.0): little-endian, in C order.</summary>
public static partial class Npy
{
    private static readonly (ElementType Type, string Name)[] Types =
    [
        (ElementType.Float32, "<f4"), (ElementType.Float16, "<f2"), (ElementType.Float64, "<f8"), (ElementType.Bool, "|b1"),
        (ElementType.Int64, "<i8"), (ElementType.Int32, "<i4"), (ElementType.Int16, "<i2"), (ElementType.Int8, "|i1"),
        (ElementType.UInt64, "<u8"), (ElementType.UInt32, "<u4"), (ElementType.UInt16, "<u2"), (ElementType.UInt8, "|u1"),
    ];

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The array in a file.</summary>
    /// <exception cref="PenjingException">The file can't be read, is no .npy file, is damaged, or holds another type or order; the message names it.</exception>
    public static Tensor Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"'{path}' can't be read: {error.Message}", error);
        }
        if (file.Length < 10 || !file.AsSpan().StartsWith(Magic) || file[6] is < 1 or > 3) throw new PenjingException($"'{path}' is no .npy file");
        int start = file[6] == 1 ? 10 : 12;
        long length = file.Length < start ? 0 : file[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)) : BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(8));
        if (start + length > file.Length) throw new PenjingException($"the .npy file '{path}' is cut off");
        Match header = Header().Match(System.Text.Encoding.UTF8.GetString(file, start, (int)length));
        if (!header.Success) throw new PenjingException($"the .npy file '{path}' has a header that can't be read");
        string name = header.Groups["type"].Value;
        if (Types.FirstOrDefault(type => type.Name == name) is not { Name: not null } type)
            throw new PenjingException($"the .npy file '{path}' holds elements of {name}: save it as float32 (array.astype('<f4'))");
        if (header.Groups["fortran"].Value == "True") throw new PenjingException($"the .npy file '{path}' is in Fortran order: save it in C order (numpy.ascontiguousarray)");
        List<int> extents = [];
        foreach (string extent in header.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            extents.Add(int.TryParse(extent, CultureInfo.InvariantCulture, out int value) ? value : throw new PenjingException($"the .npy file '{path}' has the extent {extent}"));
        try
        {
            return new(type.Type, [.. extents], file.AsMemory(start + (int)length));
        }
        catch (ShapeException error)
        {
            throw new PenjingException($"the .npy file '{path}' is damaged: {error.Message}", error);
        }
    }

    /// <summary>Writes an array; the file is there whole or not at all.</summary>
    /// <exception cref="PenjingException">The file can't be written.</exception>
    public static void Write(string path, Tensor tensor)
    {
        string extents = tensor.Shape.Rank == 1 ? $"{tensor.Shape[0]}," : string.Join(", ", tensor.Shape.Extents.Items);
        string header = $"{{'descr': '{Types.First(type => type.Type == tensor.Type).Name}', 'fortran_order': False, 'shape': ({extents}), }}";
        header = header.PadRight((10 + header.Length + 1 + 63) / 64 * 64 - 11) + "\n";
        byte[] file = [.. Magic, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. System.Text.Encoding.ASCII.GetBytes(header), .. tensor.Bytes.Span];
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    [GeneratedRegex(@"^\s*\{(?=.*'descr'\s*:\s*'(?<type>[^']*)')(?=.*'fortran_order'\s*:\s*(?<fortran>True|False))(?=.*'shape'\s*:\s*\((?<shape>[0-9,\sL]*)\)).*\}\s*$", RegexOptions.Singleline)]
    private static partial Regex Header();
}
