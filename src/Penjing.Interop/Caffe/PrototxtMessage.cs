using System.Collections.Immutable;
using System.Globalization;

namespace Penjing.Interop.Caffe;

/// <summary>One field of a message: a scalar as text, or a message; and the line where it stands.</summary>
internal sealed record PrototxtField(string Name, string? Text, PrototxtMessage? Message, int Line);

/// <summary>A message of protocol buffers' text format, its fields in their order, and its line; values are read as the caller expects them.</summary>
internal sealed record PrototxtMessage(ImmutableArray<PrototxtField> Fields, int Line)
{
    /// <summary>A message without fields.</summary>
    public static PrototxtMessage Empty { get; } = new([], 0);

    /// <summary>Whether there is such a field.</summary>
    public bool Has(string name) => Fields.Any(field => field.Name == name);

    /// <summary>The messages of this name.</summary>
    public IEnumerable<PrototxtMessage> Messages(string name) => Fields.Where(field => field.Name == name)
        .Select(field => field.Message ?? throw new ModelFormatException($"line {field.Line}: '{name}' is a message, and wants braces"));

    /// <summary>The last message of this name, or the empty one.</summary>
    public PrototxtMessage Message(string name) => Messages(name).LastOrDefault() ?? Empty;

    /// <summary>The texts of this name.</summary>
    public ImmutableArray<string> Texts(string name) => [.. Values(name, text => (true, text), "text")];

    /// <summary>The last text of this name, or the default.</summary>
    public string Text(string name, string otherwise = "") => Texts(name) is [.., string last] ? last : otherwise;

    /// <summary>The integers of this name.</summary>
    public ImmutableArray<int> Integers(string name) =>
        [.. Values(name, text => (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value), value), "an integer")];

    /// <summary>The last integer of this name, or the default.</summary>
    public int Integer(string name, int otherwise) => Integers(name) is [.., int last] ? last : otherwise;

    /// <summary>The numbers of this name.</summary>
    public ImmutableArray<float> Numbers(string name) =>
        [.. Values(name, text => (float.TryParse(text.TrimEnd('f'), NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
            && float.IsFinite(value), value), "a number")];

    /// <summary>The last number of this name, or the default.</summary>
    public float Number(string name, float otherwise) => Numbers(name) is [.., float last] ? last : otherwise;

    /// <summary>The last truth value of this name, or the default.</summary>
    public bool Flag(string name, bool otherwise) =>
        Values(name, text => (text is "true" or "false" or "1" or "0" or "t" or "f", text is "true" or "1" or "t"), "true or false")
            .ToArray() is [.., bool last] ? last : otherwise;

    private IEnumerable<T> Values<T>(string name, Func<string, (bool Is, T Value)> parse, string kind)
    {
        foreach (PrototxtField field in Fields)
            if (field.Name == name)
                yield return field.Text is { } text && parse(text) is (true, T value) ? value
                    : throw new ModelFormatException($"line {field.Line}: '{name}' is {kind}, not '{field.Text ?? "{ … }"}'");
    }
}
