using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolution by its definition, loop in loop, without any copy of the input or table of it: vectors lie along output channels, and four pixels of a line are
/// summed at once (as in Zhang, Franchetti, Low, High Performance Zero-Memory Overhead Direct Convolutions, 2018).
/// </summary>
internal readonly struct F32Direct : IKernelMaker
{
    /// <summary>Whether the node is a plain convolution with constant weights.</summary>
    public static bool Fits(Site site) => F32Lowered<Scalar, float>.Fits(site);

    /// <summary>About how many nanoseconds it takes on one thread: a tile of four pixels streams the weights three times as often as one of fourteen.</summary>
    public static double Cost(Site site) => 1.4 * F32Conv.Cost(site);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32Direct<S, V>(site.Node, ConvSite.Of(site)!);
}

/// <summary>A direct convolution, some lines of the output a task.</summary>
internal sealed unsafe class F32Direct<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly ConvSite conv;
    private readonly F32Finish<S, V> finish;
    private readonly PanelLayout panels;
    private readonly NativeBuffer packed, zeros;
    private readonly Split split;

    /// <summary>The kernel of a node.</summary>
    public F32Direct(Node node, ConvSite conv)
    {
        this.conv = conv;
        finish = new(conv.Conv.Then);
        panels = conv.Panels(S.Lanes);
        packed = conv.Pack(node, S.Lanes);
        zeros = new(conv.Channels * sizeof(float));
        split = Split.Of(conv.Images * conv.Output.Height, (double)Penjing.Cost.Macs(node) / conv.Images / conv.Output.Height / S.Lanes);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-direct-4x{2 * S.Lanes}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        packed.Dispose();
        zeros.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        int columns = conv.Columns / conv.Conv.Groups;
        for (int line = first; line < first + count; line++)
        {
            float* output = operands.Output + (nint)line * conv.Output.Width * conv.OutputPitch;
            for (int group = 0; group < conv.Conv.Groups; group++)
                for (int panel = 0; panel < panels.Count; panel++)
                {
                    float* weights = packed.Floats + group * panels.Floats + panels.Offset(panel), target = output + group * columns + panels[panel].First;
                    if (panels.Vectors(panel) == 2) Line<N2>(operands.Input(0), line, group, weights, target, panels[panel].Columns);
                    else Line<N1>(operands.Input(0), line, group, weights, target, panels[panel].Columns);
                }
            finish.Complete(output, conv.Columns, conv.Output.Width, conv.OutputPitch);
        }
    }

    /// <summary>One line of the output, one panel of its channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line<C>(float* input, int line, int group, float* panel, float* output, int columns) where C : INumber
    {
        const int most = 4;
        Conv plain = conv.Conv;
        int channels = conv.Channels / plain.Groups, width = conv.Input.Width, step = plain.Stride.Width, taps = conv.Taps, image = line / conv.Output.Height;
        int top = line % conv.Output.Height * plain.Stride.Height - plain.Padding.Top;
        V min = S.Fill(finish.Min), max = S.Fill(finish.Max);
        for (int x = 0; x < conv.Output.Width; x += most)
        {
            int count = Math.Min(most, conv.Output.Width - x);
            V a0 = S.Load(panel), a1 = C.Value > 1 ? S.Load(panel + S.Lanes) : a0;
            V b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
            float* weights = panel + C.Value * S.Lanes;
            for (int tap = 0; tap < taps; tap++)
            {
                int down = tap / conv.Kernel.Width, y = top + down * plain.Dilation.Height;
                int at = x * step - plain.Padding.Left + (tap - down * conv.Kernel.Width) * plain.Dilation.Width;
                float* row = (uint)y < (uint)conv.Input.Height ? input + ((nint)image * conv.Input.Height + y) * width * conv.InputPitch + group * channels : null;
                float* a = Pixel(row, at, width), b = count > 1 ? Pixel(row, at + step, width) : a;
                float* c = count > 2 ? Pixel(row, at + 2 * step, width) : a, d = count > 3 ? Pixel(row, at + 3 * step, width) : a;
                for (nint k = 0; k < channels; k++, weights += C.Value * S.Lanes)
                {
                    V first = S.Load(weights), second = C.Value > 1 ? S.Load(weights + S.Lanes) : first, value = S.Fill(a[k]);
                    a0 = S.MultiplyAdd(value, first, a0);
                    if (C.Value > 1) a1 = S.MultiplyAdd(value, second, a1);
                    value = S.Fill(b[k]);
                    b0 = S.MultiplyAdd(value, first, b0);
                    if (C.Value > 1) b1 = S.MultiplyAdd(value, second, b1);
                    value = S.Fill(c[k]);
                    c0 = S.MultiplyAdd(value, first, c0);
                    if (C.Value > 1) c1 = S.MultiplyAdd(value, second, c1);
                    value = S.Fill(d[k]);
                    d0 = S.MultiplyAdd(value, first, d0);
                    if (C.Value > 1) d1 = S.MultiplyAdd(value, second, d1);
                }
            }
            float* target = output + (nint)x * conv.OutputPitch;
            Store<C>(target, a0, a1, min, max, columns);
            if (count > 1) Store<C>(target + conv.OutputPitch, b0, b1, min, max, columns);
            if (count > 2) Store<C>(target + 2 * conv.OutputPitch, c0, c1, min, max, columns);
            if (count > 3) Store<C>(target + 3 * conv.OutputPitch, d0, d1, min, max, columns);
        }
    }

    /// <summary>A pixel of a line of the input, or zeros beyond it; no call, so that the sums stay in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float* Pixel(float* row, int x, int width) => row is not null && (uint)x < (uint)width ? row + (nint)x * conv.InputPitch : zeros.Floats;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<C>(float* target, V first, V second, V min, V max, int columns) where C : INumber
    {
        S.StorePart(target, S.AtMost(max, S.AtLeast(min, first)), Math.Min(columns, S.Lanes));
        if (C.Value > 1) S.StorePart(target + S.Lanes, S.AtMost(max, S.AtLeast(min, second)), columns - S.Lanes);
    }
}
