using System.Runtime.InteropServices;

namespace Penjing.Engine;

/// <summary>Zeroed memory outside the managed heap, aligned to 64 bytes; freed when disposed or collected.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>The alignment of every buffer and every value in the arena, in bytes: a cache line and a 512-bit vector.</summary>
    public const int Alignment = 64;

    private static long live;

    [ThreadStatic]
    private static long taken;

    private void* memory, pointer;

    /// <summary>A buffer of this many zero bytes.</summary>
    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        // The system's fresh pages are zero already: they needn't be written here, only aligned.
        memory = NativeMemory.AllocZeroed((nuint)bytes + Alignment);
        pointer = (void*)(((nint)memory + Alignment - 1) & -Alignment);
        GC.AddMemoryPressure(Math.Max(bytes, 1));
        Interlocked.Add(ref live, bytes);
        taken += bytes;
    }

    /// <summary>Frees the memory that nobody disposed of.</summary>
    ~NativeBuffer() => Free();

    /// <summary>A buffer with a copy of <paramref name="values"/>.</summary>
    public static NativeBuffer Of<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        NativeBuffer buffer = new((long)values.Length * sizeof(T));
        values.CopyTo(new(buffer.pointer, values.Length));
        return buffer;
    }

    /// <summary>Bytes of all buffers that are not freed.</summary>
    public static long Live => Interlocked.Read(ref live);

    /// <summary>Bytes of all buffers that this thread has made, those that are freed among them: what was made between two looks is the difference.</summary>
    public static long Taken => taken;

    /// <summary>The size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The first byte.</summary>
    public byte* Pointer => (byte*)pointer;

    /// <summary>The first float.</summary>
    public float* Floats => (float*)pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (memory is null) return;
        NativeMemory.Free(memory);
        memory = pointer = null;
        GC.RemoveMemoryPressure(Math.Max(Bytes, 1));
        Interlocked.Add(ref live, -Bytes);
    }
}
