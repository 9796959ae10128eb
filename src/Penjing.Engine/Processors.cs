using System.Globalization;

namespace Penjing.Engine;

/// <summary>What this process may run on.</summary>
internal static class Processors
{
    /// <summary>Physical processors this process may use, at least 1; where the system doesn't tell them from their hardware threads, all of those.</summary>
    public static int Physical { get; } = Math.Clamp(Cores() ?? int.MaxValue, 1, Environment.ProcessorCount);

    private static int? Cores()
    {
        const string root = "/sys/devices/system/cpu";
        try
        {
            if (!OperatingSystem.IsLinux() || !Directory.Exists(root)) return null;
            var cores = new HashSet<(string, string)>();
            for (int cpu = 0; Directory.Exists(Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"))); cpu++)
            {
                string topology = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"), "topology");
                if (Directory.Exists(topology))
                    cores.Add((File.ReadAllText(Path.Combine(topology, "physical_package_id")), File.ReadAllText(Path.Combine(topology, "core_id"))));
            }
            return cores.Count > 0 ? cores.Count : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
