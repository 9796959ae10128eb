using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Penjing.Lab;

/// <summary>
/// How a network is compressed: methods one after another, each with its retraining. As a file it is a small JSON object, such as
/// <c>{ "name": "mine", "stages": [ { "do": "prune", "ratio": 0.5, "training": { "epochs": 6 } }, { "do": "share", "bits": 4 } ] }</c>.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Stages">What is done, first stage first.</param>
public sealed partial record Recipe(string Name, ImmutableArray<RecipeStage> Stages)
{
    private const string Ending = ".json";
    private static readonly JsonSerializerOptions style = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        IgnoreReadOnlyProperties = true,
        AllowOutOfOrderMetadataProperties = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>What the recipe does, in a sentence.</summary>
    public string About { get; init; } = "";

    /// <summary>The names of the recipes that come with Penjing.</summary>
    public static ImmutableArray<string> Names { get; } =
        [.. typeof(Recipe).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(Ending, StringComparison.Ordinal)).Select(name => name[..^Ending.Length]).Order(StringComparer.Ordinal)];

    /// <summary>One of the recipes that come with Penjing.</summary>
    /// <exception cref="PenjingException">There is none of this name.</exception>
    public static Recipe Named(string name)
    {
        if (!Names.Contains(name)) throw new PenjingException($"there is no recipe '{name}': there are {string.Join(", ", Names)}, or give a file");
        using Stream stream = typeof(Recipe).Assembly.GetManifestResourceStream(name + Ending)!;
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd(), name);
    }

    /// <summary>The recipe of a file.</summary>
    /// <exception cref="PenjingException">The file can't be read, or holds no recipe; the message says where.</exception>
    public static Recipe Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PenjingException($"the recipe '{path}' can't be read: {error.Message}", error);
        }
    }

    /// <summary>The recipe that a JSON text holds.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What the message calls it.</param>
    /// <exception cref="PenjingException">It holds none; the message says where.</exception>
    public static Recipe Parse(string json, string source)
    {
        try
        {
            Recipe recipe = JsonSerializer.Deserialize<Recipe>(json, style) ?? throw new JsonException("it is null");
            return recipe.Stages.IsDefaultOrEmpty ? throw new PenjingException($"the recipe '{source}' has no stages") : recipe;
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new PenjingException($"'{source}' is no recipe: {Words(error.Message)}", error);
        }
    }

    /// <summary>What a reader of JSON says, without the names of types.</summary>
    private static string Words(string message)
    {
        if (Unmapped().Match(message) is { Success: true } member) return $"there is no member '{member.Groups[1].Value}' in a {member.Groups[2].Value.Replace("Stage", " stage", StringComparison.Ordinal).ToLowerInvariant()}";
        if (Unknown().Match(message) is { Success: true } stage)
            return $"there is no stage '{stage.Groups[1].Value}' to do, but {string.Join(", ", typeof(RecipeStage).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(one => one.TypeDiscriminator))}";
        return message;
    }

    [GeneratedRegex(@"^The JSON property '(.*)' could not be mapped to any \.NET member contained in type '(?:.*\.)?(\w+)'")]
    private static partial Regex Unmapped();

    [GeneratedRegex("unrecognized type discriminator id '(.*?)'")]
    private static partial Regex Unknown();

    /// <summary>The JSON text that <see cref="Parse"/> reads.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, style);

    /// <summary>The recipe with the epochs of every training multiplied.</summary>
    public Recipe WithEffort(double factor) => this with { Stages = [.. Stages.Select(stage => stage.WithEffort(factor))] };

    /// <summary>A stage as JSON.</summary>
    internal static string ToJson(RecipeStage stage) => JsonSerializer.Serialize(stage, style);

    /// <summary>Throws unless every stage fits the network, by doing the surgery of all without any training.</summary>
    /// <returns>The graph that comes out: its shapes and zeros, not its accuracy.</returns>
    /// <exception cref="PenjingException">A stage doesn't fit; the message names it.</exception>
    public Graph Outline(Graph graph)
    {
        for (int i = 0; i < Stages.Length; i++)
        {
            try
            {
                if (Stages[i] is ShareStage or QuantizeStage && i < Stages.Length - 1 && (Stages[i], Stages[i + 1]) is not (ShareStage, QuantizeStage { Shared: true }))
                    throw new PenjingException("it comes last: what is done behind it would undo what it rounds (but for quantize, \"shared\": true, behind share)");
                graph = Stages[i].Outline(graph);
            }
            catch (PenjingException error)
            {
                throw new PenjingException($"stage {i + 1} ({Stages[i].Name}) of the recipe '{Name}': {error.Message}", error);
            }
        }
        return graph;
    }
}
