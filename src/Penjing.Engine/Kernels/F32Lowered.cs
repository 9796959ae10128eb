using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// A convolution as one product with a lowered copy of its input: lines of one kernel row's pixels, the padding among them as zeros. The copy is made
/// for each output pixel (im2col) or, kernel rows below each other sharing lines, for each output column (MEC).
/// </summary>
internal sealed unsafe class F32Lowered<S, V> : TiledProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly ConvSite conv;
    private readonly string name;
    private readonly bool columnwise;
    private readonly int height, line, lines;
    private readonly NativeBuffer panels;
    private readonly Split split;

    /// <summary>The kernel of a site, lowered column by column or pixel by pixel.</summary>
    public F32Lowered(Site site, ConvSite conv, string name, bool columnwise) : base([Part(conv)], site.Seats, conv.Conv.Then)
    {
        (this.conv, this.name, this.columnwise) = (conv, name, columnwise);
        height = conv.Input.Height + conv.Conv.Padding.Top + conv.Conv.Padding.Bottom;
        line = conv.Kernel.Width * conv.Channels;
        lines = conv.Images * conv.Output.Width * (columnwise ? height : conv.Output.Height * conv.Kernel.Height);
        panels = conv.Pack(site.Node, S.Lanes);
        split = Split.Of(lines, line);
    }

    /// <summary>What a lowering may compute: a plain convolution that the indirect product computes too.</summary>
    public static bool Fits(Site site) => site.Node.Op is Conv && F32Conv.Fits(site);

    /// <inheritdoc/>
    public override string Label => $"{name}-{Tile}";

    /// <inheritdoc/>
    public override long ScratchBytes => (long)lines * line * sizeof(float);

    /// <inheritdoc/>
    public override int Phases => 2;

    /// <inheritdoc/>
    public override int Tasks(int phase) => phase == 0 ? split.Tasks : ProductTasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        panels.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (phase == 1) Multiply(task, operands);
        else
        {
            (int first, int count) = split[task];
            for (int i = first; i < first + count; i++) Lower(i, operands.Input(0), (float*)operands.Scratch + (nint)i * line);
        }
    }

    /// <inheritdoc/>
    protected override float* Panels(int part, in Operands operands) => panels.Floats;

    /// <inheritdoc/>
    protected override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        int taps = Part(conv).Segments, down = columnwise ? conv.Conv.Dilation.Height : 1;
        for (int row = 0; row < rows; row++)
        {
            int pixel = first + row, x = pixel % conv.Output.Width, above = pixel / conv.Output.Width, y = above % conv.Output.Height, image = above / conv.Output.Height;
            int start = columnwise ? (image * conv.Output.Width + x) * height + y * conv.Conv.Stride.Height : pixel * conv.Kernel.Height;
            float* window = (float*)operands.Scratch + (nint)start * line;
            table[row] = operands.Output + (nint)pixel * conv.OutputPitch;
            for (int tap = 0; tap < taps; tap++)
                table[(1 + tap) * rows + row] = window + (nint)(tap / conv.Kernel.Width * down) * line + tap % conv.Kernel.Width * conv.Channels;
        }
    }

    /// <summary>Copies one kernel row's pixels.</summary>
    private void Lower(int index, float* input, float* target)
    {
        Conv plain = conv.Conv;
        int rows = columnwise ? height : conv.Kernel.Height, row = index % rows, place = index / rows, x = place % conv.Output.Width * plain.Stride.Width - plain.Padding.Left;
        int above = place / conv.Output.Width, image = columnwise ? above : above / conv.Output.Height;
        int y = columnwise ? row - plain.Padding.Top : above % conv.Output.Height * plain.Stride.Height + row * plain.Dilation.Height - plain.Padding.Top;
        float* pixels = input + ((nint)image * conv.Input.Height + y) * conv.Input.Width * conv.InputPitch;
        uint bytes = (uint)conv.Channels * sizeof(float);
        for (int i = 0; i < conv.Kernel.Width; i++, x += plain.Dilation.Width, target += conv.Channels)
        {
            if ((uint)y < (uint)conv.Input.Height && (uint)x < (uint)conv.Input.Width) Unsafe.CopyBlockUnaligned(target, pixels + (nint)x * conv.InputPitch, bytes);
            else Unsafe.InitBlockUnaligned(target, 0, bytes);
        }
    }

    /// <summary>One segment for a whole window where it lies together, else one for each tap: groups read parts of a pixel, dilation leaves lines out.</summary>
    private static ProductPart Part(ConvSite conv) => conv.Conv.Groups == 1 && conv.Conv.Dilation.Height == 1
        ? new(conv.Pixels, conv.Columns, 1, conv.Taps * conv.Channels)
        : new(conv.Pixels, conv.Columns / conv.Conv.Groups, conv.Taps, conv.Channels / conv.Conv.Groups, conv.Conv.Groups);
}
