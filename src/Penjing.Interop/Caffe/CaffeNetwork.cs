using System.Collections.Immutable;

namespace Penjing.Interop.Caffe;

/// <summary>A layer: name, type, the values it reads and yields, and its definition, in which its parameters stand.</summary>
internal sealed record CaffeLayer(string Name, string Type, ImmutableArray<string> Bottoms, ImmutableArray<string> Tops, PrototxtMessage Definition)
{
    /// <summary>The layer and its line, for messages.</summary>
    public override string ToString() => $"line {Definition.Line}: the layer '{Name}' ({Type})";

    /// <summary>An error about this layer.</summary>
    public ModelFormatException Wrong(string what) => new($"{this} {what}");
}

/// <summary>A network as Caffe's prototxt defines it, in its phase TEST: the layers in their order, without those of training alone.</summary>
internal sealed record CaffeNetwork(string Name, ImmutableArray<(string Name, Shape Shape)> Inputs, ImmutableArray<CaffeLayer> Layers)
{
    private const long LongestText = 16 << 20;

    /// <summary>The types of Caffe's first format, where they aren't the second's in capitals.</summary>
    private static readonly Dictionary<string, string> OldTypes = new()
    {
        ["INNER_PRODUCT"] = "InnerProduct",
        ["SOFTMAX_LOSS"] = "SoftmaxWithLoss",
        ["HDF5_DATA"] = "HDF5Data",
        ["IMAGE_DATA"] = "ImageData",
        ["MEMORY_DATA"] = "MemoryData",
    };

    private static readonly string[] Types =
    [
        "AbsVal", "Accuracy", "Concat", "Convolution", "Data", "Deconvolution", "Dropout", "Eltwise", "Flatten", "LRN", "Pooling", "Power", "ReLU", "Sigmoid",
        "Silence", "Slice", "Softmax", "Split", "TanH",
    ];

    /// <summary>The network of a prototxt file, of either kind: to be run (deploy) or trained (train_val).</summary>
    /// <exception cref="PenjingException">The file can't be read.</exception>
    /// <exception cref="ModelFormatException">The text is no network; the message names the file and the line.</exception>
    public static CaffeNetwork Read(string path) => ForeignFile.Of(path, LongestText, bytes => Parse(System.Text.Encoding.UTF8.GetString(bytes)));

    /// <summary>The network of this text.</summary>
    /// <exception cref="ModelFormatException">The text is no network; the message names the line.</exception>
    public static CaffeNetwork Parse(string text)
    {
        PrototxtMessage message = PrototxtReader.Read(text);
        ImmutableArray<CaffeLayer> layers =
        [
            .. message.Fields.Where(field => field.Name is "layer" or "layers")
                .Select(field => field.Message ?? throw new ModelFormatException($"line {field.Line}: a layer wants braces")).Where(Runs).Select(Layer),
        ];
        if (layers.IsEmpty) throw new ModelFormatException("it has no layers: this is no prototxt of a network");
        return new(message.Text("name"), [.. OldInputs(message)], layers);
    }

    /// <summary>How a picture becomes the input, where a layer says so: mean_value for each channel, in Caffe's order blue, green, red, and scale.</summary>
    public Preprocessing? Preprocessing => Layers.Select(layer => layer.Definition.Message("transform_param")).Where(transform => transform.Has("mean_value"))
        .Select(transform => Pictures(transform.Numbers("mean_value"), transform.Number("scale", 1))).FirstOrDefault();

    private static Preprocessing? Pictures(ImmutableArray<float> means, float scale) => (means.Length, scale) switch
    {
        ( > 0, <= 0) => null,
        (3, _) => new(Channels.Bgr, means, [1 / scale, 1 / scale, 1 / scale], Fit.Stretch),
        (1, _) => new(Channels.Gray, means, [1 / scale], Fit.Stretch),
        _ => null,
    };

    private static CaffeLayer Layer(PrototxtMessage definition)
    {
        string type = definition.Text("type");
        type = OldTypes.GetValueOrDefault(type) ?? Types.FirstOrDefault(known => known.ToUpperInvariant() == type) ?? type;
        return new(definition.Text("name", type), type, definition.Texts("bottom"), definition.Texts("top"), definition);
    }

    private static IEnumerable<(string, Shape)> OldInputs(PrototxtMessage message)
    {
        ImmutableArray<string> names = message.Texts("input");
        ImmutableArray<int> extents = message.Integers("input_dim");
        PrototxtMessage[] shapes = [.. message.Messages("input_shape")];
        for (int i = 0; i < names.Length; i++)
            yield return (names[i], i < shapes.Length ? [.. shapes[i].Integers("dim")] : extents.Length >= 4 * (i + 1) ? [.. extents.AsSpan(4 * i, 4)]
                : throw new ModelFormatException($"the input '{names[i]}' has neither an input_shape nor four input_dim"));
    }

    /// <summary>Whether the layer is there when the network runs without a stage, at level 0.</summary>
    private static bool Runs(PrototxtMessage layer)
    {
        PrototxtMessage[] included = [.. layer.Messages("include")];
        return (included.Length == 0 || included.Any(Meets)) && !layer.Messages("exclude").Any(Meets);

        static bool Meets(PrototxtMessage rule) =>
            rule.Text("phase", "TEST") is "TEST" or "1" && !rule.Has("stage") && rule.Integer("min_level", 0) <= 0 && rule.Integer("max_level", 0) >= 0;
    }
}
