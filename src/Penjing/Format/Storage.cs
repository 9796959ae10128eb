namespace Penjing;

/// <summary>What a file is written for.</summary>
public enum Storage
{
    /// <summary>The fewest bytes: each weight under its cheapest encoding.</summary>
    Smallest,
    /// <summary>Plain weights under their own names, mapped on reading and open to any safetensors reader.</summary>
    Plain,
}
