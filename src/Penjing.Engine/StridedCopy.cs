using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>Elements gathered along strided axes, outermost first, into contiguous memory; split into pieces that may run at once.</summary>
internal sealed unsafe class StridedCopy
{
    private const long PieceBytes = 1 << 18, BlockBytes = 1 << 14;
    private const int Strip = 4;

    private readonly Axis[] axes;
    private readonly int size, parts;
    private readonly long rows, piece;

    /// <summary>The copy along these axes of elements of 1, 2, 4 or 8 bytes.</summary>
    public StridedCopy(ImmutableArray<Axis> axes, int size)
    {
        // A plain copy is cut into rows too, so that it can be shared out.
        if (axes.Length == 0) axes = [new(1, 1)];
        else if (axes is [{ Stride: 1 } line]) axes = Cut(line.Extent);
        this.axes = [.. axes];
        this.size = size;
        rows = 1;
        foreach (Axis axis in axes.AsSpan()[..^1]) rows *= axis.Extent;
        if (axes[^1].Extent == 0) rows = 0;
        if (axes is [.., { Stride: 1 } outer, { Stride: > 1 } inner] && size == sizeof(uint) && (long)inner.Extent * size > BlockBytes && outer.Extent > 1)
        {
            // Rows too long to read what they are made of once more for every few of them: pieces are columns of all rows.
            piece = Math.Max(Block(inner), PieceBytes / ((long)outer.Extent * size) / Strip * Strip);
            parts = (int)((inner.Extent + piece - 1) / piece);
            Pieces = (int)(rows / outer.Extent) * parts;
            return;
        }
        piece = Math.Max(1, PieceBytes / Math.Max(1L, (long)axes[^1].Extent * size));
        piece = (piece + 3) / 4 * 4;
        Pieces = (int)((rows + piece - 1) / piece);
    }

    /// <summary>A constant's elements in the engine's order.</summary>
    public static NativeBuffer Inward(Tensor value)
    {
        NativeBuffer buffer = new(value.Bytes.Length);
        StridedCopy copy = new(Layout.Inward(value.Shape), value.Type.Size());
        fixed (byte* source = value.Bytes.Span)
            for (int piece = 0; piece < copy.Pieces; piece++) copy.Run(piece, source, buffer.Pointer);
        return buffer;
    }

    /// <summary>How many pieces the copy has; none where it is empty.</summary>
    public int Pieces { get; }

    /// <summary>Copies one piece.</summary>
    public void Run(int index, void* source, void* target)
    {
        if (parts > 0)
        {
            Turn(index / parts, index % parts * piece, (uint*)source, (uint*)target);
            return;
        }
        long from = index * piece, to = Math.Min(rows, from + piece);
        switch (size)
        {
            case 1: Run(from, to, (byte*)source, (byte*)target); break;
            case 2: Run(from, to, (ushort*)source, (ushort*)target); break;
            case 4: Run(from, to, (uint*)source, (uint*)target); break;
            default: Run(from, to, (ulong*)source, (ulong*)target); break;
        }
    }

    private static ImmutableArray<Axis> Cut(int extent)
    {
        int width = extent;
        while (width > 16384 && width % 2 == 0) width /= 2;
        return [new(extent / Math.Max(1, width), width), new(width, 1)];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run<T>(long from, long to, T* source, T* target) where T : unmanaged
    {
        Axis inner = axes[^1], outer = axes.Length > 1 ? axes[^2] : new(1, 1);
        while (from < to)
        {
            // A run of rows along the last axis but one.
            int first = (int)(from % outer.Extent), count = (int)Math.Min(to - from, outer.Extent - first);
            T* start = source + Start(from / outer.Extent) + first * outer.Stride, end = target + from * inner.Extent;
            if (inner.Stride == 1) Lines(start, end, count, outer.Stride, inner.Extent);
            else if (sizeof(T) == 4 && outer.Stride == 1 && Vector128.IsHardwareAccelerated) Turn((uint*)start, (uint*)end, count, inner.Stride, inner.Extent, inner.Extent);
            else Gather(start, end, count, outer.Stride, inner.Stride, inner.Extent);
            from += count;
        }
    }

    /// <summary>A piece's columns of all rows of a plane: block by block, as much as the first cache holds, and of these a few rows at a time, so that few lines are written at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(int plane, long from, uint* source, uint* target)
    {
        (Axis outer, Axis inner) = (axes[^2], axes[^1]);
        source += Start(plane);
        target += (long)plane * outer.Extent * inner.Extent;
        long block = Block(inner), to = Math.Min(inner.Extent, from + piece);
        for (; from < to; from += block)
            for (int row = 0; row < outer.Extent; row += Strip)
                Turn(source + from * inner.Stride + row, target + (long)row * inner.Extent + from, Math.Min(Strip, outer.Extent - row), inner.Stride, (int)Math.Min(block, to - from), inner.Extent);
    }

    /// <summary>Columns whose elements fit the first cache.</summary>
    private static long Block(Axis inner) => Math.Max(4 * Strip, BlockBytes / (inner.Stride * sizeof(uint)) / Strip * Strip);

    private long Start(long index)
    {
        long offset = 0;
        for (int axis = axes.Length - 3; axis >= 0; axis--)
        {
            offset += index % axes[axis].Extent * axes[axis].Stride;
            index /= axes[axis].Extent;
        }
        return offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Lines<T>(T* source, T* target, int rows, long pitch, int extent) where T : unmanaged
    {
        for (int row = 0; row < rows; row++)
            Unsafe.CopyBlockUnaligned(target + (long)row * extent, source + row * pitch, (uint)(extent * sizeof(T)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(T* source, T* target, int rows, long pitch, long stride, int extent) where T : unmanaged
    {
        for (int row = 0; row < rows; row++, source += pitch)
            for (int i = 0; i < extent; i++) *target++ = source[i * stride];
    }

    /// <summary>target[row · line + column] = source[column · pitch + row].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(uint* source, uint* target, int rows, long pitch, int columns, int line)
    {
        int column = 0;
        if (columns == 3 && line == 3)
        {
            Weave3(source, target, rows, pitch);
            return;
        }
        for (; column + 4 <= columns; column += 4) Turn4(source + column * pitch, target + column, rows, pitch, line);
        for (; column < columns; column++)
            for (int row = 0; row < rows; row++) target[(long)row * line + column] = source[column * pitch + row];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn4(uint* source, uint* target, int rows, long pitch, int line)
    {
        int row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            Vector128<uint> a = Vector128.Load(source + row), b = Vector128.Load(source + pitch + row);
            Vector128<uint> c = Vector128.Load(source + 2 * pitch + row), d = Vector128.Load(source + 3 * pitch + row);
            Vector128<ulong> abLow = Low(a, b), abHigh = High(a, b), cdLow = Low(c, d), cdHigh = High(c, d);
            uint* to = target + (long)row * line;
            Vector128.Create(abLow.GetLower(), cdLow.GetLower()).AsUInt32().Store(to);
            Vector128.Create(abLow.GetUpper(), cdLow.GetUpper()).AsUInt32().Store(to + line);
            Vector128.Create(abHigh.GetLower(), cdHigh.GetLower()).AsUInt32().Store(to + 2L * line);
            Vector128.Create(abHigh.GetUpper(), cdHigh.GetUpper()).AsUInt32().Store(to + 3L * line);
        }
        for (; row < rows; row++)
            for (int column = 0; column < 4; column++) target[(long)row * line + column] = source[column * pitch + row];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<ulong> Low(Vector128<uint> x, Vector128<uint> y) =>
            Pair(Vector128.Shuffle(x, Vector128.Create(0u, 0, 1, 1)), Vector128.Shuffle(y, Vector128.Create(0u, 0, 1, 1)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<ulong> High(Vector128<uint> x, Vector128<uint> y) =>
            Pair(Vector128.Shuffle(x, Vector128.Create(2u, 2, 3, 3)), Vector128.Shuffle(y, Vector128.Create(2u, 2, 3, 3)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<ulong> Pair(Vector128<uint> even, Vector128<uint> odd) =>
            Vector128.ConditionalSelect(Vector128.Create(~0u, 0, ~0u, 0), even, odd).AsUInt64();
    }

    /// <summary>The three planes of a colour picture woven into pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weave3(uint* source, uint* target, int rows, long pitch)
    {
        int row = 0;
        uint* red = source, green = source + pitch, blue = source + 2 * pitch;
        for (; row + 4 <= rows; row += 4)
        {
            Vector128<uint> r = Vector128.Load(red + row), g = Vector128.Load(green + row), b = Vector128.Load(blue + row);
            Weave(Vector128.Shuffle(r, Vector128.Create(0u, 0, 0, 1)), Fill(g, 0), Fill(b, 0))
                .Store(target + 3L * row);
            Weave(Vector128.Shuffle(g, Vector128.Create(1u, 1, 1, 2)), Fill(b, 1), Fill(r, 2))
                .Store(target + 3L * row + 4);
            Weave(Vector128.Shuffle(b, Vector128.Create(2u, 2, 2, 3)), Fill(r, 3), Fill(g, 3))
                .Store(target + 3L * row + 8);
        }
        for (; row < rows; row++) (target[3L * row], target[3L * row + 1], target[3L * row + 2]) = (red[row], green[row], blue[row]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<uint> Fill(Vector128<uint> x, uint index) => Vector128.Shuffle(x, Vector128.Create(index));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector128<uint> Weave(Vector128<uint> outer, Vector128<uint> second, Vector128<uint> third) =>
            Vector128.ConditionalSelect(Vector128.Create(~0u, 0, 0, ~0u), outer, Vector128.ConditionalSelect(Vector128.Create(0u, ~0u, 0, 0), second, third));
    }
}
