using System.Globalization;
using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>What this process may run on.</summary>
internal static class Processors
{
    /// <summary>Physical processors this process may use, at least 1; where the system doesn't tell them from their hardware threads, all of those.</summary>
    public static int Physical { get; } = Math.Clamp(Cores() ?? int.MaxValue, 1, Environment.ProcessorCount);

    /// <summary>The processor's name, family and model, as the system tells them; the architecture where it doesn't.</summary>
    public static string Name { get; } = Named() ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string? Named()
    {
        const string info = "/proc/cpuinfo";
        try
        {
            if (!File.Exists(info)) return null;
            // x86 tells the first three, Arm the others.
            string[] keys = ["model name", "cpu family", "model", "CPU implementer", "CPU part", "CPU variant"];
            ILookup<string, string> told = File.ReadLines(info).TakeWhile(line => line.Length > 0).Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
                .ToLookup(pair => pair[0].Trim(), pair => pair[1].Trim());
            string name = string.Join(' ', keys.Where(told.Contains).Select(key => key == "model name" ? told[key].First() : $"{key.Split(' ')[^1]} {told[key].First()}"));
            return name.Length > 0 ? name : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

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
