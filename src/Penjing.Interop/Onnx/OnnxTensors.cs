using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Penjing.Interop.Onnx;
using DataType = Penjing.Interop.Onnx.TensorProto.Types.DataType;

namespace Penjing.Interop;

/// <summary>Reads ONNX's tensors.</summary>
/// <param name="folder">Where files with weights lie, or null where there are none.</param>
/// <param name="length">The file's bytes.</param>
internal sealed class OnnxTensors(string? folder, long length) : Allowance(length)
{
    private const int MostAxes = 32;
    private readonly HashSet<string> files = [];

    /// <summary>The shape of these extents.</summary>
    /// <exception cref="ModelFormatException">There are too many, or one is no extent.</exception>
    public static Shape Shape(IReadOnlyList<long> dims)
    {
        if (dims.Count > MostAxes) throw new ModelFormatException($"{dims.Count} axes are more than {MostAxes}");
        foreach (long dim in dims)
            if (dim is < 0 or > int.MaxValue) throw new ModelFormatException($"{dim} is no extent");
        return [.. dims.Select(dim => (int)dim)];
    }

    /// <summary>The element type of a value.</summary>
    /// <exception cref="ModelFormatException">No core value has it.</exception>
    public static ElementType Type(int type) => (DataType)type switch
    {
        DataType.Float => ElementType.Float32,
        DataType.Float16 => ElementType.Float16,
        DataType.Double => ElementType.Float64,
        DataType.Int8 => ElementType.Int8,
        DataType.Uint8 => ElementType.UInt8,
        DataType.Int16 => ElementType.Int16,
        DataType.Uint16 => ElementType.UInt16,
        DataType.Int32 => ElementType.Int32,
        DataType.Uint32 => ElementType.UInt32,
        DataType.Int64 => ElementType.Int64,
        DataType.Uint64 => ElementType.UInt64,
        DataType.Bool => ElementType.Bool,
        DataType.Undefined => throw new ModelFormatException("a value has no element type"),
        var other => throw new ModelFormatException($"values of type {other.ToString().ToUpperInvariant()} are not supported; "
            + "supported are floats of 16, 32 and 64 bits, integers of 8 to 64 bits, and BOOL"),
    };

    /// <summary>The tensor; bfloat16 widens to Float32.</summary>
    /// <exception cref="ModelFormatException">The tensor's data aren't those of its shape and type, or aren't there.</exception>
    public Tensor Read(TensorProto proto)
    {
        try
        {
            return Parse(proto);
        }
        catch (Exception error) when (error is ModelFormatException or ShapeException)
        {
            throw new ModelFormatException($"the tensor '{proto.Name}': {error.Message}", error);
        }
    }

    /// <summary>The dense tensor of a sparse one.</summary>
    /// <exception cref="ModelFormatException">The indices don't point into the shape.</exception>
    public Tensor Read(SparseTensorProto sparse)
    {
        if (sparse.Values is null || sparse.Indices is null) throw new ModelFormatException("a sparse tensor has no values or no indices");
        Tensor values = Read(sparse.Values), indices = Read(sparse.Indices);
        Shape shape = Shape(sparse.Dims);
        int count = values.Shape.Elements, size = values.Type.Size();
        bool flat = indices.Shape.Rank == 1;
        if (values.Shape.Rank != 1 || indices.Type != ElementType.Int64 || indices.Shape != (flat ? [count] : Penjing.Shape.Create([count, shape.Rank])))
            throw new ModelFormatException($"the sparse tensor '{sparse.Values.Name}': the indices {indices} don't place {values} in {shape}");
        Charge((long)shape.Elements * size);
        var bytes = new byte[checked(shape.Elements * size)];
        ReadOnlySpan<long> at = indices.AsSpan<long>();
        for (int i = 0; i < count; i++)
        {
            long position = flat ? at[i] : 0;
            bool inside = true;
            for (int axis = 0; axis < shape.Rank && !flat; axis++)
            {
                long index = at[i * shape.Rank + axis];
                inside &= index >= 0 && index < shape[axis];
                position = inside ? position * shape[axis] + index : 0;
            }
            if (!inside || position < 0 || position >= shape.Elements)
                throw new ModelFormatException($"the sparse tensor '{sparse.Values.Name}': index {i} lies outside {shape}");
            values.Bytes.Slice(i * size, size).Span.CopyTo(bytes.AsSpan((int)position * size));
        }
        return new(values.Type, shape, bytes);
    }

    private Tensor Parse(TensorProto proto)
    {
        Shape shape = Shape(proto.Dims);
        bool brief = proto.DataType == (int)DataType.Bfloat16;
        ElementType type = brief ? ElementType.Float32 : Type(proto.DataType);
        int size = brief ? 2 : type.Size();
        if (proto.DataLocation is TensorProto.Types.DataLocation.External) return Widened(Load(proto, (long)shape.Elements * size));
        if (proto.HasRawData) return Widened(Raw(proto.RawData.Memory));
        return type switch
        {
            ElementType.Float32 when !brief => Typed<float, float>(proto.FloatData, value => value),
            ElementType.Float64 => Typed<double, double>(proto.DoubleData, value => value),
            ElementType.Int64 => Typed<long, long>(proto.Int64Data, value => value),
            ElementType.UInt32 => Typed<ulong, uint>(proto.Uint64Data, value => checked((uint)value)),
            ElementType.UInt64 => Typed<ulong, ulong>(proto.Uint64Data, value => value),
            ElementType.Int32 => Typed<int, int>(proto.Int32Data, value => value),
            ElementType.Int16 => Typed<int, short>(proto.Int32Data, value => checked((short)value)),
            ElementType.UInt16 => Typed<int, ushort>(proto.Int32Data, value => checked((ushort)value)),
            ElementType.Int8 => Typed<int, sbyte>(proto.Int32Data, value => checked((sbyte)value)),
            ElementType.UInt8 => Typed<int, byte>(proto.Int32Data, value => checked((byte)value)),
            ElementType.Bool => Typed<int, bool>(proto.Int32Data, value => value != 0),
            ElementType.Float16 => Typed<int, Half>(proto.Int32Data, value => BitConverter.UInt16BitsToHalf(checked((ushort)value))),
            _ => Typed<int, float>(proto.Int32Data, value => BitConverter.UInt32BitsToSingle((uint)checked((ushort)value) << 16)),
        };

        ReadOnlyMemory<byte> Raw(ReadOnlyMemory<byte> bytes) => bytes.Length == (long)shape.Elements * size
            ? bytes
            : throw new ModelFormatException($"{type} {shape} takes {(long)shape.Elements * size} bytes, but it has {bytes.Length}");

        Tensor Widened(ReadOnlyMemory<byte> bytes)
        {
            if (type is ElementType.Bool && bytes.Span.ContainsAnyExceptInRange((byte)0, (byte)1)) throw new ModelFormatException("a BOOL is neither 0 nor 1");
            return brief
                ? Tensor.Build<float>(shape, values =>
                {
                    ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes.Span);
                    for (int i = 0; i < values.Length; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
                })
                : new(type, shape, bytes);
        }

        Tensor Typed<TStored, T>(RepeatedField<TStored> stored, Func<TStored, T> convert) where T : unmanaged
        {
            if (stored.Count != shape.Elements) throw new ModelFormatException($"{type} {shape} takes {shape.Elements} values, but it has {stored.Count}");
            try
            {
                return Tensor.Build<T>(shape, values =>
                {
                    for (int i = 0; i < values.Length; i++) values[i] = convert(stored[i]);
                });
            }
            catch (OverflowException)
            {
                throw new ModelFormatException($"a value lies outside {type}");
            }
        }
    }

    private byte[] Load(TensorProto proto, long expected)
    {
        string location = Entry("location") ?? throw new ModelFormatException("its data lie in another file, but no location is given");
        if (folder is null) throw new ModelFormatException($"its data lie in the file '{location}': read the network by its path, not from memory");
        long offset = Number("offset") ?? 0, bytes = Number("length") ?? expected;
        if (bytes != expected) throw new ModelFormatException($"its data take {expected} bytes, but {bytes} are given in '{location}'");
        try
        {
            string path = Path.GetFullPath(Path.Combine(folder, location));
            if (Path.IsPathRooted(location) || !IsInside(path)) throw new ModelFormatException($"its data lie in '{location}', which is not in the network's folder");
            using FileStream file = File.OpenRead(path);
            if (offset > file.Length - expected) throw new ModelFormatException($"its data end beyond those of '{location}'");
            if (expected > Array.MaxLength) throw new ModelFormatException($"{expected} bytes are too many for one tensor");
            if (files.Add(path)) Extend(file.Length);
            Charge(expected);
            var data = new byte[expected];
            file.Position = offset;
            file.ReadExactly(data);
            return data;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelFormatException($"its data can't be read from '{location}': {error.Message}", error);
        }

        // Neither the file nor a folder on the way to it may be a link out of the network's folder.
        bool IsInside(string path)
        {
            string root = Path.TrimEndingDirectorySeparator(folder);
            for (string? at = path; at is not null && at.Length > root.Length; at = Path.GetDirectoryName(at))
            {
                FileSystemInfo? real = Directory.Exists(at) ? Directory.ResolveLinkTarget(at, returnFinalTarget: true) : File.ResolveLinkTarget(at, returnFinalTarget: true);
                if (real is not null && !Within(real.FullName)) return false;
            }
            return Within(path);

            bool Within(string target) => target.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        }

        string? Entry(string key) => proto.ExternalData.FirstOrDefault(entry => entry.Key == key)?.Value;

        long? Number(string key) => Entry(key) is not { } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
            : throw new ModelFormatException($"the {key} of its data is '{text}'");
    }
}
