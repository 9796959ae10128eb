using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>A kernel that only moves elements: one strided copy, or two with a row-major value between them.</summary>
internal sealed unsafe class Reorder : Kernel
{
    private readonly StridedCopy first;
    private readonly StridedCopy? second;

    /// <summary>The kernel of one or two copies of a value of this type and count.</summary>
    public Reorder(ImmutableArray<ImmutableArray<Axis>> copies, ValueInfo value)
    {
        first = new(copies.Length > 0 ? copies[0] : [new(value.Shape.Elements, 1)], value.Type.Size());
        second = copies.Length > 1 ? new(copies[1], value.Type.Size()) : null;
        ScratchBytes = second is null ? 0 : (long)value.Shape.Elements * value.Type.Size();
    }

    /// <summary>The moves that make a node's value of its input; see <see cref="Layout.Moves"/>.</summary>
    public static Reorder Of(Node node) => new(Layout.Moves(node)!.Value, node.Info);

    /// <summary>Whether a node only moves elements of a value that is computed at each run.</summary>
    public static bool Fits(Node node) => Layout.Moves(node) is not null && node.Inputs[0].Value is null;

    /// <summary>The copy of a caller's row-major value into the engine's order.</summary>
    public static Reorder In(ValueInfo value) => new([Layout.Inward(value.Shape)], value);

    /// <summary>The copy of a value in the engine's order, pixels <paramref name="pitch"/> elements apart, into a caller's row-major memory.</summary>
    public static Reorder Out(ValueInfo value, int pitch) => new([Layout.Outward(value.Shape, pitch)], value);

    /// <inheritdoc/>
    public override string Label => "reorder";

    /// <inheritdoc/>
    public override long ScratchBytes { get; }

    /// <inheritdoc/>
    public override int Phases => second is null ? 1 : 2;

    /// <inheritdoc/>
    public override int Tasks(int phase) => (phase == 0 ? first : second!).Pieces;

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        if (phase == 1) second!.Run(task, operands.Scratch, operands.Output);
        else first.Run(task, operands.Input(0), second is null ? operands.Output : operands.Scratch);
    }
}
