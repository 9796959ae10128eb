using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Penjing;

/// <summary>
/// A file's bytes as read-only memory, mapped: nothing is read before it is touched, and a file replaced by rename meanwhile stays what it was.
/// The map lives as long as any memory sliced from it is reachable.
/// </summary>
internal sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly View view;

    private MappedFile(View view) => this.view = view;

    /// <summary>The bytes of the file at <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="OverflowException">The file is larger than 2 GiB.</exception>
    public static ReadOnlyMemory<byte> Open(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        return file.Length == 0 ? ReadOnlyMemory<byte>.Empty : new MappedFile(new View(file)).Memory;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(view.Pointer, view.Length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(view.Pointer + elementIndex, default, this);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }

    /// <summary>
    /// The map itself, undone by the collector, but not before a minute has passed since nobody reached it any more: a span taken from a tensor
    /// doesn't keep the tensor alive, and may still be in use.
    /// </summary>
    private sealed class View
    {
        private const long GraceMilliseconds = 60_000;
        private readonly MemoryMappedFile map;
        private readonly MemoryMappedViewAccessor accessor;
        private long unreachableSince;

        public View(FileStream file)
        {
            Length = checked((int)file.Length);
            map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            accessor = map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            Pointer = pointer + accessor.PointerOffset;
        }

        ~View()
        {
            if (unreachableSince == 0) unreachableSince = Environment.TickCount64;
            if (Environment.TickCount64 - unreachableSince < GraceMilliseconds)
            {
                GC.ReRegisterForFinalize(this);
                return;
            }
            if (Pointer is not null) accessor.SafeMemoryMappedViewHandle.ReleasePointer();
            accessor?.Dispose();
            map?.Dispose();
        }

        public byte* Pointer { get; }

        public int Length { get; }
    }
}
