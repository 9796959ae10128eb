using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Penjing.Engine.X64;

/// <summary>
/// Kernels of 8-bit products whose machine code is assembled at run time, for instructions that .NET doesn't have: AVX-512 VNNI. They give the same integers as all others.
/// </summary>
public static class AssembledKernels
{
    private const int Vnni = 1 << 11;

    private static readonly Lazy<string?> obstacle = new(Find);

    /// <summary>Why this process can't have them; null where it can.</summary>
    public static string? Obstacle => obstacle.Value;

    /// <summary>
    /// Lets sessions that are made from now on take them, unless there is an <see cref="Obstacle"/>; returns whether they do. Where the system later gives no more memory for code, making a
    /// session fails by a <see cref="PenjingException"/>.
    /// </summary>
    public static bool Use()
    {
        if (Obstacle is not null) return false;
        DotAssembly.Assembler ??= new DotAssembler();
        return true;
    }

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not Architecture.X64) return "code is assembled for Linux on x64 alone";
        if ((X86Base.CpuId(7, 0).Ecx & Vnni) == 0) return "the processor has no AVX-512 VNNI";
        if (Isas.Best is not Isa.Vector512) return "the runtime doesn't use vectors of 512 bits here";
        try
        {
            // What returns at once.
            ExecutableMemory.Keep([0xC3]);
            return null;
        }
        catch (PenjingException error)
        {
            return error.Message;
        }
    }
}
