namespace Penjing;

/// <summary>Either side of a range coder, so that a model is written once: the writing side is given bits, the reading side finds them.</summary>
internal interface IBitCoder
{
    /// <summary>Codes a bit that is believed with these odds, and learns from it; the reading side takes no heed of <paramref name="bit"/>.</summary>
    int Bit(ref uint odds, int bit);

    /// <summary>
    /// Codes a number of as many bits as <paramref name="odds"/> has, from the highest on, each with the odds at the place of a one followed by the bits
    /// before it: in <paramref name="first"/> where that is long enough, else in <paramref name="odds"/>, whose length is a power of two. Odds of 0 in
    /// <paramref name="first"/> are those in <paramref name="odds"/>, for which <see cref="Odds.Seed"/> bits speak; these learn from all bits.
    /// </summary>
    int Number(Span<uint> first, Span<uint> odds, int number);
}
