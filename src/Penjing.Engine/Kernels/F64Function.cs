using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Any function of single floats that has no kernel of its own: element by element in double precision, the reference's bits.</summary>
internal sealed unsafe class F64Function(Node node) : Kernel
{
    private const double Cost = 40;

    private readonly Elementwise function = (Elementwise)node.Op;
    private readonly Split split = Split.Flat(node.Shape.Elements, Cost);

    /// <summary>Whether the node is a function from floats to floats.</summary>
    public static bool Fits(Node node) => node.Op is Elementwise && node.Info.Type is ElementType.Float32 && node.Shape.Elements > 0
        && node.Inputs[0] is { Value: null, Info.Type: ElementType.Float32 };

    /// <inheritdoc/>
    public override string Label => "f64-function";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        float* source = operands.Input(0) + first, target = operands.Output + first;
        for (int i = 0; i < count; i++) target[i] = (float)function.Apply(source[i]);
    }
}
