using System.Collections.Concurrent;

namespace Penjing;

/// <summary>Arrays that are used again and again for what is needed one after another, by one thread or by several.</summary>
internal sealed class SpareBytes
{
    private readonly ConcurrentBag<byte[]> spare = [];

    /// <summary>An array of at least so many bytes, of undefined contents; it may be given back, or left to the collector.</summary>
    public byte[] Take(int length) => spare.TryTake(out byte[]? taken) && taken.Length >= length ? taken : GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Gives an array back that nobody uses any more.</summary>
    public void GiveBack(byte[] taken) => spare.Add(taken);
}
