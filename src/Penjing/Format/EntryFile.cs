using Microsoft.Win32.SafeHandles;

namespace Penjing;

/// <summary>A file whose large weights are read each time that they are asked for, so that they need not be in memory together.</summary>
internal sealed class EntryFile(string path)
{
    /// <summary>Weights of at most so many bytes are read at once.</summary>
    public const int Small = 1 << 16;

    private readonly SpareBytes spare = new();
    private readonly SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    /// <summary>The weight of an entry; that it is sound is found when its elements are asked for.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public Tensor Weight(SafetensorsEntry entry, string checksum)
    {
        (string name, ElementType type, Shape shape, _, long position) = entry;
        return Weight(type, shape, target =>
        {
            for (int done = 0, count; done < target.Length; done += count)
                if ((count = RandomAccess.Read(handle, target[done..], position + done)) == 0) throw new ModelFormatException("it became shorter while it was read");
            ModelReader.Check(name, target, checksum);
        });
    }

    /// <summary>The weight that a part of the file stands for; that it is sound is found when its elements are asked for.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public Tensor Weight(ElementType type, Shape shape, Tensor.FillBytes read, int? zeros = null)
    {
        return (long)shape.Elements * type.Size() > Small ? Tensor.Deferred(type, shape, spare, Named, zeros) : Tensor.Build(type, shape, read);

        void Named(Span<byte> target)
        {
            try
            {
                read(target);
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                throw new ModelFormatException($"{path}: {error.Message}", error);
            }
        }
    }
}
