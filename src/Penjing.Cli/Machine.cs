using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Penjing.Cli;

/// <summary>The machine that measures, in words for people.</summary>
internal static class Machine
{
    /// <summary>Processor, processors in use, vector width, system and runtime.</summary>
    public static string Description { get; } =
        $"{Processor()}, {Environment.ProcessorCount} {(Environment.ProcessorCount == 1 ? "processor" : "processors")}, {Vectors()}, {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}";

    private static string Vectors() => Vector512.IsHardwareAccelerated ? "512-bit vectors"
        : Vector256.IsHardwareAccelerated ? "256-bit vectors"
        : Vector128.IsHardwareAccelerated ? "128-bit vectors" : "no vectors";

    private static string Processor()
    {
        const string info = "/proc/cpuinfo";
        string? model = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return model?[(model.IndexOf(':') + 1)..].Trim() ?? $"{RuntimeInformation.ProcessArchitecture} processor";
    }
}
