using System.Runtime.InteropServices;

namespace Penjing.Engine.X64;

/// <summary>Memory that holds machine code. It is never writable and executable at once.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int Read = 1, Write = 2, Execute = 4, Private = 2, Anonymous = 0x20;

    /// <summary>Keeps code for the life of the process; returns where.</summary>
    /// <exception cref="PenjingException">The system gives no such memory.</exception>
    public static nint Keep(ReadOnlySpan<byte> code)
    {
        nint memory = Map(0, code.Length, Read | Write, Private | Anonymous, -1, 0);
        if (memory == -1) throw Refused();
        code.CopyTo(new((void*)memory, code.Length));
        if (Protect(memory, code.Length, Read | Execute) == 0) return memory;
        PenjingException refused = Refused();
        _ = Unmap(memory, code.Length);
        throw refused;
    }

    private static PenjingException Refused() => new($"the system gives no memory for machine code: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint bytes, int access, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nint bytes, int access);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nint bytes);
}
