using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>Integers times a real of each channel, and integers again: a byte is read and written for each.</summary>
internal readonly struct I8Gate : IKernelMaker
{
    /// <summary>Whether the node is such a product of values that lie side by side, with one quantization each.</summary>
    public static bool Fits(Site site) => site.IsDense && site.Node is
    {
        Op: QuantizedGate { From.Axis: null, To: { Quantization.Axis: null, To: ElementType.Int8 or ElementType.UInt8 } },
        Inputs: [{ Value: null, Info.Type: ElementType.Int8 or ElementType.UInt8, Shape: { Rank: 4 } shape }, { Value: null, Info.Type: ElementType.Float32, Shape: var reals }], Shape.Elements: > 0,
    } && reals == new Shape([shape[0], shape[1], 1, 1]);

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Gate<S, V>(site.Node);
}

/// <inheritdoc cref="I8Gate"/>
internal sealed unsafe class I8Gate<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly int channels, area, zero;
    private readonly float scale, min, max;
    private readonly ByteReals from;
    private readonly Split split;

    /// <summary>The kernel of a node.</summary>
    public I8Gate(Node node)
    {
        var op = (QuantizedGate)node.Op;
        Clip ends = Requantization.Ends(op.To);
        (channels, area, from) = (node.Shape[1], node.Shape[2] * node.Shape[3], new(node.Inputs[0].Info.Type, op.From));
        (scale, zero, min, max) = (op.To.Quantization.Scales[0], op.To.Quantization.ZeroPoints[0], ends.Min, ends.Max);
        split = Split.Of(node.Shape[0] * area, channels);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-gate-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => input == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int pixel = first; pixel < first + count; pixel++)
        {
            byte* input = operands.Input<byte>(0) + (nint)pixel * channels, output = operands.Out<byte>() + (nint)pixel * channels;
            float* gate = operands.Input(1) + (nint)(pixel / area) * channels;
            int i = 0;
            for (; i <= channels - 2 * S.Lanes; i += 2 * S.Lanes)
                S.StoreBytes(output + i, output + i + S.Lanes, Steps(input + i, S.Load(gate + i), S.Lanes), Steps(input + i + S.Lanes, S.Load(gate + i + S.Lanes), S.Lanes), zero);
            for (int rest; (rest = Math.Min(channels - i, S.Lanes)) > 0; i += rest) S.StoreBytes(output + i, Steps(input + i, S.LoadPart(gate + i, rest), rest), zero, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Steps(byte* input, V gate, int count) => S.AtMost(S.Fill(max), S.AtLeast(S.Fill(min), S.Divide(S.Multiply(from.Load<S, V>(input, count), gate), S.Fill(scale))));
}
