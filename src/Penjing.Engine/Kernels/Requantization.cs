using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// What becomes of exact sums: times a scale of their channel they are reals; or, within bounds, rounded, and the zero point added, integers. Where something is added, it is to the
/// reals, which a step then divides; the reals may be rounded to integers of their own before.
/// </summary>
internal readonly struct Requantization
{
    private readonly Quantization x, w;
    private readonly float to = 1, divisor = 1;
    private readonly QuantizeLinear? rounding;

    /// <summary>That of a product.</summary>
    public Requantization(IntegerProduct product)
    {
        (x, w, Then) = (product.X, product.W, null);
        if (product.To is not QuantizeLinear quantize) return;
        (float scale, Clip ends) = (quantize.Quantization.Scales[0], Ends(quantize));
        (Zero, Then) = (quantize.Quantization.ZeroPoints[0], ends);
        if (product.Adds is not { } adds) to = scale;
        else
        {
            // Division and rounding keep the order: what bounds the sum bounds its steps.
            (float min, float max) = adds.Then switch
            {
                null => (float.NegativeInfinity, float.PositiveInfinity),
                Clip clip => (clip.Min, clip.Max),
                _ => (0, float.PositiveInfinity),
            };
            rounding = adds.Rounding;
            if (rounding is not null) to = rounding.Quantization.Scales[0];
            (divisor, Then) = (scale, new(Math.Clamp(min / scale, ends.Min, ends.Max), Math.Clamp(max / scale, ends.Min, ends.Max)));
        }
    }

    /// <summary>The ends of the integers less the zero point; null for reals.</summary>
    public Clip? Then { get; }

    /// <summary>The least and the largest byte that reals become, less the zero point.</summary>
    public static Clip Ends(QuantizeLinear to)
    {
        int zero = to.Quantization.ZeroPoints[0];
        return to.To is ElementType.Int8 ? new(sbyte.MinValue - zero, sbyte.MaxValue - zero) : new(byte.MinValue - zero, byte.MaxValue - zero);
    }

    /// <summary>The output's zero point.</summary>
    public int Zero { get; }

    /// <summary>The scale of each channel, and as many more as two vectors may read.</summary>
    public float[] Scales(int channels, int lanes)
    {
        var scales = new float[channels + 2 * lanes];
        for (int channel = 0; channel < channels; channel++) scales[channel] = x.Scales[0] * w.Scales[w.Axis is null ? 0 : channel] / to;
        return scales;
    }

    /// <summary>What assembled code makes of the sums of a node.</summary>
    public DotEnd DotEnd(Node node)
    {
        var op = (IntegerProduct)node.Op;
        if (op.To is not QuantizeLinear quantize) return Engine.DotEnd.Reals;
        DotEnd end = quantize.To is ElementType.Int8 ? Engine.DotEnd.Signed : Engine.DotEnd.None;
        if (op.Adds is { } adds) end |= adds.Rounding is null ? Engine.DotEnd.Adds : Engine.DotEnd.Adds | Engine.DotEnd.Rounds;
        return Then != Ends(quantize) || Largest(node) >= 1 << 30 ? end | Engine.DotEnd.Bounds : end;
    }

    /// <summary>What no real that a product rounds at last exceeds in size by more than half a step of the integers to which it was rounded before.</summary>
    private double Largest(Node node)
    {
        double own = IntegerProduct.LargestSum(node) * (double)Scales(node.Shape[1], 0).Max();
        return ((IntegerProduct)node.Op).Adds is not { } adds ? own : (own * to + byte.MaxValue * (double)adds.Quantization.Scales[0]) / divisor;
    }

    /// <summary>The same for a kernel that keeps the scales, and adds integers of this type where the product adds.</summary>
    public unsafe IntegerEnd End(float* scales, Node node)
    {
        Clip own = rounding is null ? new(0, 0) : Ends(rounding);
        return new()
        {
            Scales = scales,
            Zero = Zero,
            Divisor = divisor,
            OwnStep = rounding is null ? 0 : to,
            OwnLeast = own.Min,
            OwnMost = own.Max,
            Addend = ((IntegerProduct)node.Op).Adds is { } adds ? new(node.Inputs[FusedConv.Addend].Info.Type, adds.Quantization) : default,
        };
    }
}

/// <summary>What becomes of sums of integers, as kernels read it.</summary>
internal unsafe struct IntegerEnd
{
    /// <summary>What the sums of each column are multiplied by, the first column's first.</summary>
    public float* Scales;

    /// <summary>The output's zero point.</summary>
    public int Zero;

    /// <summary>What the integers of an addend stand for.</summary>
    public ByteReals Addend;

    /// <summary>What reals to which an addend was added are divided by.</summary>
    public float Divisor;

    /// <summary>The step of the integers that sums are rounded to before an addend is added; 0 where they are not.</summary>
    public float OwnStep;

    /// <summary>The ends of these integers, less their zero point.</summary>
    public float OwnLeast, OwnMost;

    /// <summary>The steps of the output that exact sums, times their scales and with those of an addend, come to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly V Steps<S, V>(V sums, V scales, byte* addend, int count) where S : struct, ISimd<V> where V : unmanaged
    {
        // Numbers below 2²² in size lose their fraction, halves to even, where this is added.
        const float Round = 3 << 22;
        V reals = S.Multiply(S.ToFloats(sums), scales);
        if (OwnStep > 0) reals = S.Multiply(S.Add(S.Add(S.AtMost(S.Fill(OwnMost), S.AtLeast(S.Fill(OwnLeast), reals)), S.Fill(Round)), S.Fill(-Round)), S.Fill(OwnStep));
        return S.Divide(S.Add(reals, Addend.Load<S, V>(addend, count)), S.Fill(Divisor));
    }
}
