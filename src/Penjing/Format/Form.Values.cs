using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Penjing;

/// <summary>How each type of a member becomes JSON.</summary>
internal sealed partial class Form
{
    /// <summary>An integer.</summary>
    public int Of(int? value, int? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Of(value, usual, name, "an integer", Integer, static (writer, value) => writer.WriteNumberValue(value));

    /// <summary>An integer, if there is one.</summary>
    public int? IfAny(int? value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        IfAny(value, name, "an integer", Integer, static (writer, value) => writer.WriteNumberValue(value));

    /// <summary>An integer of 64 bits.</summary>
    public long Of(long? value, long? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") => Of(value, usual, name, "an integer",
        static json => json.ValueKind == JsonValueKind.Number && json.TryGetInt64(out long value) ? value : null,
        static (writer, value) => writer.WriteNumberValue(value));

    /// <summary>A number; those that are not finite are texts.</summary>
    public float Of(float? value, float? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Of(value, usual, name, "a number", Number, Write);

    /// <summary>A number of 64 bits, or null, which is written too.</summary>
    public double? OrNull(double? value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (writer is not null && value is null) writer.WriteNull(Member(name));
        return IfAny(value, name);
    }

    /// <summary>A number of 64 bits, if there is one.</summary>
    public double? IfAny(double? value, [CallerArgumentExpression(nameof(value))] string name = "") => IfAny(value, name, "a number",
        static json => json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out double value) ? value : null,
        static (writer, value) => writer.WriteNumberValue(value));

    /// <summary>True or false.</summary>
    public bool Of(bool? value, bool? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") => Of(value, usual, name, "true or false",
        static json => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : null,
        static (writer, value) => writer.WriteBooleanValue(value));

    /// <summary>An enumeration by its names alone: neither numbers nor combinations.</summary>
    public T Of<T>(T? value, T? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") where T : struct, Enum =>
        Of(value, usual, name, $"a name of {typeof(T).Name}", Name<T>, static (writer, value) => writer.WriteStringValue(value.ToString()));

    /// <summary>A text.</summary>
    public string Of(string? value, string? usual = null, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        string member = Member(name);
        if (writer is not null && value != usual) writer.WriteString(member, value);
        return writer is not null ? value! : Text(Find(member), member) ?? usual ?? throw Missing(name);
    }

    /// <summary>A text, if there is one.</summary>
    public string? IfAny(string? value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        string member = Member(name);
        if (writer is not null && value is not null) writer.WriteString(member, value);
        return writer is not null ? value : Text(Find(member), member);
    }

    /// <summary>A size as one integer where it is square, else as height and width.</summary>
    public Size Of(Size? value, Size? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Of(value, usual, name, "one integer or two",
            static json => Integer(json) is { } side ? Size.Square(side) : Integers(json) is [int height, int width] ? new(height, width) : null,
            static (writer, value) =>
            {
                if (value.Height == value.Width) writer.WriteNumberValue(value.Height);
                else Write(writer, [value.Height, value.Width]);
            });

    /// <summary>A padding as one integer where all sides agree, else as top, left, bottom and right.</summary>
    public Padding Of(Padding? value, Padding? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Of(value, usual, name, "one integer or four",
            static json => Integer(json) is { } side ? Padding.All(side)
                : Integers(json) is [int top, int left, int bottom, int right] ? new(top, left, bottom, right) : null,
            static (writer, value) =>
            {
                if (value == Padding.All(value.Top)) writer.WriteNumberValue(value.Top);
                else Write(writer, [value.Top, value.Left, value.Bottom, value.Right]);
            });

    /// <summary>Integers as an array.</summary>
    public Ints Of(Ints? value, Ints? usual = null, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Of(value, usual, name, "an array of integers",
            static json => Integers(json) is { } items ? new Ints(items) : null, static (writer, value) => Write(writer, value.AsSpan()));

    /// <summary>A shape as an array of its extents.</summary>
    public Shape Of(Shape? value, [CallerArgumentExpression(nameof(value))] string name = "") => Of(value, null, name, "an array of integers",
        static json => Integers(json) is { } items ? new Shape(new(items)) : null, static (writer, value) => Write(writer, value.AsSpan()));

    /// <summary>Integers as an array.</summary>
    public ImmutableArray<int> Of(ImmutableArray<int>? values, [CallerArgumentExpression(nameof(values))] string name = "") =>
        Of(values, null, name, "an array of integers", Integers, static (writer, values) => Write(writer, values.AsSpan()));

    /// <summary>Integers as an array, if there are any.</summary>
    public ImmutableArray<int>? IfAny(ImmutableArray<int>? values, [CallerArgumentExpression(nameof(values))] string name = "") =>
        IfAny(values, name, "an array of integers", Integers, static (writer, values) => Write(writer, values.AsSpan()));

    /// <summary>Numbers as an array.</summary>
    public ImmutableArray<float> Of(ImmutableArray<float>? values, [CallerArgumentExpression(nameof(values))] string name = "") =>
        Of(values, null, name, "an array of numbers", static json => Items(json, Number), static (writer, values) =>
        {
            writer.WriteStartArray();
            foreach (float value in values) Write(writer, value);
            writer.WriteEndArray();
        });

    /// <summary>Texts, if there are any.</summary>
    public ImmutableArray<string>? IfAny(ImmutableArray<string>? values, [CallerArgumentExpression(nameof(values))] string name = "") =>
        IfAny(values, name, "an array of texts", Texts, static (writer, values) =>
        {
            writer.WriteStartArray();
            foreach (string value in values) writer.WriteStringValue(value);
            writer.WriteEndArray();
        });

    private string? Text(JsonElement? json, string member) => json is not { } found ? null
        : found.ValueKind == JsonValueKind.String ? found.GetString() : throw Error($"has a '{member}' that is not a text");

    private static ImmutableArray<string>? Texts(JsonElement json) =>
        json.ValueKind == JsonValueKind.Array && json.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. json.EnumerateArray().Select(item => item.GetString()!)] : null;

    private static T? Name<T>(JsonElement json) where T : struct, Enum =>
        json.ValueKind == JsonValueKind.String && Enum.TryParse(json.GetString(), out T value) && json.ValueEquals(value.ToString()) ? value : null;

    private static int? Integer(JsonElement json) => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out int value) ? value : null;

    private static float? Number(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Number when json.TryGetSingle(out float value) => value,
        JsonValueKind.String => json.GetString() switch
        {
            "NaN" => float.NaN,
            "Infinity" => float.PositiveInfinity,
            "-Infinity" => float.NegativeInfinity,
            _ => null,
        },
        _ => null,
    };

    private static ImmutableArray<int>? Integers(JsonElement json) => Items(json, Integer);

    private static ImmutableArray<T>? Items<T>(JsonElement json, Func<JsonElement, T?> read) where T : struct
    {
        if (json.ValueKind != JsonValueKind.Array) return null;
        var items = new T[json.GetArrayLength()];
        int count = 0;
        foreach (JsonElement item in json.EnumerateArray())
        {
            if (read(item) is not { } value) return null;
            items[count++] = value;
        }
        return ImmutableCollectionsMarshal.AsImmutableArray(items);
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<int> values)
    {
        writer.WriteStartArray();
        foreach (int value in values) writer.WriteNumberValue(value);
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, float value)
    {
        if (float.IsFinite(value)) writer.WriteNumberValue(value);
        else writer.WriteStringValue(float.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
}
