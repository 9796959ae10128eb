namespace Penjing;

/// <summary>How a weight's elements are stored. All are lossless: every bit comes back.</summary>
public enum Encoding
{
    /// <summary>As they lie in memory.</summary>
    Plain,
}

/// <summary>What a file is written for.</summary>
public enum Storage
{
    /// <summary>The fewest bytes: each weight under its cheapest encoding, all in one pack.</summary>
    Smallest,
    /// <summary>Plain weights under their own names, mapped on reading and open to any safetensors reader.</summary>
    Plain,
}
