using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>One element of a kernel: which, and how far its input pixel lies from where the window begins.</summary>
internal readonly record struct KernelTap(int Index, int Down, int Across);

/// <summary>
/// Output pixels Origin + Step · (i, j), i and j below Count, whose windows begin at the input pixels Stride · (i, j); runs of
/// <paramref name="Joined"/> taps lie side by side and are read as one segment.
/// </summary>
internal sealed record PixelGrid(Size Origin, Size Step, Size Count, Size Stride, int Joined, KernelTap[] Taps)
{
    /// <summary>Segments of a row.</summary>
    public int Segments { get; } = Taps.Length / Joined;

    /// <summary>Whether each output pixel is of the input pixel at its place, in pictures of this height and width.</summary>
    public bool IsLine(int height, int width) => isPoint && Count == new Size(height, width);

    private readonly bool isPoint = Taps is [{ Down: 0, Across: 0 }] && Origin == default && Step == Size.One && Stride == Size.One;

    /// <summary>The one grid of a convolution.</summary>
    public static PixelGrid Of(Node node, Conv conv, int joined)
    {
        Shape kernel = Layout.Pictures(node.Inputs[1].Shape), output = Layout.Pictures(node.Shape);
        int height = kernel[2], width = kernel[3];
        return new(default, Size.One, new(output[2], output[3]), conv.Stride, joined,
        [
            .. from y in Enumerable.Range(0, height)
               from x in Enumerable.Range(0, width)
               select new KernelTap(y * width + x, y * conv.Dilation.Height - conv.Padding.Top, x * conv.Dilation.Width - conv.Padding.Left),
        ]);
    }

    /// <summary>The most windows, of so many that follow each other, that reach over the left or right edge of a picture of this width.</summary>
    public int Straddling(int windows, int width)
    {
        int columns = Count.Width, over = Enumerable.Range(0, columns).Count(column => column * Stride.Width + Reach.Left < 0 || column * Stride.Width + Reach.Right >= width);
        return (windows + columns - 1) / columns * over;
    }

    /// <summary>The first and last input row and column that a window sees, counted from where it begins.</summary>
    public (int Top, int Bottom, int Left, int Right) Reach { get; } =
        Taps.Length == 0 ? default : (Taps.Min(tap => tap.Down), Taps.Max(tap => tap.Down), Taps.Min(tap => tap.Across), Taps.Max(tap => tap.Across));
}

/// <summary>
/// A convolution as a product: grids of output pixels whose rows are read from the input, or from a copy of it that lies as the input would, in words of a pixel's channels.
/// </summary>
internal abstract unsafe class ConvProduct<S, V> : TiledProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly PixelGrid[] grids;
    private readonly int[][] offsets;
    private readonly int groups, height, width, channels, inputPitch, outputHeight, outputWidth, columns, outputBytes, addendBytes, patchFloats;
    private readonly NativeBuffer memory;
    private readonly long[] panels;
    private readonly long outside;

    /// <summary>
    /// The product of a site: the grids of its output, and how many groups it has, in which order it reads channels, whether it adds, what follows; how many words a group
    /// has of each input pixel, how many lie from pixel to pixel, and how many bytes from pixel to pixel of the output.
    /// </summary>
    protected ConvProduct(Site site, PixelGrid[] grids, FusedConv conv, int channels, int inputPitch, int outputBytes, delegate*<float**, nint, float*, nint, int, in TileShape, void>[]? tiles = null)
        : base(Parts(site.Node, grids, conv.Conv.Groups, channels), site.Seats, conv.Conv.Then, conv.Order, conv.Adds, tiles)
    {
        (Node node, this.grids, groups) = (site.Node, grids, conv.Conv.Groups);
        Shape input = Layout.Pictures(node.Inputs[0].Shape), output = Layout.Pictures(node.Shape);
        (height, width, this.channels, this.inputPitch, this.outputBytes) = (input[2], input[3], channels, inputPitch, outputBytes);
        (outputHeight, outputWidth, columns) = (output[2], output[3], output[1] / groups);
        addendBytes = conv.Adds ? Math.Max(site.InputPitches[FusedConv.Addend], output[1]) * node.Inputs[FusedConv.Addend].Info.Type.Size() : 0;
        offsets = [.. grids.Select(Offsets)];
        patchFloats = grids.Max(grid => grid.Joined == 1 ? 0 : Math.Min(S.TileRows, grid.Straddling(S.TileRows, width)) * grid.Taps.Length * channels);
        panels = new long[grids.Length];
        for (int part = 0; part < panels.Length; part++)
        {
            panels[part] = outside;
            outside += groups * Packed(part).Floats;
        }
        memory = new((outside + Math.Max(input[1], channels * grids[0].Joined)) * sizeof(float));
    }

    /// <inheritdoc/>
    public sealed override bool Overwrites(int input) => input == FusedConv.Addend && addendBytes > 0 && addendBytes == outputBytes;

    /// <inheritdoc/>
    protected override int PatchFloats => patchFloats;

    /// <inheritdoc/>
    public override void Dispose()
    {
        memory.Dispose();
        base.Dispose();
    }

    /// <summary>What lies outside of the picture: zeros, unless the kernel writes other words here.</summary>
    protected Span<byte> Outside => new((byte*)(memory.Floats + outside), (int)(memory.Bytes - outside * sizeof(float)));

    /// <summary>The first word of the first pixel.</summary>
    protected abstract float* Left(in Operands operands);

    /// <inheritdoc/>
    protected override float* Panels(int part, in Operands operands) => memory.Floats + panels[part];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        PixelGrid grid = grids[part];
        if (grid.IsLine(height, width))
        {
            Line(first, rows, table, operands);
            return;
        }
        (int down, int across, int segments, int lines, int line) = (grid.Stride.Height, grid.Stride.Width, grid.Segments, grid.Count.Height, first / grid.Count.Width);
        (int column, int image) = (first - line * grid.Count.Width, line / lines);
        line -= image * lines;
        (int top, int bottom, int left, int right) = grid.Reach;
        (nint pitch, nint next, nint step) = (inputPitch, (nint)across * inputPitch, (nint)grid.Step.Width * outputBytes);
        float* source = Left(operands);
        byte* target = operands.Out<byte>(), addend = addendBytes > 0 ? operands.Input<byte>(FusedConv.Addend) : null;
        float** starts = table + rows, added = starts + (nint)segments * rows;
        fixed (int* offset = offsets[part])
        {
            for (int row = 0; row < rows;)
            {
                // A run of output pixels of one line, those whose windows lie within the picture from `least` to before `most`.
                int x = column * across, y = line * down, end = Math.Min(rows, row + grid.Count.Width - column);
                (int least, int most) = y + top >= 0 && y + bottom < height ? (-left, width - right) : (0, 0);
                float* picture = source + (nint)image * height * width * pitch, window = picture + ((nint)y * width + x) * pitch;
                nint pixel = ((nint)image * outputHeight + grid.Origin.Height + line * grid.Step.Height) * outputWidth + grid.Origin.Width + column * grid.Step.Width;
                byte* output = target + pixel * outputBytes;
                for (int i = row; i < end; i++, output += step) table[i] = (float*)output;
                if (addend is not null)
                    for (int i = row; i < end; i++, pixel += grid.Step.Width) added[i] = (float*)(addend + pixel * addendBytes);
                while (row < end)
                {
                    int inside = x >= least && x < most ? Math.Min(end - row, (most - x + across - 1) / across) : 0;
                    for (int segment = 0; inside > 0 && segment < segments; segment++)
                    {
                        float* from = window + offset[segment];
                        for (float** pointer = starts + (nint)segment * rows + row, last = pointer + inside; pointer < last; pointer++, from += next) *pointer = from;
                    }
                    if (inside == 0)
                    {
                        if (Point(grid, picture, y, x, starts + row, rows, patches)) patches += grid.Taps.Length * channels;
                        inside = 1;
                    }
                    row += inside;
                    x += inside * across;
                    window += inside * next;
                }
                column = 0;
                if (++line < lines) continue;
                line = 0;
                image++;
            }
        }
    }

    /// <summary>Rows whose input and output pixels are one after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line(int first, int rows, float** table, in Operands operands)
    {
        float* window = Left(operands) + (nint)first * inputPitch;
        byte* output = operands.Out<byte>() + (nint)first * outputBytes;
        byte* addend = addendBytes > 0 ? operands.Input<byte>(FusedConv.Addend) + (nint)first * addendBytes : null;
        (int step, int pitch, int addendStep) = (outputBytes, inputPitch, addendBytes);
        for (float** end = table + rows; table < end; table++, output += step, window += pitch)
        {
            table[0] = (float*)output;
            table[rows] = window;
            if (addendStep == 0) continue;
            table[2 * rows] = (float*)addend;
            addend += addendStep;
        }
    }

    /// <summary>The segments of a window that reaches over an edge: what is outside for taps there, the patch where joined taps lie on both sides; returns whether they do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Point(PixelGrid grid, float* picture, int top, int left, float** pointers, int rows, float* patch)
    {
        int joined = grid.Joined;
        bool patched = false;
        for (int i = 0; i < grid.Taps.Length; i += joined, pointers += rows, patch += joined * channels)
        {
            int y = top + grid.Taps[i].Down, x = left + grid.Taps[i].Across;
            float* line = picture + (nint)y * width * inputPitch;
            if ((uint)y >= (uint)height || x + joined <= 0 || x >= width) *pointers = memory.Floats + outside;
            else if (x >= 0 && x + joined <= width) *pointers = line + (nint)x * inputPitch;
            else
            {
                Span<float> words = new(patch, joined * channels);
                int before = Math.Max(0, -x) * channels, inside = Math.Min(words.Length, (width - x) * channels) - before;
                words.Fill(memory.Floats[outside]);
                new ReadOnlySpan<float>(line + x * channels + before, inside).CopyTo(words[before..]);
                *pointers = patch;
                patched = true;
            }
        }
        return patched;
    }

    /// <summary>How far from a window's beginning its segments begin.</summary>
    private int[] Offsets(PixelGrid grid) => [.. grid.Taps.Where((_, i) => i % grid.Joined == 0).Select(tap => (tap.Down * width + tap.Across) * inputPitch)];

    /// <summary>The layout of a part's packed weights.</summary>
    protected PanelLayout Packed(int part) => new(columns, grids[part].Taps.Length * channels, S.Lanes);

    /// <summary>The first float of a group's packed weights.</summary>
    protected float* Panels(int part, int group) => memory.Floats + panels[part] + group * Packed(part).Floats;

    private static ProductPart[] Parts(Node node, PixelGrid[] grids, int groups, int channels) =>
        [.. grids.Select(grid => new ProductPart(node.Shape[0] * grid.Count.Height * grid.Count.Width, node.Shape[1] / groups, grid.Segments, channels * grid.Joined, groups))];
}
