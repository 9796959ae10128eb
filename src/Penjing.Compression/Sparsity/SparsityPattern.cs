using System.Globalization;

namespace Penjing.Compression;

/// <summary>
/// Where the zeros of a sparse layer may stand. The weights are cut into runs, along the layer's output or input channels; a run at the end may be shorter.
/// </summary>
public sealed record SparsityPattern
{
    private SparsityPattern(int block, int kept, int run) => (Block, Kept, Run) = (block, kept, run);

    /// <summary>Anywhere.</summary>
    public static SparsityPattern Unstructured { get; } = new(1, 0, 1);

    /// <summary>
    /// In blocks of 1 × <paramref name="outputs"/>: so many neighbouring output channels lose the same input together. The engine's block-sparse kernel skips a
    /// block of two vectors: 32 outputs of 512-bit vectors, 16 of 256-bit, 8 of 128-bit; wider ones serve narrower vectors too.
    /// </summary>
    /// <exception cref="PenjingException">There are less than two outputs.</exception>
    public static SparsityPattern Blocks(int outputs) =>
        outputs >= 2 ? new(outputs, 0, 1) : throw new PenjingException($"a block of 1x{outputs} output channels is none: give 2 or more");

    /// <summary>N:M: at most <paramref name="kept"/> of <paramref name="run"/> neighbouring input channels keep a weight to the same output (Mishra et al. 2021).</summary>
    /// <exception cref="PenjingException">It isn't 1 ≤ kept &lt; run.</exception>
    public static SparsityPattern Of(int kept, int run) =>
        kept >= 1 && kept < run ? new(1, kept, run) : throw new PenjingException($"{kept}:{run} is no pattern: give N:M with N from 1 to below M, such as 2:4");

    /// <summary>Neighbouring outputs that lose an input together; 1 where each weight is by itself.</summary>
    public int Block { get; }

    /// <summary>The weights that stay in each run of neighbouring inputs; 0 where inputs don't matter.</summary>
    public int Kept { get; }

    /// <summary>The inputs of such a run; 1 where inputs don't matter.</summary>
    public int Run { get; }

    /// <summary>The largest share of zeros that the pattern allows.</summary>
    public double MostRatio => (double)(Run - Kept) / Run;

    /// <summary>The pattern that a text names: "unstructured", N:M such as "2:4", or 1xN such as "1x32".</summary>
    /// <exception cref="PenjingException">It names none.</exception>
    public static SparsityPattern Parse(string text)
    {
        if (text == "unstructured") return Unstructured;
        int at = text.AsSpan().IndexOfAny(':', 'x');
        return at > 0 && int.TryParse(text.AsSpan(0, at), NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int second) && (text[at] == ':' || first == 1)
            ? text[at] == ':' ? Of(first, second) : Blocks(second)
            : throw new PenjingException($"there is no pattern '{text}': give unstructured, N:M such as 2:4, or 1xN such as 1x32");
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Block > 1 ? $"1x{Block}" : Run > 1 ? $"{Kept}:{Run}" : "unstructured";
}
