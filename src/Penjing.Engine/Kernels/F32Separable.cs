using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// A depthwise convolution and the pointwise one behind it: some rows of all channels of the first into scratch memory that stays in the cache,
/// where the tiles of the second read them.
/// </summary>
internal readonly struct F32Separable : IKernelMaker
{
    private const int FewestBlocks = 4, WidestRow = 1024;

    /// <summary>Whether the node is such a pair with constant weights, its rows not too wide for the cache.</summary>
    public static bool Fits(Site site) => site.Node is { Op: SeparableConv, Inputs: [{ Value: null }, ..], Shape: var output } && output[3] <= WidestRow;

    /// <summary>
    /// About how many nanoseconds the kernel takes: what both take, less the way of what lies between them through memory, more the weights read anew
    /// for each block of rows; twice as much where there are too few blocks to be shared among threads.
    /// </summary>
    public static double Cost(Site site)
    {
        var op = (SeparableConv)site.Node.Op;
        ImmutableArray<Node> inputs = site.Node.Inputs;
        Node first = new("depthwise", op.Depthwise, inputs[..3]), second = new("pointwise", new FusedConv(op.Pointwise, [], op.Adds), [first, .. inputs[3..]]);
        double blocks = Math.Ceiling((double)first.Shape[2] / DepthwiseColumns.Rows(new(inputs[1].Shape[2], inputs[1].Shape[3]), op.Depthwise.Dilation, site.Isa.TileRows())), again = Math.Max(0, blocks - 1) * inputs[3].Shape.Elements;
        double cost = F32Depthwise.Cost(new(first, site.Isa)) + F32Conv.Cost(new(second, site.Isa)) + (again - 2.0 * first.Shape.Elements) * sizeof(float) / Pace.CacheBytes;
        return blocks * first.Shape[0] < FewestBlocks ? 2 * cost : cost;
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged =>
        F32Depthwise.Narrower(site, S.Lanes, site.Node.Inputs[0].Shape[1]) is { } narrower ? Simd.Make<F32Separable>(narrower) : new F32Separable<S, V>(site);
}

/// <summary>A separable convolution: a step is a block of rows, a task some steps.</summary>
internal sealed unsafe class F32Separable<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly DepthwiseRows<S, V, float, float, FloatPixels<S, V>> depthwise;
    private readonly PanelLayout panels;
    private readonly F32Finish<S, V> finish;
    private readonly NativeBuffer weights, order;
    private readonly delegate*<float**, nint, float*, nint, int, in TileShape, void>[] tiles;
    private readonly int columns, depth, pitch, outputPitch, addendPitch, width, height, seats, seatFloats;
    private readonly bool adds;
    private readonly Split split;

    /// <summary>The kernel of a site.</summary>
    public F32Separable(Site site)
    {
        Node node = site.Node;
        var op = (SeparableConv)node.Op;
        Shape output = node.Shape;
        (depth, adds) = (node.Inputs[0].Shape[1], op.Adds);
        (columns, height, width, outputPitch) = (output[1], output[2], output[3], site.OutputPitch);
        addendPitch = adds ? site.InputPitches[SeparableConv.Addend] : 0;
        // Rows that lie a power of two apart would share a few sets of the cache.
        pitch = (depth + 15) / 16 * 16 + (depth % 256 == 0 ? 16 : 0);
        depthwise = F32Depthwise.Rows<S, V>(new("depthwise", op.Depthwise, node.Inputs[..3]), site.InputPitches[0], pitch);
        finish = new(op.Pointwise.Then);
        tiles = Tile<S, V, Floats<S, V>, BoundedFloats<S, V>>.All();

        panels = new(columns, depth, S.Lanes);
        order = TileShape.Plain(depth);
        weights = new(panels.Floats * sizeof(float));
        int[] offsets = [.. Enumerable.Range(0, depth)];
        fixed (float* source = node.Inputs[3].Value!.Floats, bias = node.Inputs[4].Value!.Floats)
            for (int panel = 0; panel < panels.Count; panel++) panels.Pack(weights.Floats, panel, source, offsets, depth, 1, bias);

        seatFloats = (height + depthwise.Blocks - 1) / depthwise.Blocks * width * pitch;
        split = Split.Of(output[0] * depthwise.Blocks, (double)seatFloats * columns / 12);
        seats = split.Tasks == 1 ? 1 : site.Seats;
    }

    /// <inheritdoc/>
    public override string Label => $"f32-separable-{depthwise.Label}";

    /// <inheritdoc/>
    public override long ScratchBytes => Split.ScratchBytes(seats, seatFloats);

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == SeparableConv.Addend && addendPitch == outputPitch;

    /// <inheritdoc/>
    public override void Dispose()
    {
        depthwise.Dispose();
        weights.Dispose();
        order.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        float* scratch = (float*)operands.Scratch + operands.Seat * Split.Seat(seatFloats);
        (int first, int count) = split[task];
        for (int i = first; i < first + count; i++) Step(i / depthwise.Blocks, i % depthwise.Blocks, scratch, operands);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Step(int image, int block, float* scratch, in Operands operands)
    {
        (int top, int end) = depthwise[block];
        depthwise.Run(operands.Input(0), scratch, image, block, 0, depthwise.Vectors);
        int pixels = (end - top) * width, count = (pixels + S.TileRows - 1) / S.TileRows, lists = adds ? 3 : 2;
        nint before = ((nint)image * height + top) * width;
        float* output = operands.Output + before * outputPitch, addend = adds ? operands.Input(SeparableConv.Addend) + before * addendPitch : null;
        float** table = stackalloc float*[pixels * lists];
        for (int tile = 0; tile < count; tile++)
        {
            int first = pixels * tile / count, rows = pixels * (tile + 1) / count - first;
            float** pointers = table + first * lists;
            for (int row = 0; row < rows; row++)
            {
                pointers[row] = output + (nint)(first + row) * outputPitch;
                pointers[rows + row] = scratch + (nint)(first + row) * pitch;
                if (adds) pointers[2 * rows + row] = addend + (nint)(first + row) * addendPitch;
            }
        }
        TileShape shape = new(1, depth, (int*)order.Pointer, finish.Min, finish.Max, adds);
        for (int panel = 0; panel < panels.Count; panel++)
        {
            (int column, int wide) = panels[panel];
            float* packed = weights.Floats + panels.Offset(panel), next = weights.Floats + panels.Offset((panel + 1) % panels.Count);
            nint share = panels.Offset(1) * sizeof(float) / count;
            for (int tile = 0; tile < count; tile++)
            {
                int first = pixels * tile / count, rows = pixels * (tile + 1) / count - first;
                shape.Ask((byte*)next + share * tile, share);
                tiles[2 * rows + panels.Vectors(panel) - 1](table + first * lists, 0, packed, column, wide, in shape);
            }
        }
        finish.Complete(output, columns, pixels, outputPitch);
    }
}
