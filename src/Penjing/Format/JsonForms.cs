using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Penjing;

/// <summary>Integers as an array: [1,2,3].</summary>
internal sealed class IntsJson : JsonConverter<Ints>
{
    /// <summary>The array of integers at the reader's place.</summary>
    public static ImmutableArray<int> ReadArray(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("an array of integers is missing");
        var items = ImmutableArray.CreateBuilder<int>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            items.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int item) ? item : throw new JsonException("an integer is missing"));
        return items.ToImmutable();
    }

    /// <summary>Writes an array of integers.</summary>
    public static void WriteArray(Utf8JsonWriter writer, ReadOnlySpan<int> items)
    {
        writer.WriteStartArray();
        foreach (int item in items) writer.WriteNumberValue(item);
        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    public override Ints Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(ReadArray(ref reader));

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Ints value, JsonSerializerOptions options) => WriteArray(writer, value.AsSpan());
}

/// <summary>A shape as an array of its extents: [1,3,224,224].</summary>
internal sealed class ShapeJson : JsonConverter<Shape>
{
    /// <inheritdoc/>
    public override Shape Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => new(new Ints(IntsJson.ReadArray(ref reader)));

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Shape value, JsonSerializerOptions options) => IntsJson.WriteArray(writer, value.AsSpan());
}

/// <summary>A size as one integer where it is square, else as [height,width].</summary>
internal sealed class SizeJson : JsonConverter<Size>
{
    /// <inheritdoc/>
    public override Size Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int side)) return Size.Square(side);
        return IntsJson.ReadArray(ref reader) is [int height, int width] ? new(height, width) : throw new JsonException("a size is one integer or two");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Size value, JsonSerializerOptions options)
    {
        if (value.Height == value.Width) writer.WriteNumberValue(value.Height);
        else IntsJson.WriteArray(writer, [value.Height, value.Width]);
    }
}

/// <summary>A padding as one integer where all sides agree, else as [top,left,bottom,right].</summary>
internal sealed class PaddingJson : JsonConverter<Padding>
{
    /// <inheritdoc/>
    public override Padding Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int side)) return Padding.All(side);
        return IntsJson.ReadArray(ref reader) is [int top, int left, int bottom, int right]
            ? new(top, left, bottom, right) : throw new JsonException("a padding is one integer or four");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Padding value, JsonSerializerOptions options)
    {
        if (value == Padding.All(value.Top)) writer.WriteNumberValue(value.Top);
        else IntsJson.WriteArray(writer, [value.Top, value.Left, value.Bottom, value.Right]);
    }
}

/// <summary>An enumeration by its names alone: neither numbers nor combinations are read.</summary>
internal sealed class EnumJson<T> : JsonConverter<T> where T : struct, Enum
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        string? name = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        int index = Array.IndexOf(Enum.GetNames<T>(), name);
        return index >= 0 ? Enum.GetValues<T>()[index] : throw new JsonException($"{name ?? "something else than text"} is no {typeof(T).Name}");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
