using Microsoft.Win32.SafeHandles;

namespace Penjing;

/// <summary>A file whose large weights are read each time that they are asked for, so that they need not be in memory together.</summary>
internal sealed class EntryFile(string path)
{
    /// <summary>Weights of at most so many bytes are read at once.</summary>
    private const int Small = 1 << 16;

    private readonly SpareBytes spare = new();
    private readonly SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    /// <summary>The weight of an entry; that it is sound is found when its elements are asked for.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public Tensor Weight(SafetensorsEntry entry, string checksum)
    {
        (string name, ElementType type, Shape shape, ReadOnlyMemory<byte> bytes, long position) = entry;
        int length = bytes.Length;
        if (length > Small) return Tensor.Deferred(type, shape, spare, Named);
        byte[] all = new byte[length];
        Read(all);
        return new(type, shape, all);

        void Read(Span<byte> target)
        {
            for (int done = 0, count; done < target.Length; done += count)
                if ((count = RandomAccess.Read(handle, target[done..], position + done)) == 0) throw new ModelFormatException("it became shorter while it was read");
            ModelReader.Check(name, target, checksum);
        }

        void Named(Span<byte> target)
        {
            try
            {
                Read(target);
            }
            catch (ModelFormatException error)
            {
                throw new ModelFormatException($"{path}: {error.Message}", error);
            }
        }
    }
}
