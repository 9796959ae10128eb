using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Penjing.Interop.Caffe;

namespace Penjing.Interop.DeepCompression;

/// <summary>Bytes of a .net file that don't fit the layers that a prototxt defines.</summary>
internal sealed class CompressedLayerException(string message) : PenjingException(message);

/// <summary>
/// The weights of a .net file, which says nothing of what it holds. Little-endian, without gaps: first for each layer, in the prototxt's order, a UInt32, its
/// count of entries; then for each layer the codebook (Float32; 256 values where the layer's name has "conv" in it, else 16), the bias (Float32), each entry's
/// code (a byte, or four bits, the lower first) and each entry's gap (four bits, the lower first), the zeros before it. An entry of the gap 15 and the code 0,
/// whose value is 0, makes a longer run of zeros.
/// </summary>
internal sealed class CompressedLayers : ICaffeBlobs
{
    private const int CountBytes = 4;
    private static readonly ImmutableArray<string> NameParts = ["conv", "fc", "ip"];

    /// <summary>How many weights a layer may have beyond <see cref="WeightsPerEntry"/> for each entry; a few bytes can't claim much memory.</summary>
    private const int FreeWeights = 1 << 20, WeightsPerEntry = 64;

    private const string Remedy = "the file is cut short or damaged, or the prototxt is not this network's";

    private readonly byte[] bytes;
    private readonly ImmutableArray<CaffeLayer> layers;
    private readonly Dictionary<CaffeLayer, Tensor> biases = new(ReferenceEqualityComparer.Instance);
    private int next;
    private int position;

    /// <summary>The weights of these layers in these bytes, read one after another as they are asked for.</summary>
    /// <exception cref="ModelFormatException">The bytes don't even hold the counts.</exception>
    public CompressedLayers(byte[] bytes, ImmutableArray<CaffeLayer> layers)
    {
        (this.bytes, this.layers, position) = (bytes, layers, CountBytes * layers.Length);
        if (position > bytes.Length)
            throw new ModelFormatException($"its {bytes.Length} bytes are fewer than the {position} of {layers.Length} layers' counts; {Remedy}");
    }

    /// <summary>Whether the format has weights for this layer: the author's program goes by the name.</summary>
    public static bool Stores(CaffeLayer layer) => layer.Type is "Convolution" or "Deconvolution" or "InnerProduct"
        && NameParts.Any(part => layer.Name.Contains(part, StringComparison.Ordinal));

    /// <inheritdoc/>
    public Tensor Blob(CaffeLayer layer, int number, Shape shape)
    {
        if (number == 1 && biases.TryGetValue(layer, out Tensor? bias)) return bias;
        if (number > 0 || !ReferenceEquals(layers.ElementAtOrDefault(next), layer))
            throw layer.Wrong("has weights, which the format holds only of Convolution, Deconvolution and InnerProduct layers named with conv, fc or ip");
        PrototxtMessage definition = layer.Definition.Message(layer.Type == "InnerProduct" ? "inner_product_param" : "convolution_param");
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(CountBytes * next++));
        if (stored > shape.Elements) throw Wrong(layer, CountBytes * (next - 1), $"has {stored} entries for the {shape.Elements} weights of {shape}");
        if (shape.Elements > FreeWeights + WeightsPerEntry * (long)stored)
            throw Wrong(layer, CountBytes * (next - 1), $"has but {stored} entries for the {shape.Elements} weights of {shape}");
        int codeBits = layer.Name.Contains("conv", StringComparison.Ordinal) ? 8 : 4;
        float[] codebook = Floats(layer, 1 << codeBits, "codebook");
        int outputs = definition.Integer("num_output", 0);
        if (definition.Flag("bias_term", true)) biases[layer] = Tensor.Of<float>([outputs], Floats(layer, outputs, "bias"));
        ReadOnlySpan<byte> codes = Take(layer, ((long)stored * codeBits + 7) / 8, "codes");
        int gapsAt = position;
        ReadOnlySpan<byte> gaps = Take(layer, (stored + 1L) / 2, "gaps");
        var weights = new float[shape.Elements];
        long place = -1;
        for (int entry = 0; entry < (int)stored; entry++)
        {
            place += 1 + (gaps[entry / 2] >> 4 * (entry % 2) & 15);
            if (place >= weights.Length) throw Wrong(layer, gapsAt + entry / 2, $"has an entry at {place}, beyond the {weights.Length} weights of {shape}");
            weights[place] = codebook[codeBits == 8 ? codes[entry] : codes[entry / 2] >> 4 * (entry % 2) & 15];
        }
        return Tensor.Of<float>(shape, weights);
    }

    /// <summary>Checks that the layers took all bytes.</summary>
    /// <exception cref="CompressedLayerException">Some are left.</exception>
    public void Finish()
    {
        if (position < bytes.Length) throw new CompressedLayerException($"at byte {position}: {bytes.Length - position} bytes follow the last layer; {Remedy}");
    }

    private float[] Floats(CaffeLayer layer, int count, string what)
    {
        int start = position;
        float[] values = MemoryMarshal.Cast<byte, float>(Take(layer, 4L * count, what)).ToArray();
        return Array.TrueForAll(values, float.IsFinite) ? values : throw Wrong(layer, start, $"has numbers in its {what} that are not finite");
    }

    private ReadOnlySpan<byte> Take(CaffeLayer layer, long count, string what)
    {
        if (count > bytes.Length - position) throw Wrong(layer, position, $"needs {count} bytes of {what}, and {bytes.Length - position} are left");
        position += (int)count;
        return bytes.AsSpan(position - (int)count, (int)count);
    }

    private static CompressedLayerException Wrong(CaffeLayer layer, int offset, string what) =>
        new($"at byte {offset}: the layer '{layer.Name}' {what}; {Remedy}");
}
