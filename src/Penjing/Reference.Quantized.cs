namespace Penjing;

/// <content>Integers that stand for reals: exact sums in Int32, requantization in Float32, halves to even, clamped.</content>
public static partial class Reference
{
    private static Tensor Quantize(QuantizeLinear op, Tensor input, ValueInfo info)
    {
        int[] to = Channels(input.Shape, op.Quantization), from = info.Quantization is null ? to : Channels(input.Shape, info.Quantization);
        (double low, double high) = Ends(op.To);
        var output = new double[to.Length];
        for (int i = 0; i < output.Length; i++)
        {
            float scale = op.Quantization.Scales[to[i]];
            float scaled = info.Quantization is { } given
                ? (float)(input.AsSpan<int>()[i] - given.ZeroPoints[from[i]]) * (given.Scales[from[i]] / scale)
                : input.Floats[i] / scale;
            output[i] = Math.Clamp(Math.Round((double)scaled) + op.Quantization.ZeroPoints[to[i]], low, high);
        }
        return Stored(new(op.To, input.Shape), output);
    }

    private static Tensor Dequantize(Tensor input, Quantization quantization) => Tensor.Build<float>(input.Shape, output =>
    {
        int[] channel = Channels(input.Shape, quantization);
        Int128[] x = Wholes(input);
        for (int i = 0; i < output.Length; i++) output[i] = (float)(x[i] - quantization.ZeroPoints[channel[i]]) * quantization.Scales[channel[i]];
    });

    /// <summary>The integers between those that two reals are nearest to.</summary>
    private static Tensor Clamped(Tensor input, Quantization quantization, float low, float high)
    {
        (Int128 first, Int128 last) = (quantization.Nearest(low, input.Type), quantization.Nearest(high, input.Type));
        return Stored(new(input.Type, input.Shape), [.. Wholes(input).Select(x => Int128.Min(Int128.Max(x, first), last))]);
    }

    /// <summary>8-bit integers less their zero point, as floats, so that sums of their products in double precision are exact; floats as they are.</summary>
    private static Tensor Centered(Tensor tensor, Quantization? quantization)
    {
        if (tensor.Type is ElementType.Float32) return tensor;
        int[] channel = quantization is null ? [] : Channels(tensor.Shape, quantization);
        double[] x = Reals(tensor);
        return Tensor.Build<float>(tensor.Shape, output =>
        {
            for (int i = 0; i < output.Length; i++) output[i] = (float)(x[i] - (quantization is null ? 0 : quantization.ZeroPoints[channel[i]]));
        });
    }

    /// <summary>The index of each element's scale.</summary>
    private static int[] Channels(Shape shape, Quantization quantization)
    {
        if (quantization.Axis is not { } axis) return new int[shape.Elements];
        (_, int extent, int inner) = Around(shape, axis);
        return [.. Enumerable.Range(0, shape.Elements).Select(i => i / inner % extent)];
    }

    private static (double Low, double High) Ends(ElementType type)
    {
        double[] ends = Reals(Stored(new(type, [2]), [double.NegativeInfinity, double.PositiveInfinity]));
        return (ends[0], ends[1]);
    }
}
