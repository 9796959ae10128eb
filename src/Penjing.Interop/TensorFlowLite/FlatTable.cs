using System.Collections.Immutable;
using System.Text;
using Google.FlatBuffers;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>A table of a FlatBuffers file: its fields by number, in the order of its schema.</summary>
/// <param name="table">The table; whatever it points to outside the file is an <see cref="ArgumentOutOfRangeException"/> of the package.</param>
/// <param name="file">The file that it stands in.</param>
internal readonly struct FlatTable(Table table, FlatFile file)
{
    private const int Header = sizeof(ushort) * 2;

    /// <summary>The first table of a file.</summary>
    public static FlatTable Root(FlatFile file)
    {
        var bytes = new ByteBuffer(file.Bytes);
        return new(new(bytes.GetInt(0), bytes), file);
    }

    /// <summary>How many fields the table's schema had at least when it was written.</summary>
    public int Fields => (table.bb.GetUshort(table.bb_pos - table.bb.GetInt(table.bb_pos)) - Header) / sizeof(ushort);

    /// <summary>Whether a field is given.</summary>
    public bool Has(int field) => field < Fields && At(field) != 0;

    /// <summary>A field of one byte, as an enumeration is.</summary>
    public int Byte(int field, int otherwise = 0) => At(field) is > 0 and var at ? table.bb.GetSbyte(at) : otherwise;

    /// <summary>A whole number.</summary>
    public int Int(int field, int otherwise = 0) => At(field) is > 0 and var at ? table.bb.GetInt(at) : otherwise;

    /// <summary>A number.</summary>
    public float Float(int field, float otherwise = 0) => At(field) is > 0 and var at ? table.bb.GetFloat(at) : otherwise;

    /// <summary>A table, or null.</summary>
    public FlatTable? Table(int field) => At(field) is > 0 and var at ? new(new(Pointed(at), table.bb), file) : null;

    /// <summary>The tables of a list.</summary>
    public ImmutableArray<FlatTable> Tables(int field)
    {
        (ByteBuffer bytes, FlatFile own) = (table.bb, file);
        return Listed(field, sizeof(int), at => new FlatTable(new(at + bytes.GetInt(at), bytes), own));
    }

    /// <summary>The bytes of a list, as they lie in the file.</summary>
    public ReadOnlyMemory<byte> Bytes(int field)
    {
        (int start, int count) = List(field, 1);
        return file.Bytes.AsMemory(start, count);
    }

    /// <summary>A list of whole numbers.</summary>
    public ImmutableArray<int> Ints(int field) => Listed(field, sizeof(int), table.bb.GetInt);

    /// <summary>A list of whole numbers of 64 bits.</summary>
    public ImmutableArray<long> Longs(int field) => Listed(field, sizeof(long), table.bb.GetLong);

    /// <summary>A list of numbers.</summary>
    public ImmutableArray<float> Floats(int field) => Listed(field, sizeof(float), table.bb.GetFloat);

    /// <summary>A word; empty where there is none.</summary>
    public string Text(int field)
    {
        ReadOnlyMemory<byte> bytes = Bytes(field);
        file.Charge(bytes.Length);
        return Encoding.UTF8.GetString(bytes.Span);
    }

    private int At(int field)
    {
        int offset = table.__offset(Header + field * sizeof(ushort));
        return offset == 0 ? 0 : table.bb_pos + offset;
    }

    private int Pointed(int at) => at + table.bb.GetInt(at);

    private ImmutableArray<T> Listed<T>(int field, int size, Func<int, T> read)
    {
        (int start, int count) = List(field, size);
        file.Charge((long)count * size);
        return [.. Enumerable.Range(0, count).Select(i => read(start + i * size))];
    }

    private (int Start, int Count) List(int field, int size)
    {
        if (At(field) is not (> 0 and var at)) return default;
        int list = Pointed(at), count = table.bb.GetInt(list);
        if (count < 0 || (long)count * size > table.bb.Length - list - sizeof(int)) throw new ModelFormatException($"a list of {count} elements ends beyond the file");
        return (list + sizeof(int), count);
    }
}
