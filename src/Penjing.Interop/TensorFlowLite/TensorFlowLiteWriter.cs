using System.Collections.Immutable;
using Penjing.Interop.TensorFlowLite;

namespace Penjing.Interop;

/// <summary>
/// Writes networks as TensorFlow Lite files, as they are at inference: pictures become N×H×W×C, normalizations go into weights, and integers that stand for reals
/// become Int8 with TensorFlow Lite's own operations, where it has such.
/// </summary>
public static class TensorFlowLiteWriter
{
    private const long Limit = int.MaxValue - (1 << 26);

    /// <summary>Writes the file, whole or not at all. Name, labels and preprocessing stand in its metadata.</summary>
    /// <exception cref="PenjingException">TensorFlow Lite can't say what the node does that the message names, the weights exceed the 2 GB of a file, or the file can't be written.</exception>
    public static void Write(string path, Model model)
    {
        byte[] bytes = ToBytes(model);
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>The bytes of the file.</summary>
    /// <exception cref="PenjingException">TensorFlow Lite can't say what the node does that the message names, or the weights exceed the 2 GB of a file.</exception>
    public static byte[] ToBytes(Model model)
    {
        long bytes = model.Graph.Weights.Sum(node => (long)node.Value!.Bytes.Length);
        if (bytes > Limit) throw new PenjingException($"the weights take {bytes:N0} bytes, but a TensorFlow Lite file holds at most 2 GB; share or prune the network, or keep it as a .penjing file");
        return LiteBytes.Of(new LiteGraph(model.Graph.Rewrite(Passes.ForInference)).Model with { Name = model.Name, Metadata = Description.Of(model).ToImmutableDictionary(entry => entry.Key, entry => entry.Value) });
    }
}
