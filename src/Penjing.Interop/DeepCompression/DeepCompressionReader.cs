using System.Collections.Immutable;
using Penjing.Interop.Caffe;
using Penjing.Interop.DeepCompression;

namespace Penjing.Interop;

/// <summary>
/// Reads the networks that the author of Deep Compression (Han 2016) published: pruned weights that share values, in a .net file beside the prototxt of the
/// network, which alone knows the layers' shapes. Codebooks, indices and gaps become weights with few distinct values and many zeros; from these
/// <see cref="PenjingFile"/> finds codebooks, indices and gaps again, to the bit. What goes are a codebook's entries that no weight uses, and fillers.
/// </summary>
public static class DeepCompressionReader
{
    private const long LongestFile = 1L << 30;

    /// <summary>How the author's networks take pictures of three channels, where the prototxt doesn't say: as Caffe's reference networks.</summary>
    private static readonly Preprocessing Usual = new(Channels.Bgr, [104, 117, 123], [1, 1, 1], Fit.Stretch);

    /// <summary>
    /// The network of the two files, in which weights that were cut are zeros. The prototxt may be the one to run it (deploy) or the one to train it
    /// (train_val); of the latter, the output is the probabilities. Labels are in neither file, and left empty.
    /// </summary>
    /// <exception cref="ModelFormatException">A file is not what it should be, or the two don't belong together; the message names file and place.</exception>
    /// <exception cref="PenjingException">A file can't be read.</exception>
    public static Model Read(string netPath, string prototxtPath)
    {
        CaffeNetwork network = CaffeNetwork.Read(prototxtPath);
        ImmutableArray<CaffeLayer> stored = [.. network.Layers.Where(CompressedLayers.Stores)];
        CompressedLayers layers = ForeignFile.Of(netPath, LongestFile, bytes => new CompressedLayers(bytes, stored));
        try
        {
            Graph graph = CaffeGraph.Build(network, layers);
            layers.Finish();
            bool colors = graph.Inputs is [{ Shape: { Rank: 4 } shape }] && shape[1] == 3;
            return new(graph) { Name = network.Name, Preprocessing = network.Preprocessing ?? (colors ? Usual : null) };
        }
        catch (CompressedLayerException error)
        {
            throw new ModelFormatException($"{netPath}: {error.Message}", error);
        }
        catch (PenjingException error)
        {
            throw new ModelFormatException($"{prototxtPath}: {error.Message}", error);
        }
    }
}
