using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Softmax of what 8-bit integers stand for, to the reference's bits: in its order and precision. Where there are many, the exponential of every difference of two integers is known beforehand.
/// </summary>
internal sealed unsafe class I8Softmax : Kernel
{
    private const int Integers = 256, Many = 1 << 14;

    private readonly float[] reals = new float[Integers];
    private readonly NativeBuffer? exponentials;
    private readonly Around view;
    private readonly Split split;
    private readonly byte flip;
    private readonly Clip ends;
    private readonly float scale;
    private readonly int zero;

    /// <summary>The kernel of a site.</summary>
    public I8Softmax(Site site)
    {
        var op = (QuantizedSoftmax)site.Node.Op;
        Node input = site.Node.Inputs[0];
        (ends, scale, zero, view) = (Requantization.Ends(op.To), op.To.Quantization.Scales[0], op.To.Quantization.ZeroPoints[0], View(site.Node)!.Value);
        split = Split.Of(view.Outer * view.Inner, 24.0 * view.Extent);
        UnsignedBytes read = new(input.Info.Type, op.From.ZeroPoints[0]);
        flip = read.Flip;
        for (int integer = 0; integer < Integers; integer++) reals[integer] = (integer - read.Zero) * op.From.Scales[0];
        if (site.Node.Shape.Elements < Many) return;
        exponentials = new(sizeof(double) * Row(Integers));
        for (int most = 0; most < Integers; most++)
            for (int integer = 0; integer <= most; integer++) ((double*)exponentials.Pointer)[Row(most) + integer] = Exponential(integer, most);
    }

    /// <summary>Whether the node is such a softmax of one quantization each, along axes that lie side by side in memory.</summary>
    public static bool Fits(Site site) => site.IsDense && site.Node is { Op: QuantizedSoftmax { From.Axis: null, To: { Quantization.Axis: null, To: var to } }, Inputs: [{ Value: null, Info.Type: var from }], Shape.Elements: > 0 }
        && IsByte(from) && IsByte(to) && View(site.Node) is not null;

    /// <inheritdoc/>
    public override string Label => "i8-softmax-scalar";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override bool Overwrites(int input) => true;

    /// <inheritdoc/>
    public override void Dispose() => exponentials?.Dispose();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        for (int line = first; line < first + count; line++)
        {
            nint at = (nint)(line / view.Inner) * view.Extent * view.Inner + line % view.Inner;
            Share(operands.Input<byte>(0) + at, operands.Out<byte>() + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Share(byte* input, byte* output)
    {
        int most = 0;
        nint end = (nint)view.Extent * view.Inner;
        for (nint i = 0; i < end; i += view.Inner) most = Math.Max(most, input[i] ^ flip);
        double* row = exponentials is null ? null : (double*)exponentials.Pointer + Row(most);
        double sum = 0;
        for (nint i = 0; i < end; i += view.Inner) sum += row is null ? Exponential(input[i] ^ flip, most) : row[input[i] ^ flip];
        for (nint i = 0; i < end; i += view.Inner)
        {
            float share = (float)((row is null ? Exponential(input[i] ^ flip, most) : row[input[i] ^ flip]) / sum);
            // Halves to even, as the reference rounds.
            output[i] = (byte)((int)MathF.Round(Math.Clamp(share / scale, ends.Min, ends.Max)) + zero);
        }
    }

    private double Exponential(int integer, int most) => Math.Exp((double)reals[integer] - reals[most]);

    /// <summary>Where the row of a largest integer begins: it has as many exponentials as there are integers up to it.</summary>
    private static int Row(int most) => most * (most + 1) / 2;

    private static Around? View(Node node) => Around.Of(node.Shape, [((QuantizedSoftmax)node.Op).Axis], node.Shape);

    private static bool IsByte(ElementType type) => type is ElementType.Int8 or ElementType.UInt8;
}
