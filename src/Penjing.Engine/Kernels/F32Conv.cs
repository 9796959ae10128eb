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
    public static bool Fits(Site site) => site.Node is { Op: Conv or FusedConv or ConvTranspose, Inputs: [{ Value: null }, { Value: { } weights }, .. var rest] }
        && weights.Shape.Product(2, 4) <= MostTaps && rest is [] or [{ Value: not null }, .. [] or [{ Value: null }]];

    /// <summary>About how many nanoseconds a site takes on one thread: multiplications, the tiles' ends, and bytes that must come and go.</summary>
    public static double Cost(Site site)
    {
        (Node node, int lanes) = (site.Node, site.Isa.Lanes());
        Shape weights = node.Inputs[1].Shape;
        (int channels, int groups, int taps) = node.Op is ConvTranspose transposed
            ? (weights[0] / transposed.Groups, transposed.Groups, Math.Max(1, weights.Product(2, 4) / (transposed.Stride.Height * transposed.Stride.Width)))
            : (weights[1], FusedConv.Of(node)!.Conv.Groups, weights.Product(2, 4));
        double rows = (double)node.Shape.Elements / node.Shape[1], columns = node.Shape[1] / groups, height = site.Isa.TileRows();
        double vectors = Math.Ceiling(columns / lanes), tiles = Math.Ceiling(rows / height) * groups, panels = Math.Ceiling(vectors / 2);
        // Two fused multiply-adds a cycle, four cycles long: fewer than eight sums wait for each other.
        double step = Math.Max(rows * groups / tiles * vectors / 2, 4 * panels);
        int segments = FusedConv.Of(node) is { } conv ? taps / Joined(site, conv) : taps;
        double cycles = tiles * (step * channels * taps + panels * (40 + 8 * segments) + height * segments * 4);
        double values = sizeof(float) * (node.Inputs[0].Shape.Elements + 2.0 * node.Shape.Elements);
        return Pace.Nanoseconds(cycles, values, sizeof(float) * (double)weights.Elements);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged
    {
        if (FusedConv.Of(site.Node) is { } fused) return new F32Conv<S, V>(site, Whole(site, fused), fused);
        var transposed = (ConvTranspose)site.Node.Op;
        return new F32Conv<S, V>(site, Phases(site.Node, transposed), new(new() { Groups = transposed.Groups }, [], Adds: false));
    }

    /// <summary>How many taps make one segment: where the channels are few, those of a kernel row, neighbours in memory.</summary>
    private static int Joined(Site site, FusedConv fused)
    {
        (int channels, int width) = (site.Node.Inputs[1].Shape[1], site.Node.Inputs[1].Shape[3]);
        return site.InputPitches[0] == channels && fused.Conv.Dilation.Width == 1 && fused.Order.Count == 0 && channels * width <= 64 ? width : 1;
    }

    /// <summary>The one grid of a convolution.</summary>
    private static F32Grid[] Whole(Site site, FusedConv fused)
    {
        (Node node, Conv conv) = (site.Node, fused.Conv);
        Shape kernel = node.Inputs[1].Shape;
        int height = kernel[2], width = kernel[3];
        F32Tap[] taps =
        [
            .. from y in Enumerable.Range(0, height)
               from x in Enumerable.Range(0, width)
               select new F32Tap(y * width + x, y * conv.Dilation.Height - conv.Padding.Top, x * conv.Dilation.Width - conv.Padding.Left),
        ];
        return [new(default, Size.One, new(node.Shape[2], node.Shape[3]), conv.Stride, Joined(site, fused), taps)];
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
               let count = new Size((node.Shape[2] - top + down - 1) / down, (node.Shape[3] - left + across - 1) / across)
               select new F32Grid(new(top, left), conv.Stride, count, Size.One, 1,
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

    /// <summary>The first and last input row and column that a window sees, counted from where it begins.</summary>
    public (int Top, int Bottom, int Left, int Right) Reach { get; } =
        Taps.Length == 0 ? default : (Taps.Min(tap => tap.Down), Taps.Max(tap => tap.Down), Taps.Min(tap => tap.Across), Taps.Max(tap => tap.Across));
}

/// <summary>A convolution made of grids.</summary>
internal sealed unsafe class F32Conv<S, V> : F32Product<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly F32Grid[] grids;
    private readonly int[][] offsets;
    private readonly int groups, height, width, channels, inputPitch, outputHeight, outputWidth, columns, outputPitch, addendPitch;
    private readonly NativeBuffer memory;
    private readonly long[] panels;
    private readonly long zeros;

    /// <summary>The kernel of a site: the grids of its output, and how many groups it has, in which order it reads channels, whether it adds, what follows.</summary>
    public F32Conv(Site site, F32Grid[] grids, FusedConv conv) : base(Parts(site.Node, grids, conv), site.Seats, conv.Conv.Then, conv.Order, conv.Adds)
    {
        (Node node, this.grids, groups) = (site.Node, grids, conv.Conv.Groups);
        Shape input = node.Inputs[0].Shape, output = node.Shape;
        (height, width, channels) = (input[2], input[3], Channels(node, conv));
        (outputHeight, outputWidth, columns) = (output[2], output[3], output[1] / groups);
        (inputPitch, outputPitch, addendPitch) = (site.InputPitches[0], site.OutputPitch, conv.Adds ? site.InputPitches[FusedConv.Addend] : 0);
        offsets = [.. grids.Select(Offsets)];
        panels = new long[grids.Length];
        for (int part = 0; part < panels.Length; part++)
        {
            panels[part] = zeros;
            zeros += groups * Packed(part).Floats;
        }
        memory = new((zeros + Math.Max(input[1], channels * grids[0].Joined)) * sizeof(float));
        Pack(node);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-gemm-conv-{Tile}";

    /// <inheritdoc/>
    protected override int PatchFloats => grids[0].Joined == 1 ? 0 : grids[0].Taps.Length * channels;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == FusedConv.Addend && addendPitch == outputPitch;

    /// <inheritdoc/>
    public override void Dispose()
    {
        memory.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override float* Panels(int part, in Operands operands) => memory.Floats + panels[part];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        F32Grid grid = grids[part];
        int step = grid.Step.Width, down = grid.Stride.Height, across = grid.Stride.Width;
        int line = first / grid.Count.Width, column = first - line * grid.Count.Width, image = line / grid.Count.Height;
        line -= image * grid.Count.Height;
        (int top, int bottom, int left, int right) = grid.Reach;
        fixed (int* segments = offsets[part])
        {
            for (int row = 0; row < rows;)
            {
                // A run of output pixels of one line.
                int y = line * down, end = Math.Min(rows, row + grid.Count.Width - column);
                bool inside = y + top >= 0 && y + bottom < height;
                float* picture = operands.Input(0) + (nint)image * height * width * inputPitch;
                nint outputLine = (nint)image * outputHeight + grid.Origin.Height + line * grid.Step.Height;
                nint pixel = outputLine * outputWidth + grid.Origin.Width + column * grid.Step.Width;
                for (int x = column * across; row < end; row++, x += across, pixel += step)
                {
                    table[row] = operands.Output + pixel * outputPitch;
                    if (addendPitch > 0) table[(grid.Segments + 1) * rows + row] = operands.Input(FusedConv.Addend) + pixel * addendPitch;
                    if (!inside || x + left < 0 || x + right >= width)
                    {
                        Point(grid, picture, y, x, table + rows + row, rows, patches + (nint)row * PatchFloats);
                        continue;
                    }
                    float** pointers = table + rows + row;
                    float* window = picture + ((nint)y * width + x) * inputPitch;
                    for (int segment = 0; segment < grid.Segments; segment++, pointers += rows) *pointers = window + segments[segment];
                }
                column = 0;
                if (++line < grid.Count.Height) continue;
                line = 0;
                image++;
            }
        }
    }

    /// <summary>The segments of a window that reaches over an edge: zeros for taps outside, patches where joined taps lie on both sides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Point(F32Grid grid, float* picture, int top, int left, float** pointers, int rows, float* patch)
    {
        int joined = grid.Joined;
        for (int i = 0; i < grid.Taps.Length; i += joined, pointers += rows, patch += joined * channels)
        {
            int y = top + grid.Taps[i].Down, x = left + grid.Taps[i].Across;
            float* line = picture + (nint)y * width * inputPitch;
            if ((uint)y >= (uint)height || x + joined <= 0 || x >= width) *pointers = memory.Floats + zeros;
            else if (x >= 0 && x + joined <= width) *pointers = line + (nint)x * inputPitch;
            else
            {
                for (int c = 0, at = x * channels; c < joined * channels; c++, at++) patch[c] = (uint)at < (uint)(width * channels) ? line[at] : 0;
                *pointers = patch;
            }
        }
    }

    /// <summary>How far from a window's beginning its segments begin.</summary>
    private int[] Offsets(F32Grid grid) => [.. grid.Taps.Where((_, i) => i % grid.Joined == 0).Select(tap => (tap.Down * width + tap.Across) * inputPitch)];

    private F32Panels Packed(int part) => new(columns, grids[part].Taps.Length * channels, S.Lanes);

    /// <summary>Channels of the input that a group reads.</summary>
    private static int Channels(Node node, FusedConv conv) => (conv.Order.Count > 0 ? conv.Order.Count : node.Inputs[0].Shape[1]) / conv.Conv.Groups;

    private static F32Part[] Parts(Node node, F32Grid[] grids, FusedConv conv) =>
    [
        .. grids.Select(grid => new F32Part(node.Shape[0] * grid.Count.Height * grid.Count.Width, node.Shape[1] / conv.Conv.Groups, grid.Segments,
            Channels(node, conv) * grid.Joined, conv.Conv.Groups)),
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
                int[] depths = [.. grids[part].Taps.SelectMany(tap => Enumerable.Range(0, channels).Select(c => tap.Index + c * acrossChannels))];
                F32Panels layout = Packed(part);
                for (int group = 0; group < groups; group++)
                    for (int panel = 0; panel < layout.Count; panel++)
                        layout.Pack(memory.Floats + panels[part] + group * layout.Floats, panel,
                            weights + (nint)group * (transposed ? channels * acrossChannels : columns * acrossColumns), depths, acrossColumns, 1,
                            bias is null ? null : bias + group * columns);
            }
        }
    }
}
