using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Memory seen as outer × extent × inner around one run of axes.</summary>
internal readonly record struct Around(int Outer, int Extent, int Inner)
{
    /// <summary>
    /// The view around the axes that a node reduces, or null where they don't lie side by side in memory or what is left would lie in another
    /// order than the output's. An axis that is kept (Softmax) counts as reduced.
    /// </summary>
    public static Around? Of(Shape input, ReadOnlySpan<int> axes, Shape output)
    {
        int[] order = input.Rank == 4 ? [0, 2, 3, 1] : [.. Enumerable.Range(0, input.Rank)];
        var reduced = new HashSet<int>();
        foreach (int axis in axes) reduced.Add(axis < 0 ? axis + input.Rank : axis);
        int[] wide = [.. order.Where(axis => input[axis] != 1)], left = [.. wide.Where(axis => !reduced.Contains(axis))];
        int first = Array.FindIndex(wide, reduced.Contains), last = Array.FindLastIndex(wide, reduced.Contains);
        if (first >= 0 && wide[first..(last + 1)].Any(axis => !reduced.Contains(axis))) return null;
        bool pictures = output.Rank == 4 && input.Rank == 4;
        if (!pictures && (output.Rank == 4 ? !Layout.IsPlain(output) : !left.SequenceEqual(left.Order()))) return null;
        if (first < 0) return new(input.Elements, 1, 1);
        return new(Product(wide[..first]), Product(wide[first..(last + 1)]), Product(wide[(last + 1)..]));

        int Product(int[] some) => some.Aggregate(1, (product, axis) => product * input[axis]);
    }
}

/// <summary>GlobalAveragePool and ReduceMean over axes that lie side by side in memory.</summary>
internal readonly struct F32Mean : IKernelMaker
{
    /// <summary>Whether the node is such a mean; pixels may lie apart where they are what is reduced.</summary>
    public static bool Fits(Site site) => site.Node.Op is GlobalAveragePool or ReduceMean && View(site.Node) is { } view && (site.IsDense || IsOfPixels(site, view));

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged =>
        View(site.Node)!.Value is var view && IsOfPixels(site, view) ? new F32Mean<S, V>(view, site.InputPitches[0]) : new F32Mean<S, V>(view, view.Inner);

    private static bool IsOfPixels(Site site, Around view) =>
        site.Node.Inputs[0].Shape is { Rank: 4 } input && view == new Around(input[0], input[2] * input[3], input[1]) && site.OutputPitch == Site.Pitch(site.Node.Shape);

    private static Around? View(Node node)
    {
        Shape input = node.Inputs[0].Shape;
        return node.Op is ReduceMean { Axes.Count: > 0 } mean ? Around.Of(input, mean.Axes.AsSpan(), node.Shape)
            : Around.Of(input, node.Op is GlobalAveragePool ? [2, 3] : [.. Enumerable.Range(0, input.Rank)], node.Shape);
    }
}

/// <summary>Means of columns, four vectors of them at a time, or of rows. Sums run over at most 64 elements before they join the total.</summary>
internal sealed unsafe class F32Mean<S, V>(Around view, int pitch) : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private const int Chunk = 64;

    private readonly int blocks = (view.Inner + 4 * S.Lanes - 1) / (4 * S.Lanes);
    private readonly Split split =
        Split.Of(view.Outer * ((view.Inner + 4 * S.Lanes - 1) / (4 * S.Lanes)), (double)view.Extent * Math.Min(view.Inner, 4 * S.Lanes));

    /// <inheritdoc/>
    public override string Label => $"f32-mean-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int i = first; i < first + count; i++)
        {
            int outer = i / blocks, c = i % blocks * 4 * S.Lanes, end = Math.Min(c + 4 * S.Lanes, view.Inner);
            float* source = operands.Input(0) + (nint)outer * view.Extent * pitch, target = operands.Output + (nint)outer * view.Inner;
            if (view.Inner == 1) *target = Row(source) / view.Extent;
            else if (end - c == 4 * S.Lanes) Four(source + c, target + c);
            else
            {
                for (; c <= end - S.Lanes; c += S.Lanes) One<AllLanes>(source + c, target + c, S.Lanes);
                if (c < end) One<FirstLanes>(source + c, target + c, end - c);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(float* source, float* target)
    {
        V zero = S.Fill(0), a = zero, b = zero, c = zero, d = zero;
        for (int left = view.Extent; left > 0; left -= Chunk)
        {
            V e = zero, f = zero, g = zero, h = zero;
            for (int i = Math.Min(left, Chunk); i > 0; i--, source += pitch)
            {
                e = S.Add(e, S.Load(source));
                f = S.Add(f, S.Load(source + S.Lanes));
                g = S.Add(g, S.Load(source + 2 * S.Lanes));
                h = S.Add(h, S.Load(source + 3 * S.Lanes));
            }
            (a, b, c, d) = (S.Add(a, e), S.Add(b, f), S.Add(c, g), S.Add(d, h));
        }
        V scale = S.Fill(1f / view.Extent);
        S.Store(target, S.Multiply(a, scale));
        S.Store(target + S.Lanes, S.Multiply(b, scale));
        S.Store(target + 2 * S.Lanes, S.Multiply(c, scale));
        S.Store(target + 3 * S.Lanes, S.Multiply(d, scale));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One<L>(float* source, float* target, int count) where L : struct, ILanes
    {
        V total = S.Fill(0);
        for (int left = view.Extent; left > 0; left -= Chunk)
        {
            V sum = S.Fill(0);
            for (int i = Math.Min(left, Chunk); i > 0; i--, source += pitch) sum = S.Add(sum, L.Load<S, V>(source, count));
            total = S.Add(total, sum);
        }
        L.Store<S, V>(target, S.Multiply(total, S.Fill(1f / view.Extent)), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Row(float* source)
    {
        double total = 0;
        float* lanes = stackalloc float[S.Lanes];
        for (int done = 0; done < view.Extent;)
        {
            int end = Math.Min(view.Extent, done + Chunk * S.Lanes);
            V sum = S.Fill(0);
            for (; done <= end - S.Lanes; done += S.Lanes) sum = S.Add(sum, S.Load(source + done));
            S.Store(lanes, sum);
            for (int lane = 0; lane < S.Lanes; lane++) total += lanes[lane];
            for (; done < end; done++) total += source[done];
        }
        return (float)total;
    }
}

/// <summary>ArgMax along one axis.</summary>
internal readonly struct F32ArgMax : IKernelMaker
{
    /// <summary>Whether the node is an ArgMax whose output lies in memory as its input does.</summary>
    public static bool Fits(Node node) => node.Op is ArgMax arg && Around.Of(node.Inputs[0].Shape, [arg.Axis], node.Shape) is not null;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged =>
        new F32ArgMaxKernel(Around.Of(site.Node.Inputs[0].Shape, [((ArgMax)site.Node.Op).Axis], site.Node.Shape)!.Value, ((ArgMax)site.Node.Op).SelectLast);
}

/// <summary>The index of the largest of each row, element by element.</summary>
internal sealed unsafe class F32ArgMaxKernel(Around view, bool last) : Kernel
{
    private readonly Split split = Split.Of(view.Outer, 4.0 * view.Extent * view.Inner);

    /// <inheritdoc/>
    public override string Label => "f32-argmax-scalar";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int outer = first; outer < first + count; outer++)
            for (int inner = 0; inner < view.Inner; inner++)
            {
                float* row = operands.Input(0) + (nint)outer * view.Extent * view.Inner + inner;
                float best = *row;
                long index = 0;
                for (int i = 1; i < view.Extent; i++)
                {
                    float value = row[(nint)i * view.Inner];
                    if (!(value > best) && !(last && value == best)) continue;
                    (best, index) = (value, i);
                }
                operands.Out<long>()[(nint)outer * view.Inner + inner] = index;
            }
    }
}
