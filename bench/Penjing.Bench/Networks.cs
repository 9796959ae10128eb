using Penjing.Models;

namespace Penjing.Bench;

/// <summary>The networks that benches run, by their names in the zoo.</summary>
internal static class Networks
{
    /// <summary>Those that are run unless asked for others.</summary>
    public static string[] Names => ["mobilenet-v1-1.0-224", "mobilenet-v1-0.5-160", "mobilenet-v1-0.25-128", "mobilenet-v1-small-0.5-28"];

    /// <summary>The network of a name.</summary>
    /// <exception cref="PenjingException">There is none.</exception>
    public static Model Named(string name) => Zoo.Find(name).Build();
}
