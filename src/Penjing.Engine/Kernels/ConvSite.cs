namespace Penjing.Engine;

/// <summary>
/// A convolution with constant weights as its kernels see it, and a Gemm as one of 1×1 over a picture one line high: which pixels there are, how far
/// apart they lie, and what happens to them.
/// </summary>
/// <param name="Conv">Strides, padding, dilation, groups and the activation.</param>
/// <param name="Order">Which channel of the input stands at each place of the convolution's input; empty for the input as it is.</param>
/// <param name="Images">Pictures in the batch.</param>
/// <param name="Kernel">Height and width of the kernel.</param>
/// <param name="Input">Height and width of the input.</param>
/// <param name="Channels">Channels of the input.</param>
/// <param name="InputPitch">Floats from pixel to pixel of the input.</param>
/// <param name="Output">Height and width of the output.</param>
/// <param name="Columns">Channels of the output.</param>
/// <param name="OutputPitch">Floats from pixel to pixel of the output.</param>
/// <param name="AddendPitch">Floats from pixel to pixel of what is added before the activation; 0 where nothing is.</param>
internal sealed record ConvSite(Conv Conv, Ints Order, int Images, Size Kernel, Size Input, int Channels, int InputPitch, Size Output, int Columns, int OutputPitch, int AddendPitch)
{
    /// <summary>What a site computes; null where it is no such convolution or product.</summary>
    public static ConvSite? Of(Site site)
    {
        Node node = site.Node;
        if (node.Inputs is not [{ Value: null, Shape: var x }, { Value.Shape: var w }, .. var rest] || rest is not ([] or [{ Value: not null }, .. [] or [{ Value: null }]])) return null;
        if (node.Op is Gemm { TransposeA: false } gemm && F32MatMul.Fits(node))
            return new(new() { Then = gemm.Then }, [], 1, Size.One, new(1, x[0]), x[1], x[1], new(1, x[0]), node.Shape[1], node.Shape[1], 0);
        return FusedConv.Of(node) is not { } fused ? null : new(fused.Conv, fused.Order, x[0], new(w[2], w[3]), new(x[2], x[3]), x[1], site.InputPitches[0],
            new(node.Shape[2], node.Shape[3]), node.Shape[1], site.OutputPitch, fused.Adds ? site.InputPitches[FusedConv.Addend] : 0);
    }

    /// <summary>Pixels of the output, those of all pictures.</summary>
    public int Pixels => Images * Output.Height * Output.Width;

    /// <summary>Elements of the kernel.</summary>
    public int Taps => Kernel.Height * Kernel.Width;

    /// <summary>How a group's weights are packed for products: a depth is a tap, then one of the group's channels.</summary>
    public PanelLayout Panels(int lanes) => new(Columns / Conv.Groups, Taps * Channels / Conv.Groups, lanes);

    /// <summary>The weights and biases of a node, group by group.</summary>
    public unsafe NativeBuffer Pack(Node node, int lanes)
    {
        PanelLayout panels = Panels(lanes);
        int channels = Channels / Conv.Groups, columns = Columns / Conv.Groups;
        int[] depths = [.. Enumerable.Range(0, Taps * channels).Select(depth => depth % channels * Taps + depth / channels)];
        NativeBuffer memory = new(Conv.Groups * panels.Floats * sizeof(float));
        fixed (float* weights = node.Inputs[1].Value!.Floats, bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.Floats : default)
            for (int group = 0; group < Conv.Groups; group++)
                for (int panel = 0; panel < panels.Count; panel++)
                    panels.Pack(memory.Floats + group * panels.Floats, panel, weights + (nint)group * columns * channels * Taps, depths, channels * Taps, 1,
                        bias is null ? null : bias + group * columns);
        return memory;
    }

    /// <summary>What is added to each output channel.</summary>
    public static float[] Biases(Node node)
    {
        if (node.Inputs.Length < 3) return new float[node.Shape[1]];
        float[] biases = node.Inputs[2].Value!.Floats.ToArray();
        float scale = node.Op is Gemm gemm ? gemm.Beta : 1;
        return [.. Enumerable.Range(0, node.Shape[1]).Select(column => scale * biases[biases.Length == 1 ? 0 : column])];
    }

    /// <summary>Points to the input pixels that one tap sees from <paramref name="count"/> output pixels, or to zeros where there is none.</summary>
    public unsafe void Point(float* input, float* zeros, int tap, int first, int count, float** pixels)
    {
        int down = tap / Kernel.Width, across = (tap - down * Kernel.Width) * Conv.Dilation.Width - Conv.Padding.Left, step = Conv.Stride.Width;
        down = down * Conv.Dilation.Height - Conv.Padding.Top;
        int line = first / Output.Width, column = first - line * Output.Width, image = line / Output.Height;
        line -= image * Output.Height;
        for (int i = 0; i < count; column = 0)
        {
            int y = line * Conv.Stride.Height + down, x = column * step + across, end = Math.Min(count, i + Output.Width - column);
            float* row = input + ((nint)image * Input.Height + y) * Input.Width * InputPitch;
            bool inside = (uint)y < (uint)Input.Height;
            for (; i < end; i++, x += step) pixels[i] = inside && (uint)x < (uint)Input.Width ? row + (nint)x * InputPitch : zeros;
            if (++line < Output.Height) continue;
            line = 0;
            image++;
        }
    }
}
