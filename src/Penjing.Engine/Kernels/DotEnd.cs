namespace Penjing.Engine;

/// <summary>What becomes of the sums of <see cref="DotTiles"/> and <see cref="DotColumns"/>: rounded to unsigned integers, unless it is said otherwise.</summary>
[Flags]
internal enum DotEnd
{
    /// <summary>Rounded to unsigned integers, of which all may come.</summary>
    None,
    /// <summary>They are the reals that they stand for.</summary>
    Reals = 1,
    /// <summary>An addend is added to the reals.</summary>
    Adds = 2,
    /// <summary>The reals are rounded to integers of their own before that.</summary>
    Rounds = 4,
    /// <summary>The integers are signed.</summary>
    Signed = 8,
    /// <summary>The reals are bounded before they are rounded: not all integers may come, or some reals are too large to be rounded.</summary>
    Bounds = 16,
    /// <summary>Rounded integers and the addend's come to steps of the output by multiplications alone: <see cref="DotAddition"/>.</summary>
    Multiplies = 32,
}
