using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Penjing.Engine;

/// <summary>Reals to 8-bit integers and back, and sums of what integers stand for, element by element: the floats that the reference has, to the bit.</summary>
internal readonly struct I8Elementwise : IKernelMaker
{
    /// <summary>Whether the node's values have one quantization each, all elements lie side by side, and one kernel knows what is done.</summary>
    public static bool Fits(Site site) => site.IsDense && site.Node.Shape.Elements > 0 && site.Node.Inputs.All(input => input.Value is null) && site.Node switch
    {
        { Op: QuantizeLinear { Quantization.Axis: null, To: var to }, Inputs: [{ Info.Type: ElementType.Float32 }] } => IsByte(to),
        { Op: Relu or Clip, Info: { Type: var type, Quantization: { Axis: null } } } => IsByte(type),
        { Op: DequantizeLinear, Inputs: [{ Info: { Type: var from, Quantization.Axis: null } }] } => IsByte(from),
        { Op: QuantizedAdd { Left.Axis: null, Right.Axis: null, To.To: var to, Then: null or Relu or Clip }, Inputs: [var left, var right] } => IsByte(to) && IsByte(left.Info.Type) && IsByte(right.Info.Type),
        _ => false,
    };

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Elementwise<S, V>(site.Node);

    private static bool IsByte(ElementType type) => type is ElementType.Int8 or ElementType.UInt8;
}

/// <inheritdoc cref="I8Elementwise"/>
internal sealed unsafe class I8Elementwise<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly Op op;
    private readonly Split split;
    private readonly ByteReals left, right;
    private readonly F32Finish<S, V> then;
    private readonly float scale, min, max;
    private readonly int zero;
    private readonly byte lowest, highest, flip;

    /// <summary>The kernel of a node.</summary>
    public I8Elementwise(Node node)
    {
        op = node.Op;
        split = Split.Flat(node.Shape.Elements);
        then = new(op as Activation ?? (op as QuantizedAdd)?.Then);
        if (op is QuantizedAdd add) (left, right) = (new(node.Inputs[0].Info.Type, add.Left), new(node.Inputs[1].Info.Type, add.Right));
        else if (op is DequantizeLinear) left = new(node.Inputs[0].Info.Type, node.Inputs[0].Info.Quantization!);
        else if (op is Activation)
        {
            Quantization quantization = node.Info.Quantization!;
            (lowest, highest) = ((byte)quantization.Nearest(then.Min, node.Info.Type), (byte)quantization.Nearest(then.Max, node.Info.Type));
            flip = new UnsignedBytes(node.Info.Type, 0).Flip;
        }
        if (((op as QuantizedAdd)?.To ?? op as QuantizeLinear) is not { } to) return;
        Clip ends = Requantization.Ends(to);
        (scale, zero, min, max) = (to.Quantization.Scales[0], to.Quantization.ZeroPoints[0], ends.Min, ends.Max);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-elementwise-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => op is QuantizedAdd or Activation;

    /// <inheritdoc/>
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        switch (op)
        {
            case QuantizeLinear:
                Quantize(operands.Input(0) + first, operands.Out<byte>() + first, count);
                break;
            case DequantizeLinear:
                Dequantize(operands.Input<byte>(0) + first, operands.Output + first, count);
                break;
            case Activation:
                Clamp(operands.Input<byte>(0) + first, operands.Out<byte>() + first, count);
                break;
            default:
                Add(operands.Input<byte>(0) + first, operands.Input<byte>(1) + first, operands.Out<byte>() + first, count);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Quantize(float* input, byte* output, int count)
    {
        int i = 0;
        for (; i <= count - 2 * S.Lanes; i += 2 * S.Lanes)
            S.StoreBytes(output + i, output + i + S.Lanes, Steps(S.Load(input + i)), Steps(S.Load(input + i + S.Lanes)), zero);
        for (int rest; (rest = Math.Min(count - i, S.Lanes)) > 0; i += rest) S.StoreBytes(output + i, Steps(S.LoadPart(input + i, rest)), zero, rest);
    }

    /// <summary>The integers between two others; signed ones are compared as unsigned ones, their highest bit flipped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Clamp(byte* input, byte* output, int count)
    {
        Vector128<byte> sign = Vector128.Create(flip), low = Vector128.Create(lowest) ^ sign, high = Vector128.Create(highest) ^ sign;
        int i = 0;
        for (; i <= count - 16; i += 16) (Vector128.Min(Vector128.Max(Vector128.Load(input + i) ^ sign, low), high) ^ sign).Store(output + i);
        for (; i < count; i++) output[i] = (byte)(Math.Clamp((byte)(input[i] ^ flip), (byte)(lowest ^ flip), (byte)(highest ^ flip)) ^ flip);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Dequantize(byte* input, float* output, int count)
    {
        int i = 0;
        for (; i <= count - S.Lanes; i += S.Lanes) S.Store(output + i, left.Load<S, V>(input + i, S.Lanes));
        if (i < count) S.StorePart(output + i, left.Load<S, V>(input + i, count - i), count - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add(byte* a, byte* b, byte* output, int count)
    {
        int i = 0;
        for (; i <= count - 2 * S.Lanes; i += 2 * S.Lanes) S.StoreBytes(output + i, output + i + S.Lanes, Sum(a + i, b + i, S.Lanes), Sum(a + i + S.Lanes, b + i + S.Lanes, S.Lanes), zero);
        for (int rest; (rest = Math.Min(count - i, S.Lanes)) > 0; i += rest) S.StoreBytes(output + i, Sum(a + i, b + i, rest), zero, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Sum(byte* a, byte* b, int count) => Steps(S.AtMost(S.Fill(then.Max), S.AtLeast(S.Fill(then.Min), S.Add(left.Load<S, V>(a, count), right.Load<S, V>(b, count)))));

    /// <summary>Reals as steps of the scale, counted from the zero point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Steps(V reals) => S.AtMost(S.Fill(max), S.AtLeast(S.Fill(min), S.Divide(reals, S.Fill(scale))));
}
