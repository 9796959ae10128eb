using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolution and transposed convolution as products without im2col: a row of the left matrix is an output pixel, its segments are the input
/// pixels under the kernel's taps, read where they lie, or zeros outside the picture (Dukhan, The Indirect Convolution Algorithm, 2019).
/// </summary>
internal readonly struct F32Conv : IKernelMaker
{
    private const int MostTaps = 4096;

    /// <summary>Whether the node is a convolution with constant weights.</summary>
    public static bool Fits(Node node, Isa isa) => node.Op is Conv or ConvTranspose && node.Inputs[0].Value is null
        && node.Inputs[1].Value is { } weights && weights.Shape.Product(2, 4) <= MostTaps && (node.Inputs.Length < 3 || node.Inputs[2].Value is not null);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Node node) where S : struct, ISimd<V> where V : unmanaged => node.Op is Conv conv
        ? new F32Conv<S, V>(node, Whole(node, conv), conv.Groups, conv.Then)
        : new F32Conv<S, V>(node, Phases(node, (ConvTranspose)node.Op), ((ConvTranspose)node.Op).Groups, null);

    /// <summary>The one grid of a convolution. Where the channels are few, the taps of a kernel row, neighbours in memory, make one segment.</summary>
    private static F32Grid[] Whole(Node node, Conv conv)
    {
        Shape kernel = node.Inputs[1].Shape;
        int height = kernel[2], width = kernel[3], joined = conv.Groups == 1 && conv.Dilation.Width == 1 && width > 1 && kernel[1] * width <= 64 ? width : 1;
        F32Tap[] taps =
        [
            .. from y in Enumerable.Range(0, height)
               from x in Enumerable.Range(0, width)
               select new F32Tap(y * width + x, y * conv.Dilation.Height - conv.Padding.Top, x * conv.Dilation.Width - conv.Padding.Left),
        ];
        return [new(default, Size.One, new(node.Shape[2], node.Shape[3]), conv.Stride, joined, taps)];
    }

    /// <summary>The grids of a transposed convolution: the output pixels of equal remainder by the stride have the same taps.</summary>
    private static F32Grid[] Phases(Node node, ConvTranspose conv)
    {
        Shape kernel = node.Inputs[1].Shape;
        (int down, int across) = (conv.Stride.Height, conv.Stride.Width);
        return
        [
            .. from top in Enumerable.Range(0, Math.Min(down, node.Shape[2]))
               from left in Enumerable.Range(0, Math.Min(across, node.Shape[3]))
               select new F32Grid(new(top, left), conv.Stride, new((node.Shape[2] - top + down - 1) / down, (node.Shape[3] - left + across - 1) / across), Size.One, 1,
               [
                   .. from y in Enumerable.Range(0, kernel[2])
                      from x in Enumerable.Range(0, kernel[3])
                      let fromTop = top + conv.Padding.Top - y * conv.Dilation.Height
                      let fromLeft = left + conv.Padding.Left - x * conv.Dilation.Width
                      where fromTop % down == 0 && fromLeft % across == 0
                      select new F32Tap(y * kernel[3] + x, fromTop / down, fromLeft / across),
               ]),
        ];
    }
}

/// <summary>One element of a kernel: which, and how far its input pixel lies from where the window begins.</summary>
internal readonly record struct F32Tap(int Index, int Down, int Across);

/// <summary>
/// Output pixels Origin + Step · (i, j), i and j below Count, whose windows begin at the input pixels Stride · (i, j); runs of
/// <paramref name="Joined"/> taps lie side by side and are read as one segment.
/// </summary>
internal sealed record F32Grid(Size Origin, Size Step, Size Count, Size Stride, int Joined, F32Tap[] Taps)
{
    /// <summary>Segments of a row.</summary>
    public int Segments => Taps.Length / Joined;
}

/// <summary>A convolution made of grids, each for every group of channels.</summary>
internal sealed unsafe class F32Conv<S, V> : F32Product<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly F32Grid[] grids;
    private readonly int groups, images, height, width, channels, inputPitch, outputHeight, outputWidth, columns, outputPitch;
    private readonly NativeBuffer memory;
    private readonly long[] panels;
    private readonly long zeros;

    /// <summary>The kernel of a node; rows lie one after another with all channels of a pixel unless the pitches say otherwise.</summary>
    public F32Conv(Node node, F32Grid[] grids, int groups, Activation? then, int inputPitch = 0, int outputPitch = 0) : base(Parts(node, grids, groups), then)
    {
        (this.grids, this.groups) = (grids, groups);
        Shape input = node.Inputs[0].Shape, output = node.Shape;
        (images, height, width, channels) = (input[0], input[2], input[3], input[1] / groups);
        (outputHeight, outputWidth, columns) = (output[2], output[3], output[1] / groups);
        this.inputPitch = inputPitch == 0 ? input[1] : inputPitch;
        this.outputPitch = outputPitch == 0 ? output[1] : outputPitch;
        if (grids[0].Joined > 1 && this.inputPitch != channels) throw new ArgumentException("joined taps ask for pixels side by side", nameof(inputPitch));
        panels = new long[grids.Length * groups];
        for (int part = 0; part < panels.Length; part++)
        {
            panels[part] = zeros;
            zeros += new F32Panels(columns, grids[part / groups].Taps.Length * channels, S.Lanes).Floats;
        }
        memory = new((zeros + channels * grids[0].Joined) * sizeof(float));
        Pack(node);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-gemm-conv-{Tile}";

    /// <inheritdoc/>
    protected override int PatchFloats => grids[0].Joined == 1 ? 0 : grids[0].Taps.Length * channels;

    /// <inheritdoc/>
    public override void Dispose() => memory.Dispose();

    /// <inheritdoc/>
    protected override float* Panels(int part, in Operands operands) => memory.Floats + panels[part];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        F32Grid grid = grids[part / groups];
        F32Tap[] taps = grid.Taps;
        int group = part % groups, joined = grid.Joined, segments = grid.Segments;
        (int step, int stride) = (grid.Step.Width, grid.Stride.Width);
        int line = first / grid.Count.Width, column = first - line * grid.Count.Width, image = line / grid.Count.Height;
        line -= image * grid.Count.Height;
        float* output = operands.Output + group * columns, input = operands.Input(0) + group * channels, nothing = memory.Floats + zeros;
        for (int row = 0; row < rows; row++)
        {
            int top = line * grid.Stride.Height, left = column * stride;
            table[row] = output + (((nint)image * outputHeight + grid.Origin.Height + line * grid.Step.Height) * outputWidth + grid.Origin.Width + column * step) * outputPitch;
            float** pointers = table + rows + row;
            float* picture = input + (nint)image * height * width * inputPitch;
            for (int segment = 0; segment < segments; segment++, pointers += rows)
            {
                F32Tap tap = taps[segment * joined];
                int y = top + tap.Down, x = left + tap.Across;
                float* pixel = picture + ((nint)y * width + x) * inputPitch;
                if ((uint)y >= (uint)height) pixel = nothing;
                else if (joined == 1)
                {
                    if ((uint)x >= (uint)width) pixel = nothing;
                }
                else if (x < 0 || x + joined > width)
                {
                    pixel = Patch(picture + (nint)y * width * inputPitch, x, joined, patches + (row * segments + segment) * joined * channels);
                }
                *pointers = pixel;
            }
            if (++column < grid.Count.Width) continue;
            column = 0;
            if (++line < grid.Count.Height) continue;
            line = 0;
            image++;
        }
    }

    /// <summary>A segment that reaches over an edge, copied with zeros for what lies outside.</summary>
    private float* Patch(float* line, int x, int joined, float* patch)
    {
        for (int i = 0; i < joined; i++)
            for (int c = 0; c < channels; c++)
                patch[i * channels + c] = (uint)(x + i) < (uint)width ? line[(nint)(x + i) * inputPitch + c] : 0;
        return patch;
    }

    private static F32Part[] Parts(Node node, F32Grid[] grids, int groups) =>
    [
        .. grids.SelectMany(grid => Enumerable.Repeat(new F32Part(node.Shape[0] * grid.Count.Height * grid.Count.Width, node.Shape[1] / groups, grid.Segments,
            node.Inputs[0].Shape[1] / groups * grid.Joined), groups)),
    ];

    private void Pack(Node node)
    {
        Shape kernel = node.Inputs[1].Shape;
        int size = kernel.Product(2, 4);
        bool transposed = node.Op is ConvTranspose;
        (int acrossChannels, int acrossColumns) = transposed ? (columns * size, size) : (size, channels * size);
        fixed (float* weights = node.Inputs[1].Value!.Floats, bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.Floats : default)
        {
            for (int part = 0; part < panels.Length; part++)
            {
                int group = part % groups;
                int[] offsets = [.. grids[part / groups].Taps.SelectMany(tap => Enumerable.Range(0, channels).Select(c => tap.Index + c * acrossChannels))];
                F32Panels layout = new(columns, offsets.Length, S.Lanes);
                for (int panel = 0; panel < layout.Count; panel++)
                    layout.Pack(memory.Floats + panels[part], panel, weights + (nint)group * (transposed ? channels : columns) * (transposed ? acrossChannels : acrossColumns),
                        offsets, acrossColumns, 1, bias is null ? null : bias + group * columns);
            }
        }
    }
}
