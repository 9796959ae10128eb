using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Penjing;

/// <summary>A <see cref="Model"/> as a file describes it: all but the weights' elements. Nodes are numbered in order, and refer to earlier ones.</summary>
internal sealed record StoredModel(
    ImmutableArray<StoredNode> Nodes,
    Ints Inputs,
    Ints Outputs,
    string Name = "",
    ImmutableArray<string>? Labels = null,
    ImmutableArray<int>? Colors = null,
    Preprocessing? Preprocessing = null,
    ImmutableArray<Stage>? History = null)
{
    /// <summary>The description as UTF-8 JSON; attributes that have their default value are left out.</summary>
    public byte[] ToJson()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) Form.Write(writer, this, Described);
        return text.WrittenSpan.ToArray();
    }

    /// <summary>The description that <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="ModelFormatException">The text is another object.</exception>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    public static StoredModel FromJson(ReadOnlyMemory<byte> json) => Form.Read<StoredModel>(json, "the description", Described);

    private static StoredModel Described(Form form, StoredModel? model) => new(
        form.IfAny(model?.Nodes, StoredNode.Described) ?? [], form.Of(model?.Inputs), form.Of(model?.Outputs), form.Of(model?.Name, ""),
        form.IfAny(model?.Labels), form.IfAny(model?.Colors), form.IfAny(model?.Preprocessing, Described), form.IfAny(model?.History, Described));

    private static Preprocessing Described(Form form, Preprocessing? it) =>
        new(form.Of(it?.Channels), form.Of(it?.Mean), form.Of(it?.Deviation), form.Of(it?.Fit, Fit.Cover));

    private static Stage Described(Form form, Stage? stage) =>
        new(form.Of(stage?.Name), form.Of(stage?.Detail), ScoreOf(form.OrNull(stage?.Score?.Top1), form.IfAny(stage?.Score?.PixelAccuracy), form.IfAny(stage?.Score?.MeanIoU)), form.Of(stage?.Parameters), form.Of(stage?.Macs))
        {
            Cuts = form.IfAny(stage is { Cuts.IsDefaultOrEmpty: false } ? (ImmutableArray<ChannelCut>?)stage.Cuts : null, Described, nameof(stage.Cuts)) ?? [],
        };

    private static Score? ScoreOf(double? top1, double? pixelAccuracy, double? meanIoU) =>
        meanIoU is null ? top1 is { } accuracy ? new(accuracy) : null
            : new(pixelAccuracy ?? throw new ModelFormatException("a stage of the history tells mean IoU without the pixel accuracy"), meanIoU);

    private static ChannelCut Described(Form form, ChannelCut? cut) => new(form.Of(cut?.Value), form.Of(cut?.Channels));
}

/// <summary>One node: a <see cref="StoredTensor"/>, or an operation on the values numbered In.</summary>
internal sealed record StoredNode(string Name, Op? Op = null, Ints In = default, StoredTensor? Tensor = null)
{
    /// <summary>Its form in a file.</summary>
    public static StoredNode Described(Form form, StoredNode? node) => new(
        form.Of(node?.Name), form.IfAny(node?.Op, OpForms.Op), form.Of(node?.In, default(Ints)), form.IfAny(node?.Tensor, StoredTensor.Described));
}

/// <summary>
/// A weight without its elements: with a Checksum, they are the entry of the node's name; without, the next stream of the pack, which has so many Bytes where
/// that is said, and stands for so many zeros.
/// </summary>
internal sealed record StoredTensor(
    Shape Shape, ElementType Type = ElementType.Float32, Quantization? Quantization = null, string? Checksum = null, int? Bytes = null, int Zeros = 0)
{
    /// <summary>Its form in a file.</summary>
    public static StoredTensor Described(Form form, StoredTensor? tensor) => new(
        form.Of(tensor?.Shape), form.Of(tensor?.Type, ElementType.Float32), form.IfAny(tensor?.Quantization, OpForms.Quantization),
        form.IfAny(tensor?.Checksum), form.IfAny(tensor?.Bytes), form.Of(tensor?.Zeros, 0));
}
