using System.Collections.Immutable;

namespace Penjing.Engine;

/// <summary>The fallback where no kernel fits: the reference evaluator behind conversions to row-major tensors. One task; it allocates.</summary>
internal sealed unsafe class ReferenceKernel : Kernel
{
    private readonly Node node;
    private readonly ImmutableArray<ValueInfo> inputs;
    private readonly ImmutableArray<Tensor?> constants;
    private readonly ImmutableArray<StridedCopy?> readers;
    private readonly StridedCopy writer;

    /// <summary>The fallback for a node.</summary>
    public ReferenceKernel(Node node)
    {
        // By itself, so that the session doesn't hold the network before it.
        this.node = new(node.Name, node.Op, [.. node.Inputs.Select(input => input.Value is null ? new Node(input.Name, new Given(input.Info)) : input)]);
        inputs = [.. node.Inputs.Select(input => input.Info)];
        constants = [.. node.Inputs.Select(input => input.Value)];
        readers = [.. node.Inputs.Select(input => input.Value is null ? new StridedCopy(Layout.Outward(input.Shape), input.Info.Type.Size()) : null)];
        writer = new(Layout.Inward(node.Shape), node.Info.Type.Size());
    }

    /// <inheritdoc/>
    public override string Label => "reference";

    /// <inheritdoc/>
    public override int Tasks(int phase) => 1;

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        var values = new Tensor[inputs.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = constants[i] ?? Read(readers[i]!, inputs[i], operands.Input<byte>(i));
        Tensor result = node.Op is Fusion fusion ? fusion.Evaluate(values) : Reference.Evaluate(node, values);
        fixed (byte* source = result.Bytes.Span) Copy(writer, source, operands.Out<byte>());
    }

    /// <summary>A value from outside, quantized or not.</summary>
    private sealed record Given(ValueInfo Info) : Op
    {
        /// <inheritdoc/>
        public override ValueInfo Infer(ReadOnlySpan<ValueInfo> inputs) => Info;
    }

    private static Tensor Read(StridedCopy reader, ValueInfo info, byte* source)
    {
        var bytes = new byte[(long)info.Shape.Elements * info.Type.Size()];
        fixed (byte* target = bytes) Copy(reader, source, target);
        return new(info.Type, info.Shape, bytes);
    }

    private static void Copy(StridedCopy copy, byte* source, byte* target)
    {
        for (int piece = 0; piece < copy.Pieces; piece++) copy.Run(piece, source, target);
    }
}
