using System.Globalization;
using System.Text.RegularExpressions;

namespace Penjing.Engine;

/// <summary>
/// Layers in short words: CxHxW-M-kK-sS-pP-dD-gG-zZ is a convolution of C channels of H×W pixels to M channels by kernels of K×K with
/// stride, padding, dilation, groups and Z % of zeros among the weights; C-M-zZ is a product with a matrix. Left out: k1, s1, p half the kernel, d1, g1, z0.
/// </summary>
internal static partial class LayerText
{
    /// <summary>What the words look like, for messages and help.</summary>
    public const string Form = "256x28x28-256-k3-s1-g1 (channels, height and width; output channels; kernel, stride, groups; -p, -d, -z for padding, dilation, percent of zero weights) or 1024-1000 (a matrix)";

    private const long MostElements = 1 << 28;

    /// <summary>The layer of such words, with seeded random weights, a bias, and Relu behind convolutions.</summary>
    /// <exception cref="PenjingException">The words are no layer, or one that can't be; the message says what is wrong.</exception>
    public static Node Parse(string text)
    {
        Match match = Words().Match(text);
        if (!match.Success) throw new PenjingException($"'{text}' is no layer; write it as in {Form}");
        int channels = At("c", 1), outputs = At("m", 1), kernel = At("k", 1), groups = At("g", 1), stride = At("s", 1), dilation = At("d", 1), zeros = At("z", 0);
        bool picture = match.Groups["h"].Success;
        if (!picture && match.Value.AsSpan().IndexOfAny("kspdg") >= 0) throw new PenjingException($"'{text}': a layer without height and width is a matrix, and takes no kernel, stride, padding, dilation or groups");
        if (zeros > 99) throw new PenjingException($"'{text}': at most 99 % of the weights may be zeros");
        if (channels % groups != 0 || outputs % groups != 0) throw new PenjingException($"'{text}': {channels} channels to {outputs} can't be cut into {groups} groups");
        long inputs = (long)channels * At("h", 1) * At("w", 1), weights = (long)outputs * (channels / groups) * kernel * kernel;
        if (Math.Max(inputs, weights) > MostElements) throw new PenjingException($"'{text}': a layer may have at most {MostElements} elements in its input and in its weights");
        var random = new Random(1);
        if (!picture)
            return new("layer", new Gemm(TransposeB: true), Input(1, channels), Node.Weight("weight", Noise(zeros, outputs, channels)), Node.Weight("bias", Noise(0, outputs)));
        int pad = At("p", (kernel - 1) * dilation / 2);
        return new("layer", new Conv(new(stride, stride), new(pad, pad, pad, pad), new(dilation, dilation), groups, new Relu()), Input(1, channels, At("h", 1), At("w", 1)),
            Node.Weight("weight", Noise(zeros, outputs, channels / groups, kernel, kernel)), Node.Weight("bias", Noise(0, outputs)));

        int At(string name, int otherwise)
        {
            if (!match.Groups[name].Success) return otherwise;
            if (!int.TryParse(match.Groups[name].ValueSpan, CultureInfo.InvariantCulture, out int number)) throw new PenjingException($"'{text}': {match.Groups[name].Value} is too large");
            return number > 0 || name is "p" or "z" ? number : throw new PenjingException($"'{text}': 0 is too small; write it as in {Form}");
        }

        Node Input(params ReadOnlySpan<int> shape) => new("input", new Input(ElementType.Float32, Shape.Create(shape)));

        Tensor Noise(int zeros, params int[] shape) => Tensor.Build<float>(Shape.Create(shape), values =>
        {
            foreach (ref float value in values) value = random.Next(100) < zeros ? 0 : random.NextSingle() - 0.5f;
        });
    }

    [GeneratedRegex(@"^(?<c>[0-9]+)(x(?<h>[0-9]+)x(?<w>[0-9]+))?-(?<m>[0-9]+)(-k(?<k>[0-9]+)|-s(?<s>[0-9]+)|-p(?<p>[0-9]+)|-d(?<d>[0-9]+)|-g(?<g>[0-9]+)|-z(?<z>[0-9]+))*$")]
    private static partial Regex Words();
}
