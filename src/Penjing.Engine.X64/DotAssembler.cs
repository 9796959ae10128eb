namespace Penjing.Engine.X64;

/// <summary>Assembles each piece of code once.</summary>
internal sealed unsafe class DotAssembler : IDotAssembler
{
    private readonly Dictionary<object, nint> made = [];
    private readonly Lock one = new();

    /// <inheritdoc/>
    public delegate* unmanaged<DotTiles*, void> Assemble(DotTile tile) => (delegate* unmanaged<DotTiles*, void>)Keep(tile, () => DotCode.Of(tile));

    /// <inheritdoc/>
    public delegate* unmanaged<DotColumns*, void> Assemble(DotDepthwise shape) => (delegate* unmanaged<DotColumns*, void>)Keep(shape, () => DepthwiseCode.Of(shape));

    private nint Keep(object which, Func<byte[]> write)
    {
        lock (one)
        {
            if (!made.TryGetValue(which, out nint code)) made[which] = code = ExecutableMemory.Keep(write());
            return code;
        }
    }
}
