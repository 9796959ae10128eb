using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>A function of two elements, compiled into the loops that apply it.</summary>
internal interface IF32Pair
{
    /// <summary>The function, lane by lane.</summary>
    static abstract V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged;
}

/// <summary>left + right.</summary>
internal readonly struct Sum : IF32Pair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.Add(left, right);
}

/// <summary>left − right.</summary>
internal readonly struct Difference : IF32Pair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.MultiplyAdd(right, S.Fill(-1), left);
}

/// <summary>left · right.</summary>
internal readonly struct Product : IF32Pair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.Multiply(left, right);
}

/// <summary>left / right.</summary>
internal readonly struct Quotient : IF32Pair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.Divide(left, right);
}

/// <summary>left where it is not below 0, else left · right.</summary>
internal readonly struct Sloped : IF32Pair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V left, V right) where S : struct, ISimd<V> where V : unmanaged => S.IfNegative(left, S.Multiply(left, right), left);
}

/// <summary>
/// Add, Sub, Mul, Div and PRelu with broadcasting: elements in the order of memory, in runs along which each side is read one by one or
/// stands still.
/// </summary>
internal readonly struct F32Pairwise : IKernelMaker
{
    /// <summary>Whether the node is a function of pairs of floats.</summary>
    public static bool Fits(Node node) => node.Op is Add or Sub or Mul or Div or PRelu;

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => site.Node.Op switch
    {
        Add => new F32Pairwise<S, V, Sum>(site),
        Sub => new F32Pairwise<S, V, Difference>(site),
        Mul => new F32Pairwise<S, V, Product>(site),
        Div => new F32Pairwise<S, V, Quotient>(site),
        _ => new F32Pairwise<S, V, Sloped>(site),
    };
}

/// <summary>A function of pairs.</summary>
internal sealed unsafe class F32Pairwise<S, V, F> : Kernel where S : struct, ISimd<V> where V : unmanaged where F : struct, IF32Pair
{
    private readonly int[] extents;
    private readonly long[] left, right, to;
    private readonly int run;
    private readonly F32Finish<S, V> finish;
    private readonly NativeBuffer? leftValue, rightValue;
    private readonly Split split;
    private readonly bool flat;
    private readonly bool[] overwrites;

    /// <summary>The kernel of a site.</summary>
    public F32Pairwise(Site site)
    {
        Node node = site.Node;
        overwrites = [.. node.Inputs.Select(input => input.Shape == node.Shape)];
        finish = new((node.Op as Add)?.Then);
        leftValue = node.Inputs[0].Value is { } one ? StridedCopy.Inward(one) : null;
        rightValue = node.Inputs[1].Value is { } other ? StridedCopy.Inward(other) : null;
        long[][] strides =
        [
            .. node.Inputs.Select((input, i) => Layout.Broadcast(input.Shape, node.Shape, site.InputPitches[i])),
            Layout.Broadcast(node.Shape, node.Shape, site.OutputPitch),
        ];
        (extents, left, right, to) = Merge(Layout.Ordered(node.Shape), strides);
        run = extents[^1];
        flat = extents.Length == 1;
        split = flat ? Split.Flat(run) : Split.Of(node.Shape.Elements / run, run);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-pairwise-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => overwrites[input];

    /// <inheritdoc/>
    public override void Dispose()
    {
        leftValue?.Dispose();
        rightValue?.Dispose();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        float* a = leftValue is null ? operands.Input(0) : leftValue.Floats, b = rightValue is null ? operands.Input(1) : rightValue.Floats;
        float* output = operands.Output;
        (int first, int count) = split[task];
        if (flat)
        {
            Apply(a + first * left[0], b + first * right[0], output + first, count);
            return;
        }
        for (int row = first; row < first + count; row++)
        {
            long fromLeft = 0, fromRight = 0, toOutput = 0;
            for (int axis = extents.Length - 2, rest = row; axis >= 0; axis--)
            {
                int at = rest % extents[axis];
                rest /= extents[axis];
                fromLeft += at * left[axis];
                fromRight += at * right[axis];
                toOutput += at * to[axis];
            }
            Apply(a + fromLeft, b + fromRight, output + toOutput, run);
        }
    }

    private void Apply(float* a, float* b, float* output, int count)
    {
        switch (left[^1], right[^1])
        {
            case (1, 1): Apply<N1, N1>(a, b, output, count); break;
            case (1, 0): Apply<N1, N2>(a, b, output, count); break;
            case (0, 1): Apply<N2, N1>(a, b, output, count); break;
            default:
                for (int i = 0; i < count; i++) output[i] = Bound<Scalar, float>(F.Apply<Scalar, float>(a[i * left[^1]], b[i * right[^1]]));
                break;
        }
        finish.Complete(output, count);
    }

    /// <summary>One run; a side whose number is 1 is read one by one, else it stands still.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Apply<Left, Right>(float* a, float* b, float* output, int count) where Left : struct, INumber where Right : struct, INumber
    {
        V x = S.Fill(*a), y = S.Fill(*b);
        int i = 0;
        for (; i <= count - S.Lanes; i += S.Lanes)
        {
            if (Left.Value == 1) x = S.Load(a + i);
            if (Right.Value == 1) y = S.Load(b + i);
            S.Store(output + i, Bound<S, V>(F.Apply<S, V>(x, y)));
        }
        if (i == count) return;
        if (Left.Value == 1) x = S.LoadPart(a + i, count - i);
        if (Right.Value == 1) y = S.LoadPart(b + i, count - i);
        S.StorePart(output + i, Bound<S, V>(F.Apply<S, V>(x, y)), count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private W Bound<T, W>(W value) where T : struct, ISimd<W> where W : unmanaged => T.AtMost(T.Fill(finish.Max), T.AtLeast(T.Fill(finish.Min), value));

    /// <summary>Joins axes that all three walk as one, so that the last is as long as can be and its output lies side by side.</summary>
    private static (int[] Extents, long[] Left, long[] Right, long[] To) Merge(int[] extents, long[][] strides)
    {
        var merged = new List<(int Extent, long Left, long Right, long To)>();
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (extents[axis] == 1) continue;
            (int extent, long l, long r, long t) = (extents[axis], strides[0][axis], strides[1][axis], strides[2][axis]);
            if (merged.Count > 0 && merged[^1] is var last && last.Left == l * extent && last.Right == r * extent && last.To == t * extent)
                merged[^1] = (last.Extent * extent, l, r, t);
            else merged.Add((extent, l, r, t));
        }
        // A pixel of one channel in wider ones: runs of one element.
        if (merged.Count == 0 || merged[^1].To != 1) merged.Add((1, 1, 1, 1));
        return ([.. merged.Select(axis => axis.Extent)], [.. merged.Select(axis => axis.Left)], [.. merged.Select(axis => axis.Right)],
            [.. merged.Select(axis => axis.To)]);
    }
}
