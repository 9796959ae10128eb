using System.Buffers.Binary;
using System.Text.Json;

namespace Penjing.Tests;

/// <summary>The rules of a safetensors file, as its specification states them, checked without any code of the product.</summary>
internal static class SafetensorsCheck
{
    private static readonly Dictionary<string, int> Sizes = new()
    {
        ["I64"] = 8, ["U64"] = 8, ["F64"] = 8, ["F32"] = 4, ["I32"] = 4, ["U32"] = 4, ["F16"] = 2, ["I16"] = 2, ["U16"] = 2, ["I8"] = 1, ["U8"] = 1, ["BOOL"] = 1,
    };

    /// <summary>Fails where the file breaks a rule.</summary>
    public static void AssertValid(byte[] file)
    {
        int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        Assert.InRange(length, 2, Math.Min(100_000_000, file.Length - 8));
        Assert.Equal((byte)'{', file[8]);
        Assert.Equal(0, length % 8);
        var ranges = new List<(long Start, long End, int Size)>();
        using JsonDocument json = JsonDocument.Parse(file.AsMemory(8, length), new() { AllowDuplicateProperties = false });
        foreach (JsonProperty property in json.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                Assert.All(property.Value.EnumerateObject(), item => Assert.Equal(JsonValueKind.String, item.Value.ValueKind));
                continue;
            }
            Assert.Equal(["data_offsets", "dtype", "shape"], property.Value.EnumerateObject().Select(item => item.Name).Order());
            int size = Sizes[property.Value.GetProperty("dtype").GetString()!];
            long count = property.Value.GetProperty("shape").EnumerateArray().Aggregate(1L, (product, extent) => product * extent.GetUInt32());
            JsonElement offsets = property.Value.GetProperty("data_offsets");
            Assert.Equal(2, offsets.GetArrayLength());
            ranges.Add((offsets[0].GetInt64(), offsets[1].GetInt64(), size));
            Assert.Equal(count * size, ranges[^1].End - ranges[^1].Start);
        }
        long end = 0;
        foreach ((long start, long stop, int size) in ranges.Order())
        {
            Assert.Equal(end, start);
            Assert.Equal(0, start % size);
            end = stop;
        }
        Assert.Equal(file.Length - 8 - length, end);
    }
}
