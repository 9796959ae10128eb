using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Penjing;

/// <summary>
/// A JSON object that one description both reads and writes: a constructor's call that asks for each member, as in
/// <c>new Slice(form.Of(op?.Axis), form.Of(op?.Start), form.Of(op?.End), form.Of(op?.Step, 1))</c>. When it is written, op is the record, and its members are
/// written in that order; when it is read, op is null, and they are looked up. A member has its property's name in camel case, and is left out where it has its
/// usual value, or is null.
/// </summary>
internal sealed partial class Form
{
    private readonly Utf8JsonWriter? writer;
    private readonly JsonElement json;
    private readonly Form? outer;
    private readonly string called;
    private readonly int index;
    private readonly List<string> known = [];

    private Form(Utf8JsonWriter? writer, JsonElement json, Form? outer, string called, int index = -1) =>
        (this.writer, this.json, this.outer, this.called, this.index) = (writer, json, outer, called, index);

    /// <summary>Asks for all members of a record that is written, or, where it is null, read.</summary>
    public delegate T Description<T>(Form form, T? record) where T : class;

    private string Path => $"{(outer?.outer is null ? "" : $"{outer.Path}.")}{called}{(index < 0 ? "" : $"[{index}]")}";

    /// <summary>The record that a JSON object is; errors call it as said here.</summary>
    /// <exception cref="ModelFormatException">It lacks a member, or has one too many, twice, or of another kind.</exception>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> text, string called, Description<T> description) where T : class
    {
        using JsonDocument document = JsonDocument.Parse(text, new() { AllowDuplicateProperties = false });
        return new Form(null, document.RootElement, null, called).Read(description);
    }

    /// <summary>Writes a record as a JSON object.</summary>
    public static void Write<T>(Utf8JsonWriter writer, T record, Description<T> description) where T : class
    {
        writer.WriteStartObject();
        description(new(writer, default, null, typeof(T).Name), record);
        writer.WriteEndObject();
    }

    /// <summary>An error that says where the object stands.</summary>
    public ModelFormatException Error(string message) => new($"{Path} {message}");

    /// <summary>A record.</summary>
    public T Of<T>(T? record, Description<T> description, [CallerArgumentExpression(nameof(record))] string name = "") where T : class =>
        IfAny(record, description, name) ?? throw Missing(name);

    /// <summary>A record, if there is one.</summary>
    public T? IfAny<T>(T? record, Description<T> description, [CallerArgumentExpression(nameof(record))] string name = "") where T : class
    {
        name = Member(name);
        if (writer is null) return Find(name) is { } found ? new Form(null, found, this, name).Read(description) : null;
        if (record is null) return null;
        writer.WritePropertyName(name);
        Write(writer, record, description);
        return record;
    }

    /// <summary>Records, if there are any.</summary>
    public ImmutableArray<T>? IfAny<T>(ImmutableArray<T>? records, Description<T> description, [CallerArgumentExpression(nameof(records))] string name = "")
        where T : class
    {
        return IfAny(records, name, "an array", Read, (writer, records) =>
        {
            writer.WriteStartArray();
            foreach (T record in records) Write(writer, record, description);
            writer.WriteEndArray();
        });

        ImmutableArray<T>? Read(JsonElement json)
        {
            if (json.ValueKind != JsonValueKind.Array) return null;
            var items = ImmutableArray.CreateBuilder<T>(json.GetArrayLength());
            foreach (JsonElement item in json.EnumerateArray()) items.Add(new Form(null, item, this, Member(name), items.Count).Read(description));
            return items.MoveToImmutable();
        }
    }

    /// <summary>A member, or its usual value.</summary>
    private T Of<T>(T? value, T? usual, string name, string kind, Func<JsonElement, T?> read, Action<Utf8JsonWriter, T> write) where T : struct =>
        writer is not null && usual is not null && Equals(value, usual) ? usual.Value : IfAny(value, name, kind, read, write) ?? usual ?? throw Missing(name);

    private T? IfAny<T>(T? value, string name, string kind, Func<JsonElement, T?> read, Action<Utf8JsonWriter, T> write) where T : struct
    {
        name = Member(name);
        if (writer is null) return Find(name) is { } found ? read(found) ?? throw Error($"has a '{name}' that is not {kind}") : null;
        if (value is null) return null;
        writer.WritePropertyName(name);
        write(writer, value.Value);
        return value;
    }

    private T Read<T>(Description<T> description) where T : class
    {
        if (json.ValueKind != JsonValueKind.Object) throw Error("is no JSON object");
        T record = description(this, null);
        foreach (JsonProperty property in json.EnumerateObject())
            if (!known.Contains(property.Name)) throw Error($"has the unknown property '{property.Name}'");
        return record;
    }

    private JsonElement? Find(string name)
    {
        known.Add(name);
        return json.TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null ? found : null;
    }

    private ModelFormatException Missing(string name) => Error($"has no '{Member(name)}'");

    /// <summary>The last name of an expression, as in op?.Axis, in camel case.</summary>
    private static string Member(string expression) => JsonNamingPolicy.CamelCase.ConvertName(expression[(expression.LastIndexOf('.') + 1)..]);
}
