using Google.Protobuf;
using Penjing.Interop.Onnx;

namespace Penjing.Interop;

/// <summary>
/// Writes networks as ONNX files of opset 17, which other runtimes and viewers open; fused activations stand as nodes of their own, and integers that stand for
/// reals, where that is exact, as reals between QuantizeLinear and DequantizeLinear.
/// </summary>
public static class OnnxWriter
{
    /// <summary>Who wrote a file, as it says itself.</summary>
    internal const string Producer = "penjing";

    private const int Opset = 17, IrVersion = 8;
    private const long Limit = int.MaxValue - (1 << 20);

    /// <summary>Writes the file, whole or not at all. Name, labels and preprocessing stand in its metadata.</summary>
    /// <exception cref="PenjingException">ONNX can't say what a node does, the weights exceed the 2 GB of an ONNX file, or the file can't be written.</exception>
    public static void Write(string path, Model model)
    {
        ModelProto proto = ToProto(model);
        AtomicFile.Write(path, stream => proto.WriteTo(stream));
    }

    /// <summary>The bytes of the file.</summary>
    /// <exception cref="PenjingException">ONNX can't say what a node does, or the weights exceed the 2 GB of an ONNX file.</exception>
    public static byte[] ToBytes(Model model) => ToProto(model).ToByteArray();

    /// <summary>The file; with <paramref name="integers"/> what is computed with integers stays so where ONNX can say it, as QLinearConv and its like.</summary>
    internal static ModelProto ToProto(Model model, bool integers = false)
    {
        long bytes = model.Graph.Weights.Sum(node => (long)node.Value!.Bytes.Length);
        if (bytes > Limit) throw new PenjingException($"the weights take {bytes:N0} bytes, but an ONNX file holds at most 2 GB; share or prune the network, or keep it as a .penjing file");
        var proto = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = Producer,
            ProducerVersion = typeof(OnnxWriter).Assembly.GetName().Version?.ToString(3) ?? "",
            Graph = new OnnxGraph(integers ? model.Graph : model.Graph.Rewrite(Passes.ToReals), model.Name).Proto,
        };
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        foreach ((string key, string value) in Description.Of(model)) proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return proto;
    }
}
