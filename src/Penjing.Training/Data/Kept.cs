namespace Penjing.Training;

/// <summary>Decoded files, each made when first asked for, and kept as long as all fit into a quarter of the memory. Several threads may ask at once.</summary>
internal sealed class Kept(int count)
{
    private readonly byte[]?[] kept = new byte[count][];
    private long room = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <summary>The bytes of one file.</summary>
    public byte[] Get(int index, Func<byte[]> make)
    {
        if (Volatile.Read(ref kept[index]) is { } known) return known;
        byte[] made = make();
        if (Interlocked.Add(ref room, -made.Length) >= 0) Volatile.Write(ref kept[index], made);
        return made;
    }
}
