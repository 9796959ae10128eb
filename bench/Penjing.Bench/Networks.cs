using Penjing.Models;

namespace Penjing.Bench;

/// <summary>The networks that benches run, by their names in the zoo.</summary>
internal static class Networks
{
    /// <summary>Those that are raced against other engines: the talk's, at 224 by 224.</summary>
    public static string[] Peers { get; } =
        ["mobilenet-v1-1.0-224", "squeezenet-1.1", "squeezenet-1.0", "shufflenet-v1-g3-1.0", "resnet-34", "resnet-50"];

    /// <summary>Those whose files are read.</summary>
    public static string[] Names => ["mobilenet-v1-1.0-224", "mobilenet-v1-0.5-160", "mobilenet-v1-0.25-128", "mobilenet-v1-small-0.5-28"];

    /// <summary>The network of a name.</summary>
    /// <exception cref="PenjingException">There is none.</exception>
    public static Model Named(string name) => Zoo.Find(name).Build();

    /// <summary>An input of random values between −1 and 1.</summary>
    public static float[] Picture(Shape input, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, input.Elements).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
