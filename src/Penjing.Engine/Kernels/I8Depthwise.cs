using System.Runtime.CompilerServices;

namespace Penjing.Engine;

/// <summary>
/// Depthwise convolution of 8-bit integers and its requantization: a word is a channel's integers under two taps, so that each step adds two exact products in every lane.
/// Taps outside the picture read zero points; what these add to the sums is in the bias.
/// </summary>
internal readonly struct I8Depthwise : IKernelMaker
{
    private const int MostTaps = 1024;

    /// <summary>Whether the node is a quantized convolution of each channel by itself.</summary>
    public static bool Fits(Site site) => site.Node is { Op: QuantizedConv { Conv.Groups: var groups }, Inputs: [{ Value: null, Shape: var x }, { Value: not null, Shape: var w }, .. var bias] }
        && bias is [] or [{ Value: not null }] && groups == x[1] && w[0] == groups && w.Product(2, 4) <= MostTaps && site.Node.Shape.Elements > 0 && x.Elements > 0;

    /// <summary>About how many nanoseconds a site takes on one thread: for two taps of a vector two loads, a zip, a widening, a product and a sum.</summary>
    public static double Cost(Site site)
    {
        Node node = site.Node;
        int taps = node.Inputs[1].Shape.Product(2, 4);
        double vectors = (double)node.Shape.Elements / node.Shape[1] * Math.Ceiling((double)node.Shape[1] / site.Isa.Lanes());
        return Pace.Nanoseconds(vectors * (3 + 1.5 * ((taps + 1) / 2)), node.Inputs[0].Shape.Elements + node.Shape.Elements, 2.0 * node.Inputs[1].Shape.Elements);
    }

    /// <inheritdoc/>
    public static Kernel Make<S, V>(Site site) where S : struct, ISimd<V> where V : unmanaged => new I8Depthwise<S, V>(site);
}

/// <inheritdoc cref="I8Depthwise"/>
internal sealed unsafe class I8Depthwise<S, V> : Kernel where S : struct, ISimd<V> where V : unmanaged
{
    private readonly Conv conv;
    private readonly int channels, height, width, outputHeight, outputWidth, taps, pairs, across, zero;
    private readonly nint inputPitch, outputPitch;
    private readonly float min, max;
    private readonly byte flip;
    private readonly Split split;
    private readonly NativeBuffer weights, scales, outside;

    /// <summary>The kernel of a site.</summary>
    public I8Depthwise(Site site)
    {
        (Node node, var op) = (site.Node, (QuantizedConv)site.Node.Op);
        (Shape input, Shape output, Shape kernel) = (node.Inputs[0].Shape, node.Shape, node.Inputs[1].Shape);
        conv = op.Conv;
        (channels, height, width, outputHeight, outputWidth) = (input[1], input[2], input[3], output[2], output[3]);
        (taps, across, inputPitch, outputPitch) = (kernel[2] * kernel[3], kernel[3], site.InputPitches[0], site.OutputPitch);
        pairs = (taps + 1) / 2;
        bool signed = node.Inputs[0].Info.Type is ElementType.Int8;
        flip = signed ? (byte)0x80 : (byte)0;
        Requantization to = new(op);
        (zero, min, max) = (to.Zero, to.Min, to.Max);
        scales = to.Scales(channels, S.Lanes);
        outside = NativeBuffer.Of<byte>([.. Enumerable.Repeat((byte)op.X.ZeroPoints[0], channels)]);
        weights = Packed(node, op, op.X.ZeroPoints[0] + (signed ? 128 : 0));
        split = Split.Of(output[0] * outputHeight, (double)outputWidth * channels * (1 + taps) / 4);
    }

    /// <inheritdoc/>
    public override string Label => $"i8-depthwise-{taps / across}x{across}-{Split.Name<S, V>()}";

    /// <inheritdoc/>
    public override int Tasks(int phase) => split.Tasks;

    /// <inheritdoc/>
    public override void Dispose()
    {
        weights.Dispose();
        scales.Dispose();
        outside.Dispose();
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public override void Run(int phase, int task, in Operands operands)
    {
        (int first, int count) = split[task];
        byte** pixels = stackalloc byte*[2 * pairs];
        // The weight beside a last odd tap is zero.
        pixels[2 * pairs - 1] = outside.Pointer;
        for (int line = first; line < first + count; line++)
        {
            int image = line / outputHeight, top = (line - image * outputHeight) * conv.Stride.Height - conv.Padding.Top;
            byte* picture = operands.Input<byte>(0) + (nint)image * height * width * inputPitch, output = operands.Out<byte>() + (nint)line * outputWidth * outputPitch;
            for (int column = 0; column < outputWidth; column++, output += outputPitch)
            {
                int left = column * conv.Stride.Width - conv.Padding.Left;
                for (int tap = 0; tap < taps; tap++)
                {
                    int y = top + tap / across * conv.Dilation.Height, x = left + tap % across * conv.Dilation.Width;
                    pixels[tap] = (uint)y < (uint)height && (uint)x < (uint)width ? picture + ((nint)y * width + x) * inputPitch : outside.Pointer;
                }
                Sum(pixels, output);
            }
        }
    }

    /// <summary>All channels of one output pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(byte** pixels, byte* output)
    {
        float* packed = weights.Floats;
        V least = S.Fill(min), most = S.Fill(max);
        for (int channel = 0; channel < channels; channel += S.Lanes)
        {
            int lanes = Math.Min(S.Lanes, channels - channel);
            V sums = S.Load(packed);
            packed += S.Lanes;
            for (int pair = 0; pair < pairs; pair++, packed += S.Lanes)
                sums = S.AddPairs(S.LoadPairs(pixels[2 * pair] + channel, pixels[2 * pair + 1] + channel, flip, lanes), S.Load(packed), sums);
            S.StoreBytes(output + channel, S.AtMost(most, S.AtLeast(least, S.Multiply(S.ToFloats(sums), S.Load(scales.Floats + channel)))), zero, lanes);
        }
    }

    /// <summary>For each vector of channels their biases, less what zero points add to the sums, then for every two taps the weights.</summary>
    private NativeBuffer Packed(Node node, QuantizedConv op, int less)
    {
        int blocks = (channels + S.Lanes - 1) / S.Lanes;
        NativeBuffer memory = new((long)blocks * S.Lanes * (pairs + 1) * sizeof(int));
        ReadOnlySpan<byte> bytes = node.Inputs[1].Value!.Bytes.Span;
        ReadOnlySpan<int> bias = node.Inputs.Length > 2 ? node.Inputs[2].Value!.AsSpan<int>() : default;
        bool signed = node.Inputs[1].Info.Type is ElementType.Int8;
        for (int channel = 0; channel < channels; channel++)
        {
            int* target = (int*)memory.Pointer + channel / S.Lanes * S.Lanes * (pairs + 1) + channel % S.Lanes;
            int sum = 0, zeroPoint = op.W.ZeroPoints[op.W.Axis is null ? 0 : channel];
            for (int tap = 0; tap < taps; tap++)
            {
                byte weight = bytes[channel * taps + tap];
                int centered = (signed ? (sbyte)weight : weight) - zeroPoint;
                sum += centered;
                target[(tap / 2 + 1) * S.Lanes] |= tap % 2 == 0 ? (ushort)centered : centered << 16;
            }
            target[0] = (bias.IsEmpty ? 0 : bias[channel]) - less * sum;
        }
        return memory;
    }
}
