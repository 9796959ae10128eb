using System.Collections.Concurrent;

namespace Penjing;

/// <summary>Arrays that are used again and again for what is needed one after another, by one thread or by several. One that is too short gives way to one that never will be.</summary>
internal sealed class SpareBytes
{
    private readonly ConcurrentBag<byte[]> spare = [];
    private int longest;

    /// <summary>Says that an array of so many bytes will be needed.</summary>
    public void Expect(int length)
    {
        for (int known; (known = longest) < length && Interlocked.CompareExchange(ref longest, length, known) != known;) { }
    }

    /// <summary>An array of at least so many bytes, of undefined contents; it may be given back, or left to the collector.</summary>
    public byte[] Take(int length) => !spare.TryTake(out byte[]? taken) ? GC.AllocateUninitializedArray<byte>(length)
        : taken.Length >= length ? taken : GC.AllocateUninitializedArray<byte>(Math.Max(length, longest));

    /// <summary>Gives an array back that nobody uses any more.</summary>
    public void GiveBack(byte[] taken) => spare.Add(taken);
}
