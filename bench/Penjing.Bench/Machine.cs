using System.Globalization;
using System.Runtime.InteropServices;
using Penjing.Engine;

namespace Penjing.Bench;

/// <summary>What the measurements were made on.</summary>
internal static class Machine
{
    /// <summary>A folder's name for the processor: its name, family and model.</summary>
    public static string Folder { get; } = string.Join('-', Processors.Name.ToLowerInvariant()
        .Split([' ', '(', ')', '@', '/', ','], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Processor, vectors, system, runtime and the load of the last minute, in one line.</summary>
    public static string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"{Processors.Name}, {Environment.ProcessorCount} processors, {Isas.Best}, {RuntimeInformation.OSArchitecture}, .NET {Environment.Version}, load {Load()}");

    /// <summary>The command line that makes this measurement again.</summary>
    public static string Command() => $"dotnet run -c Release --project bench/Penjing.Bench -- {string.Join(' ', Environment.GetCommandLineArgs().Skip(1))}";

    /// <summary>How many threads wanted a processor over the last minute, on average.</summary>
    public static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
