using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Activations by themselves, Add, Sub, Mul, Div, PRelu and BatchNormalization, with broadcasting: elements in the order of memory, in runs along which
/// each operand is read one by one or stands still.
/// </summary>
internal readonly struct F32Elementwise : IKernelMaker
{
    /// <summary>Whether the node is such a function, of parameters that are constant.</summary>
    public static bool Fits(Site site) => site.Node.Op switch
    {
        Add or Sub or Mul or Div or PRelu => true,
        Relu or Clip or LeakyRelu or HardSigmoid or HardSwish or Sigmoid or Tanh or BatchNormalization =>
            site.Node.Inputs[0].Value is null && site.Node.Inputs.Skip(1).All(parameter => parameter.Value is not null),
        _ => false,
    };

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => site.Node.Op switch
    {
        Add => new F32Elementwise<S, V, Sum>(site),
        Sub => new F32Elementwise<S, V, Difference>(site),
        Mul => new F32Elementwise<S, V, Product>(site),
        Div => new F32Elementwise<S, V, Quotient>(site),
        PRelu or LeakyRelu => new F32Elementwise<S, V, Sloped>(site),
        BatchNormalization => new F32Elementwise<S, V, Scaled>(site),
        HardSigmoid => new F32Elementwise<S, V, Ramp>(site),
        HardSwish => new F32Elementwise<S, V, Swish>(site),
        Sigmoid => new F32Elementwise<S, V, Logistic>(site),
        Tanh => new F32Elementwise<S, V, Hyperbolic>(site),
        _ => new F32Elementwise<S, V, Same>(site),
    };
}

/// <summary>A function of elements.</summary>
internal sealed unsafe class F32Elementwise<S, V, F> : Kernel where S : struct, ISimd<V> where V : unmanaged where F : struct, IF32Function
{
    private readonly F32Finish<S, V> finish;
    private readonly NativeBuffer?[] constants;
    private readonly int[] extents;
    private readonly long[][] strides;
    private readonly int run;
    private readonly bool[] overwrites;
    private readonly Split split;
    private readonly delegate*<float*, float*, float*, float*, nint, in F32Steps, void> rows;

    /// <summary>The kernel of a site.</summary>
    public F32Elementwise(Site site)
    {
        Node node = site.Node;
        overwrites = [.. node.Inputs.Select(input => input.Shape == node.Shape)];
        finish = new(node.Op as Activation ?? (node.Op as Add)?.Then);
        (Shape Shape, int Pitch, NativeBuffer? Value)[] operands = [.. Operands(site)];
        constants = [.. operands.Select(operand => operand.Value)];
        (extents, strides) = Merge(Layout.Ordered(node.Shape),
        [
            .. operands.Select(operand => Layout.Broadcast(operand.Shape, node.Shape, operand.Pitch)),
            Layout.Broadcast(node.Shape, node.Shape, site.OutputPitch),
        ]);
        run = extents[^1];
        double cost = node.Op is Sigmoid or Tanh ? 8 : 1;
        split = extents.Length == 1 ? Split.Flat(run, cost) : Split.Of(node.Shape.Elements / run, run * cost);
        rows = (strides[0][^1] + 2 * strides[1][^1] + 4 * strides[2][^1]) switch
        {
            _ when run == 1 => &F32Rows<Scalar, float>.Run<F, N1>,
            1 => &F32Rows<S, V>.Run<F, N1>,
            2 => &F32Rows<S, V>.Run<F, N2>,
            3 => &F32Rows<S, V>.Run<F, N3>,
            _ => &F32Rows<S, V>.Run<F, N7>,
        };
    }

    /// <inheritdoc/>
    public override string Label => $"f32-elementwise-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => overwrites[input];

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (NativeBuffer? constant in constants) constant?.Dispose();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        float* x = Operand(0, operands), y = Operand(1, operands), z = Operand(2, operands), output = operands.Output;
        if (extents.Length == 1)
        {
            rows(x + first * strides[0][0], y + first * strides[1][0], z + first * strides[2][0], output + first, count, new(1, 0, 0, 0, 0, finish.Min, finish.Max));
            if (F.IsBounded) finish.Complete(output + first, count);
            return;
        }
        for (int row = first, end = first + count, next; row < end; row = next)
        {
            // Rows along the last axis but one.
            int line = extents.Length - 2;
            next = Math.Min(end, row + extents[line] - row % extents[line]);
            long fromX = 0, fromY = 0, fromZ = 0, to = 0;
            for (int axis = line, rest = row; axis >= 0; axis--)
            {
                (rest, int at) = Math.DivRem(rest, extents[axis]);
                (fromX, fromY, fromZ, to) = (fromX + at * strides[0][axis], fromY + at * strides[1][axis], fromZ + at * strides[2][axis], to + at * strides[3][axis]);
            }
            F32Steps steps = new(next - row, (nint)strides[0][line], (nint)strides[1][line], (nint)strides[2][line], (nint)strides[3][line], finish.Min, finish.Max);
            rows(x + fromX, y + fromY, z + fromZ, output + to, run, in steps);
            if (F.IsBounded) finish.Complete(output + to, run, steps.Rows, steps.Target);
        }
    }

    private float* Operand(int index, in Operands operands) => constants[index] is { } constant ? constant.Floats : operands.Input(index);

    /// <summary>The function's three operands; those that it doesn't look at are zeros.</summary>
    private IEnumerable<(Shape Shape, int Pitch, NativeBuffer? Value)> Operands(Site site)
    {
        Node node = site.Node;
        if (node.Op is BatchNormalization { Epsilon: var epsilon })
        {
            float[][] constants = [.. node.Inputs.Skip(1).Select(input => input.Value!.Floats.ToArray())];
            double[] scales = [.. constants[0].Select((scale, c) => scale / Math.Sqrt(constants[3][c] + (double)epsilon))];
            Shape channels = Shape.Create([scales.Length, .. Enumerable.Repeat(1, node.Shape.Rank - 2)]);
            return
            [
                (node.Shape, site.InputPitches[0], null),
                (channels, 0, NativeBuffer.Of<float>([.. scales.Select(scale => (float)scale)])),
                (channels, 0, NativeBuffer.Of<float>([.. scales.Select((scale, c) => (float)(constants[1][c] - constants[2][c] * scale))])),
            ];
        }
        return
        [
            .. node.Inputs.Select((input, i) => (input.Shape, site.InputPitches[i], input.Value is { } value ? StridedCopy.Inward(value) : null)),
            .. new[] { finish.Y, finish.Z }[(node.Inputs.Length - 1)..].Select(parameter => ((Shape)[], 0, NativeBuffer.Of<float>([parameter]))),
        ];
    }

    /// <summary>Joins axes that all walk as one, so that the last is as long as can be and its output lies side by side.</summary>
    private static (int[] Extents, long[][] Strides) Merge(int[] extents, long[][] strides)
    {
        var merged = new List<(int Extent, long[] Strides)>();
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (extents[axis] == 1) continue;
            (int extent, long[] steps) = (extents[axis], [.. strides.Select(operand => operand[axis])]);
            if (merged.Count > 0 && merged[^1].Strides.SequenceEqual(steps.Select(step => step * extent))) merged[^1] = (merged[^1].Extent * extent, steps);
            else merged.Add((extent, steps));
        }
        // Elements that lie further apart, as those of one channel in wider pixels: rows of one element.
        if (merged.Count == 0 || merged[^1].Strides[^1] != 1 || merged[^1].Strides.Max() > 1) merged.Add((1, [1, 0, 0, 1]));
        return ([.. merged.Select(axis => axis.Extent)], [.. strides.Select((_, i) => merged.Select(axis => axis.Strides[i]).ToArray())]);
    }
}
