using Penjing.Models;

namespace Penjing.Bench;

/// <summary>The networks that benches run, by name.</summary>
internal static class Networks
{
    private static readonly Dictionary<string, Func<Model>> table = new()
    {
        ["mobilenet-v1-1.0-224"] = () => MobileNetV1.Build(),
        ["mobilenet-v1-0.5-160"] = () => MobileNetV1.Build(0.5, 160),
        ["mobilenet-v1-0.25-128"] = () => MobileNetV1.Build(0.25, 128),
        ["mobilenet-v1-small-0.5-28"] = () => MobileNetV1.Small(),
    };

    /// <summary>All names.</summary>
    public static string[] Names => [.. table.Keys];

    /// <summary>The network of a name.</summary>
    /// <exception cref="PenjingException">There is none.</exception>
    public static Model Named(string name) => table.TryGetValue(name, out Func<Model>? build)
        ? build()
        : throw new PenjingException($"there is no network '{name}'; there are {string.Join(", ", table.Keys)}");
}
