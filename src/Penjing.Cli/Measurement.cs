using System.Diagnostics;
using System.Globalization;

namespace Penjing.Cli;

/// <summary>Measures what is on the device.</summary>
internal static class Measurement
{
    /// <summary>The most memory that this process has held so far, in bytes.</summary>
    public static long PeakResidentBytes()
    {
        const string key = "VmHWM:";
        if (OperatingSystem.IsLinux() && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) is { } line)
            return long.Parse(line[key.Length..].Replace("kB", "").Trim(), CultureInfo.InvariantCulture) * 1024;
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
