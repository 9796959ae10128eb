using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>
/// The windows of pictures of few channels, as rows of a product: a window's bytes without gaps, a kernel's row after the other, so that no part of a word is left empty but of the
/// last. Of three channels a 7×7 kernel takes 37 words in place of 49, and one segment in place of seven.
/// </summary>
internal sealed unsafe class ByteWindows
{
    // The places in a kernel's row are bytes themselves.
    private const int MostBytes = 512, MostRowBytes = 224;

    private readonly int height, width, channels, lines, columns, top, left, down, across, dilation, kernelRows, rowBytes, outputBytes, vector;
    private readonly long inputBytes, last;
    private readonly byte flip, outside;

    private ByteWindows(Site site, byte flip, byte outside)
    {
        Conv conv = ((IntegerProduct)site.Node.Op).Conv;
        (Shape input, Shape kernel, Shape output) = (Layout.Pictures(site.Node.Inputs[0].Shape), Layout.Pictures(site.Node.Inputs[1].Shape), Layout.Pictures(site.Node.Shape));
        (height, width, channels, lines, columns) = (input[2], input[3], input[1], output[2], output[3]);
        (top, left, down, across, dilation) = (conv.Padding.Top, conv.Padding.Left, conv.Stride.Height, conv.Stride.Width, conv.Dilation.Height);
        (kernelRows, rowBytes, outputBytes) = (kernel[2], kernel[3] * channels, Math.Max(site.OutputPitch, output[1]) * site.Node.Info.Type.Size());
        vector = rowBytes > Vector128<byte>.Count && Vector256.IsHardwareAccelerated ? Vector256<byte>.Count : Vector128<byte>.Count;
        inputBytes = input.Elements;
        // The last byte that may begin a window whose vectors end before the input does.
        last = inputBytes - (kernelRows - 1L) * dilation * width * channels - (rowBytes + vector - 1) / vector * vector;
        (Words, this.flip, this.outside) = (WordsOf(site), flip, outside);
        Grid = new(default, Size.One, new(lines, columns), conv.Stride, 1, [default]);
    }

    /// <summary>Whether a site's windows are read so: pixels have no whole words, lie side by side, and make windows of few bytes; there is no addend.</summary>
    public static bool Fits(Site site)
    {
        (var op, int channels, int across) = ((IntegerProduct)site.Node.Op, site.Node.Inputs[0].Shape[1], Layout.Pictures(site.Node.Inputs[1].Shape)[3]);
        return op.Adds is null && op.Conv.Groups == 1 && op.Conv.Dilation.Width == 1 && channels % sizeof(int) > 0 && I8Product.Pitch(site) == channels && across * channels <= MostRowBytes
            && sizeof(int) * WordsOf(site) <= MostBytes;
    }

    /// <summary>The windows of a site, whose bytes are combined with <paramref name="flip"/> (⊻), and have <paramref name="outside"/> where there is no picture; null where they are not read so.</summary>
    public static ByteWindows? Of(Site site, byte flip, byte outside) => Fits(site) ? new(site, flip, outside) : null;

    /// <summary>Words of a window.</summary>
    public static int WordsOf(Site site) => (Layout.Pictures(site.Node.Inputs[1].Shape).Product(2, 4) * site.Node.Inputs[0].Shape[1] + sizeof(int) - 1) / sizeof(int);

    /// <summary>The output pixels, each of one tap that is all of the window.</summary>
    public PixelGrid Grid { get; }

    /// <summary>Words of a window.</summary>
    public int Words { get; }

    /// <summary>Floats of scratch for a window: vectors are written over its end.</summary>
    public int PatchFloats => Words + vector / sizeof(float);

    /// <summary>Writes the windows of some output pixels one after another, and where they and the outputs begin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Point(int first, int rows, float** table, float* patches, byte* input, byte* output)
    {
        int line = first / columns, column = first - line * columns, patch = PatchFloats;
        byte* to = output + (nint)first * outputBytes;
        for (int row = 0; row < rows; row++, to += outputBytes)
        {
            table[row] = (float*)to;
            table[rows + row] = patches + row * patch;
        }
        for (int row = 0; row < rows; line++, column = 0)
        {
            // A run of one line: those whose windows lie within the picture from `least` to before `most`.
            int image = line / lines, y = (line - image * lines) * down - top, end = Math.Min(rows, row + columns - column);
            (int least, int most) = y >= 0 && y + (kernelRows - 1) * dilation < height ? (0, width - rowBytes / channels + 1) : (0, 0);
            while (row < end)
            {
                int x = column * across - left, inside = x >= least && x < most ? Math.Min(end - row, (most - x + across - 1) / across) : 0;
                byte* corner = input + (((nint)image * height + y) * width + x) * channels, target = (byte*)(patches + row * patch);
                if (inside > 0 && corner - input + (long)(inside - 1) * across * channels <= last) Copy(corner, target, inside);
                else
                {
                    inside = 1;
                    AtEdge(corner, y, x, target, input);
                }
                row += inside;
                column += inside;
            }
        }
    }

    /// <summary>Windows that lie within the picture, one next to the other: a vector of each at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Copy(byte* corner, byte* target, int count)
    {
        (nint next, nint step, nint patch) = ((nint)dilation * width * channels, (nint)across * channels, (nint)PatchFloats * sizeof(float));
        Vector256<byte> sign = Vector256.Create(flip);
        for (int i = 0; i < kernelRows; i++, corner += next, target += rowBytes)
            for (int j = 0; j < rowBytes; j += vector)
            {
                byte* from = corner + j, to = target + j, end = to + count * patch;
                if (vector == Vector128<byte>.Count)
                    for (; to < end; from += step, to += patch) (Vector128.Load(from) ^ sign.GetLower()).Store(to);
                else
                    for (; to < end; from += step, to += patch) (Vector256.Load(from) ^ sign).Store(to);
            }
    }

    /// <summary>A window that reaches over an edge, or lies near the memory's ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AtEdge(byte* corner, int y, int x, byte* target, byte* input)
    {
        int most = rowBytes / channels, before = Math.Clamp(-x, 0, most) * channels, after = Math.Clamp(width - x, 0, most) * channels;
        byte* end = input + inputBytes - Vector128<byte>.Count;
        nint next = (nint)dilation * width * channels;
        (Vector128<byte> sign, Vector128<byte> nothing, Vector128<byte> left, Vector128<byte> right) = (Vector128.Create(flip), Vector128.Create(outside), Vector128.Create((byte)before), Vector128.Create((byte)after));
        for (int i = 0; i < kernelRows; i++, y += dilation, corner += next, target += rowBytes)
            for (int j = 0; j < rowBytes; j += Vector128<byte>.Count)
            {
                byte* from = corner + j, to = target + j;
                if ((uint)y >= (uint)height) nothing.Store(to);
                else if (from >= input && from <= end)
                {
                    Vector128<byte> places = Vector128<byte>.Indices + Vector128.Create((byte)j);
                    Vector128.ConditionalSelect(Vector128.GreaterThanOrEqual(places, left) & Vector128.LessThan(places, right), Vector128.Load(from) ^ sign, nothing).Store(to);
                }
                else
                    for (int k = j; k < Math.Min(j + Vector128<byte>.Count, rowBytes); k++) target[k] = k >= before && k < after ? (byte)(corner[k] ^ flip) : outside;
            }
    }
}
