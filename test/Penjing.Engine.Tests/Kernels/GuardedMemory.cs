using System.Runtime.InteropServices;

namespace Penjing.Engine.Tests;

/// <summary>
/// Memory whose last byte is followed by a page that faults when touched (where the system has mmap), and whose first follows a zone of known
/// bytes: reads past the end kill the process, writes before the beginning are found.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int Page = 16384, Canary = 0x5A5A5A5A;

    private readonly byte* pages;
    private readonly nuint mapped;
    private readonly long bytes;

    /// <summary>Memory of this many bytes, filled with a pattern that is a large negative number as a float.</summary>
    public GuardedMemory(long bytes)
    {
        this.bytes = bytes;
        mapped = (nuint)((bytes + 64 + Page - 1) / Page * Page + Page);
        pages = OperatingSystem.IsLinux() ? (byte*)Map(0, mapped, 3, 0x22, -1, 0) : (byte*)NativeMemory.Alloc(mapped);
        if (OperatingSystem.IsLinux() && Protect(pages + mapped - Page, Page, 0) != 0) throw new InvalidOperationException("mprotect failed");
        new Span<int>(pages, (int)((mapped - Page) / sizeof(int))).Fill(Canary);
        Pointer = pages + mapped - Page - bytes;
        new Span<byte>(Pointer, (int)bytes).Fill(0xC7);
    }

    /// <summary>The first byte; the last is the last of its page.</summary>
    public byte* Pointer { get; }

    /// <summary>Whether nothing was written before the first byte.</summary>
    public bool IsIntact
    {
        get
        {
            ReadOnlySpan<byte> before = new(pages, (int)(Pointer - pages));
            return !before.ContainsAnyExcept((byte)0x5A) && bytes >= 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (OperatingSystem.IsLinux()) _ = Unmap(pages, mapped);
        else NativeMemory.Free(pages);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
