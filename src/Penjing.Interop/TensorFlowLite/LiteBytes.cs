using System.Collections.Immutable;
using System.Text;
using Google.FlatBuffers;

namespace Penjing.Interop.TensorFlowLite;

/// <summary>Writes the tables of a TensorFlow Lite file: what <see cref="LiteFile"/> reads.</summary>
internal sealed class LiteBytes
{
    private const int Alignment = 16, LeastBytes = 1024;
    private readonly FlatBufferBuilder builder;

    private LiteBytes(int bytes) => builder = new(bytes);

    /// <summary>The file's bytes. Weights with the same bytes are stored once.</summary>
    public static byte[] Of(LiteModel model)
    {
        LiteBytes bytes = new(LeastBytes);
        bytes.Write(model);
        return bytes.builder.SizedByteArray();
    }

    private void Write(LiteModel model)
    {
        // Buffer 0 is the empty one of all values that are computed.
        List<ReadOnlyMemory<byte>> buffers = [default];
        Offset[] tensors = [.. model.Tensors.Select(tensor => Tensor(tensor, Buffered(tensor.Data)))];
        (LiteOp Op, int Version)[] codes = [.. model.Operators.Select(one => (one.Op, Version(model, one))).Distinct()];
        Offset[] operators = [.. model.Operators.Select(one => Operator(one, Array.IndexOf(codes, (one.Op, Version(model, one)))))];
        Offset graph = Table([(0, List(tensors)), (1, List(model.Inputs)), (2, List(model.Outputs)), (3, List(operators)), (4, Text(model.Name))]);
        Offset[] metadata = [.. model.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (Text(LiteFile.Prefix + entry.Key), Number: Buffered(Encoding.UTF8.GetBytes(entry.Value))))
            .Select(entry => Table([(0, entry.Item1)], (1, entry.Number, OptionType.Int)))];
        Offset list = List([.. buffers.Select(buffer => buffer.IsEmpty ? Table([]) : Table([(0, Bytes(buffer))]))]);
        Offset operations = List([.. codes.Select(code => Table([], (0, Math.Min(code.Op.Code, LiteFile.ExtendsByte), OptionType.Byte), (2, code.Version, OptionType.Int), (3, code.Op.Code, OptionType.Int)))]);
        Offset root = Table([(1, operations), (2, List([graph])), (3, Text("penjing")), (4, list), (6, List(metadata))], (0, LiteFile.Version, OptionType.Int));
        builder.Finish(root.Value, LiteFile.Identifier);

        int Buffered(ReadOnlyMemory<byte>? data)
        {
            if (data is not { } bytes) return 0;
            int same = buffers.FindIndex(other => !other.IsEmpty && other.Span.SequenceEqual(bytes.Span));
            if (same >= 0) return same;
            buffers.Add(bytes);
            return buffers.Count - 1;
        }
    }

    /// <summary>The oldest version of an operation's meaning that has what is asked of it, so that older interpreters take the file.</summary>
    private static int Version(LiteModel model, LiteOperator one)
    {
        bool integers = one.Inputs.Concat(one.Outputs).Any(number => number >= 0 && model.Tensors[number].Type is ElementType.Int8);
        int asked = one.Op.Name switch
        {
            "DEPTHWISE_CONV_2D" when one.Options.GetValueOrDefault("dilation_h_factor", [1]) is not [1] || one.Options.GetValueOrDefault("dilation_w_factor", [1]) is not [1] => 2,
            "RESIZE_BILINEAR" or "RESIZE_NEAREST_NEIGHBOR" when one.Options.GetValueOrDefault("half_pixel_centers", [0]) is not [0] => 3,
            "TRANSPOSE_CONV" when one.Inputs.Length > 3 => 3,
            _ => 1,
        };
        return Math.Max(asked, integers ? one.Op.Integers : 1);
    }

    private Offset Tensor(LiteTensor tensor, int buffer)
    {
        List<(int, Offset)> parts = [(0, List(tensor.Shape.Items)), (3, Text(tensor.Name))];
        if (tensor.Quantization is { } quantization)
        {
            Offset scales = Vector(sizeof(float), quantization.Scales, scale => builder.AddFloat(scale)), zeros = Vector(sizeof(long), quantization.ZeroPoints, zero => builder.AddLong(zero));
            parts.Add((4, Table([(2, scales), (3, zeros)], (6, quantization.Axis ?? 0, OptionType.Int))));
        }
        return Table(parts, (1, LiteFile.Types.IndexOf(tensor.Type), OptionType.Byte), (2, buffer, OptionType.Int));
    }

    private Offset Operator(LiteOperator one, int code)
    {
        List<(int, Offset)> parts = [(1, List(one.Inputs)), (2, List(one.Outputs))];
        if (one.Op.Union != 0) parts.Add((4, Options(one)));
        return Table(parts, (0, code, OptionType.Int), (3, one.Op.Union, OptionType.Byte));
    }

    private Offset Options(LiteOperator one)
    {
        List<(int, Offset)> lists = [];
        List<(int, double, OptionType)> numbers = [];
        foreach ((int field, LiteOption option) in one.Op.Options.Index())
        {
            if (!one.Options.TryGetValue(option.Name, out ImmutableArray<double> value)) continue;
            if (option.Type is OptionType.Ints) lists.Add((field, List([.. value.Select(number => (int)number)])));
            else if (value[0] != option.Default) numbers.Add((field, value[0], option.Type));
        }
        return Table(lists, [.. numbers]);
    }

    /// <summary>A position in the file, counted from its end.</summary>
    private readonly record struct Offset(int Value);

    private Offset Table(IReadOnlyCollection<(int Field, Offset At)> parts, params ReadOnlySpan<(int Field, double Value, OptionType Type)> numbers)
    {
        int fields = parts.Select(part => part.Field + 1).DefaultIfEmpty().Max();
        foreach ((int field, _, _) in numbers) fields = Math.Max(fields, field + 1);
        builder.StartTable(fields);
        foreach ((int field, Offset at) in parts) builder.AddOffset(field, at.Value, 0);
        foreach ((int field, double value, OptionType type) in numbers)
        {
            // What is written is never the schema's default, so that none has to be told here.
            if (type is OptionType.Byte) builder.AddSbyte(field, (sbyte)(int)value, (sbyte)~(int)value);
            else if (type is OptionType.Float) builder.AddFloat(field, (float)value, float.NaN);
            else builder.AddInt(field, (int)value, ~(int)value);
        }
        return new(builder.EndTable());
    }

    private Offset Text(string text) => new(builder.CreateString(text).Value);

    private Offset List(Offset[] tables) => Vector(sizeof(int), tables.ToImmutableArray(), table => builder.AddOffset(table.Value));

    private Offset List(ImmutableArray<int> numbers) => Vector(sizeof(int), numbers, builder.AddInt);

    private Offset Bytes(ReadOnlyMemory<byte> bytes)
    {
        builder.StartVector(1, bytes.Length, Alignment);
        builder.Add(bytes.ToArray());
        return new(builder.EndVector().Value);
    }

    private Offset Vector<T>(int size, ImmutableArray<T> items, Action<T> add)
    {
        builder.StartVector(size, items.Length, size);
        foreach (T item in items.Reverse()) add(item);
        return new(builder.EndVector().Value);
    }
}
