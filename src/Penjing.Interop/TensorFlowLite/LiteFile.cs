using System.Collections.Immutable;
using System.Text;
using Google.FlatBuffers;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>Reads the tables of a TensorFlow Lite file; fields are counted as the schema, version 3, has them.</summary>
internal static class LiteFile
{
    /// <summary>What follows the first offset of every file.</summary>
    public const string Identifier = "TFL3";

    /// <summary>What the names of this project's own metadata begin with.</summary>
    public const string Prefix = "penjing.";

    /// <summary>The version of the schema.</summary>
    public const int Version = 3;

    /// <summary>The element types, by their numbers in the schema.</summary>
    public static ImmutableArray<ElementType?> Types { get; } =
    [
        ElementType.Float32, ElementType.Float16, ElementType.Int32, ElementType.UInt8, ElementType.Int64, null, ElementType.Bool, ElementType.Int16,
        null, ElementType.Int8, ElementType.Float64, null, ElementType.UInt64, null, null, ElementType.UInt32, ElementType.UInt16,
    ];

    /// <summary>The old number of an operation whose own doesn't fit a signed byte.</summary>
    public const int ExtendsByte = 127;

    private const int Least = 8, Custom = 32, MostAxes = 8;

    /// <summary>The model of a file's bytes.</summary>
    /// <exception cref="ModelFormatException">The bytes are damaged, no such file, or hold an operation that is not understood; the message names it.</exception>
    public static LiteModel Read(FlatFile file)
    {
        if (file.Bytes.Length < Least || Encoding.ASCII.GetString(file.Bytes, 4, 4) != Identifier) throw new ModelFormatException($"this is no TensorFlow Lite file: it doesn't begin with '{Identifier}'");
        try
        {
            return Model(FlatTable.Root(file));
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new ModelFormatException("the file is damaged: something it refers to lies outside of it", error);
        }
    }

    private static LiteModel Model(FlatTable model)
    {
        if (model.Int(0) is not Version and var version) throw new ModelFormatException($"it is written in version {version} of the format; understood is {Version}");
        ImmutableArray<ReadOnlyMemory<byte>> buffers = [.. model.Tables(4).Select(Buffer)];
        if (model.Tables(2) is not [var graph]) throw new ModelFormatException($"it has {model.Tables(2).Length} graphs; understood are files of one");
        ImmutableArray<FlatTable> codes = model.Tables(1);
        ImmutableArray<LiteTensor> tensors = [.. graph.Tables(0).Select((tensor, i) => Tensor(tensor, i, buffers))];
        return new(tensors, graph.Ints(1), graph.Ints(2), [.. graph.Tables(3).Select((one, i) => Operator(one, i, codes, tensors))])
        {
            Name = graph.Text(4),
            Metadata = model.Tables(6).Select(entry => (Key: entry.Text(0), Buffer: entry.Int(1))).Where(entry => entry.Key.StartsWith(Prefix, StringComparison.Ordinal))
                .DistinctBy(entry => entry.Key).ToImmutableDictionary(entry => entry.Key[Prefix.Length..], entry => Encoding.UTF8.GetString(Of(buffers, entry.Buffer, "metadata").Span)),
        };
    }

    private static ReadOnlyMemory<byte> Buffer(FlatTable buffer) => buffer.Has(1)
        ? throw new ModelFormatException("its weights lie behind its tables, as in files above 2 GB, which is not supported") : buffer.Bytes(0);

    private static LiteTensor Tensor(FlatTable table, int number, ImmutableArray<ReadOnlyMemory<byte>> buffers)
    {
        string name = table.Text(3) is { Length: > 0 } given ? given : $"value {number}";
        return Naming($"the value '{name}'", () =>
        {
            ElementType type = Type(table.Byte(1));
            ImmutableArray<int> shape = table.Ints(0);
            if (table.Has(6)) throw new ModelFormatException("it is stored sparsely, which is not supported: convert the network without sparsity");
            if (table.Byte(5) != 0) throw new ModelFormatException("it is a variable that keeps its value from run to run, which is not supported");
            if (shape.Length > MostAxes || shape.Any(extent => extent < 0)) throw new ModelFormatException($"{new Ints(shape)} is no shape of up to {MostAxes} extents");
            ReadOnlyMemory<byte> data = Of(buffers, table.Int(2), "data");
            return new LiteTensor(name, type, new(shape), data.IsEmpty ? default(ReadOnlyMemory<byte>?) : data, table.Table(4) is { } quantization ? Quantization(quantization, type) : null);
        });
    }

    /// <summary>The element type of a number in the schema.</summary>
    /// <exception cref="ModelFormatException">No core value has it.</exception>
    public static ElementType Type(int number) => number >= 0 && number < Types.Length && Types[number] is { } type ? type
        : throw new ModelFormatException($"values of type {number} are not supported; supported are floats of 16, 32 and 64 bits, integers of 8 to 64 bits and truth values");

    /// <summary>Scales and zero points; those that a file has for floats mean nothing.</summary>
    private static Quantization? Quantization(FlatTable table, ElementType type)
    {
        ImmutableArray<float> scales = table.Floats(2);
        ImmutableArray<long> zeros = table.Longs(3);
        if (table.Byte(4) != 0) throw new ModelFormatException("it is quantized otherwise than by scales and zero points, which is not supported");
        if (scales.IsEmpty || !type.IsInteger()) return null;
        if (zeros.IsEmpty) zeros = [.. scales.Select(_ => 0L)];
        else if (zeros.Length == 1) zeros = [.. scales.Select(_ => zeros[0])];
        if (zeros.Length != scales.Length || zeros.Any(zero => zero != (int)zero)) throw new ModelFormatException($"{scales.Length} scales and {zeros.Length} zero points don't belong together");
        return new(scales, [.. zeros.Select(zero => (int)zero)], scales.Length == 1 ? null : table.Int(6));
    }

    private static LiteOperator Operator(FlatTable table, int number, ImmutableArray<FlatTable> codes, ImmutableArray<LiteTensor> tensors)
    {
        (ImmutableArray<int> inputs, ImmutableArray<int> outputs) = (table.Ints(1), table.Ints(2));
        string name = outputs is [var first, ..] && first >= 0 && first < tensors.Length ? tensors[first].Name : $"operation {number}";
        return Naming($"node '{name}'", () =>
        {
            if (table.Int(0) is var index && (index < 0 || index >= codes.Length)) throw new ModelFormatException($"its operation is number {index} of {codes.Length}");
            FlatTable code = codes[index];
            int builtin = Math.Max(code.Byte(0) is ExtendsByte ? 0 : code.Byte(0), code.Int(3)), version = code.Int(2, 1);
            if (builtin == Custom) throw new ModelFormatException($"the custom operation '{code.Text(1)}' is not understood; understood are {Understood}");
            if (!LiteOp.ByCode.TryGetValue(builtin, out LiteOp? op)) throw new ModelFormatException($"the operation {LiteNames.Of(builtin)} of TensorFlow Lite is not understood; understood are {Understood}");
            return Naming(op.Name, () =>
            {
                if (version < 1 || version > op.Newest) throw new ModelFormatException($"version {version} of the operation is not understood; understood are those up to {op.Newest}");
                if (inputs.Concat(outputs).Cast<int?>().FirstOrDefault(value => value < -1 || value >= tensors.Length) is { } strange) throw new ModelFormatException($"it refers to value {strange} of {tensors.Length}");
                return new LiteOperator(op, inputs, outputs, Options(op, table));
            });
        });
    }

    private static string Understood => string.Join(", ", LiteOp.All.Select(op => op.Name));

    private static ImmutableDictionary<string, ImmutableArray<double>> Options(LiteOp op, FlatTable table)
    {
        int union = (byte)table.Byte(3);
        if (table.Has(11) && table.Byte(11) != 0) throw new ModelFormatException("it has options of a newer kind, which are not understood");
        if (union != 0 && op.Union != 0 && union != op.Union) throw new ModelFormatException($"its options are those of another operation ({union}, not {op.Union})");
        FlatTable? given = union != 0 && op.Union != 0 ? table.Table(4) : null;
        if (given is { } options && Enumerable.Range(op.Options.Length, Math.Max(0, options.Fields - op.Options.Length)).FirstOrDefault(options.Has, -1) is >= 0 and var strange)
            throw new ModelFormatException($"its option {strange} is not understood; understood are {string.Join(", ", op.Options.Select(option => option.Name))}");
        return op.Options.Select((option, field) => (option.Name, Value(option, field))).ToImmutableDictionary(pair => pair.Name, pair => pair.Item2);

        ImmutableArray<double> Value(LiteOption option, int field) => (given, option.Type) switch
        {
            (null, OptionType.Ints) => [],
            (null, _) => [option.Default],
            ({ } found, OptionType.Byte) => [found.Byte(field, (int)option.Default)],
            ({ } found, OptionType.Int) => [found.Int(field, (int)option.Default)],
            ({ } found, OptionType.Float) => [found.Float(field, (float)option.Default)],
            ({ } found, _) => [.. found.Ints(field).Select(value => (double)value)],
        };
    }

    private static ReadOnlyMemory<byte> Of(ImmutableArray<ReadOnlyMemory<byte>> buffers, int number, string what) => number >= 0 && number < buffers.Length ? buffers[number]
        : throw new ModelFormatException($"its {what} lie in buffer {number} of {buffers.Length}");

    /// <summary>What is made of a thing; errors on the way name it.</summary>
    public static T Naming<T>(string what, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (PenjingException error)
        {
            throw new ModelFormatException($"{what}: {error.Message}", error);
        }
    }
}
