using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>A depthwise convolution as a kernel: blocks of rows and channels.</summary>
internal sealed unsafe class Depthwise<S, V, E, O, P> : Kernel where S : struct, ISimd<V> where V : unmanaged where E : unmanaged where O : unmanaged where P : struct, IPixels<S, V, E, O>
{
    private readonly DepthwiseRows<S, V, E, O, P> rows;
    private readonly string type;
    private readonly int outputHeight, chunks;
    private readonly nint rowElements;
    private readonly Split split;

    /// <summary>The kernel of a site that computes such rows.</summary>
    public Depthwise(Site site, DepthwiseRows<S, V, E, O, P> rows, string type)
    {
        (this.rows, this.type) = (rows, type);
        Shape output = site.Node.Shape;
        (int images, outputHeight, rowElements) = (output[0], output[2], (nint)output[3] * site.OutputPitch);
        double cost = (double)output.Elements * (1 + rows.Taps / 8.0);
        chunks = rows.Divides ? Math.Clamp((int)Math.Ceiling(Math.Min(16, cost / 32768) / (images * rows.Blocks)), 1, rows.Vectors) : 1;
        split = Split.Of(images * rows.Blocks * chunks, cost / (images * rows.Blocks * chunks));
    }

    /// <inheritdoc/>
    public override string Label => $"{type}-depthwise-{rows.Label}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose() => rows.Dispose();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int i = first; i < first + count; i++)
        {
            int block = i / chunks, chunk = i - block * chunks, image = block / rows.Blocks;
            int from = rows.Vectors * chunk / chunks, to = rows.Vectors * (chunk + 1) / chunks;
            block -= image * rows.Blocks;
            nint row = (nint)image * outputHeight + rows[block].First;
            rows.Run(operands.Input<E>(0), operands.Out<O>() + row * rowElements, image, block, from, to);
        }
    }
}

/// <summary>A run of columns that the code of a square kernel walks along as if they were neighbours: every column of a row, or every so many-th.</summary>
/// <param name="Inputs">Input columns.</param>
/// <param name="Outputs">Output columns.</param>
/// <param name="Left">Columns of padding before the first input.</param>
/// <param name="Source">Elements from the row's beginning to the first input.</param>
/// <param name="Target">Elements from the row's beginning to the first output.</param>
/// <param name="InputPitch">Elements from input to input.</param>
/// <param name="OutputPitch">Elements from output to output.</param>
internal readonly record struct DepthwiseColumns(int Inputs, int Outputs, int Left, nint Source, nint Target, nint InputPitch, nint OutputPitch)
{
    /// <summary>How many rows of outputs are computed at once at most, with so many rows in a tile of registers.</summary>
    public static int Rows(Size kernel, Size dilation, int tileRows) => (kernel, dilation) switch
    {
        ((3, 3), (1, 1)) => tileRows < 12 ? 2 : 4,
        ((5, 5), (1, 1)) => tileRows < 12 ? 1 : 3,
        _ => 1,
    };
}

/// <summary>What integers of a depthwise convolution stand for.</summary>
/// <param name="Input">How the input's bytes are read.</param>
/// <param name="OutputZero">The output's zero point.</param>
/// <param name="Scales">What the sums of each channel are multiplied by.</param>
internal readonly record struct DepthwiseIntegers(UnsignedBytes Input, int OutputZero, float[] Scales)
{
    /// <summary>That of floats.</summary>
    public DepthwiseIntegers() : this(default, 0, []) { }
}

/// <summary>What becomes of sums: bounds, and of integers a scale for each channel and a zero point.</summary>
internal readonly struct Ends<V>(V min, V max, V scale, int zero) where V : unmanaged
{
    public readonly V Min = min, Max = max, Scale = scale;
    public readonly int Zero = zero;
}

/// <summary>How a vector of channels becomes floats, and floats become what is written.</summary>
internal unsafe interface IPixels<S, V, E, O> where S : struct, ISimd<V> where V : unmanaged where E : unmanaged where O : unmanaged
{
    /// <summary>The channels as floats.</summary>
    static abstract V Load(E* source, byte flip, V less);

    /// <summary>The scales of a vector of channels, where there are any.</summary>
    static abstract V Scale(float* scales);

    /// <summary>Writes sums.</summary>
    static abstract void Store(O* target, V sums, in Ends<V> ends);

    /// <summary>Writes the sums of two pixels.</summary>
    static abstract void Store(O* first, O* second, V a, V b, in Ends<V> ends);
}

/// <summary>Floats as they are.</summary>
internal readonly unsafe struct FloatPixels<S, V> : IPixels<S, V, float, float> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(float* source, byte flip, V less) => S.Load(source);

    public static V Scale(float* scales) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, V sums, in Ends<V> ends) => S.Store(target, S.AtMost(ends.Max, S.AtLeast(ends.Min, sums)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* first, float* second, V a, V b, in Ends<V> ends)
    {
        Store(first, a, ends);
        Store(second, b, ends);
    }
}

/// <summary>Bytes less their zero point: products and sums below 2²⁴ are exact in floats, and what becomes of them is the requantization of <see cref="QuantizeLinear"/>.</summary>
internal readonly unsafe struct BytePixels<S, V> : IPixels<S, V, byte, byte> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* source, byte flip, V less) => S.Add(S.LoadBytes(source, flip, S.Lanes), less);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale(float* scales) => S.Load(scales);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, V sums, in Ends<V> ends) => S.StoreBytes(target, Bounded(sums, ends), ends.Zero, S.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* first, byte* second, V a, V b, in Ends<V> ends) => S.StoreBytes(first, second, Bounded(a, ends), Bounded(b, ends), ends.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Bounded(V sums, in Ends<V> ends) => S.AtMost(ends.Max, S.AtLeast(ends.Min, S.Multiply(sums, ends.Scale)));
}

/// <summary>Bytes as <see cref="BytePixels{S, V}"/> has them; sums become the floats that they stand for.</summary>
internal readonly unsafe struct ByteToFloatPixels<S, V> : IPixels<S, V, byte, float> where S : struct, ISimd<V> where V : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* source, byte flip, V less) => BytePixels<S, V>.Load(source, flip, less);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale(float* scales) => S.Load(scales);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, V sums, in Ends<V> ends) => S.Store(target, S.Multiply(sums, ends.Scale));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* first, float* second, V a, V b, in Ends<V> ends)
    {
        Store(first, a, ends);
        Store(second, b, ends);
    }
}
