using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// The rows of a depthwise convolution, a block of them at a time. Each input pixel of a block is loaded once, and all outputs that it
/// belongs to are in registers: the sums of as many columns as the kernel has, moving on by one.
/// Packed are, for each vector of channels, the biases, then each tap's weights, column by column; the last vector overlaps the one before.
/// </summary>
internal sealed unsafe class DepthwiseRows<S, V, E, O, P> : IDisposable where S : struct, ISimd<V> where V : unmanaged where E : unmanaged where O : unmanaged where P : struct, IPixels<S, V, E, O>
{
    private readonly Size kernel, stride, dilation;
    private readonly Padding padding;
    private readonly int height, width, channels, outputHeight, outputWidth;
    private readonly nint inputPitch, outputPitch;
    private readonly F32Finish<S, V> finish;
    private readonly NativeBuffer weights, scales, outside;
    private readonly byte flip;
    private readonly float less;
    private readonly int zero;
    private readonly DepthwiseColumns[] runs;
    private readonly delegate*<DepthwiseRows<S, V, E, O, P>, E**, O*, int, int, in DepthwiseColumns, void>[] blocks;

    /// <summary>
    /// The convolution of a node, with the elements from pixel to pixel of its input and of its output, its weights and biases, and what its integers stand for.
    /// </summary>
    public DepthwiseRows(Node node, Conv conv, int inputPitch, int outputPitch, ReadOnlySpan<float> kernels, ReadOnlySpan<float> biases, in DepthwiseIntegers integers)
    {
        Shape input = node.Inputs[0].Shape, taps = node.Inputs[1].Shape;
        (kernel, stride, dilation, padding) = (new(taps[2], taps[3]), conv.Stride, conv.Dilation, conv.Padding);
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], node.Shape[2], node.Shape[3]);
        (this.inputPitch, this.outputPitch) = (inputPitch, outputPitch);
        (flip, less, zero) = (integers.Input.Flip, -integers.Input.Zero, integers.OutputZero);
        finish = new(conv.Then);
        (blocks, int apart) = Pick();
        runs = Runs(apart);
        Vectors = (channels + S.Lanes - 1) / S.Lanes;
        Blocks = (outputHeight + blocks.Length - 1) / blocks.Length;
        scales = NativeBuffer.Of<float>(integers.Scales);
        outside = new((long)width * inputPitch * sizeof(E));
        new Span<byte>(outside.Pointer, (int)outside.Bytes).Fill(integers.Input.ZeroByte);
        weights = new((long)Vectors * S.Lanes * (Taps + 1) * sizeof(float));
        for (int i = 0; i < Vectors * S.Lanes; i++)
        {
            int c = First(i / S.Lanes) + i % S.Lanes;
            float* target = weights.Floats + i / S.Lanes * S.Lanes * (Taps + 1) + i % S.Lanes;
            target[0] = biases.IsEmpty ? 0 : biases[c];
            for (int tap = 0; tap < Taps; tap++) target[(tap % kernel.Width * kernel.Height + tap / kernel.Width + 1) * S.Lanes] = kernels[c * Taps + tap];
        }
    }

    /// <summary>Elements of the kernel.</summary>
    public int Taps => kernel.Height * kernel.Width;

    /// <summary>Vectors of channels.</summary>
    public int Vectors { get; }

    /// <summary>Whether the vectors of channels can be computed apart.</summary>
    public bool Divides => channels % S.Lanes == 0;

    /// <summary>Blocks of output rows in a picture.</summary>
    public int Blocks { get; }

    /// <summary>Kernel, rows at a time and vectors, as in 3x3-4-512.</summary>
    public string Label => $"{kernel.Height}x{kernel.Width}-{blocks.Length}-{Split.Name<S, V>()}";

    /// <summary>Frees the packed weights.</summary>
    public void Dispose()
    {
        weights.Dispose();
        scales.Dispose();
        outside.Dispose();
    }

    /// <summary>The output rows of a block: the first, and the one after the last.</summary>
    public (int First, int End) this[int block] => (outputHeight * block / Blocks, outputHeight * (block + 1) / Blocks);

    /// <summary>Computes some vectors of channels of a block of rows, the first of which is written to <paramref name="target"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(E* input, O* target, int image, int block, int from, int to)
    {
        (int first, int end) = this[block];
        int reach = (end - first - 1) * stride.Height + kernel.Height, top = first * stride.Height - padding.Top;
        E** lines = stackalloc E*[reach];
        for (int row = 0, y = top; row < reach; row++, y += dilation.Height)
            lines[row] = (uint)y < (uint)height ? input + ((nint)image * height + y) * width * inputPitch : (E*)outside.Pointer;
        foreach (ref readonly DepthwiseColumns columns in runs.AsSpan()) blocks[end - first - 1](this, lines, target + columns.Target, from, to, in columns);
        if (!finish.Bounds) finish.Complete((float*)target + First(from), First(to - 1) + S.Lanes - First(from), (nint)(end - first) * outputWidth, outputPitch);
    }

    /// <summary>The first channel of a vector.</summary>
    private int First(int vector) => Math.Min(vector * S.Lanes, channels - S.Lanes);

    /// <summary>The code for blocks of each number of rows, and how many columns the neighbours that it sees lie apart.</summary>
    private (delegate*<DepthwiseRows<S, V, E, O, P>, E**, O*, int, int, in DepthwiseColumns, void>[] Code, int Apart) Pick()
    {
        int most = DepthwiseColumns.Rows(kernel, dilation, S.TileRows);
        return (kernel, stride) switch
        {
            ((3, 3), (1, 1)) => (Pick<N3, N1>(most), dilation.Width),
            ((5, 5), (1, 1)) => (Pick<N5, N1>(most), dilation.Width),
            ((3, 3), (2, 2)) when dilation == Size.One => (Pick<N3, N2>(most), 1),
            ((5, 5), (2, 2)) when dilation == Size.One => (Pick<N5, N2>(most), 1),
            _ => ([&Any], 1),
        };
    }

    private static delegate*<DepthwiseRows<S, V, E, O, P>, E**, O*, int, int, in DepthwiseColumns, void>[] Pick<K, T>(int most)
        where K : struct, INumber where T : struct, INumber => most switch
        {
            1 => [&Rows<K, T, N1>],
            2 => [&Rows<K, T, N1>, &Rows<K, T, N2>],
            3 => [&Rows<K, T, N1>, &Rows<K, T, N2>, &Rows<K, T, N3>],
            _ => [&Rows<K, T, N1>, &Rows<K, T, N2>, &Rows<K, T, N3>, &Rows<K, T, N4>],
        };

    /// <summary>The columns of a row in runs of those that lie so many apart.</summary>
    private DepthwiseColumns[] Runs(int apart) => [.. Enumerable.Range(0, Math.Min(apart, outputWidth)).Select(run =>
    {
        int first = ((run - padding.Left) % apart + apart) % apart;
        return new DepthwiseColumns(Math.Max(0, (width - first + apart - 1) / apart), (outputWidth - run + apart - 1) / apart, (padding.Left + first - run) / apart,
            first * inputPitch, run * outputPitch, apart * inputPitch, apart * outputPitch);
    })];

    /// <summary>Rows of a square kernel K of stride T: after each step the sums of one more output column are complete.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows<K, T, R>(DepthwiseRows<S, V, E, O, P> self, E** lines, O* output, int from, int to, in DepthwiseColumns columns)
        where K : struct, INumber where T : struct, INumber where R : struct, INumber
    {
        int k = K.Value * S.Lanes;
        nint down = self.outputWidth * self.outputPitch;
        byte flip = self.flip;
        V less = S.Fill(self.less), min = S.Fill(self.finish.Min), max = S.Fill(self.finish.Max);
        for (int vector = from; vector < to; vector++)
        {
            float* packed = self.weights.Floats + (nint)vector * S.Lanes * (K.Value * K.Value + 1), taps = packed + S.Lanes;
            nint channel = self.First(vector), source = columns.Source + channel;
            Ends<V> ends = new(min, max, P.Scale(self.scales.Floats + channel), self.zero);
            V fresh = S.Load(packed), v0, v1, v2, v3 = fresh, v4 = fresh, v5 = fresh, v6 = fresh, v7 = fresh, v8 = fresh;
            V a0 = fresh, a1 = fresh, a2 = fresh, a3 = fresh, b0 = fresh, b1 = fresh, b2 = fresh, b3 = fresh, c0 = fresh, c1 = fresh, c2 = fresh, c3 = fresh;
            V d0 = fresh, d1 = fresh, d2 = fresh, e0 = fresh, e1 = fresh, e2 = fresh;
            O* target = output + channel;
            int x = T.Value == 1 ? 1 - K.Value : -(K.Value / 2);
            for (int column = x * T.Value + K.Value - T.Value - columns.Left; x < columns.Outputs; x++)
            {
                for (int step = T.Value; step > 0; step--, column++)
                {
                    if ((uint)column >= (uint)columns.Inputs) continue;
                    nint at = column * columns.InputPitch + source;
                    v0 = P.Load(lines[0] + at, flip, less);
                    v1 = P.Load(lines[1] + at, flip, less);
                    v2 = P.Load(lines[2] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 3) v3 = P.Load(lines[3] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 4) v4 = P.Load(lines[4] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 5) v5 = P.Load(lines[5] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 6) v6 = P.Load(lines[6] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 7) v7 = P.Load(lines[7] + at, flip, less);
                    if ((R.Value - 1) * T.Value + K.Value > 8) v8 = P.Load(lines[8] + at, flip, less);
                    if (step == 2)
                    {
                        Add<K, T, R>(ref a0, ref a1, ref a2, ref a3, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k * (K.Value - 2));
                        if (K.Value == 5) Add<K, T, R>(ref b0, ref b1, ref b2, ref b3, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k);
                        continue;
                    }
                    Add<K, T, R>(ref a0, ref a1, ref a2, ref a3, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k * (K.Value - 1));
                    Add<K, T, R>(ref b0, ref b1, ref b2, ref b3, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k * (K.Value - 1 - T.Value));
                    if (K.Value > 2 * T.Value)
                        Add<K, T, R>(ref c0, ref c1, ref c2, ref c3, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k * (K.Value - 1 - 2 * T.Value));
                    if (K.Value > 3 * T.Value) Add<K, T, R>(ref d0, ref d1, ref d2, ref d2, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps + k);
                    if (K.Value > 4 * T.Value) Add<K, T, R>(ref e0, ref e1, ref e2, ref e2, v0, v1, v2, v3, v4, v5, v6, v7, v8, taps);
                }
                if (x >= 0)
                {
                    if (R.Value == 1) P.Store(target, a0, ends);
                    else P.Store(target, target + down, a0, a1, ends);
                    if (R.Value == 3) P.Store(target + 2 * down, a2, ends);
                    if (R.Value == 4) P.Store(target + 2 * down, target + 3 * down, a2, a3, ends);
                    target += columns.OutputPitch;
                }
                (a0, a1, a2, a3) = (b0, b1, b2, b3);
                (b0, b1, b2, b3) = (c0, c1, c2, c3);
                (c0, c1, c2, d0, d1, d2, e0, e1, e2) = (d0, d1, d2, e0, e1, e2, fresh, fresh, fresh);
                if (K.Value == 3 && T.Value == 2) b0 = b1 = b2 = b3 = fresh;
                if (K.Value <= 3 * T.Value) c0 = c1 = c2 = c3 = fresh;
            }
        }
    }

    /// <summary>Adds to the sums of R rows of an output column what a column of pixels gives under a column of the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<K, T, R>(ref V s0, ref V s1, ref V s2, ref V s3, V v0, V v1, V v2, V v3, V v4, V v5, V v6, V v7, V v8, float* taps)
        where K : struct, INumber where T : struct, INumber where R : struct, INumber
    {
        V t0 = S.Load(taps), t1 = S.Load(taps + S.Lanes), t2 = S.Load(taps + 2 * S.Lanes), t3 = t2, t4 = t2;
        if (K.Value > 3) t3 = S.Load(taps + 3 * S.Lanes);
        if (K.Value > 4) t4 = S.Load(taps + 4 * S.Lanes);
        s0 = Dot<K>(s0, v0, v1, v2, v3, v4, t0, t1, t2, t3, t4);
        if (R.Value > 1) s1 = T.Value == 1 ? Dot<K>(s1, v1, v2, v3, v4, v5, t0, t1, t2, t3, t4) : Dot<K>(s1, v2, v3, v4, v5, v6, t0, t1, t2, t3, t4);
        if (R.Value > 2) s2 = T.Value == 1 ? Dot<K>(s2, v2, v3, v4, v5, v6, t0, t1, t2, t3, t4) : Dot<K>(s2, v4, v5, v6, v7, v8, t0, t1, t2, t3, t4);
        if (R.Value > 3) s3 = T.Value == 1 ? Dot<K>(s3, v3, v4, v5, v6, v7, t0, t1, t2, t3, t4) : Dot<K>(s3, v6, v7, v8, v8, v8, t0, t1, t2, t3, t4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Dot<K>(V sum, V v0, V v1, V v2, V v3, V v4, V t0, V t1, V t2, V t3, V t4) where K : struct, INumber
    {
        sum = S.MultiplyAdd(v2, t2, S.MultiplyAdd(v1, t1, S.MultiplyAdd(v0, t0, sum)));
        return K.Value == 3 ? sum : S.MultiplyAdd(v4, t4, S.MultiplyAdd(v3, t3, sum));
    }

    /// <summary>A row of any kernel, a pixel at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Any(DepthwiseRows<S, V, E, O, P> self, E** lines, O* output, int from, int to, in DepthwiseColumns columns)
    {
        (Size kernel, int across, byte flip) = (self.kernel, self.dilation.Width, self.flip);
        V less = S.Fill(self.less), min = S.Fill(self.finish.Min), max = S.Fill(self.finish.Max);
        for (int x = 0, left = -self.padding.Left; x < self.outputWidth; x++, left += self.stride.Width, output += self.outputPitch)
            for (int vector = from; vector < to; vector++)
            {
                float* weight = self.weights.Floats + (nint)vector * S.Lanes * (self.Taps + 1);
                int channel = self.First(vector);
                V sum = S.Load(weight);
                for (int i = 0, column = left; i < kernel.Width; i++, column += across)
                {
                    if ((uint)column >= (uint)self.width) continue;
                    float* tap = weight + (i * kernel.Height + 1) * S.Lanes;
                    for (int j = 0; j < kernel.Height; j++, tap += S.Lanes)
                        sum = S.MultiplyAdd(P.Load(lines[j] + column * self.inputPitch + channel, flip, less), S.Load(tap), sum);
                }
                P.Store(output + channel, sum, new(min, max, P.Scale(self.scales.Floats + channel), self.zero));
            }
    }
}
