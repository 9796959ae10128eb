namespace Penjing.Engine;

/// <summary>Makes machine code by instructions that .NET doesn't have; it stays for the life of the process.</summary>
internal unsafe interface IDotAssembler
{
    /// <summary>The code of a tile.</summary>
    delegate* unmanaged<DotTiles*, void> Assemble(DotTile tile);

    /// <summary>The code of rows of a depthwise convolution.</summary>
    delegate* unmanaged<DotColumns*, void> Assemble(DotDepthwise shape);
}

/// <summary>What assembles machine code in this process.</summary>
internal static class DotAssembly
{
    /// <summary>The assembler; null where an application asked for none.</summary>
    public static IDotAssembler? Assembler { get; set; }
}
