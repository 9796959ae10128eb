namespace Penjing.Engine;

/// <summary>
/// Gemm and MatMul: a constant right matrix is packed when the kernel is made, another one in a phase of its own before each product,
/// and so is a left matrix that must be transposed.
/// </summary>
internal readonly struct F32MatMul : IKernelMaker
{
    /// <summary>Whether the node is a product of matrices whose addend, if any, is a constant for each column.</summary>
    public static bool Fits(Node node) => node.Inputs[0].Value is null && node.Op switch
    {
        Gemm when node.Inputs.Length < 3 => true,
        Gemm => node.Inputs[2].Value is { Shape: var addend } && (addend.Elements == 1 || (addend[-1] == node.Shape[1] && addend.Elements == node.Shape[1])),
        MatMul => node.Inputs[0].Shape.Rank != 4 && node.Inputs[1].Shape.Rank != 4 && node.Shape.Rank != 4,
        _ => false,
    };

    /// <summary>About how many nanoseconds it takes on one thread: multiplications, and the right matrix.</summary>
    public static double Cost(Site site)
    {
        double right = sizeof(float) * (double)site.Node.Inputs[1].Shape.Elements, cycles = Penjing.Cost.Macs(site.Node) * 0.55 / site.Isa.Lanes();
        return Pace.Nanoseconds(cycles, 0, right);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new F32MatMul<S, V>(site.Node, site.Seats);
}

/// <summary>Products of matrices, one for each left and right matrix that meet.</summary>
internal sealed unsafe class F32MatMul<S, V> : TiledProduct<S, V> where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int rows, columns, depth, count;
    private readonly int[] lefts, rights, offsets;
    private readonly bool transposeLeft, packs;
    private readonly nint across;
    private readonly float alpha;
    private readonly PanelLayout layout;
    private readonly NativeBuffer? memory;
    private readonly float[] bias;
    private readonly Split packing;

    /// <summary>The kernel of a node, for so many threads.</summary>
    public F32MatMul(Node node, int seats) : base(Parts(node), seats, (node.Op as Gemm)?.Then)
    {
        Shape left = node.Inputs[0].Shape, right = node.Inputs[1].Shape;
        Gemm gemm = node.Op as Gemm ?? new();
        ProductPart part = Parts(node)[0];
        (rows, columns, depth, alpha) = (part.Rows, part.Columns, part.Length, gemm.Alpha);
        transposeLeft = gemm.TransposeA && rows > 1 && depth > 1;
        (lefts, rights) = Pairs(left, right);
        count = rights.Max() + 1;
        layout = part.Panels(S.Lanes);
        across = gemm.TransposeB ? depth : 1;
        offsets = [.. Enumerable.Range(0, depth).Select(k => gemm.TransposeB ? k : k * columns)];
        bias = node.Op is Gemm ? ConvSite.Biases(node) : [];
        packs = node.Inputs[1].Value is null;
        packing = Split.Of(layout.Count * count, 4.0 * depth * 2 * S.Lanes);
        if (packs) return;
        memory = new(layout.Floats * count * sizeof(float));
        fixed (float* weights = node.Inputs[1].Value!.Floats)
            for (int panel = 0; panel < layout.Count * count; panel++) Pack(panel, weights, memory.Floats);
    }

    /// <inheritdoc/>
    public override string Label => $"f32-gemm-{Tile}";

    /// <inheritdoc/>
    public override long ScratchBytes => ((packs ? layout.Floats * count : 0) + (transposeLeft ? (long)rows * depth : 0)) * sizeof(float);

    /// <inheritdoc/>
    public override int Phases => packs || transposeLeft ? 2 : 1;

    /// <inheritdoc/>
    public override int Tasks(int phase) => phase == Phases - 1 ? ProductTasks : (packs ? packing.Tasks : 0) + (transposeLeft ? 1 : 0);

    /// <inheritdoc/>
    public override void Dispose()
    {
        memory?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (phase == Phases - 1) Multiply(task, operands);
        else if (packs && task < packing.Tasks)
        {
            (int first, int panels) = packing[task];
            for (int panel = first; panel < first + panels; panel++) Pack(panel, operands.Input(1), (float*)operands.Scratch);
        }
        else
        {
            float* left = Left(operands), input = operands.Input(0);
            for (int row = 0; row < rows; row++)
                for (int k = 0; k < depth; k++) left[(nint)row * depth + k] = input[(nint)k * rows + row];
        }
    }

    /// <inheritdoc/>
    protected override float* Panels(int part, in Operands operands) => (packs ? (float*)operands.Scratch : memory!.Floats) + layout.Floats * rights[part];

    /// <inheritdoc/>
    protected override void Point(int part, int first, int rows, float** table, float* patches, in Operands operands)
    {
        float* left = (transposeLeft ? Left(operands) : operands.Input(0)) + ((nint)lefts[part] * this.rows + first) * depth;
        float* output = operands.Output + ((nint)part * this.rows + first) * columns;
        for (int row = 0; row < rows; row++)
        {
            table[row] = output + (nint)row * columns;
            table[rows + row] = left + (nint)row * depth;
        }
    }

    private float* Left(in Operands operands) => (float*)operands.Scratch + (packs ? layout.Floats * count : 0);

    private void Pack(int panel, float* source, float* target)
    {
        int matrix = panel / layout.Count;
        fixed (float* biases = bias)
            layout.Pack(target + layout.Floats * matrix, panel % layout.Count, source + (nint)matrix * depth * columns, offsets, across, alpha, biases);
    }

    private static ProductPart[] Parts(Node node)
    {
        Shape left = node.Inputs[0].Shape, right = node.Inputs[1].Shape;
        if (node.Op is Gemm gemm) return [new(node.Shape[0], node.Shape[1], 1, left[gemm.TransposeA ? 0 : 1])];
        ProductPart part = new(left.Rank == 1 ? 1 : left[-2], right.Rank == 1 ? 1 : right[-1], 1, left[-1]);
        if (right.Rank <= 2) return [part with { Rows = node.Shape.Elements / part.Columns }];
        return [.. Enumerable.Repeat(part, node.Shape.Elements / part.Rows / part.Columns)];
    }

    /// <summary>For each product of the broadcast outer axes, which left and which right matrix it takes.</summary>
    private static (int[] Lefts, int[] Rights) Pairs(Shape left, Shape right)
    {
        if (right.Rank <= 2) return ([0], [0]);
        Shape a = left.Rank <= 2 ? [] : Shape.Create(left.AsSpan()[..^2]), b = Shape.Create(right.AsSpan()[..^2]), outer = Shape.Broadcast(a, b)!.Value;
        return (Matrices(a, outer), Matrices(b, outer));
    }

    private static int[] Matrices(Shape from, Shape outer)
    {
        var matrices = new int[outer.Elements];
        for (int i = 0; i < matrices.Length; i++)
            for (int axis = outer.Rank - 1, rest = i, stride = 1; axis >= outer.Rank - from.Rank; rest /= outer[axis--])
            {
                int extent = from[axis - outer.Rank + from.Rank];
                matrices[i] += rest % outer[axis] % extent * stride;
                stride *= extent;
            }
        return matrices;
    }
}
