using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>How a convolution by Winograd's algorithm is cut: its tiles, blocks of tiles, and what of its scratch memory is whose.</summary>
internal sealed class WinogradPlan
{
    // Floats of transformed inputs and products that stay in the second-level cache beside the weights; floats of weights that are worth reading once.
    private const int Cache = 96 << 10, Weights = 640 << 10;
    private readonly int down, across;

    /// <summary>
    /// The plan of a convolution that reads so many words of each pixel, for tiles of so many outputs across, and vectors of so many lanes; tiles' words are written so many at once.
    /// </summary>
    public WinogradPlan(Node node, int words, int tile, int lanes, int step)
    {
        int points = (tile + 2) * (tile + 2), columns = 2 * lanes;
        (down, across) = ((node.Shape[2] + tile - 1) / tile, (node.Shape[3] + tile - 1) / tile);
        Tiles = node.Shape[0] * down * across;
        RowPitch = (words + step - 1) / step * step;
        if (RowPitch % 512 == 0) RowPitch += 16;
        long weights = (long)points * words * node.Shape[1];
        int most = (int)Math.Max(8, Cache / ((long)points * (RowPitch + columns)));
        Blocks = (Tiles + most - 1) / most;
        Shares = Blocks == 1 || weights >= Weights;
        if (Shares) Blocks = 1;
        else Blocks = (Blocks + 1) / 2 * 2;
        int block = (Tiles + Blocks - 1) / Blocks;
        LeftPitch = (block * RowPitch + 15) / 16 * 16 | 16;
        ProductPitch = (block * columns + 15) / 16 * 16 | 16;
        Floats = points * (ProductPitch + LeftPitch);
    }

    /// <summary>How many tiles there are, in the order of images, rows and columns.</summary>
    public int Tiles { get; }

    /// <summary>Whether tasks are panels and all tiles one block.</summary>
    public bool Shares { get; }

    /// <summary>How many blocks of tiles there are.</summary>
    public int Blocks { get; }

    /// <summary>Words from tile to tile among the transformed inputs.</summary>
    public int RowPitch { get; }

    /// <summary>Floats from point to point among the transformed inputs: an odd number of cache lines, so that points don't share sets.</summary>
    public nint LeftPitch { get; }

    /// <summary>Floats from point to point among the products.</summary>
    public nint ProductPitch { get; }

    /// <summary>Floats of scratch memory that a task needs.</summary>
    public nint Floats { get; }

    /// <summary>The image of a tile, and its row and column among the image's tiles.</summary>
    public (int Image, int Row, int Column) this[int tile]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int row = tile / across, image = row / down;
            return (image, row - image * down, tile - row * across);
        }
    }
}
