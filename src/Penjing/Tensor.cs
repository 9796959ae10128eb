using System.Runtime.InteropServices;

namespace Penjing;

/// <summary>An immutable dense array: element type, shape, and its elements in row-major order (rank 4: N, C, H, W).</summary>
public sealed class Tensor
{
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly FillBytes? fill;
    private readonly SpareBytes? spare;
    private byte[]? made;
    private int zeros = -1;

    /// <summary>A tensor over memory that nobody will write to again, for example of a mapped file; nothing is copied.</summary>
    /// <exception cref="ShapeException">The length of <paramref name="bytes"/> is not that of the shape and type.</exception>
    public Tensor(ElementType type, Shape shape, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length != (long)shape.Elements * type.Size())
            throw new ShapeException($"a tensor of {type} {shape} takes {(long)shape.Elements * type.Size()} bytes, not {bytes.Length}");
        Type = type;
        Shape = shape;
        this.bytes = bytes;
    }

    private Tensor(ElementType type, Shape shape, SpareBytes spare, FillBytes fill, int zeros)
    {
        (Type, Shape, this.spare, this.fill, this.zeros) = (type, shape, spare, fill, zeros);
        spare.Expect(shape.Elements * type.Size());
    }

    /// <summary>Writes all of a tensor's bytes.</summary>
    internal delegate void FillBytes(Span<byte> bytes);

    /// <summary>
    /// A tensor whose elements are made when they are asked for, and again when they are after <see cref="Forget"/>: for weights that are read once, one
    /// after another, and need never be in memory together.
    /// </summary>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="spare">Where the elements are made.</param>
    /// <param name="fill">Makes them.</param>
    /// <param name="zeros">How many floats are zero, if that is known.</param>
    internal static Tensor Deferred(ElementType type, Shape shape, SpareBytes spare, FillBytes fill, int? zeros = null) => new(type, shape, spare, fill, zeros ?? -1);

    /// <summary>A tensor made from this one's elements when it is asked for, if those are; with about as many zeros. Else one that is made now.</summary>
    internal Tensor Altered(ElementType type, Shape shape, FillBytes fill) => spare is null ? Build(type, shape, fill) : new(type, shape, spare, fill, zeros);

    /// <summary>A tensor whose bytes are written now.</summary>
    internal static Tensor Build(ElementType type, Shape shape, FillBytes fill)
    {
        var bytes = new byte[checked(shape.Elements * type.Size())];
        fill(bytes);
        return new(type, shape, bytes);
    }

    /// <summary>This tensor where its elements are kept, else a copy whose are.</summary>
    internal Tensor Kept() => fill is null ? this : Build(Type, Shape, fill);

    /// <summary>Gives the memory of the elements back, if they can be made again; no span of them may be in use.</summary>
    internal void Forget()
    {
        if (Interlocked.Exchange(ref made, null) is { } bytes) spare!.GiveBack(bytes);
    }

    /// <summary>Writes the bytes to memory of their length; elements that can be made again are made there, whether they are kept or not.</summary>
    internal void Fill(Span<byte> target)
    {
        if (fill is null) bytes.Span.CopyTo(target);
        else fill(target);
    }

    /// <summary>About how many floats are zero: counted once, or told by what the elements are made of.</summary>
    internal int ZeroFloats
    {
        get
        {
            if (zeros >= 0) return zeros;
            bool keep = made is not null;
            zeros = Floats.Count(0f);
            if (!keep) Forget();
            return zeros;
        }
    }

    /// <summary>A tensor with a copy of <paramref name="values"/>.</summary>
    /// <exception cref="ShapeException">The count of values is not the shape's.</exception>
    public static Tensor Of<T>(Shape shape, ReadOnlySpan<T> values) where T : unmanaged
    {
        if (values.Length != shape.Elements) throw new ShapeException($"the shape {shape} takes {shape.Elements} values, not {values.Length}");
        return new(ElementTypes.Of<T>(), shape, MemoryMarshal.AsBytes(values).ToArray());
    }

    /// <summary>A tensor with a copy of <paramref name="values"/>.</summary>
    /// <exception cref="ShapeException">The count of values is not the shape's.</exception>
    public static Tensor Of<T>(Shape shape, params T[] values) where T : unmanaged => Of(shape, (ReadOnlySpan<T>)values);

    /// <summary>A tensor whose elements <paramref name="fill"/> writes into a zeroed span of the shape's count.</summary>
    public static Tensor Build<T>(Shape shape, Action<Span<T>> fill) where T : unmanaged
    {
        ElementType type = ElementTypes.Of<T>();
        return Build(type, shape, bytes => fill(MemoryMarshal.Cast<byte, T>(bytes)));
    }

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(ElementType type, Shape shape) => new(type, shape, new byte[checked(shape.Elements * type.Size())]);

    /// <summary>The element type.</summary>
    public ElementType Type { get; }

    /// <summary>The extents.</summary>
    public Shape Shape { get; }

    /// <summary>The elements' bytes, little-endian, row-major.</summary>
    public ReadOnlyMemory<byte> Bytes => fill is null ? bytes : Made();

    /// <summary>The elements as floats; see <see cref="AsSpan{T}"/>.</summary>
    public ReadOnlySpan<float> Floats => AsSpan<float>();

    /// <summary>The elements, row-major.</summary>
    /// <exception cref="InvalidOperationException">The element type is not <typeparamref name="T"/>.</exception>
    public ReadOnlySpan<T> AsSpan<T>() where T : unmanaged => ElementTypes.Of<T>() == Type
        ? MemoryMarshal.Cast<byte, T>(Bytes.Span)
        : throw new InvalidOperationException($"a tensor of {Type} was read as {typeof(T).Name}");

    /// <summary>The same elements under another shape of the same count.</summary>
    /// <exception cref="ShapeException">The counts differ.</exception>
    public Tensor Reshape(Shape shape) => new(Type, shape, Bytes);

    /// <summary>Whether type, shape and every bit are equal.</summary>
    public bool BitsEqual(Tensor other) => Type == other.Type && Shape == other.Shape && Bytes.Span.SequenceEqual(other.Bytes.Span);

    private ReadOnlyMemory<byte> Made()
    {
        int length = Shape.Elements * Type.Size();
        byte[]? bytes = made;
        if (bytes is null)
        {
            fill!((bytes = spare!.Take(length)).AsSpan(0, length));
            made = bytes;
        }
        return bytes.AsMemory(0, length);
    }

    /// <summary>Type and shape, as in Float32 1×3×224×224.</summary>
    public override string ToString() => $"{Type} {Shape}";
}
