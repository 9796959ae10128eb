namespace Penjing.Engine.X64;

/// <summary>Assembles each tile once.</summary>
internal sealed unsafe class DotAssembler : IDotAssembler
{
    private readonly Dictionary<DotTile, nint> made = [];
    private readonly Lock one = new();

    /// <inheritdoc/>
    public delegate* unmanaged<DotTiles*, void> Assemble(DotTile tile)
    {
        lock (one)
        {
            if (!made.TryGetValue(tile, out nint code)) made[tile] = code = ExecutableMemory.Keep(DotCode.Of(tile));
            return (delegate* unmanaged<DotTiles*, void>)code;
        }
    }
}
