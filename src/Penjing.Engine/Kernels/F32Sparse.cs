using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Convolutions and products by sparse weights: the zeros are left out, and vectors lie along pixels, so that each weight that is left meets whole
/// vectors (Elsen, Dukhan, Gale, Simonyan, Fast Sparse ConvNets, 2020). Products by a zero weight count as 0, whatever the activation is.
/// </summary>
internal readonly struct F32Sparse : IKernelMaker
{
    /// <summary>The largest share of weights that aren't zero at which sparse kernels are thought of.</summary>
    public const double MostWeights = 0.7;

    /// <summary>Whether the node is a convolution or a product by constant weights.</summary>
    public static bool Fits(Site site) => ConvSite.Of(site) is not null;

    /// <summary>
    /// About how many nanoseconds it takes on one thread: weights that meet vectors, pixels and sums turned, sums stored between blocks of depths, bytes
    /// that come and go. Where few weights are zeros it isn't asked whether other estimates are exact.
    /// </summary>
    public static double Cost(Site site)
    {
        ConvSite conv = ConvSite.Of(site)!;
        double all = site.Node.Inputs[1].Shape.Elements, weights = F32SparseMatrix.Count(site.Node);
        if (weights > MostWeights * all) return double.PositiveInfinity;
        if (conv.Pixels == 1) return weights * 0.35 + conv.Taps * conv.Channels * 0.25;
        int lanes = site.Isa.Lanes();
        double vectors = Math.Ceiling(conv.Pixels / (double)lanes), depth = conv.Taps * Math.Ceiling(conv.Channels / (double)lanes) * lanes;
        double cycles = vectors * (weights * 0.8 + (depth + conv.Columns) * 3 + conv.Columns * Math.Ceiling(depth / 128));
        double bytes = sizeof(float) * ((double)conv.Channels * conv.Images * conv.Input.Height * conv.Input.Width + 2.0 * conv.Pixels * conv.Columns);
        return Pace.Nanoseconds(cycles, bytes) + 1000;
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged
    {
        ConvSite conv = ConvSite.Of(site)!;
        return conv.Pixels == 1 ? new F32Sparse<Scalar, float>(site, conv) : new F32Sparse<S, V>(site, conv);
    }
}

/// <summary>
/// A sparse product. A task takes blocks of a few vectors of pixels and some output channels; for as many depths as fit the first cache it turns the
/// pixels so that vectors lie along them, walks the weights of all its channels, and in the end turns the sums back. A single pixel is not turned.
/// </summary>
internal sealed unsafe class F32Sparse<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private const int CacheFloats = 8192, MostTasks = 16, LeastColumns = 32;

    private readonly ConvSite conv;
    private readonly F32Finish<S, V> finish;
    private readonly int vectors, pitch, depth, step, blocks, seats;
    private readonly Split columns, pixels;
    private readonly Walk[] walks;
    private readonly NativeBuffer steps, groups, constants;
    private readonly delegate*<float*, float*, nint, float*, F32SparseGroup*, int, ulong*, void>[] tiles;

    /// <summary>The kernel of a site.</summary>
    public F32Sparse(Site site, ConvSite conv)
    {
        Node node = site.Node;
        this.conv = conv;
        finish = new(conv.Conv.Then);
        depth = conv.Taps * conv.Channels;
        vectors = (conv.Pixels + S.Lanes - 1) / S.Lanes;
        int most = Math.Min(vectors, F32SparseTile<S, V>.MostVectors);
        blocks = (vectors + most - 1) / most;
        pitch = most * S.Lanes;
        int walked = (depth * pitch + CacheFloats - 1) / CacheFloats;
        step = (depth + walked - 1) / walked;
        tiles = new delegate*<float*, float*, nint, float*, F32SparseGroup*, int, ulong*, void>[2 * most + 2];
        for (int i = 2; i < tiles.Length; i++) tiles[i] = F32SparseTile<S, V>.Pick(i / 2, i % 2 == 0);

        F32SparseMatrix matrix = F32SparseMatrix.Of(node, conv);
        // Where blocks are few, threads share the output channels; each then turns the pixels for itself.
        int wanted = (conv.Pixels == 1 ? MostTasks : 4 + blocks - 1) / blocks;
        bool small = matrix.Values.Length * (double)vectors < 65536;
        columns = new(conv.Columns, small ? 1 : Math.Clamp(wanted, 1, Math.Max(1, conv.Columns / LeastColumns)), LeastColumns / 2);
        pixels = new(blocks, small ? 1 : Math.Clamp(MostTasks / columns.Tasks, 1, blocks));

        var (allSteps, allGroups, allWalks) = (new List<ulong>(), new List<F32SparseGroup>(), new List<Walk>());
        for (int part = 0; part < columns.Tasks; part++)
            for (int from = 0; from < depth; from += step)
            {
                int first = allGroups.Count, start = allSteps.Count;
                Pack(matrix, part, from, allSteps, allGroups);
                allWalks.Add(new(first, allGroups.Count - first, start));
            }
        // The last step of a walk reads the one after it.
        allSteps.AddRange(new ulong[F32SparseTile<S, V>.Words]);
        (walks, steps, groups) = ([.. allWalks], NativeBuffer.Of<ulong>([.. allSteps]), NativeBuffer.Of<F32SparseGroup>([.. allGroups]));
        seats = Tasks(0) == 1 ? 1 : site.Seats;
        constants = new((conv.Columns + conv.Channels) * sizeof(float));
        ConvSite.Biases(node).CopyTo(new Span<float>(constants.Floats, conv.Columns));
    }

    /// <inheritdoc/>
    public override string Label => $"f32-sparse-{pitch}x4-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override long ScratchBytes => conv.Pixels == 1 && conv.Taps == 1 ? 0 : Split.ScratchBytes(seats, Seat);

    /// <inheritdoc/>
    public override int Tasks(int phase) => columns.Tasks * pixels.Tasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        steps.Dispose();
        groups.Dispose();
        constants.Dispose();
    }

    /// <inheritdoc/>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        int part = task % columns.Tasks;
        (int begin, int count) = columns[part];
        (int block, int blocks) = pixels[task / columns.Tasks];
        float* turned = (float*)operands.Scratch + operands.Seat * Split.Seat(Seat), sums = turned + step * pitch;
        float** rows = stackalloc float*[pitch];
        for (int end = block + blocks; block < end; block++)
        {
            int first = (int)((long)vectors * block / this.blocks), across = (int)((long)vectors * (block + 1) / this.blocks) - first;
            int pixel = first * S.Lanes, within = Math.Min(conv.Pixels - pixel, across * S.Lanes);
            float* output = operands.Output + (nint)pixel * conv.OutputPitch;
            if (conv.Pixels == 1) sums = output + begin;
            for (int from = 0, walk = part * (walks.Length / columns.Tasks), tap = -1; from < depth; from += step, walk++)
            {
                float* values = turned;
                for (int at = from, next; at < Math.Min(depth, from + step); at = next)
                {
                    // The depths of one tap.
                    if (at / conv.Channels != tap)
                    {
                        conv.Point(operands.Input(0), constants.Floats + conv.Columns, tap = at / conv.Channels, pixel, within, rows);
                        for (int i = within; i < across * S.Lanes; i++) rows[i] = rows[within - 1];
                    }
                    next = Math.Min(Math.Min(depth, from + step), (tap + 1) * conv.Channels);
                    if (conv.Pixels == 1 && conv.Taps == 1) values = rows[0] + at;
                    else
                        for (int v = 0; v < across; v++)
                            F32Turn<S, V>.Run(rows + v * S.Lanes, at - tap * conv.Channels, next - at, turned + (at - from) * pitch + v * S.Lanes, pitch, S.Lanes);
                }
                Walk one = walks[walk];
                tiles[2 * across + (from > 0 ? 1 : 0)](values, sums - begin * pitch, pitch, constants.Floats,
                    (F32SparseGroup*)groups.Pointer + one.Group, one.Groups, (ulong*)steps.Pointer + one.Step);
            }
            if (conv.Pixels > 1) Turn(sums, begin, count, across, within, output, rows);
            Finish(operands, pixel, within, begin, count);
        }
    }

    /// <summary>The sums of some columns turned into pixels.</summary>
    private void Turn(float* sums, int begin, int count, int across, int within, float* output, float** rows)
    {
        for (int m = 0; m < count; m += S.Lanes)
        {
            for (int i = 0; i < S.Lanes; i++) rows[i] = sums + Math.Min(m + i, count - 1) * pitch;
            for (int v = 0; v < across; v++)
                F32Turn<S, V>.Run(rows, v * S.Lanes, Math.Min(S.Lanes, within - v * S.Lanes), output + (nint)v * S.Lanes * conv.OutputPitch + begin + m, conv.OutputPitch, count - m);
        }
    }

    /// <summary>The addend and the activation, pixel by pixel.</summary>
    private void Finish(in Operands operands, int first, int pixels, int begin, int count)
    {
        if (conv.AddendPitch == 0 && conv.Conv.Then is null) return;
        for (int pixel = first; pixel < first + pixels; pixel++)
        {
            float* output = operands.Output + (nint)pixel * conv.OutputPitch + begin;
            if (conv.AddendPitch > 0)
            {
                float* addend = operands.Input(FusedConv.Addend) + (nint)pixel * conv.AddendPitch + begin;
                int i = 0;
                for (; i <= count - S.Lanes; i += S.Lanes) S.Store(output + i, S.Add(S.Load(output + i), S.Load(addend + i)));
                for (; i < count; i++) output[i] += addend[i];
            }
            finish.Apply(output, count);
        }
    }

    /// <summary>Floats of scratch memory for each thread.</summary>
    private int Seat => (step + columns[columns.Tasks - 1].Count) * pitch;

    /// <summary>The weights of a part's columns at the depths of one block: columns of like length stand together.</summary>
    private void Pack(F32SparseMatrix matrix, int part, int low, List<ulong> steps, List<F32SparseGroup> groups)
    {
        (int begin, int count) = columns[part];
        (int Column, int First, int Count)[] found =
        [
            .. from column in Enumerable.Range(begin, count)
               let first = Find(matrix, column, low)
               let length = Find(matrix, column, low + step) - first
               where low == 0 || length > 0
               orderby length
               select (column, first, length),
        ];
        for (int i = 0; i < found.Length; i += 4)
        {
            int real = Math.Min(4, found.Length - i);
            var four = new (int Column, int First, int Count)[4];
            for (int j = 0; j < 4; j++) four[j] = j < 4 - real ? (found[i].Column, 0, 0) : found[i + j - (4 - real)];
            int length = four.Max(one => one.Count);
            groups.Add(new(length, four[0].Column, four[1].Column, four[2].Column, four[3].Column));
            for (int k = 0; k < length; k++)
            {
                ulong places = 0, ab = 0, cd = 0;
                for (int j = 0; j < 4; j++)
                {
                    if (k >= four[j].Count) continue;
                    int at = four[j].First + k;
                    ulong bits = (ulong)BitConverter.SingleToUInt32Bits(matrix.Values[at]) << j % 2 * 32;
                    places |= (ulong)((matrix.Depths[at] - low) * pitch) << j * 16;
                    if (j < 2) ab |= bits;
                    else cd |= bits;
                }
                steps.AddRange([places, ab, cd]);
            }
        }
    }

    /// <summary>The place of a column's first weight at or beyond a depth.</summary>
    private static int Find(F32SparseMatrix matrix, int column, int depth)
    {
        int start = matrix.Starts[column], at = Array.BinarySearch(matrix.Depths, start, matrix.Starts[column + 1] - start, depth);
        if (at < 0) return ~at;
        while (at > start && matrix.Depths[at - 1] == depth) at--;
        return at;
    }

    /// <summary>The groups and steps of some columns at some depths.</summary>
    private readonly record struct Walk(int Group, int Groups, int Step);
}
