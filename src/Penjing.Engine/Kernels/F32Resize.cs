using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Resize, nearest or bilinear: all channels of an output pixel at a time, or of a single channel rows.</summary>
internal readonly struct F32Resize : IKernelMaker
{
    /// <summary>Whether the node is a resize between nearest pixels.</summary>
    public static bool Fits(Node node) => node.Op is Resize { IsMean: true } && node.Inputs[0].Value is null;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Resize<S, V>(site.Node);
}

/// <summary>A resize: for each output row and column the two input ones it lies between and how far it is from the first.</summary>
internal sealed unsafe class F32Resize<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    /// <summary>The longest rows of which two lie on the stack.</summary>
    private const int MostAcross = 4096;

    private readonly bool nearest;
    private readonly int channels, height, width;
    private readonly (int Near, int Far, float Part)[] rows, columns;
    private readonly Split split;

    /// <summary>The kernel of a node.</summary>
    public F32Resize(Node node)
    {
        Resize resize = (Resize)node.Op;
        Shape input = node.Inputs[0].Shape;
        (channels, height, width) = (input[1], input[2], input[3]);
        nearest = resize.Mode is ResizeMode.Nearest;
        rows = Places(resize, resize.Rows(height), height);
        columns = Places(resize, resize.Columns(width), width);
        split = Split.Of(input[0] * rows.Length, (nearest ? 1.0 : 4.0) * columns.Length * channels);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-resize-{(nearest ? "nearest" : "linear")}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        if (channels == 1 && !nearest && columns.Length <= MostAcross)
        {
            Planes(operands.Input(0), operands.Output, first, count);
            return;
        }
        for (int i = first; i < first + count; i++)
        {
            (int near, int far, float part) = rows[i % rows.Length];
            float* picture = operands.Input(0) + (nint)(i / rows.Length) * height * width * channels;
            float* target = operands.Output + (nint)i * columns.Length * channels;
            float* top = picture + (nint)near * width * channels, bottom = picture + (nint)far * width * channels;
            foreach ((int left, int right, float across) in columns)
            {
                nint from = (nint)left * channels, to = (nint)right * channels;
                if (nearest) Unsafe.CopyBlockUnaligned(target, top + from, (uint)(channels * sizeof(float)));
                else Mix(top + from, top + to, bottom + from, bottom + to, target, across, part);
                target += channels;
            }
        }
    }

    /// <summary>Rows of pictures of one channel: each input row is stretched once, and stretched rows are mixed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Planes(float* input, float* output, int first, int count)
    {
        int across = columns.Length;
        float* stretched = stackalloc float[2 * across];
        float* upper = stretched, lower = stretched + across;
        (int upperRow, int lowerRow) = (-1, -1);
        for (int i = first; i < first + count; i++)
        {
            (int near, int far, float part) = rows[i % rows.Length];
            (near, far) = (i / rows.Length * height + near, i / rows.Length * height + far);
            if (near == lowerRow)
            {
                float* kept = upper;
                upper = lower;
                lower = kept;
                (upperRow, lowerRow) = (lowerRow, upperRow);
            }
            if (near != upperRow) Stretch(input + (nint)near * width, upper);
            if (far != lowerRow) Stretch(input + (nint)far * width, lower);
            (upperRow, lowerRow) = (near, far);
            float* target = output + (nint)i * across;
            V down = S.Fill(part), up = S.Fill(1 - part);
            int x = 0;
            for (; x <= across - S.Lanes; x += S.Lanes) S.Store(target + x, S.MultiplyAdd(S.Load(lower + x), down, S.Multiply(S.Load(upper + x), up)));
            for (; x < across; x++) target[x] = lower[x] * part + upper[x] * (1 - part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Stretch(float* row, float* target)
    {
        fixed ((int Near, int Far, float Part)* places = columns)
            for ((int Near, int Far, float Part)* place = places, end = places + columns.Length; place < end; place++, target++)
                *target = row[place->Far] * place->Part + row[place->Near] * (1 - place->Part);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Mix(float* a, float* b, float* c, float* d, float* target, float across, float down)
    {
        int i = 0;
        for (; i <= channels - S.Lanes; i += S.Lanes) Mix<AllLanes>(a + i, b + i, c + i, d + i, target + i, across, down, S.Lanes);
        if (i < channels) Mix<FirstLanes>(a + i, b + i, c + i, d + i, target + i, across, down, channels - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<L>(float* a, float* b, float* c, float* d, float* target, float across, float down, int count) where L : struct, ILanes
    {
        V far = S.Fill(across), close = S.Fill(1 - across);
        V top = S.MultiplyAdd(L.Load<S, V>(b, count), far, S.Multiply(L.Load<S, V>(a, count), close));
        V bottom = S.MultiplyAdd(L.Load<S, V>(d, count), far, S.Multiply(L.Load<S, V>(c, count), close));
        L.Store<S, V>(target, S.MultiplyAdd(bottom, S.Fill(down), S.Multiply(top, S.Fill(1 - down))), count);
    }

    private static (int Near, int Far, float Part)[] Places(Resize resize, double[] coordinates, int extent) => [.. resize.Places(coordinates, extent).Select(place => (place.Near, place.Far, (float)place.Part))];
}
