namespace Penjing;

/// <summary>An array that is used again and again for what is needed one after another.</summary>
internal sealed class SpareBytes
{
    private byte[]? spare;

    /// <summary>An array of at least so many bytes, of undefined contents; it may be given back, or left to the collector.</summary>
    public byte[] Take(int length)
    {
        byte[]? taken = Interlocked.Exchange(ref spare, null);
        return taken is not null && taken.Length >= length ? taken : GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>Gives an array back that nobody uses any more.</summary>
    public void GiveBack(byte[] taken) => spare = spare is { } other && other.Length > taken.Length ? other : taken;
}
