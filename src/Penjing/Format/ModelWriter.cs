using System.Collections.Immutable;
using System.Globalization;

namespace Penjing;

/// <summary>A model laid out as a file; <see cref="ModelReader"/> says what lies where.</summary>
internal sealed class ModelWriter
{
    private readonly byte[] header;
    private readonly Safetensors container;

    /// <summary>Lays a model out, nothing written yet.</summary>
    public ModelWriter(Model model, Storage storage)
    {
        Graph graph = model.Graph;
        Node[] plain = [.. graph.Weights.OrderByDescending(node => node.Info.Type.Size())];
        var numbers = graph.Nodes.Select((node, number) => (node, number)).ToDictionary(item => item.node, item => item.number);
        Ints Numbers(ImmutableArray<Node> nodes) => new([.. nodes.Select(node => numbers[node])]);
        var stored = new StoredModel(
            [.. graph.Nodes.Select(node => node.Op is Constant { Value: var value, Quantization: var quantization }
                ? new StoredNode(node.Name, Tensor: new(value.Shape, value.Type, quantization, ModelReader.Hash(value.Bytes.Span)))
                : new StoredNode(node.Name, node.Op, Numbers(node.Inputs)))],
            Numbers(graph.Inputs), Numbers(graph.Outputs), model.Name, model.Labels.IsDefaultOrEmpty ? null : model.Labels, model.Preprocessing,
            model.History.IsDefaultOrEmpty ? null : model.History);
        byte[] description = stored.ToJson();
        container = new(
            ImmutableDictionary<string, string>.Empty
                .Add("format", ModelReader.Format)
                .Add("version", ModelReader.Version.ToString(CultureInfo.InvariantCulture))
                .Add("model", System.Text.Encoding.UTF8.GetString(description))
                .Add("checksum", ModelReader.Hash(description)),
            [.. plain.Select(node => new SafetensorsEntry(node.Name, node.Info.Type, node.Shape, node.Value!.Bytes))]);
        header = container.Header();
        Report = new(header.Length + container.Entries.Sum(entry => (long)entry.Bytes.Length), header.Length,
            [.. graph.Weights.Select(node => new TensorReport(node.Name, node.Info.Type, node.Shape, Encoding.Plain, node.Value!.Bytes.Length, ImmutableSortedDictionary<Encoding, long>.Empty))]);
    }

    /// <summary>What the file costs.</summary>
    public FileReport Report { get; }

    /// <summary>Writes the file's bytes.</summary>
    public void WriteTo(Stream stream)
    {
        stream.Write(header);
        foreach (SafetensorsEntry entry in container.Entries) stream.Write(entry.Bytes.Span);
    }
}
