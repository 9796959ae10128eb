using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Penjing;

/// <summary>A <see cref="Model"/> as a file describes it: all but the weights' elements. Nodes are numbered in order, and refer to earlier ones.</summary>
internal sealed record StoredModel(
    ImmutableArray<StoredNode> Nodes,
    Ints Inputs,
    Ints Outputs,
    string Name = "",
    ImmutableArray<string>? Labels = null,
    Preprocessing? Preprocessing = null,
    ImmutableArray<Stage>? History = null)
{
    private static readonly JsonTypeInfo<StoredModel> Contract = (JsonTypeInfo<StoredModel>)new JsonSerializerOptions(StoredJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = StoredJson.Default.WithAddedModifier(OmitDefaults),
    }.GetTypeInfo(typeof(StoredModel));

    /// <summary>The description as UTF-8 JSON; attributes that have their default value are left out.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Contract);

    /// <summary>The description that <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no such description.</exception>
    public static StoredModel FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, Contract) ?? throw new JsonException("the description is null");

    private static void OmitDefaults(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            object? usual = property.AssociatedParameter?.DefaultValue;
            if (property.AssociatedParameter is { HasDefaultValue: true }) property.ShouldSerialize = (_, value) => !Equals(value, usual);
        }
    }
}

/// <summary>One node: a <see cref="StoredTensor"/>, or an operation on the values numbered In.</summary>
internal sealed record StoredNode(string Name, Op? Op = null, Ints In = default, StoredTensor? Tensor = null);

/// <summary>A weight without its elements: with a Checksum, they are the entry of the node's name; without, the next stream of the pack.</summary>
internal sealed record StoredTensor(Shape Shape, ElementType Type = ElementType.Float32, Quantization? Quantization = null, string? Checksum = null);

/// <summary>How the description's records become JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters = [
        typeof(IntsJson), typeof(ShapeJson), typeof(SizeJson), typeof(PaddingJson),
        typeof(EnumJson<ElementType>), typeof(EnumJson<Channels>), typeof(EnumJson<Fit>), typeof(EnumJson<PadMode>),
        typeof(EnumJson<ResizeMode>), typeof(EnumJson<CoordinateMode>), typeof(EnumJson<NearestMode>), typeof(EnumJson<UnaryFunction>),
        typeof(EnumJson<ScatterReduction>), typeof(EnumJson<GridPadding>), typeof(EnumJson<RoiMode>)])]
[JsonSerializable(typeof(StoredModel))]
internal sealed partial class StoredJson : JsonSerializerContext;
