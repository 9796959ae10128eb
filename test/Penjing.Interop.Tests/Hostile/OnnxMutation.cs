using System.Collections;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Penjing.Interop.Onnx;

namespace Penjing.Interop.Tests;

/// <summary>Injuries of an ONNX file: of its bytes, or of what they say, which leaves it a well-formed message that lies.</summary>
internal static class OnnxMutation
{
    private static readonly long[] numbers =
    [
        0, 1, -1, 2, 3, 7, 31, 64, 127, 255, 256, 1000, 65535, 65536, 1_000_000, int.MaxValue, int.MinValue, 1L << 31, 1L << 32, (1L << 32) + 1, 1L << 40,
            1L << 62,
        long.MaxValue, long.MinValue,
    ];

    private static readonly float[] reals = [0, -0f, 1, -1, 0.5f, 1e9f, -1e9f, 1e38f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon];

    private static readonly string[] words =
    [
        .. OnnxOps.Builders.Keys.Concat(OnnxOps.RuntimeBuilders.Keys).Order(StringComparer.Ordinal), "", "Loop", "com.microsoft", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "axes", "axis",
            "pads", "strides",
        "kernel_shape", "group", "linear", "cubic", "nearest", "wrap", "reflect", "value", "to", "mode", "perm", "shape", "scales", "then_branch",
    ];

    /// <summary>The injured file, after one to three injuries.</summary>
    public static byte[] Of(byte[] file, Random random, out string what)
    {
        var done = new List<string>();
        if (random.Next(4) == 0 || Parsed(file) is not { } model)
        {
            for (int times = 1 + random.Next(3); times > 0; times--) file = Bytes(file, random, done);
        }
        else
        {
            for (int times = 1 + random.Next(3); times > 0; times--) Message(model, model, random, done);
            file = model.ToByteArray();
        }
        what = string.Join("; ", done);
        return file;
    }

    private static ModelProto? Parsed(byte[] file)
    {
        try
        {
            return ModelProto.Parser.ParseFrom(file);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static byte[] Bytes(byte[] file, Random random, List<string> done)
    {
        // Structure stands at both ends of a file, weights in between.
        int reach = Math.Min(file.Length, 4096),
            at = random.Next(3) switch { 0 => random.Next(reach), 1 => file.Length - 1 - random.Next(reach), _ => random.Next(file.Length) };
        int length = Math.Min(1 + random.Next(8), file.Length - at), kind = random.Next(6);
        byte[] some = new byte[length];
        random.NextBytes(some);
        done.Add($"kind {kind} at {at}, length {length}");
        return kind switch
        {
            0 => [.. file[..at], (byte)(file[at] ^ 1 << random.Next(8)), .. file[(at + 1)..]],
            1 => [.. file[..at], .. some, .. file[at..]],
            2 when length < file.Length => [.. file[..at], .. file[(at + length)..]],
            3 => [.. file[..at], .. some, .. file[(at + length)..]],
            4 when at > 0 => file[..at],
            _ => [.. file[..at], (byte)(random.Next(2) * 255), .. file[(at + 1)..]],
        };
    }

    /// <summary>Goes down a random way of the message and injures the field where it ends.</summary>
    private static void Message(IMessage message, ModelProto model, Random random, List<string> done)
    {
        IList<FieldDescriptor> fields = message.Descriptor.Fields.InDeclarationOrder();
        FieldDescriptor[] present = [.. fields.Where(field => Present(message, field))];
        FieldDescriptor field = present.Length > 0 && random.Next(12) != 0 ? present[random.Next(present.Length)] : fields[random.Next(fields.Count)];
        // The graph is where things happen.
        if (message is ModelProto { Graph: not null } && random.Next(8) != 0) field = ModelProto.Descriptor.FindFieldByName("graph");
        if (message is GraphProto { Node.Count: > 0 } && random.Next(2) == 0) field = GraphProto.Descriptor.FindFieldByName("node");
        object value = field.Accessor.GetValue(message);
        if (field.IsRepeated)
        {
            var list = (IList)value;
            if (field.FieldType is FieldType.Message && list.Count > 0 && random.Next(6) != 0)
                Message((IMessage)list[random.Next(list.Count)]!, model, random, done);
            else Listed(list, field, model, random, done);
        }
        else if (field.FieldType is FieldType.Message)
        {
            if (value is IMessage inner && random.Next(10) != 0) Message(inner, model, random, done);
            else if (value is IMessage) Clear(message, field, done);
        }
        else if (random.Next(10) == 0 && field.HasPresence) Clear(message, field, done);
        else
        {
            object other = Scalar(field, value, model, random);
            done.Add($"{message.Descriptor.Name}.{field.Name} = {Short(other)}");
            field.Accessor.SetValue(message, other);
        }
    }

    private static bool Present(IMessage message, FieldDescriptor field) =>
        field.IsRepeated ? ((IList)field.Accessor.GetValue(message)).Count > 0 : !field.HasPresence || field.Accessor.HasValue(message);

    private static void Clear(IMessage message, FieldDescriptor field, List<string> done)
    {
        done.Add($"{message.Descriptor.Name}.{field.Name} gone");
        field.Accessor.Clear(message);
    }

    private static void Listed(IList list, FieldDescriptor field, ModelProto model, Random random, List<string> done)
    {
        int kind = random.Next(5), at = list.Count > 0 ? random.Next(list.Count) : 0;
        done.Add($"{field.ContainingType.Name}.{field.Name}: kind {kind} at {at}");
        if (list.Count == 0 || kind == 0)
        {
            if (field.FieldType is not FieldType.Message) list.Add(Scalar(field, null, model, random));
            return;
        }
        object value = list[at]!;
        if (kind == 1) list.RemoveAt(at);
        else if (kind == 2) list.Add(value is IDeepCloneable<NodeProto> node ? node.Clone() : value);
        else if (kind == 3) (list[at], list[0]) = (list[0], list[at]);
        else if (field.FieldType is not FieldType.Message) list[at] = Scalar(field, value, model, random);
    }

    private static object Scalar(FieldDescriptor field, object? value, ModelProto model, Random random) => field.FieldType switch
    {
        FieldType.String => random.Next(2) == 0 || model.Graph is null ? words[random.Next(words.Length)] : Name(model.Graph, random),
        FieldType.Bytes => Blob(value as ByteString ?? ByteString.Empty, random),
        FieldType.Float => reals[random.Next(reals.Length)],
        FieldType.Double => (double)reals[random.Next(reals.Length)],
        FieldType.Int64 => random.Next(3) == 0 ? random.Next(-3, 12) : numbers[random.Next(numbers.Length)],
        FieldType.UInt64 => (ulong)numbers[random.Next(numbers.Length)],
        FieldType.Int32 => random.Next(2) == 0 ? random.Next(-2, 24) : (int)numbers[random.Next(numbers.Length)],
        FieldType.Enum => random.Next(-1, 24),
        _ => value ?? throw new InvalidOperationException($"fields of {field.FieldType} are not injured"),
    };

    private static string Name(GraphProto graph, Random random)
    {
        if (graph.Node.Count == 0) return "x";
        NodeProto node = graph.Node[random.Next(graph.Node.Count)];
        string[] names = [.. node.Input, .. node.Output, node.OpType];
        return names[random.Next(names.Length)];
    }

    private static ByteString Blob(ByteString value, Random random) => random.Next(4) switch
    {
        0 => ByteString.Empty,
        1 => ByteString.CopyFrom(value.Span[..random.Next(value.Length + 1)]),
        2 => ByteString.CopyFromUtf8(words[random.Next(words.Length)]),
        _ => ByteString.CopyFrom([.. value.Span[..Math.Min(value.Length, 1 << 16)].ToArray().Select(one => random.Next(8) == 0 ? (byte)random.Next(256) : one),
            .. value.Span[Math.Min(value.Length, 1 << 16)..]]),
    };

    private static string Short(object value) => value switch
    {
        ByteString bytes => $"{bytes.Length} bytes",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => $"'{value}'",
    };
}
