using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>How a pool joins the pixels of a window.</summary>
internal interface IF32Pooling
{
    /// <summary>What the join begins with.</summary>
    static abstract float Start { get; }

    /// <summary>Two values joined.</summary>
    static abstract V Join<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged;
}

/// <summary>The largest.</summary>
internal readonly struct LargestOf : IF32Pooling
{
    public static float Start => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Join<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.Largest(left, right);
}

/// <summary>The sum.</summary>
internal readonly struct SumOf : IF32Pooling
{
    public static float Start => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Join<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.Add(left, right);
}

/// <summary>MaxPool, GlobalMaxPool and AveragePool, all channels of an output pixel at a time.</summary>
internal readonly struct F32Pool : IKernelMaker
{
    /// <summary>Whether the node is a pool.</summary>
    public static bool Fits(Node node) => node.Op is MaxPool or AveragePool or GlobalMaxPool && node.Inputs[0].Value is null;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => site.Node.Op switch
    {
        MaxPool pool => new F32Pool<S, V, LargestOf>(site, pool.Kernel, pool.Stride, pool.Padding, pool.Dilation, null),
        GlobalMaxPool => new F32Pool<S, V, LargestOf>(site, new(site.Node.Inputs[0].Shape[2], site.Node.Inputs[0].Shape[3]), Size.One, default, Size.One, null),
        AveragePool pool => new F32Pool<S, V, SumOf>(site, pool.Kernel, pool.Stride, pool.Padding, Size.One, pool.CountIncludePad),
        _ => throw new NotSupportedException(site.Node.Op.Name),
    };
}

/// <summary>A pool; where <paramref name="counted"/> is not null, of means, and it says whether padding counts.</summary>
internal sealed unsafe class F32Pool<S, V, P>(Site site, Size kernel, Size stride, Padding padding, Size dilation, bool? counted) : Kernel
    where S : struct, ISimd<V> where V : unmanaged where P : struct, IF32Pooling
{
    private readonly int channels = site.Node.Shape[1], height = site.Node.Inputs[0].Shape[2], width = site.Node.Inputs[0].Shape[3];
    private readonly int outputHeight = site.Node.Shape[2], outputWidth = site.Node.Shape[3];
    private readonly nint inputPitch = site.InputPitches[0], outputPitch = site.OutputPitch;
    private readonly Split split = Split.Of(site.Node.Shape[0] * site.Node.Shape[2], (double)site.Node.Shape[3] * site.Node.Shape[1] * (1 + kernel.Height * kernel.Width / 2.0));

    /// <inheritdoc/>
    public override string Label => $"f32-pool-{kernel.Height}x{kernel.Width}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int row = first; row < first + count; row++)
        {
            int top = row % outputHeight * stride.Height - padding.Top;
            (int begin, int end) = Window.Inside(top, height, dilation.Height, kernel.Height);
            float* picture = operands.Input(0) + (nint)(row / outputHeight) * height * width * inputPitch;
            for (int x = 0; x < outputWidth; x++)
            {
                int left = x * stride.Width - padding.Left;
                (int from, int to) = Window.Inside(left, width, dilation.Width, kernel.Width);
                int seen = Math.Max(0, end - begin) * Math.Max(0, to - from);
                if (counted == true)
                    seen = (Math.Min(top + kernel.Height, height + padding.Bottom) - top) * (Math.Min(left + kernel.Width, width + padding.Right) - left);
                nint corner = ((nint)(top + begin * dilation.Height) * width + left + from * dilation.Width) * inputPitch;
                Pixel(picture + corner, operands.Output + ((nint)row * outputWidth + x) * outputPitch, end - begin, to - from, counted is null ? 1 : 1f / seen);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Pixel(float* window, float* output, int rows, int columns, float scale)
    {
        int c = rows == 3 && columns == 3 ? Nine(window, output, scale) : 0;
        for (; c <= channels - S.Lanes; c += S.Lanes) Join<AllLanes>(window + c, output + c, rows, columns, scale, S.Lanes);
        if (c < channels) Join<FirstLanes>(window + c, output + c, rows, columns, scale, channels - c);
    }

    /// <summary>Whole vectors of channels of a window of three rows and columns; returns the first channel that is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Nine(float* window, float* output, float scale)
    {
        nint across = dilation.Width * inputPitch, down = dilation.Height * width * inputPitch;
        V factor = S.Fill(scale);
        int c = 0;
        for (; c <= channels - S.Lanes; c += S.Lanes, window += S.Lanes)
        {
            float* second = window + down, third = second + down;
            V first = P.Join<S, V>(P.Join<S, V>(S.Load(window), S.Load(window + across)), S.Load(window + 2 * across));
            V middle = P.Join<S, V>(P.Join<S, V>(S.Load(second), S.Load(second + across)), S.Load(second + 2 * across));
            V last = P.Join<S, V>(P.Join<S, V>(S.Load(third), S.Load(third + across)), S.Load(third + 2 * across));
            V joined = P.Join<S, V>(P.Join<S, V>(first, middle), last);
            S.Store(output + c, counted is null ? joined : S.Multiply(joined, factor));
        }
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Join<L>(float* window, float* output, int rows, int columns, float scale, int count) where L : struct, ILanes
    {
        nint across = dilation.Width * inputPitch, down = dilation.Height * width * inputPitch;
        V joined = S.Fill(P.Start);
        for (; rows > 0; rows--, window += down)
        {
            float* pixel = window;
            for (int column = columns; column > 0; column--, pixel += across) joined = P.Join<S, V>(joined, L.Load<S, V>(pixel, count));
        }
        L.Store<S, V>(output, counted is null ? joined : S.Multiply(joined, S.Fill(scale)), count);
    }
}
