using System.Collections.Immutable;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Penjing.Engine;

/// <summary>A <see cref="Tuning"/> as a file: JSON with the machine and the engine that it was measured on.</summary>
internal static class TuningFile
{
    private const string Format = "penjing tuning 1";
    private const long MostBytes = 16 << 20;

    private static readonly StoredTuningJson contract = new(new JsonSerializerOptions(StoredTuningJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" });

    /// <summary>This machine, as far as times depend on it.</summary>
    public static string Machine { get; } = $"{Processors.Name}, {Processors.Physical} physical of {Environment.ProcessorCount}, {Isas.Best}";

    /// <summary>The version and the build of this engine.</summary>
    public static string Engine { get; } = typeof(Session).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Writes a tuning; see <see cref="Tuning.Write"/>.</summary>
    public static void Write(string path, Tuning tuning) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, new(Format, Engine, Machine, tuning.Layers), contract.StoredTuning));

    /// <summary>Reads a tuning; see <see cref="Tuning.Read"/>.</summary>
    public static Tuning Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MostBytes) throw new PenjingException($"the tuning '{path}' is damaged: {stream.Length} bytes are more than any has; delete it, or measure anew by --tune");
            StoredTuning stored = JsonSerializer.Deserialize(stream, contract.StoredTuning) ?? throw new JsonException("it is null");
            if (stored.Format != Format) throw new PenjingException($"the tuning '{path}' is of another format, '{stored.Format}'; measure anew by --tune");
            if (stored.Machine != Machine) throw new PenjingException($"the tuning '{path}' was measured on another machine, {stored.Machine}; measure anew by --tune");
            if (stored.Engine != Engine) throw new PenjingException($"the tuning '{path}' was measured by another build of the engine, {stored.Engine}; measure anew by --tune");
            foreach (TunedLayer layer in stored.Layers) Check(layer);
            return new Tuning(stored.Layers);
        }
        catch (JsonException error)
        {
            throw new PenjingException($"the tuning '{path}' is damaged: {error.Message.Split('\n')[0].TrimEnd('.')}; delete it, or measure anew by --tune", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the tuning '{path}' can't be read: {error.Message}", error);
        }
    }

    private static void Check(TunedLayer layer)
    {
        if (!layer.Milliseconds.ContainsKey(layer.Kernel)) throw new JsonException($"the layer '{layer.Layer}' takes '{layer.Kernel}', which was not measured");
        if (KernelTable.Rows.All(row => row.Name != layer.Kernel)) throw new JsonException($"there is no kernel '{layer.Kernel}'");
    }
}

/// <summary>What the file holds.</summary>
internal sealed record StoredTuning(string Format, string Engine, string Machine, ImmutableArray<TunedLayer> Layers);

/// <summary>How the file's records become JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(StoredTuning))]
internal sealed partial class StoredTuningJson : JsonSerializerContext;
